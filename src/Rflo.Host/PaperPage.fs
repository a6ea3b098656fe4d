namespace Rflo.Host

/// The page of a figure: its plots, its claims and what was found, and the choices behind them.
[<RequireQualifiedAccess>]
module PaperPage =

    /// A verdict in words.
    let verdict =
        function
        | Holds -> "holds"
        | Fails -> "does not hold"
        | Undecided why -> $"undecided: {why}"

    /// Every claim of a figure with what was found.
    let findings results (figure: PaperFigure) =
        figure.Claims |> List.map (fun claim -> claim, claim.Decide results)

    let private row (claim: Claim, finding: Finding) = [
        claim.Id
        claim.Text
        verdict finding.Verdict
        finding.Measured
        string finding.Runs
        claim.Threshold
        claim.Source
    ]

    let private heads = [
        ""
        "claim"
        "verdict"
        "measured"
        "runs"
        "decided by"
        "source"
    ]

    /// The page of a figure.
    let html (size: PaperSize) results (figure: PaperFigure) =
        let findings = findings results figure

        let holding =
            findings
            |> List.filter (fun (_, finding) -> finding.Verdict = Holds)
            |> List.length

        let how =
            if size.IsQuick then
                " Quick form: fewer runs of fewer trials than the paper's; its verdicts are no verdicts on the paper."
            else
                ""

        Page.html
            {
                Title = figure.Title
                Subtitle = $"{figure.About}{how} Murray (2019), doi 10.7554/eLife.43299."
                Status =
                    $"{holding} of {findings.Length} claims hold",
                    findings |> List.forall (fun (_, finding) -> finding.Verdict = Holds)
                Tiles = []
            }
            [
                "", [ Panels(figure.Panels results) ]
                "Claims, with thresholds fixed before the runs",
                [ Prose(heads, List.map row findings) ]
                "Choices, and where sources disagree", [ for note in figure.Notes -> Note note ]
            ]

    let private escape (text: string) = text.Replace("|", "\\|")

    /// All claims as a Markdown table.
    let table (all: (PaperFigure * (Claim * Finding) list) list) =
        String.concat "\n" [
            "| figure | | claim | measured | runs | verdict |"
            "|---|---|---|---|---|---|"

            for figure, findings in all do
                for claim, finding in findings do
                    $"| {figure.Id} | {claim.Id} | {escape claim.Text} | {escape finding.Measured} | {finding.Runs} | {verdict finding.Verdict} |"

            ""
        ]
