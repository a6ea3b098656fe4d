/// Every condition of the reproduction against every parameter that the paper prints (tests/data/murray-2019.csv): a number that
/// differs is a departure that the condition names, and a departure that it names is one.
module Rflo.Host.Tests.PaperFactsTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open Rflo.Dsl
open Rflo.Host
open Rflo.Reproductions.Murray2019
open Rflo.Host.Tests.Processes

let private number (value: float) =
    value.ToString("R", Globalization.CultureInfo.InvariantCulture)

/// The rows of the table: simulation, parameter, value.
let private table =
    lazy
        (File.ReadAllLines(Path.Combine(root, "tests", "data", "murray-2019.csv"))
         |> Array.skip 1
         |> Array.map (fun line ->
             // The first three cells have no quotes, but a value may be quoted for its comma.
             let simulation = line[.. line.IndexOf ',' - 1]
             let rest = line[line.IndexOf ',' + 1 ..]
             let parameter = rest[.. rest.IndexOf ',' - 1]
             let rest = rest[rest.IndexOf ',' + 1 ..]

             let value =
                 if rest.StartsWith '"' then
                     rest[1 .. rest.IndexOf('"', 1) - 1]
                 else
                     rest[.. rest.IndexOf ',' - 1]

             simulation, parameter, value)
         |> List.ofArray)

let private source (projection: Projection) =
    match projection.Source with
    | OfArea name -> name
    | OfInput name -> name
    | OfReadout name -> name
    | other -> failtest $"no condition has %A{other}"

let private target (projection: Projection) =
    match projection.Target with
    | OfArea name -> name
    | OfReadout name -> name
    | other -> failtest $"no condition has %A{other}"

/// Onto what a projection goes in the paper's terms: recurrent, input, readout, striatum; thalamus's relay is the path of an input.
let private kind (experiment: Experiment) (projection: Projection) =
    let isReadout name =
        experiment.Circuit.Readouts |> List.exists (fun r -> r.Name = name)

    match source projection, target projection with
    | _, readout when isReadout readout -> "readout"
    | "cortex", "cortex" -> "recurrent"
    | readout, "cortex" when isReadout readout -> "output"
    | _, "cortex" -> "input"
    | _, "striatum" -> "striatum"
    | _ -> "path"

let private plastic (projection: Projection) =
    match projection.Plasticity with
    | Frozen -> None
    | Learning rate
    | LearningBy(rate, _) -> Some rate

/// The rule whose credit and error path a rule has, whatever it is called and whichever projections it changes.
let private credit (rule: Rule) =
    [
        Rule.rflo
        Rule.bptt
        Rule.localSymmetric
        Rule.bpttRandom
    ]
    |> List.tryFind (fun known -> known.Credit = rule.Credit && known.Error = rule.Error)
    |> Option.map _.Name
    |> Option.defaultValue rule.Name

/// What an experiment declares, in the terms of the table.
let private facts (experiment: Experiment) =
    let circuit, rule = experiment.Circuit, experiment.Rule
    let cortex = circuit.Areas |> List.find (fun area -> area.Name = "cortex")
    let kinds = circuit.Projections |> List.map (fun p -> kind experiment p, p)

    let ofKind name =
        kinds |> List.filter (fst >> (=) name) |> List.map snd

    let learned =
        let may name =
            match rule.Learns with
            | Everything -> true
            | OnlyReadouts -> name = "readout"
            | OnlyRecurrent -> name = "recurrent"
            | OnlyInputs -> name = "input"

        [ "input"; "recurrent"; "readout"; "striatum" ]
        |> List.filter (fun name ->
            may name && ofKind name |> List.exists (plastic >> Option.isSome))

    let rates = circuit.Projections |> List.choose plastic |> List.distinct

    Map.ofList [
        "units", string cortex.Units
        "transfer", (string cortex.Transfer).ToLowerInvariant()
        "rule", credit rule
        "trials", string experiment.Trials
        "learned", String.concat " " learned
        "excitatory",
        (match cortex.Dale with
         | Some share -> number share
         | None -> "none")
        "fed back", (if (ofKind "output").IsEmpty then "no" else "yes")
        "clipping",
        (if rule.Clip.IsNone then
             "none"
         else
             $"norm {number rule.Clip.Norm}")

        match cortex.Tau with
        | SameTau tau -> "tau", number (float tau)
        | _ -> ()

        for projection in ofKind "recurrent" do
            match projection.Weights with
            | Gaussian gain -> "gain", number gain
            | _ -> ()

        for projection in ofKind "readout" do
            match projection.Weights with
            | UniformScaled bound -> "first readout", number bound
            | _ -> ()

        match ofKind "input" with
        | [] -> "input weights", "none"
        | projections ->
            for projection in projections do
                match projection.Weights with
                | Uniform(low, high) -> "input weights", $"U({number low}, {number high})"
                | _ -> ()

        match circuit.Feedback |> List.map _.Through |> List.distinct with
        | [ RandomFeedback scale ] -> "feedback", $"N(0, {number scale})"
        | _ -> ()

        match rates with
        | [ rate ] -> "rate", number rate
        | _ -> ()

        "updates",
        (match rule.Update with
         | Online -> "online"
         | EverySteps k -> $"every {k} steps"
         | TrialEnd -> "trial end"
         | EveryTrials(k, _) -> $"every {k} trials")

        match experiment.Task.Kind with
        | Periodic(period, harmonics) ->
            let text =
                harmonics |> List.map (fun (k, a) -> $"{k}:{number a}") |> String.concat " "

            "task", $"periodic {text}"
            "T", number (float period)
        | ReadySetGo task ->
            "task", "ready-set-go"
            "pulse width", number (float task.Width)
            "channels", (if task.OwnChannels then "2" else "1")

            match task.Delays with
            | DrawnBetween(shortest, longest) ->
                "shortest delay", number (float shortest)
                "longest delay", number (float longest)
            | InTurn _ -> ()
        | Syllables task ->
            "task", "syllables"
            "syllables", string task.Directions.Length
            "syllable", number (float task.Move)
            "T", number (float task.Sequence.Length * float (task.Move + task.Hold))
        | other -> failtest $"no condition has %A{other}"

        for area in circuit.Areas do
            match area.Dynamics with
            | WinnerTakeAll explore ->
                "exploration", number explore
                "choices", string area.Units
            | Leaky -> ()
            | CurrentForm -> "form", "current"
            | OfModel model -> "units", string model

        for projection in ofKind "striatum" do
            match projection.Plasticity with
            | LearningBy(_,
                         {
                             Credit = Local { Post = post; Modulator = modulator }
                         }) ->
                "striatal factor", (string post.Signal).ToLowerInvariant()
                "baseline", (if modulator.Mean.IsNone then "none" else "running mean")
            | _ -> ()
    ]

let private full = {
    Seeds = 9
    Trials = id
    IsQuick = false
}

/// Every figure of networks, of the paper and beyond it.
let private figures =
    Figure2.all
    @ Supplements.all
    @ [
        Figure3.fig3
        Figure4.fig4
        Figure4.fig4Short
        Beyond.approximations
        Beyond.loops
    ]

let private conditions =
    lazy
        (figures @ [ Grid.figure ]
         |> List.collect (fun figure -> figure.Conditions full)
         |> List.distinctBy _.Key)

/// A condition's experiment; one that begins where another ended gets untrained weights.
let private experiment (condition: Condition) =
    let made earlier =
        let experiment = earlier.Make None

        match Run.train { experiment with Trials = 0 } with
        | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "; ")
        | Ok trained -> {
            Seed = 1
            Experiment = experiment
            Status = Rflo.Core.RunEnd.Completed
            Losses = [||]
            Alignment = [||]
            Seconds = 0.0
            Final = lazy trained.Final
          }

    match condition.After with
    | None -> condition.Make None
    | Some key ->
        conditions.Value
        |> List.find (fun c -> c.Key = key)
        |> made
        |> Some
        |> condition.Make

/// Rules of the same kind as the printed one, which a departure names by another parameter.
let private sameRule printed own =
    printed = own
    || (printed = "reward-hebb" && (own: string).StartsWith "reward-hebb")

/// Where a condition differs from the paper's row, and what it says of that.
let private compared (condition: Condition) =
    match condition.Origin with
    | Beyond -> []
    | Simulation(name, departs) ->
        let own = facts (experiment condition)
        let rows = table.Value |> List.filter (fun (simulation, _, _) -> simulation = name)

        if rows.IsEmpty then
            [ $"{condition.Key}: the table has no simulation {name}" ]
        else
            [
                for _, parameter, printed in rows do
                    if printed <> "-" && parameter <> "runs" then
                        let isNamed = departs |> List.exists (fst >> (=) parameter)

                        // "= gain" stands for the value of another parameter.
                        let printed =
                            if printed.StartsWith "= " then
                                own[printed.Substring 2]
                            else
                                printed

                        match Map.tryFind parameter own with
                        | None when isNamed -> ()
                        | None ->
                            $"{condition.Key}: nothing declares {parameter}, printed {printed}"
                        | Some value ->
                            let isSame =
                                if parameter = "rule" then
                                    sameRule printed value
                                else
                                    printed = value

                            if not isSame && not isNamed then
                                $"{condition.Key}: {parameter} is {value}, printed {printed}, and no departure says so"
                            elif isSame && isNamed then
                                $"{condition.Key}: {parameter} is said to depart, and is as printed"

                // A departure names something that the table has, or an open choice.
                let choices =
                    List.concat [
                        Models.periodicChoices |> List.map _.Name
                        Models.intervalChoices |> List.map _.Name
                        Models.sequenceChoices |> List.map _.Name
                    ]

                for parameter, _ in departs do
                    let isKnown =
                        rows |> List.exists (fun (_, known, _) -> known = parameter)
                        || List.contains parameter choices

                    if not isKnown then
                        $"{condition.Key}: the departure {parameter} is no parameter of the paper and no open choice"
            ]

/// The claims of every figure, by its name: their names and texts.
let private claims =
    lazy
        (figures @ [ Appendix.figure full ]
         |> List.map (fun figure ->
             figure.Id, figure.Claims |> List.map (fun claim -> claim.Id, claim.Text))
         |> Map.ofList)

/// The rows of a Markdown table that follow a comment, as cells.
let private rowsAfter (comment: string) (text: string) =
    let start = text.IndexOf(comment, StringComparison.Ordinal)
    Numbers.isGreaterThan start -1 $"no {comment}"

    let block =
        text[start .. text.IndexOf("<!-- end -->", start, StringComparison.Ordinal) - 1]

    block.Split '\n'
    |> Array.filter _.StartsWith("| ")
    |> Array.map (fun line -> line.Trim('|', ' ').Split " | " |> Array.map _.Trim())
    |> Array.skip 1
    |> List.ofArray

[<Tests>]
let page =
    testList "the page of the reproduction" [
        test "has the claims of the code, and counts them" {
            let text = File.ReadAllText(Path.Combine(root, "docs", "reproduction.md"))

            let shown = [
                for found in Regex.Matches(text, "<!-- claims: (.*?) -->") do
                    for name in found.Groups[1].Value.Split ' ' do
                        name, found.Value
            ]

            Numbers.isGreaterThan shown.Length 8 "figures"

            let ends =
                shown
                |> List.groupBy snd
                |> List.collect (fun (comment, figures) ->
                    // A row's first cell is empty in the heading only.
                    let rows = rowsAfter comment text
                    let expected = figures |> List.collect (fun (name, _) -> claims.Value[name])
                    let said = rows |> List.map (fun row -> row[0], row[1])
                    Expect.equal said expected comment

                    (rows,
                     figures
                     |> List.collect (fun (name, _) -> [ for _ in claims.Value[name] -> name ]))
                    ||> List.map2 (fun row name -> name, row[4]))

            let count (name: string) (start: string) =
                ends
                |> List.filter (fun (figure, verdict) ->
                    figure = name && verdict.StartsWith($"**{start}**", StringComparison.Ordinal))
                |> List.length
                |> string

            let summary = rowsAfter "<!-- summary -->" text
            let figures = summary |> List.filter (fun row -> claims.Value.ContainsKey row[0])
            Numbers.isGreaterThan figures.Length 8 "figures of the summary"

            for row in figures do
                Expect.equal
                    (List.ofArray row[2..])
                    [
                        count row[0] "holds"
                        count row[0] "does not hold"
                        count row[0] "not decided"
                    ]
                    row[0]

            let sums =
                [ 1..4 ]
                |> List.map (fun k -> figures |> List.sumBy (fun row -> int row[k]) |> string)

            let total = List.last summary
            Expect.equal (List.ofArray total[1..]) sums "sums"

            let readme = File.ReadAllText(Path.Combine(root, "README.md"))
            Expect.equal (rowsAfter "<!-- summary -->" readme) summary "the table of README.md"
        }
    ]

[<Tests>]
let tests =
    testList "the paper's parameters" [
        test "are those of every condition, or the condition says where it departs" {
            let differences = conditions.Value |> List.collect compared
            Expect.equal (String.concat "\n" differences) "" "differences"
        }

        test "would not be met by another share, rate, period or number of trials" {
            // The slip that this table is for: four fifths where the paper says half.
            let spoiled (change: Experiment -> Experiment) key =
                let condition = conditions.Value |> List.find (fun c -> c.Key = key)
                let make = condition.Make
                compared { condition with Make = make >> change }

            let spoils = [
                "a share of 0.8",
                Conditions.dale 200,
                (fun e -> {
                    e with
                        Circuit = e.Circuit |> Circuit.mapArea "cortex" (dale 0.8)
                })
                "no law",
                Conditions.dale 200,
                (fun e -> {
                    e with
                        Circuit =
                            e.Circuit |> Circuit.mapArea "cortex" (fun a -> { a with Dale = None })
                })
                "another rate",
                Conditions.rflo 400,
                (fun e -> {
                    e with
                        Circuit =
                            e.Circuit |> Circuit.mapProjection "cortex->cortex" (learningRate 0.03)
                })
                "a tenth of the trials", Conditions.bptt 200, (fun e -> { e with Trials = 1000 })
                "another rule", Conditions.bptt 800, (fun e -> { e with Rule = Rule.rflo })
                "another period",
                Conditions.rflo 800,
                (fun e -> {
                    e with
                        Task = Models.target 400.0<ms>
                })
                "updates in every trial",
                Conditions.intervalPrinted 150,
                (fun e -> {
                    e with
                        Rule = { e.Rule with Update = TrialEnd }
                })
                "clipping",
                Conditions.untaughtBptt Conditions.held,
                (fun e -> {
                    e with
                        Rule = { e.Rule with Clip = Clip.Each 0.1 }
                })
            ]

            for name, key, change in spoils do
                Expect.isNonEmpty (spoiled change key) name
        }

        test
            "name each choice that the paper leaves open, with an alternative that makes another experiment" {
            let differs (choices: OpenChoice<'Model> list) make model =
                for choice in choices do
                    let experiments =
                        choice.Alternatives
                        |> List.map (fun (name, _) ->
                            make (
                                Reading.apply
                                    choices
                                    {
                                        Name = ""
                                        Settings = [ choice.Name, name ]
                                    }
                                    model
                            ))

                    for a, b in List.allPairs experiments experiments do
                        if not (obj.ReferenceEquals(a, b)) then
                            Expect.notEqual a b $"two alternatives of {choice.Name}"

            differs Models.periodicChoices Models.ofPeriodic Models.periodic

            differs
                Models.intervalChoices
                Models.ofInterval
                (Models.interval Rule.rflo 0.001 150.0<ms>)

            differs Models.sequenceChoices Models.syllables Models.sequence
        }

        test "make an experiment that can be run of every reading that is screened" {
            let size = {
                Seeds = 9
                Trials = id
                IsQuick = false
            }

            for screening in Screenings.all do
                for reading in screening.First do
                    let experiment = (screening.Condition size reading).Make None

                    match Check.experiment experiment with
                    | Ok _ -> ()
                    | Error problems ->
                        failtest
                            $"{screening.Id}, {Reading.text reading}: %A{problems |> List.map Problem.text}"
        }

        test "refuse a reading that names no choice, or no alternative" {
            let apply settings =
                Reading.apply
                    Models.periodicChoices
                    { Name = ""; Settings = settings }
                    Models.periodic
                |> ignore

            Expect.throwsT<InvalidOperationException>
                (fun () -> apply [ "chanels", "one" ])
                "choice"

            Expect.throwsT<InvalidOperationException>
                (fun () -> apply [ "clipping", "0.1" ])
                "alternative"
        }
    ]
