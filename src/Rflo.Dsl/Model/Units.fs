namespace Rflo.Dsl

/// Milliseconds, the unit of all times in a model.
[<Measure>]
type ms

/// Steps of the simulation, each of duration `dt`.
[<Measure>]
type step
