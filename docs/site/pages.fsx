/// The pages of the site, in the order of its navigation.
module Pages

/// A group of pages, each with its file in docs/ (without .md) and its name in the navigation.
type Group = {
    Title: string
    Pages: (string * string) list
}

/// Pages that are written by hand. One that is not there is left out; one that is not named here comes last.
let groups = [
    {
        Title = "Begin"
        Pages = [
            "index", "What this is"
            "quick-start", "Quick start"
            "python", "For Python users"
            "messages", "Messages explained"
            "glossary", "Glossary"
        ]
    }
    {
        Title = "Model"
        Pages = [
            "model", "The model in equations"
            "circuits", "Circuits and Dale's law"
            "tasks", "Tasks"
            "rules", "Learning rules"
            "probes", "Probes"
        ]
    }
    {
        Title = "Run"
        Pages = [
            "commands", "Commands and exit codes"
            "after-training", "After training"
            "perturbing", "Perturbing a circuit"
            "analysis", "Analyzing trained circuits"
            "long-runs", "Long runs"
            "sweeps", "Sweeps and Slurm"
            "performance", "Performance"
        ]
    }
    {
        Title = "Trust"
        Pages = [
            "properties", "Properties"
            "reproduction", "The paper, reproduced"
            "architecture", "How the code is built"
            "kernels", "The kernels"
        ]
    }
]

/// The group of pages that nobody has named.
let others = "More"

/// The group of rule pages, and that of examples.
let rules = "Rules, one by one"

let examples = "Examples"

/// The group of a page, its place among the groups, its place in it, and its name.
let place file =
    groups
    |> List.indexed
    |> List.tryPick (fun (g, group) ->
        group.Pages
        |> List.tryFindIndex (fst >> (=) file)
        |> Option.map (fun k -> group.Title, g + 1, k + 1, Some(snd group.Pages[k])))
    |> Option.defaultValue (others, List.length groups + 3, 1, None)
