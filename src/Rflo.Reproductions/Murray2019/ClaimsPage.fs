namespace Rflo.Reproductions.Murray2019

open Rflo.Host

/// The page of a figure: its plots, its claims with their findings, and its choices.
[<RequireQualifiedAccess>]
module internal ClaimsPage =

    /// A verdict in words.
    let verdict =
        function
        | Holds -> "holds"
        | Fails -> "does not hold"
        | Undecided why -> $"not decided: {why}"

    /// Every claim of a figure with its finding.
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
                " Quick form: fewer runs of fewer trials than the paper's; its verdicts do not apply to the paper."
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

    /// How many claims were tried, and how they ended: figure by figure, and all of them.
    let summary (all: (PaperFigure * (Claim * Finding) list) list) =
        let row name (findings: Finding list) =
            let count verdict =
                findings |> List.filter (fun finding -> verdict finding.Verdict) |> List.length

            $"| {name} | {findings.Length} | {count _.IsHolds} | {count _.IsFails} | {count _.IsUndecided} |"

        String.concat "\n" [
            "| figure | claims tried | hold | do not hold | not decided |"
            "|---|---|---|---|---|"

            for figure, findings in all do
                row figure.Id (List.map snd findings)

            row "all" (all |> List.collect (snd >> List.map snd))
            ""
        ]

    /// Tests of signs among the claims, corrected for their number by Holm's method.
    let tests (all: (PaperFigure * (Claim * Finding) list) list) =
        let tested = [
            for figure, findings in all do
                for claim, finding in findings do
                    match finding.Chance with
                    | Some chance -> figure.Id, claim.Id, chance
                    | None -> ()
        ]

        let corrected = Statistics.holm (tested |> List.map (fun (_, _, chance) -> chance))

        String.concat "\n" [
            "| figure | claim | p, one-sided sign test | p, corrected for all tests (Holm) |"
            "|---|---|---|---|"

            for (figure, claim, chance), corrected in List.zip tested corrected do
                $"| {figure} | {claim} | %.2g{chance} | %.2g{corrected} |"

            ""
        ]

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
