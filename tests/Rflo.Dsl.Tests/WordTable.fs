/// Every public word, and what holds it to its effect: a new word has to be put into the table, and so into a law.
module Rflo.Dsl.Tests.WordTable

open System.Reflection
open Expecto
open Rflo.Dsl

/// Words of parts that the law of WordTests draws in random order.
let private drawn =
    set [
        "Declare.tau"
        "Declare.taus"
        "Declare.transfer"
        "Declare.noise"
        "Declare.initial"
        "Declare.learnTau"
        "Declare.dale"
        "Declare.population"
        "Declare.explore"
        "Declare.weights"
        "Declare.density"
        "Declare.mask"
        "Declare.noSelf"
        "Declare.balanced"
        "Declare.delay"
        "Declare.gate"
        "Declare.learning"
        "Declare.learningBy"
        "Declare.frozen"
        "Declare.bounds"
        "Declare.decay"
        "Declare.l1"
        "Declare.l2"
        "Declare.penalties"
        "Declare.currentForm"
        "Declare.units"
        "Declare.named"
        "Declare.rule"
        "Declare.update"
        "Declare.trials"
        "Declare.seed"
        "Declare.dt"
        "Declare.precision"
        "Declare.stopAtLoss"
        "Declare.patience"
        "Declare.lossWindow"
        "Declare.keepBest"
        "Declare.validate"
        "Declare.probe"
        "Declare.perturb"
        "Task.masked"
        "Task.marked"
        "Task.rewarded"
        "Task.watching"
        "Task.judged"
        "Task.named"
    ]

/// Words that take names: held by NameTests.
let private named =
    set [
        "Circuit.mapArea"
        "Circuit.mapProjection"
        "Circuit.withWeights"
        "Circuit.transfer"
    ]

/// Words that add to a list, and change nothing that was there.
let private added =
    set [
        "Declare.areas"
        "Declare.inputs"
        "Declare.readouts"
        "Declare.projections"
        "Declare.feedback"
        "Circuit.merge"
        "Task.conditions"
        "Circuit.concat"
        "Sweep.overNamed"
        "Sweep.over"
        "Sweep.sample"
        "Sweep.append"
    ]

/// Words with one effect that nothing else can take from them.
let private alone =
    set [
        "Declare.output"
        "Declare.loss"
        "Declare.through"
        "Task.events"
        "Task.scored"
        "Declare.byValidation"
        "Declare.stopAtPerformance"
        "Circuit.prefix"
        "Circuit.rename"
        "Circuit.freeze"
        "Rule.minusMean"
        "Rule.map"
        "Rule.readoutOnly"
        "Rule.recurrentOnly"
        "Rule.inputOnly"
        "Sweep.named"
        "Modules.sequenced"
    ]

/// Words of perturbations: PerturbationTests holds each to what it becomes.
let private perturbing =
    set [
        "Perturbations.silence"
        "Perturbations.clamp"
        "Perturbations.stimulate"
        "Perturbations.disturb"
        "Perturbations.kick"
        "Perturbations.lesion"
        "Perturbations.scaleProjection"
        "Perturbations.during"
        "Perturbations.inFraction"
        "Perturbations.betweenTimes"
        "Perturbations.afterOnset"
        "Perturbations.inFractionOf"
        "Perturbations.inTrials"
        "Course.constant"
        "Course.steps"
        "Course.ofUnits"
        "Kick.add"
        "Kick.set"
        "Kick.addEach"
        "Kick.setEach"
        "Kick.ofState"
        "Perturbation.words"
    ]

/// Words that begin a part, or are a value for another word, or read something.
let private beginnings =
    set [
        "Declare.area"
        "Declare.relay"
        "Declare.winnerTakeAll"
        "Declare.input"
        "Declare.readout"
        "Declare.bias"
        "Declare.gaussian"
        "Declare.uniform"
        "Declare.uniformScaled"
        "Declare.spectralRadius"
        "Declare.constant"
        "Declare.oneToOne"
        "Declare.given"
        "Declare.errorOf"
        "Declare.random"
        "Declare.symmetric"
        "Declare.matrix"
        "Declare.circuit"
        "Declare.experiment"
        "Task.periodic"
        "Task.readySetGo"
        "Task.syllables"
        "Task.ofArrays"
        "Task.ofFunction"
        "Task.phased"
        "Task.phasedBy"
        "Task.sine"
        "Task.flipFlop"
        "Task.add"
        "Task.delayedMatch"
        "Task.delayedDiscrimination"
        "Task.perceptualDecision"
        "Task.contextIntegration"
        "Task.intervalDiscrimination"
        "Task.evidenceAccumulation"
        "Task.sensorimotorMap"
        "Task.blocks"
        "Task.mixture"
        "Task.curriculum"
        "Task.parts"
        "Task.closedLoop"
        "Task.custom"
        "Circuit.empty"
        "Circuit.area"
        "Circuit.input"
        "Circuit.readout"
        "Circuit.projectionNames"
        "Circuit.signs"
        "Circuit.describe"
        "Modules.cortex"
        "Modules.basalGanglia"
        "Modules.thalamus"
        "Modules.loop"
        "Modules.syllables"
        "Rule.the"
        "Rule.local"
        "Rule.truncatedBptt"
        "Rule.td"
        "Rule.all"
        "Rule.named"
        "Rule.ofCore"
        "Rule.define"
        "Rule.defineLearner"
        "Rule.defineUnsupervised"
        "Probe.angle"
        "Probe.angleOf"
        "Probe.spectralRadius"
        "Probe.participationRatio"
        "Probe.rates"
        "Probe.weightChange"
        "Probe.dale"
        "Probe.masks"
        "Probe.custom"
        "Probe.name"
        "Sweep.ofExperiment"
        "Sweep.uniform"
        "Sweep.logUniform"
        "Sweep.choice"
        "Sweep.label"
        "Sweep.problems"
        "Projection.name"
        "Projection.endName"
        "Projection.isRecurrent"
    ]

let private wordsOf (name: string) =
    let assembly = typeof<Experiment>.Assembly

    let found =
        [ $"Rflo.Dsl.{name}Module"; $"Rflo.Dsl.{name}" ]
        |> List.tryPick (fun full -> assembly.GetType full |> Option.ofObj)

    let flags =
        BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly

    match found with
    | None -> failtest $"there is no module {name}"
    | Some words ->
        set [
            for method in words.GetMethods flags do
                if not method.IsSpecialName then
                    $"{name}.{method.Name}"

            for property in words.GetProperties flags do
                $"{name}.{property.Name}"
        ]

[<Tests>]
let tests =
    test "every public word is in the table of words" {
        let readyMade =
            set [
                for rule in typeof<Rule>.Assembly.GetTypes() do
                    if rule.FullName = "Rflo.Dsl.RuleModule" then
                        for property in rule.GetProperties() do
                            if property.PropertyType = typeof<Rule> then
                                $"Rule.{property.Name}"
            ]

        let words =
            [
                "Declare"
                "Task"
                "Circuit"
                "Modules"
                "Rule"
                "Probe"
                "Sweep"
                "Projection"
                "Perturbations"
                "Perturbation"
                "Course"
                "Kick"
            ]
            |> List.map wordsOf
            |> Set.unionMany

        let table =
            Set.unionMany [
                drawn
                named
                added
                alone
                beginnings
                perturbing
                readyMade
            ]

        Expect.equal
            (Set.difference words table)
            Set.empty
            "words that are in no list: put each into the law that sees its effect"

        Expect.equal (Set.difference table words) Set.empty "words that are gone"
    }
