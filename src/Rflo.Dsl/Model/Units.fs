namespace Rflo.Dsl

/// Milliseconds, the unit of every time that an author writes.
[<Measure>]
type ms

/// Steps of the simulation; `dt` tells how many milliseconds one of them lasts.
[<Measure>]
type step
