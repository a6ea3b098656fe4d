/// How a mistake is planted in a valid experiment, and what must then be reported.
module Rflo.Dsl.Tests.Planting

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials
open Rflo.Testing.Circuits

/// A mistake in an experiment.
type Planted = {
    Experiment: Experiment
    /// Section of the declaration, place in the section, place among the faults of the part.
    Place: int * int * int
    /// What must be reported, seen in the experiment with everything planted.
    Expected: Experiment -> Problem
    /// What the mistake spoils, and what must be sound for it to be the only one. Two mistakes go together if
    /// neither spoils what the other spoils or needs.
    Spoils: string list
    Needs: string list
}

/// A kind of mistake: all the ways to make it in an experiment.
type Kind = {
    Name: string
    Ways: Experiment -> Planted list
}

let kind name ways = { Name = name; Ways = ways }

let private planted place part fault spoils needs experiment = {
    Experiment = experiment
    Place = place
    Expected =
        (fun final -> {
            Part = part final
            Fault = fault final
        })
    Spoils = spoils
    Needs = needs
}

let withCircuit change (experiment: Experiment) = {
    experiment with
        Circuit = change experiment.Circuit
}

// Where faults are.

let inExperiment rank fault spoils needs experiment =
    planted (0, 0, rank) (fun _ -> InExperiment) fault spoils needs experiment

let inTask fault spoils needs experiment =
    planted (1, 0, 0) (fun _ -> InTask) fault ("task" :: spoils) needs experiment

let inTaskPart names fault spoils needs experiment =
    planted (1, 0, 0) (fun _ -> InTaskPart names) fault ("task" :: spoils) needs experiment

let areaPart index (final: Experiment) = InArea final.Circuit.Areas[index].Name

// Parts as a circuit written out may have them: after the others, and twice.

let appendAreas more (circuit: Circuit) = {
    circuit with
        Areas = circuit.Areas @ more
}

let appendInputs more (circuit: Circuit) = {
    circuit with
        Inputs = circuit.Inputs @ more
}

let appendReadouts more (circuit: Circuit) = {
    circuit with
        Readouts = circuit.Readouts @ more
}

let inArea index rank fault spoils needs experiment =
    planted (2, index, rank) (areaPart index) fault spoils needs experiment

let inPopulation index name fault spoils needs experiment =
    let part (final: Experiment) =
        InPopulation(final.Circuit.Areas[index].Name, name)

    planted (2, index, 20) part fault spoils needs experiment

let inInput index fault spoils needs experiment =
    let part (final: Experiment) =
        InInput final.Circuit.Inputs[index].Name

    planted (3, index, 0) part fault ($"input {index}" :: spoils) needs experiment

let inReadout index fault spoils needs experiment =
    let part (final: Experiment) =
        InReadout final.Circuit.Readouts[index].Name

    planted (4, index, 0) part fault ($"readout {index}" :: spoils) needs experiment

let inProjection index fault spoils needs experiment =
    let part (final: Experiment) =
        InProjection(labelOf final.Circuit.Projections[index])

    planted (5, index, 0) part fault ($"projection {index}" :: spoils) needs experiment

let inFeedback index fault spoils needs experiment =
    let part (final: Experiment) =
        let feedback = final.Circuit.Feedback[index]
        InFeedback(feedback.Readout, feedback.Area)

    planted (6, index, 0) part fault ($"feedback {index}" :: spoils) needs experiment

/// The experiment with one more probe.
let withProbe every probe (experiment: Experiment) =
    let index = experiment.Probes.Length
    index, experiment |> Experiment.probe every [ probe ]

let inProbe index fault spoils needs experiment =
    let part (final: Experiment) =
        InProbe(Probe.name final.Probes[index].Probe)

    planted (7, index, 0) part fault spoils needs experiment

// What mistakes spoil or need.

let areaSize (area: Area) = $"size of area {area.Name}"

/// What the size and the signs of an end depend on.
let endSize (circuit: Circuit) finish =
    match finish with
    | OfInput name
    | OfChannels(name, _) -> $"size of input {name}"
    | OfReadout name -> $"size of readout {name}"
    | other ->
        areaOf other
        |> Option.bind (areaNamed circuit)
        |> Option.map areaSize
        |> Option.defaultValue "nothing"

/// A projection between the same ends that learns as before and says nothing else.
let plain (projection: Projection) = {
    projection with
        Weights = Gaussian 1.0
        Connectivity = Dense
        SelfConnections = true
        Delay = None
        Opening = Always
        Balanced = false
        Bounds = None
        Decay = 0.0
}

let setProjection index projection =
    withCircuit (fun circuit -> {
        circuit with
            Projections = List.updateAt index projection circuit.Projections
    })

let setArea index area =
    withCircuit (fun circuit -> {
        circuit with
            Areas = List.updateAt index area circuit.Areas
    })

/// The experiment with one more projection, frozen unless it says otherwise, under a name of its own.
let appended (projection: Projection) (experiment: Experiment) =
    let index = experiment.Circuit.Projections.Length

    let named = {
        projection with
            Label = Some $"planted.{index}"
    }

    index, withCircuit (Circuit.projections [ named ]) experiment

let arrow source target : Projection = {
    (bias --> area "nowhere" 1) with
        Parts = []
        Source = source
        Target = target
        Weights = Gaussian 1.0
}

/// Gives a part another name, wherever it is spoken of.
let renamed before after (circuit: Circuit) =
    Circuit.rename (fun name -> if name = before then after else name) circuit

/// The same fault, whatever else is planted.
let always fault (_: Experiment) = fault

let notAllowed field given allowed =
    always (NotAllowed(field, given, allowed))

/// A time that no number of whole steps makes.
let halfSteps (e: Experiment) = e.Dt * 2.5

let areaNames (e: Experiment) = e.Circuit.Areas |> List.map _.Name
let inputNames (e: Experiment) = e.Circuit.Inputs |> List.map _.Name
let readoutNames (e: Experiment) = e.Circuit.Readouts |> List.map _.Name
let unknown kind names final = Unknown(kind, "ghost", names final)

let own rule projection = projection |> learnBy rule 0.01

// Several mistakes at once.

let private clash (a: Planted) (b: Planted) =
    let meets one other =
        List.exists (fun word -> List.contains word other) one

    meets a.Spoils (b.Spoils @ b.Needs) || meets b.Spoils a.Needs

/// Plants one after the other, each in the way that its number chooses; a mistake that clashes with those before it
/// is left out. The answer is the experiment, with the names of the kinds and what must be reported.
let plantAll (kinds: Kind[]) (choices: (int * int) list) (experiment: Experiment) =
    let plant (experiment, done') (which, way) =
        let kind = kinds[which % kinds.Length]

        let ways =
            kind.Ways experiment
            |> List.filter (fun planted ->
                done' |> List.forall (fun (_, other) -> not (clash planted other)))

        if List.isEmpty ways then
            experiment, done'
        else
            let chosen = ways[way % ways.Length]
            chosen.Experiment, (kind.Name, chosen) :: done'

    let final, all = List.fold plant (experiment, []) choices

    let expected =
        all
        |> List.map snd
        |> List.sortBy _.Place
        |> List.map (fun planted -> planted.Expected final)

    final, List.map fst all, expected
