namespace Rflo.Dsl

/// How parts are added to circuits.
[<RequireQualifiedAccess>]
module internal Parts =

    /// The parts of a list and then those of another that are not in it. Two different parts with one name both stay; the check
    /// refuses them.
    let union (first: 'part list) (more: 'part list) : 'part list =
        (first, more)
        ||> List.fold (fun parts part ->
            // Unlike `=`, `Equals` finds a part that holds a NaN equal to itself.
            if parts |> List.exists (fun other -> (box part).Equals other) then
                parts
            else
                parts @ [ part ])

    let private take (parts: CircuitPart list) (circuit: Circuit) : Circuit = {
        circuit with
            Areas =
                parts
                |> List.choose (function
                    | CircuitPart.Area area -> Some area
                    | _ -> None)
                |> union circuit.Areas
            Inputs =
                parts
                |> List.choose (function
                    | CircuitPart.Input input -> Some input
                    | _ -> None)
                |> union circuit.Inputs
            Readouts =
                parts
                |> List.choose (function
                    | CircuitPart.Readout readout -> Some readout
                    | _ -> None)
                |> union circuit.Readouts
    }

    /// The circuit with more projections, and with the parts that they join.
    let projections (more: Projection list) (circuit: Circuit) : Circuit =
        let taken = take (more |> List.collect _.Parts) circuit

        {
            taken with
                Projections =
                    circuit.Projections
                    @ [ for projection in more -> { projection with Parts = [] } ]
        }

    /// The circuit with more feedback, and with the parts that it joins.
    let feedback (more: Feedback list) (circuit: Circuit) : Circuit =
        let taken = take (more |> List.collect _.Parts) circuit

        {
            taken with
                Feedback = circuit.Feedback @ [ for way in more -> { way with Parts = [] } ]
        }
