namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra
open Rflo.Core

/// The units of an area that a perturbation acts on.
[<RequireQualifiedAccess>]
type PerturbedUnits =
    /// All of an area.
    | Whole of area: string
    /// A named population.
    | Population of area: string * population: string
    /// Some units, counted from 0.
    | Some of area: string * units: int list

    /// The area.
    member this.Area =
        match this with
        | Whole area
        | Population(area, _)
        | Some(area, _) -> area

/// Numbers over the steps of a perturbation, from its first step on. After the last number that number is repeated.
[<RequireQualifiedAccess>]
type Course =
    /// The same in every step.
    | Constant of value: float
    /// One a step, the same for all units.
    | Steps of values: float[]
    /// Shape (steps, units).
    | OfUnits of values: float[,]

/// Words for time courses.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Course =

    /// `Course.constant 0.3` is that number in every step.
    let constant value = Course.Constant value

    /// `Course.steps [ 0.1; 0.2; 0.3 ]` is one number a step, the same for all units; after the end the last is repeated.
    let steps values = Course.Steps(Array.ofSeq values)

    /// `Course.ofUnits values` is a number for each step and unit, shape (steps, units).
    let ofUnits (values: float[,]) = Course.OfUnits values

/// Numbers that are added to a state, or replace it.
[<RequireQualifiedAccess>]
type Kick = {
    /// One number for all units, or one for each.
    Values: float list
    /// Whether they are added; if not, they replace the state.
    Adds: bool
    /// The state of a unit model, by its name; none for the first.
    State: string option
}

/// Words for kicks.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Kick =

    /// `Kick.add 0.5` adds that to the state of every unit.
    let add value : Kick = {
        Values = [ value ]
        Adds = true
        State = None
    }

    /// `Kick.set 0.5` sets the state of every unit to that.
    let set value : Kick = { add value with Adds = false }

    /// `Kick.addEach [ 0.5; -0.5 ]` adds to each unit a number of its own.
    let addEach values : Kick = {
        add 0.0 with
            Values = List.ofSeq values
    }

    /// `Kick.setEach [ 0.5; -0.5 ]` sets each unit to a number of its own.
    let setEach values : Kick = { addEach values with Adds = false }

    /// `Kick.add 0.5 |> Kick.ofState "a"` is for the state variable a of a unit model.
    let ofState name (kick: Kick) : Kick = { kick with State = Some name }

/// The kinds of perturbations.
[<RequireQualifiedAccess>]
type PerturbationKind =
    /// The signal of units is held at 0.
    | Silence of PerturbedUnits
    /// The signal of units is held at a time course.
    | Clamp of PerturbedUnits * Course
    /// A current is added to that of units, and noise with a standard deviation in steps of 1 ms.
    | Stimulate of PerturbedUnits * Course * noise: float
    /// A state of units is changed at the end of the window's first step.
    | Kick of PerturbedUnits * Kick
    /// Units are removed for whole trials.
    | Lesion of PerturbedUnits
    /// The currents of a projection are multiplied.
    | ScaleProjection of projection: string * factor: float
    /// A projection has other weights, (post, pre). In evaluations only.
    | ReplaceWeights of projection: string * weights: Matrix<float>

/// In which steps of a trial a perturbation acts.
[<RequireQualifiedAccess>]
type PerturbedSteps =
    /// In all.
    | All
    /// In those that the task marks with an event, such as all steps of a phase.
    | During of event: string
    /// Between two times of the trial.
    | Between of from: float<ms> * until: float<ms>
    /// For a duration, from a time after the first step that the task marks with an event.
    | After of event: string * after: float<ms> * lasting: float<ms>

/// In which trials a perturbation acts.
[<RequireQualifiedAccess; CustomEquality; NoComparison>]
type PerturbedTrials =
    /// In all.
    | All
    /// In a fraction of them, each drawn for itself; perturbations with the same fraction and key act in the same trials.
    | Drawn of fraction: float * key: string
    /// In those for whose number, from 0, a function is true.
    | Chosen of choice: (int -> bool)

    override this.Equals other =
        match other with
        | :? PerturbedTrials as that ->
            match this, that with
            | All, All -> true
            | Drawn(a, b), Drawn(c, d) -> a.Equals c && b = d
            | Chosen a, Chosen b -> obj.ReferenceEquals(a, b)
            | _ -> false
        | _ -> false

    override this.GetHashCode() =
        match this with
        | All -> 0
        | Drawn(fraction, key) -> hash (fraction, key)
        | Chosen _ -> 1

/// A change of a circuit during its trials: what, in which steps, in which trials.
[<RequireQualifiedAccess>]
type Perturbation = {
    Kind: PerturbationKind
    Steps: PerturbedSteps
    Trials: PerturbedTrials
}

/// Units that can be perturbed: an area, a population, some units.
type IUnits =
    /// Which units.
    abstract Units: PerturbedUnits
