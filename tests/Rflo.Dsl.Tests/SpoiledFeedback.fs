/// Mistakes in feedback.
module Rflo.Dsl.Tests.SpoiledFeedback

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Dsl.Tests.Planting

let private setFeedback index feedback (circuit: Circuit) = {
    circuit with
        Feedback = List.updateAt index feedback circuit.Feedback
}

let private feedbacks name ways =
    kind name (fun e -> [
        for index, f in List.indexed e.Circuit.Feedback do
            match
                areaNamed e.Circuit f.Area,
                e.Circuit.Readouts |> List.tryFind (fun y -> y.Name = f.Readout)
            with
            | Some area, Some readout when area.Units > 0 && readout.Outputs > 0 ->
                for through, fault in ways area readout do
                    withCircuit (setFeedback index { f with Through = through }) e
                    |> inFeedback index (always fault) [ $"feedback {index}" ] [
                        areaSize area
                        $"size of readout {readout.Name}"
                        "names"
                    ]
            // An earlier mistake has spoilt it.
            | _ -> ()
    ])

let private told readout area through : Feedback = {
    Readout = readout
    Area = area
    Through = through
    Parts = []
    Lost = []
}

let all = [
    feedbacks "feedback of negative scale" (fun _ _ -> [
        for scale in [ -1.0; nan ] do
            RandomFeedback scale,
            NotAllowed("the scale of the feedback", string scale, "finite and at least 0")
    ])
    feedbacks "feedback of another shape" (fun a y -> [
        GivenFeedback(Array2D.zeroCreate a.Units (y.Outputs + 1)),
        WrongShape(
            "the feedback matrix",
            $"({a.Units}, {y.Outputs + 1})",
            $"({a.Units}, {y.Outputs}), (units, outputs)"
        )
    ])
    feedbacks "feedback that is no number" (fun a y -> [
        GivenFeedback(Array2D.create a.Units y.Outputs nan),
        NotAllowed("a weight of the feedback", "NaN", "finite")
    ])
    kind "symmetric feedback of nothing" (fun e -> [
        for index, f in List.indexed e.Circuit.Feedback do
            if not (listens e.Circuit ((=) f.Readout) f.Area) then
                withCircuit (setFeedback index { f with Through = SymmetricFeedback }) e
                |> inFeedback
                    index
                    (always (
                        Contradiction(
                            $"symmetric feedback is the transpose of weights from {f.Area} to {f.Readout}, and there are none",
                            "use through (randomFeedback 1.0), or declare a projection from the area to the readout"
                        )
                    )) [ $"feedback {index}" ] [ "names" ]
    ])
    kind "feedback twice" (fun e -> [
        for index, f in List.indexed e.Circuit.Feedback do
            withCircuit (Circuit.feedback [ { f with Through = RandomFeedback 1.0 } ]) e
            |> inFeedback
                e.Circuit.Feedback.Length
                (always (
                    Contradiction(
                        "an earlier feedback has the same two ends",
                        "leave one of them out"
                    )
                )) [ $"feedback {index}"; "feedback" ] []
    ])
    kind "feedback of a stranger" (fun e -> [
        for a in e.Circuit.Areas do
            withCircuit (Circuit.feedback [ told "ghost" a.Name (RandomFeedback 1.0) ]) e
            |> inFeedback e.Circuit.Feedback.Length (unknown ReadoutName readoutNames) [
                "feedback"
            ] []

        for y in e.Circuit.Readouts do
            withCircuit (Circuit.feedback [ told y.Name "ghost" (RandomFeedback 1.0) ]) e
            |> inFeedback e.Circuit.Feedback.Length (unknown AreaName areaNames) [ "feedback" ] []
    ])
]
