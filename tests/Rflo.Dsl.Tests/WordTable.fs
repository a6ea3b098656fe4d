/// Every public word, and what holds it to its effect: a new word has to be put into the table, and so into a law.
module Rflo.Dsl.Tests.WordTable

open System.Reflection
open Expecto
open Rflo.Dsl

/// Words of parts that the law of WordTests draws in random order.
let private drawn =
    set [
        "Area.tau"
        "Area.taus"
        "Area.transfer"
        "Area.noise"
        "Area.initial"
        "Area.learnTau"
        "Area.learnInitial"
        "Area.recordStates"
        "Area.dale"
        "Area.population"
        "Area.explore"
        "Projection.weights"
        "Projection.density"
        "Projection.mask"
        "Projection.noSelf"
        "Projection.balanced"
        "Projection.delay"
        "Projection.gate"
        "Projection.learningRate"
        "Projection.learnBy"
        "Projection.frozen"
        "Projection.bounds"
        "Projection.decay"
        "Projection.l1"
        "Projection.l2"
        "Area.penalties"
        "Area.currentForm"
        "Area.units"
        "Projection.label"
        "Experiment.rule"
        "Experiment.update"
        "Experiment.optimizer"
        "Experiment.clip"
        "Experiment.schedule"
        "Experiment.trials"
        "Experiment.seed"
        "Experiment.dt"
        "Experiment.precision"
        "Experiment.stopAtLoss"
        "Experiment.patience"
        "Experiment.lossWindow"
        "Experiment.lanes"
        "Experiment.lanesSum"
        "Experiment.keepBest"
        "Experiment.validate"
        "Experiment.probe"
        "Experiment.perturb"
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
        "Circuit.mapInput"
        "Circuit.mapReadout"
        "Circuit.mapProjection"
        "Circuit.withWeights"
        "Circuit.transfer"
    ]

/// Words that add to a list, and change nothing that was there.
let private added =
    set [
        "Circuit.areas"
        "Circuit.inputs"
        "Circuit.readouts"
        "Circuit.projections"
        "Circuit.feedback"
        "Circuit.merge"
        "Task.conditions"
        "Circuit.concat"
        "Sweep.overNamed"
        "Sweep.over"
        "Sweep.sample"
        "Sweep.append"
        "Sweep.measure"
    ]

/// Words with one effect that nothing else can take from them.
let private alone =
    set [
        "Readout.output"
        "Readout.loss"
        "Feedback.through"
        "Task.events"
        "Task.scored"
        "Experiment.byValidation"
        "Experiment.stopAtPerformance"
        "Circuit.prefix"
        "Circuit.rename"
        "Circuit.freeze"
        "Circuit.learningRateOfAll"
        "Experiment.batch"
        "Rule.update"
        "Rule.optimizer"
        "Rule.clip"
        "Rule.schedule"
        "Rule.readoutsBy"
        "Rule.withErrorPath"
        "Step.mask"
        "Step.maskEach"
        "Step.event"
        "Trial.mask"
        "Trial.event"
        "Trial.rewards"
        "Trial.condition"
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
        "Perturbations.replaceWeights"
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
        "Area.area"
        "Area.relay"
        "Area.winnerTakeAll"
        "Input.input"
        "Readout.readout"
        "ProjectionWords.bias"
        "AreaWords.relu"
        "AreaWords.sigmoid"
        "AreaWords.softplus"
        "AreaWords.rectifiedTanh"
        "ReadoutWords.softmax"
        "Initial.reset"
        "Initial.resetTo"
        "Initial.carriedOver"
        "Initial.randomStart"
        "Initial.drawnOnce"
        "Transfer.tanh"
        "Transfer.relu"
        "Transfer.sigmoid"
        "Transfer.softplus"
        "Transfer.identity"
        "Transfer.rectifiedTanh"
        "Output.linear"
        "Output.sigmoid"
        "Output.softmax"
        "Output.exponential"
        "Output.softplus"
        "Gate.always"
        "Gate.every"
        "Gate.atTrialEnd"
        "Gate.atEvent"
        "Update.online"
        "Update.everySteps"
        "Update.trialEnd"
        "Update.everyTrials"
        "Update.everyTrialsSum"
        "Precision.double"
        "Precision.single"
        "Harmonics.harmonic"
        "Step.ofArrays"
        "Criterion.lossBelow"
        "Criterion.rewardAbove"
        "Criterion.afterTrials"
        "Criterion.validationLossBelow"
        "Criterion.performanceAbove"
        "Delays.drawnBetween"
        "Delays.inTurn"
        "Trial.ofArrays"
        "Trial.ofSteps"
        "Task.ofTrial"
        "Weights.gaussian"
        "Weights.uniform"
        "Weights.uniformScaled"
        "Weights.spectralRadius"
        "Weights.constant"
        "Weights.oneToOne"
        "Weights.ofMatrix"
        "Feedback.errorOf"
        "Feedback.randomFeedback"
        "Feedback.symmetric"
        "Feedback.feedbackMatrix"
        "Circuit.circuit"
        "Experiment.experiment"
        "Task.periodic"
        "Task.readySetGo"
        "Task.syllables"
        "Task.ofArrays"
        "Task.ofTrials"
        "Task.ofActivity"
        "Task.ofSessions"
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
        "Rule.fullForce"
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

    // Words of a noun are in a module of that name, which may lie in one of several that a script opens by itself.
    let found = [
        for place in assembly.GetTypes() do
            let isModule =
                place.GetCustomAttributes(typeof<CompilationMappingAttribute>, false)
                |> Array.exists (fun mark ->
                    (mark :?> CompilationMappingAttribute).SourceConstructFlags =
                        SourceConstructFlags.Module)

            if
                isModule
                && place.IsVisible
                && (place.Name = name || place.Name = name + "Module")
            then
                place
    ]

    let flags =
        BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly

    match found with
    | [] -> failtest $"there is no module {name}"
    | places ->
        set [
            for words in places do
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
                "AreaWords"
                "ReadoutWords"
                "ProjectionWords"
                "Initial"
                "Transfer"
                "Area"
                "Input"
                "Output"
                "Readout"
                "Weights"
                "Gate"
                "Projection"
                "Feedback"
                "Update"
                "Precision"
                "Experiment"
                "Harmonics"
                "Step"
                "Criterion"
                "Delays"
                "Trial"
                "Task"
                "Circuit"
                "Modules"
                "Rule"
                "Probe"
                "Sweep"
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
