namespace Rflo.Host

/// The page that shows a run.
[<RequireQualifiedAccess>]
module Report =

    /// The page.
    let html (record: RunRecord) = "<p>" + record.Manifest.Name + "</p>"
