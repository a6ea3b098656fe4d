/// Every kind of mistake that is planted.
module Rflo.Dsl.Tests.PlantedKinds

let all =
    Array.ofList [
        yield! SpoiledExperiments.all
        yield! SpoiledTasks.all
        yield! SpoiledPhases.all
        yield! SpoiledParts.all
        yield! SpoiledAreas.all
        yield! SpoiledEnds.all
        yield! SpoiledProjections.all
        yield! StrayProjections.all
        yield! SpoiledFeedback.all
        yield! SpoiledProbes.all
    ]
