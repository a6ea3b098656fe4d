namespace Rflo.Dsl

open System
open Rflo.Core

/// Tasks that are made of others.
[<RequireQualifiedAccess>]
module internal Combined =

    /// The tasks that a task is made of, with labels: their names, numbered where several have one name.
    let named (task: Task) =
        let parts = Task.parts task

        let count name =
            parts |> List.filter (fun part -> part.Name = name) |> List.length

        parts
        |> List.mapi (fun k part ->
            (if count part.Name > 1 then
                 $"{part.Name} (number {k + 1})"
             else
                 part.Name),
            part)

    let private passed label =
        function
        | AfterTrials trials -> CheckValues.atLeastOne $"the number of trials of {label}" trials
        | ValidationLossBelow loss when not (loss > 0.0) || not (Double.IsFinite loss) -> [
            NotAllowed(
                $"the validation loss below which {label} is passed",
                string loss,
                "finite and more than 0: no loss is below that"
            )
          ]
        | ValidationLossBelow _ -> []
        | PerformanceAbove performance when not (performance >= 0.0 && performance < 1.0) -> [
            NotAllowed(
                $"the performance above which {label} is passed",
                string performance,
                "at least 0 and less than 1: no performance is above 1"
            )
          ]
        | PerformanceAbove _ -> []
        | MeanLossBelow(number, trials)
        | MeanRewardAbove(number, trials) as criterion -> [
            yield! CheckValues.atLeastOne $"the number of trials that {label} is judged by" trials
            yield! CheckValues.window $"the number of trials that {label} is judged by" trials

            match criterion with
            | MeanLossBelow _ when not (number > 0.0) || not (Double.IsFinite number) ->
                NotAllowed(
                    $"the mean loss below which {label} is passed",
                    string number,
                    "finite and more than 0: no loss is below that"
                )
            | _ -> yield! CheckValues.finite $"the mean reward above which {label} is passed" number
          ]

    /// Faults of the combination of a task's parts, which are checked by themselves. `sizes` returns (inputs, outputs) of a task,
    /// `givesRewards` whether it gives rewards.
    let faults sizes givesRewards (task: Task) = [
        let parts = named task

        if List.isEmpty parts then
            NotAllowed("the number of tasks", "0", "at least 1")
        else
            let first, model = List.head parts
            let inputs, outputs = sizes model

            for label, part in List.tail parts do
                let shown, asked = sizes part

                if shown <> inputs then
                    NotAllowed(
                        $"the number of input channels of {label}",
                        string shown,
                        $"{inputs}, as those of {first}"
                    )

                if asked <> outputs then
                    NotAllowed(
                        $"the number of outputs of {label}",
                        string asked,
                        $"{outputs}, as those of {first}"
                    )

        match task.Kind with
        | Blocks blocks ->
            for (label, _), (_, trials) in List.zip parts blocks do
                yield! CheckValues.atLeastOne $"the number of trials of {label}" trials
        | Mixture shares ->
            let sum = shares |> List.sumBy snd

            if Double.IsInfinity sum && shares |> List.forall (snd >> Double.IsFinite) then
                NotAllowed(
                    "the sum of the weights of its tasks",
                    string sum,
                    "finite; only their proportions matter"
                )

            for (label, _), (_, weight) in List.zip parts shares do
                if not (weight > 0.0) || not (Double.IsFinite weight) then
                    NotAllowed(
                        $"the weight of {label}",
                        string weight,
                        "finite and more than 0; leave the task out, if it is never to be drawn"
                    )
        | Curriculum(stages, _) ->
            for (label, _), (part, criterion) in List.zip (List.truncate stages.Length parts) stages do
                yield! passed label criterion

                match criterion with
                | MeanRewardAbove _ when not (givesRewards part) ->
                    Contradiction(
                        $"{label} is passed by its rewards, and gives none",
                        "pass it by its loss, such as lossBelow 0.01 50"
                    )
                | _ -> ()
        | _ -> ()

        let marked = parts |> List.collect (fun (_, part) -> part.Events) |> List.distinct

        if task.Events <> marked then
            let given, needed = String.concat ", " task.Events, String.concat ", " marked
            NotAllowed("events", $"'{given}'", $"'{needed}', those of its parts")
    ]

    let private stage =
        function
        | MeanLossBelow(loss, trials) -> CurriculumStage(trials, LossBelow = loss)
        | MeanRewardAbove(reward, trials) -> CurriculumStage(trials, RewardAbove = reward)
        | AfterTrials trials -> CurriculumStage trials
        | ValidationLossBelow loss -> CurriculumStage(1, ValidationLossBelow = loss)
        | PerformanceAbove performance -> CurriculumStage(1, PerformanceAbove = performance)

    /// The stages of a curriculum for the core.
    let stages (stages: (Task * Passed) list) =
        CurriculumChoice [| for _, criterion in stages -> stage criterion |]

    /// The choice of the last task in every trial.
    let private last count = {
        new TaskChoice() with
            member _.Count = count
            member _.Choose(_, _) = count - 1
    }

    /// Each mixture draws from a stream of its depth. The test trials of a curriculum are those of its last task.
    let private choice isTest depth (task: Task) : TaskChoice =
        match task.Kind with
        | Blocks blocks -> BlockChoice [| for _, trials in blocks -> trials |]
        | Mixture shares ->
            MixtureChoice([| for _, weight in shares -> weight |], $"mixture {depth}")
        | Curriculum(given, _) when isTest -> last (given.Length + 1)
        | Curriculum(given, _) -> stages given
        | _ -> invalidOp "a task that is made of no others was to be combined"

    /// The task of the core, for a task without faults. `depth` is the number of mixtures around it, and the first argument of
    /// `compilePart` that around a part.
    let compile isTest depth (compilePart: int -> Task -> ITask) (task: Task) : ITask =
        let parts = Task.parts task
        let inside = if task.Kind.IsMixture then depth + 1 else depth
        let compiled = [| for part in parts -> compilePart inside part |]
        // A task written against the core may mark more events than are named; these get a number that no gate uses.
        let unnamed = task.Events.Length

        let events = [|
            for part, core in Seq.zip parts compiled ->
                Array.init core.Events (fun k ->
                    match List.tryItem k part.Events with
                    | Some name -> List.findIndex ((=) name) task.Events
                    | None -> unnamed)
        |]

        CombinedTask.Of(compiled, events, unnamed + 1, choice isTest depth task)
