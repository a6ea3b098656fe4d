namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// A search among the readings of a figure: many readings on a few seeds, then the best of them on other seeds.
type internal Screening = {
    /// The figure's name.
    Id: string
    Title: string
    /// Readings to begin with; the first is the printed one.
    First: Reading list
    /// Choices that depart from a number that the paper prints: tried alone, for comparison, and never chosen.
    Departures: string list
    /// The condition of a reading's networks.
    Condition: PaperSize -> Reading -> Condition
    /// Smaller is better.
    Score: PaperRun -> float
    ScoreName: string
    /// Whether a network has the result of the paper.
    Does: PaperRun -> bool
    DoesName: string
}

/// What a screening found for one reading.
type internal Screened = {
    Reading: Reading
    Scores: float list
    Wins: int
}

/// Screenings.
[<RequireQualifiedAccess>]
module internal Screenings =

    /// Seeds on which readings are chosen.
    let chosenOn = [ 1; 2; 3 ]

    /// Seeds on which the chosen ones are confirmed.
    let confirmedOn = [ 101..109 ]

    /// How many changes of the printed reading are combined, and how many combinations are confirmed.
    let private combined, private confirmed = 3, 3

    let private screened
        (screening: Screening)
        (run: Condition list -> PaperResults)
        size
        seeds
        readings
        =
        let conditions =
            readings
            |> List.map (fun reading -> {
                screening.Condition size reading with
                    Key = $"{screening.Id}, {Reading.text reading}"
                    Seeds = fun _ -> seeds
            })

        let results = run conditions

        List.zip readings conditions
        |> List.map (fun (reading, condition) ->
            let runs = Runs.of' results condition.Key

            {
                Reading = reading
                Scores =
                    runs
                    |> List.map (fun run ->
                        if Runs.isWell run then
                            screening.Score run
                        else
                            Runs.diverged)
                Wins = runs |> List.filter screening.Does |> List.length
            })

    let private score (found: Screened) = Runs.median found.Scores

    let private mayBeChosen (screening: Screening) (found: Screened) =
        found.Reading.Settings
        |> List.forall (fun (choice, _) -> not (List.contains choice screening.Departures))

    let private same (one: Reading) (other: Reading) =
        Set.ofList one.Settings = Set.ofList other.Settings

    /// Single changes of the printed reading on a few seeds, then combinations of the best of them on the same, and the best of all
    /// on seeds of their own.
    let search (screening: Screening) (run: Condition list -> PaperResults) size =
        let singles = screened screening run size chosenOn screening.First
        let printed = List.head singles

        let helping =
            List.tail singles
            |> List.filter (mayBeChosen screening)
            |> List.filter (fun found ->
                found.Reading.Settings.Length = 1 && score found < score printed)
            |> List.sortBy score
            |> List.truncate combined
            |> List.collect _.Reading.Settings

        let pairs =
            Reading.combinations helping
            |> List.filter (fun reading ->
                reading.Settings.Length > 1
                && not (List.exists (fun known -> same known reading) screening.First))
            |> screened screening run size chosenOn

        let best =
            singles @ pairs
            |> List.filter (mayBeChosen screening)
            |> List.sortBy score
            |> List.truncate confirmed
            |> List.map _.Reading

        let again =
            printed.Reading :: List.filter ((<>) printed.Reading) best
            |> screened screening run size confirmedOn

        singles @ pairs, again

    let private row (found: Screened) =
        let text value =
            if value >= Runs.diverged then
                "diverged"
            else
                $"%.3g{value}"

        [
            Reading.text found.Reading
            text (score found)
            found.Scores |> List.map text |> String.concat ", "
            $"{found.Wins} of {found.Scores.Length}"
        ]

    let private heads (screening: Screening) = [
        "reading"
        $"median {screening.ScoreName}"
        $"{screening.ScoreName} of each seed"
        screening.DoesName
    ]

    let private seeds list =
        $"seeds {List.min list} to {List.max list}"

    /// A summary: the readings, the seeds of the choice, and those of the confirmation.
    let summary (screening: Screening) (tried: Screened list, again: Screened list) =
        let departing = tried |> List.filter (mayBeChosen screening >> not) |> List.length

        let departs =
            match departing with
            | 0 -> "None departs from a number that the paper prints."
            | 1 ->
                "1 of them departs from a number that the paper prints; it is shown for comparison and cannot be chosen."
            | several ->
                $"{several} of them depart from a number that the paper prints; they are shown for comparison and cannot be chosen."

        $"{tried.Length} readings were tried on {seeds chosenOn}. {departs} The printed reading and the best {again.Length - 1} were run again on {seeds confirmedOn}, on which nothing was chosen. A choice among {tried.Length} favors the chosen reading, so only the second table is evidence."

    /// The page of a screening.
    let html (screening: Screening) (tried: Screened list, again: Screened list) =
        Page.html
            {
                Title = $"{screening.Title}: readings"
                Subtitle =
                    $"{summary screening (tried, again)} Murray (2019), doi 10.7554/eLife.43299."
                Status = $"{tried.Length} readings", true
                Tiles = []
            }
            [
                $"Chosen on {seeds chosenOn}",
                [
                    Prose(heads screening, tried |> List.sortBy score |> List.map row)
                ]
                $"Confirmed on {seeds confirmedOn}",
                [ Prose(heads screening, again |> List.map row) ]
            ]

    /// The tables in Markdown.
    let table (screening: Screening) (tried: Screened list, again: Screened list) =
        let line cells = "| " + String.concat " | " cells + " |"

        let rows found = [
            line (heads screening)
            "|---|---|---|---|"
            for one in found do
                line (row one)
            ""
        ]

        String.concat "\n" [
            summary screening (tried, again)
            ""
            yield! rows (tried |> List.sortBy score)
            yield! rows again
        ]

    // ---- the screenings -------------------------------------------------------------------------

    /// The chosen reading of Fig 3 with updates after every trial, where ten times the rate is stable.
    let private everyTrial = {
        Name = "every trial"
        Settings = [
            "channels", "one a pulse"
            "first readout", "x 0.1"
            "rate", "0.01"
            "updates", "every trial"
        ]
    }

    /// Interval matching by RFLO, delays up to 15 tau.
    let fig3 = {
        Id = "fig3"
        Title = "Fig 3: interval matching by RFLO, delays up to 15 tau"
        First =
            Reading.printed :: Reading.neighbors Models.intervalChoices Reading.printed
            @ [ Models.intervalChosen; everyTrial ]
        Departures = [ "number of updates"; "gain"; "input weights"; "feedback" ]
        Condition =
            fun size reading ->
                let model =
                    Models.interval Rule.rflo 0.001 150.0<ms>
                    |> Reading.apply Models.intervalChoices reading

                Condition.alone
                    ""
                    Beyond
                    (Models.ofInterval {
                        model with
                            Trials = size.Trials model.Trials
                    })
        Score = Figure3.timing 150.0 >> snd
        ScoreName = "error (ms)"
        Does = Figure3.isTimed 150.0
        DoesName = "slope at least 0.6 and error at most 15 ms"
    }

    /// BPTT at the longest period.
    let fig2a = {
        Id = "fig2a"
        Title = "Fig 2a: BPTT at T = 1600"
        First =
            Reading.printed
            :: (Reading.neighbors Models.periodicChoices Reading.printed
                // BPTT has no updates before the end of a trial.
                |> List.filter (fun reading ->
                    not (List.contains ("updates", "online") reading.Settings)))
        Departures = [ "gain" ]
        Condition =
            fun size reading ->
                let model =
                    {
                        Models.periodic with
                            Period = 1600.0<ms>
                            Rule = Rule.bptt
                            Rate = Conditions.bpttRate 1600
                    }
                    |> Reading.apply Models.periodicChoices reading

                Condition.alone
                    ""
                    Beyond
                    (Models.ofPeriodic {
                        model with
                            Trials = size.Trials model.Trials
                    })
        Score = Runs.finalLoss
        ScoreName = "final loss"
        Does = fun run -> Runs.finalLoss run < 0.2
        DoesName = "final loss below 0.2"
    }

    let all = [ fig2a; fig3 ]
