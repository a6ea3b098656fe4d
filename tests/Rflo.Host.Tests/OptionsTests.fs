module Rflo.Host.Tests.OptionsTests

open Expecto
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host

let private base' = Periodic.experiment 5 20

let private read (words: string list) =
    match Arguments.parse "rflo" (Array.ofList words) with
    | Ok(Arguments.Do request) -> Overrides.onto base' request.Given
    | Ok(Arguments.Help _) -> failtest "help"
    | Error mistakes -> Error mistakes

let private wanted words =
    match read words with
    | Ok experiment -> experiment
    | Error mistakes -> failtest $"{List.map Mistake.text mistakes}"

let private rates (experiment: Experiment) =
    experiment.Circuit.Projections |> List.map _.Plasticity

let private rules = Rule.all |> List.map _.Name

let private refused = [
    [ "--rule"; "rlo" ],
    [ UnknownName("--rule", "rlo", "rule", rules) ],
    "--rule: no rule is named rlo (known: "
    + String.concat ", " rules
    + "); did you mean rflo?"

    [ "--trials"; "many" ],
    [
        BadValue("--trials", "many", "a whole number, at least 0")
    ],
    "--trials is 'many'; it must be a whole number, at least 0"

    [ "--trials"; "-1" ],
    [ BadValue("--trials", "-1", "a whole number, at least 0") ],
    "--trials is '-1'; it must be a whole number, at least 0"

    [ "--seed"; "1.5" ],
    [ BadValue("--seed", "1.5", "a whole number") ],
    "--seed is '1.5'; it must be a whole number"

    [ "--update"; "every-0" ],
    [
        BadValue(
            "--update",
            "every-0",
            "online, trial-end or every-K with K at least 1, such as every-10"
        )
    ],
    "--update is 'every-0'; it must be online, trial-end or every-K with K at least 1, such as every-10"

    [ "--learns"; "readout" ],
    [
        BadValue("--learns", "readout", "one of everything, readouts, recurrent, inputs")
    ],
    "--learns is 'readout'; it must be one of everything, readouts, recurrent, inputs"

    [ "--precision"; "half" ],
    [ BadValue("--precision", "half", "double or single") ],
    "--precision is 'half'; it must be double or single"

    [ "--learning-rate"; "nan" ],
    [
        BadValue(
            "--learning-rate",
            "nan",
            "a finite number, at least 0, or NAME=NUMBER such as 'cortex->y=0.1'"
        )
    ],
    "--learning-rate is 'nan'; it must be a finite number, at least 0, or NAME=NUMBER such as 'cortex->y=0.1'"

    [ "--learning-rate"; "cortex->x=0.1" ],
    [
        UnknownName("--learning-rate", "cortex->x", "projection", [ "cortex->cortex"; "cortex->y" ])
    ],
    "--learning-rate: no projection is named cortex->x (known: cortex->cortex, cortex->y); did you mean cortex->y?"

    [ "--validate"; "50" ],
    [
        BadValue(
            "--validate",
            "50",
            "EVERY,TRIALS, two whole numbers, each at least 1, such as 50,100"
        )
    ],
    "--validate is '50'; it must be EVERY,TRIALS, two whole numbers, each at least 1, such as 50,100"

    [ "--stop-at-performance"; "0.9" ],
    [
        NoEffect(
            "--stop-at-performance",
            "the experiment does not validate; give --validate 50,100 too, or |> validate 50 100 in the script"
        )
    ],
    "--stop-at-performance changes nothing: the experiment does not validate; give --validate 50,100 too, or |> validate 50 100 in the script"

    [ "--by-validation" ],
    [
        NoEffect(
            "--by-validation",
            "the experiment does not validate; give --validate 50,100 too, or |> validate 50 100 in the script"
        )
    ],
    "--by-validation changes nothing: the experiment does not validate; give --validate 50,100 too, or |> validate 50 100 in the script"

    [ "--stop-at-performance"; "most" ],
    [
        BadValue("--stop-at-performance", "most", "a finite number")
    ],
    "--stop-at-performance is 'most'; it must be a finite number"

    [ "500" ], [ StrayWord "500" ], "'500' belongs to no option (--help lists all)"
]

[<Tests>]
let tests =
    testList "options" [
        test "a script is known by its ending in any letters, and an option is none" {
            for word, expected in
                [
                    "model.fsx", true
                    "MODEL.FSX", true
                    "runs/model.Fsx", true
                    "model.fsscript", true
                    "--use:model.fsx", false
                    "model.fs", false
                    "fsx", false
                    "--trials", false
                ] do
                Expect.equal (Unused.isScript word) expected word
        }

        test "change what they name and nothing else" {
            let experiment =
                wanted [
                    "--trials"
                    "7"
                    "--seed"
                    "-3"
                    "--rule"
                    "bptt"
                    "--update"
                    "every-4"
                    "--precision"
                    "single"
                ]

            Expect.equal
                experiment
                {
                    base' with
                        Trials = 7
                        Seed = -3L
                        Rule = {
                            Rule.bptt with
                                Update = EveryTrials(4, Sum)
                        }
                        Settings = {
                            RuleSettings.None with
                                RuleSettings.Update = Some(EveryTrials(4, Sum))
                        }
                        Precision = Precision.Single
                }
                "experiment"
        }

        test "validate and stop by validations, in any order of the line" {
            let options = [
                [ "--validate"; "5,7" ]
                [ "--by-validation" ]
                [ "--stop-at-performance"; "0.9" ]
                [ "--stop-at-loss"; "0.01" ]
            ]

            let expected =
                base'
                |> validate 5 7
                |> byValidation
                |> stopAtPerformance 0.9
                |> stopAtLoss 0.01

            Expect.equal (wanted (List.concat options)) expected "in this order"
            Expect.equal (wanted (List.concat (List.rev options))) expected "in the other"

            Expect.equal
                (Overrides.settings [ Validate "5,7"; By_Validation; Stop_At_Performance "0.9" ])
                [
                    "validate", "5,7"
                    "by-validation", ""
                    "stop-at-performance", "0.9"
                ]
                "in the manifest"
        }

        test "keep the time of updates when the rule changes" {
            let online = base' |> update online

            match Overrides.onto online [ Rule "rtrl" ] with
            | Ok changed -> Expect.equal changed.Rule { Rule.rtrl with Update = Online } "rule"
            | Error _ -> failtest "refused"
        }

        test "change what learns, of whatever rule is asked for" {
            for options in
                [
                    [ Learns "readouts"; Rule "bptt" ]
                    [ Rule "bptt"; Learns "readouts" ]
                ] do
                match Overrides.onto base' options with
                | Ok changed ->
                    Expect.equal changed.Rule { Rule.bptt with Learns = OnlyReadouts } "rule"
                | Error _ -> failtest "refused"
        }

        test "change what learns of projections with a rule of their own too" {
            let own = {
                base' with
                    Circuit =
                        base'.Circuit
                        |> Circuit.mapProjection "cortex->cortex" (learnBy Rule.bptt 0.3)
            }

            for word, part in
                [
                    "everything", Everything
                    "readouts", OnlyReadouts
                    "recurrent", OnlyRecurrent
                    "inputs", OnlyInputs
                ] do
                match Overrides.onto own [ Learns word ] with
                | Ok changed ->
                    Expect.equal
                        (rates changed)
                        [
                            LearningBy(0.3, { Rule.bptt with Learns = part })
                            List.last (rates own)
                        ]
                        $"rules, {word}"

                    Expect.equal changed.Rule { own.Rule with Learns = part } $"the rule, {word}"
                | Error _ -> failtest "refused"
        }

        test "set all learning rates, and then those of one projection, in any order" {
            let expected = [ Learning 0.5; Learning 0.1 ]
            let one, all = [ "--learning-rate"; "cortex->y=0.1" ], [ "--learning-rate"; "0.5" ]
            Expect.equal (rates (wanted (one @ all))) expected "one before all"
            Expect.equal (rates (wanted (all @ one))) expected "all before one"
        }

        test "set the rates of projections with a rule of their own, which they keep" {
            let own = {
                base' with
                    Circuit =
                        base'.Circuit
                        |> Circuit.mapProjection "cortex->cortex" (learnBy Rule.hebb 0.3)
            }

            for options, first in
                [
                    [ Learning_Rate "0.5" ], 0.5
                    [ Learning_Rate "cortex->cortex=0.25"; Learning_Rate "0.5" ], 0.25
                ] do
                match Overrides.onto own options with
                | Ok changed ->
                    Expect.equal
                        (rates changed)
                        [ LearningBy(first, Rule.hebb); Learning 0.5 ]
                        "rates"
                | Error _ -> failtest "refused"
        }

        test "that would change nothing are refused" {
            let mapped change =
                (base', Circuit.projectionNames base'.Circuit)
                ||> List.fold (fun e name -> {
                    e with
                        Circuit = e.Circuit |> Circuit.mapProjection name change
                })

            let said experiment option =
                match Overrides.onto experiment [ option ] with
                | Ok _ -> failtest "accepted"
                | Error mistakes -> List.map Mistake.text mistakes

            Expect.equal
                (said (mapped frozen) (Learning_Rate "0.5"))
                [
                    "--learning-rate changes nothing: no projection learns in the script; give one |> learningRate there first"
                ]
                "rate"

            for option, name in [ Rule "bptt", "--rule"; Update "online", "--update" ] do
                Expect.equal
                    (said (mapped (learnBy Rule.hebb 0.3)) option)
                    [
                        $"{name} changes nothing: everything that learns has a rule of its own; change learnBy in the script"
                    ]
                    name
        }

        testList "refuse" [
            for words, mistakes, wording in refused do
                test (String.concat " " words) {
                    match read words with
                    | Error found ->
                        Expect.equal found mistakes "as data"
                        Expect.equal (List.map Mistake.text found) [ wording ] "in words"
                    | Ok _ -> failtest "accepted"
                }
        ]

        test "name an unknown one, with the nearest" {
            match read [ "--trails"; "5" ] with
            | Error [ UnknownOption("--trails", _) as mistake ] ->
                Expect.equal
                    (Mistake.text mistake)
                    "there is no option --trails; did you mean --trials? (--help lists all)"
                    "in words"
            | other -> failtest $"{other}"
        }

        test "name one without its value" {
            match read [ "--trials" ] with
            | Error [ Refused message ] -> Expect.stringContains message "'--trials'" "message"
            | other -> failtest $"{other}"
        }

        test "tell all mistakes at once, in the order of the line" {
            match
                read [
                    "--learning-rate"
                    "x=1"
                    "--seed"
                    "q"
                    "--rule"
                    "backprop"
                ]
            with
            | Error [ UnknownName("--learning-rate", "x", _, _)
                      BadValue("--seed", "q", _)
                      UnknownName("--rule", "backprop", _, _) ] -> ()
            | other -> failtest $"{other}"
        }

        test "refuse a rate for a projection that is frozen" {
            let still = {
                base'.Circuit with
                    Projections = base'.Circuit.Projections |> List.map frozen
            }

            match
                Overrides.onto { base' with Circuit = still } [ Learning_Rate "cortex->y=0.1" ]
            with
            | Error [ DoesNotLearn("--learning-rate", "cortex->y") as mistake ] ->
                Expect.equal
                    (Mistake.text mistake)
                    "--learning-rate: cortex->y is frozen in the script; give it |> learningRate there first"
                    "in words"
            | other -> failtest $"{other}"
        }
    ]
