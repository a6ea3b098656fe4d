namespace Rflo.Dsl

open Rflo.Core

/// When a trial is right: the definition of its performance.
[<RequireQualifiedAccess>]
type Score =
    /// 1 where the chosen output is the target's, 0 where it is another, by `Measure.decision` over all outputs of the task; NaN
    /// where the targets define no decision.
    | Decision
    /// 1 where the mean absolute error is below that, else 0: over all steps and outputs, weighted by the mask.
    | ErrorBelow of error: float
    /// The share of targets, weighted by the mask, whose absolute error is below that.
    | ShareWithin of error: float

/// A named number that describes a trial, such as its coherence.
[<CustomEquality; NoComparison>]
type TrialCondition = {
    Name: string
    /// Draws it from the random numbers of the trial.
    Of: RandomStream -> float
} with

    override this.Equals other =
        match other with
        | :? TrialCondition as that ->
            this.Name = that.Name && obj.ReferenceEquals(this.Of, that.Of)
        | _ -> false

    override this.GetHashCode() = hash this.Name
