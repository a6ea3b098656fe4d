namespace Rflo.Dsl

open Rflo.Core

/// When a trial is right: what the performance of a trial is.
[<RequireQualifiedAccess>]
type Score =
    /// 1 where the output that the trial asks for is chosen, 0 where another is, as `Measure.decision` reads it, over all outputs of
    /// the task; NaN where the trial asks for no decision.
    | Decision
    /// 1 where the mean absolute error is below that, else 0: over all steps and outputs, weighted by the mask.
    | ErrorBelow of error: float
    /// The share of targets, weighted by the mask, that are met to less than that.
    | ShareWithin of error: float

/// A number that says what a trial is about, with a name.
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
