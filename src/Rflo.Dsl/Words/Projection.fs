namespace Rflo.Dsl

/// Names of projections in lists, files and figures.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Projection =

    /// A projection's own name, or its two ends: "cortex->y".
    let name projection = Wiring.label projection

    /// An end as text: "cortex", "cortex[excitatory]", "bias".
    let endName finish = Wiring.endName finish

    /// Whether it runs from a whole area to the same area, so that its weights have a spectrum.
    let isRecurrent projection =
        projection.Source.IsOfArea && projection.Source = projection.Target
