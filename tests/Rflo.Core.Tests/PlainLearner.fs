/// Three-factor rules, the delta rule, time constants, updates and what holds weights, as docs/rules.md has them: whole
/// matrices, plain loops, one step after the other, nothing shared with the core but the numbers that it draws.
module Rflo.Core.Tests.PlainLearner

open System
open System.Collections.Generic
open Rflo.Core
open Rflo.Core.Tests.Circuits

/// A running mean and a function over the values of a vector; the mean lives through trials.
type private Shaped(shaping: Shaping, length) =
    let mean = Array.zeroCreate<float> length

    member _.Apply(values: float[], moves) =
        values
        |> Array.mapi (fun k value ->
            let centred = if shaping.MeanAlpha > 0.0 then value - mean[k] else value

            if moves && shaping.MeanAlpha > 0.0 then
                mean[k] <- mean[k] + shaping.MeanAlpha * centred

            match shaping.Map with
            | null -> centred
            | map -> map.Invoke centred)

/// What an optimizer makes of a sequence of gradients: the change of each parameter, and what is left of the parameter before.
type private Updater(plan: Plasticity, count) =
    let first, second = Array.zeroCreate<float> count, Array.zeroCreate<float> count
    let mutable updates = 0

    let adam k g rate beta1 beta2 epsilon =
        first[k] <- beta1 * first[k] + (1.0 - beta1) * g
        second[k] <- beta2 * second[k] + (1.0 - beta2) * g * g
        let m = first[k] / (1.0 - beta1 ** float updates)
        let v = second[k] / (1.0 - beta2 ** float updates)
        rate * m / (sqrt v + epsilon)

    member _.Change(gradient: float[], rate) =
        updates <- updates + 1

        gradient
        |> Array.mapi (fun k g ->
            match plan.Optimizer with
            | :? Momentum as optimizer ->
                first[k] <- optimizer.Beta * first[k] + g

                if optimizer.Nesterov then
                    rate * (g + optimizer.Beta * first[k]), 1.0
                else
                    rate * first[k], 1.0
            | :? Adam as o -> adam k g rate o.Beta1 o.Beta2 o.Epsilon, 1.0
            | :? AdamW as o -> adam k g rate o.Beta1 o.Beta2 o.Epsilon, 1.0 - rate * o.WeightDecay
            | :? RmsProp as o ->
                second[k] <- o.Beta * second[k] + (1.0 - o.Beta) * g * g
                rate * g / (sqrt second[k] + o.Epsilon), 1.0
            | :? Sgd -> rate * g, 1.0
            | other -> failwith $"no plain form of {other}")

/// An update that is due: all that are due at a moment are clipped first.
type private Due = {
    Clip: Clip
    Gradient: float[]
    Apply: float[] -> unit
}

let private sizeOf (gradients: float[] list) =
    sqrt (List.sumBy (Array.sumBy (fun g -> g * g)) gradients)

let private factor (clip: Clip) size =
    if size > clip.Norm then clip.Norm / size else 1.0

let private applyAll (dues: Due list) =
    for due in dues do
        let together =
            if due.Clip.Together then
                dues |> List.filter (fun other -> other.Clip = due.Clip)
            else
                [ due ]

        let by = factor due.Clip (sizeOf (together |> List.map _.Gradient))
        due.Apply(due.Gradient |> Array.map (fun g -> by * g))

/// When what was collected is applied, and what it is then: gradients, the rate, and the part of a trial's decay.
type private Collector(plan: Plasticity, count, lanes: TrialLanes) =
    let sum = Array.zeroCreate<float> count
    let updater = Updater(plan, count)
    let memory = Array.zeroCreate<float> plan.Rates.Memory
    do plan.Rates.Initialize(Span memory)
    let mutable trials = 0
    // With lanes, an update at the end of a trial is of those of a group.
    let schedule =
        if lanes.Count > 1 && plan.Schedule = UpdateSchedule.TrialEnd then
            UpdateSchedule(UpdateTime.TrialEnd, lanes.Count, lanes.Mean)
        else
            plan.Schedule

    // Of the increments of all lanes in a step.
    let share = if lanes.Mean then 1.0 / float lanes.Count else 1.0

    /// `penalty` is the slope of a trial's costs of each parameter.
    let apply trial share parts (penalty: int -> float) change =
        let held =
            if schedule.Time = UpdateTime.TrialEnd then
                float trials
            else
                float lanes.Count / parts

        let rate = plan.LearningRate * plan.Rates.Factor(trial, ReadOnlySpan memory)

        let gradient = Array.init count (fun k -> share * (sum[k] - held * penalty k))

        Array.fill sum 0 count 0.0

        {
            Clip = plan.Clip
            Gradient = gradient
            Apply = fun clipped -> change (updater.Change(clipped, rate)) (rate / parts)
        }

    let batch trial penalty change =
        let due =
            apply trial (if schedule.Mean then 1.0 / float trials else 1.0) 1.0 penalty change

        trials <- 0
        due

    member _.Add(k, g) = sum[k] <- sum[k] + g

    member _.Observe(trial, loss) =
        plan.Rates.Observe(trial, loss, Span memory)

    member _.EndStep(trial, step, steps, penalty, change) =
        match schedule.Time with
        | UpdateTime.Online -> [ apply trial share (float steps) penalty change ]
        | UpdateTime.EverySteps when step % schedule.Every = 0 || step = steps -> [
            apply trial share (ceil (float steps / float schedule.Every)) penalty change
          ]
        | _ -> []

    member _.EndTrial(trial, penalty, change) = [
        if schedule.Time = UpdateTime.TrialEnd then
            trials <- trials + 1

            if trials = schedule.Every then
                batch trial penalty change
    ]

    /// The end of a training: a batch that is not full is applied for what it holds.
    member _.Finish(trial, penalty, change) = [
        if trials > 0 then
            batch trial penalty change
    ]

type private Part = {
    Index: int
    Case: ProjectionCase
    Spec: ProjectionSpec
    Weights: float[,]
    /// Places of the connections that exist, in whole matrices.
    Places: (int * int)[]
    Collector: Collector option
}

/// What learns together has its running means together.
type private Group = {
    Parts: Part list
    Rule: ThreeFactorRule
    Post: Shaped
    Third: Shaped
    Pre: Dictionary<int, Shaped>
}

/// A trial of a lane in the midst of its steps.
type private Running = {
    Trial: int
    Steps: int
    /// Makes a step, and adds its increments to what is collected.
    Make: int -> unit
    /// After the last step: its loss, NaN where it had no target.
    Finish: unit -> float
}

/// A circuit that learns by plain loops, in lanes that share every update.
type LaneLearner(graph: Graph, case: Case, lossWindow: int, lanes: TrialLanes) =
    let window = LossWindow lossWindow
    let circuit = case.Circuit
    let areas = Array.ofSeq graph.Areas
    let history = graph.History
    let alpha = areas |> Array.map (fun area -> Array.copy area.Alpha)
    let sizes = circuit.Areas |> List.map _.Units |> Array.ofList
    let outputs = circuit.Readouts |> List.map _.Outputs |> Array.ofList

    let isLearning (plan: Plasticity | null) =
        match plan with
        | null -> false
        | plan -> plan.LearningRate > 0.0

    let parts = [
        for index, projection in List.indexed circuit.Projections ->
            let spec = graph.Projections[index]
            let drawn = draw circuit projection

            // The graph's own weights: Dale's law has changed their signs.
            let weights =
                match spec.Synapses with
                | :? DenseSynapses as dense ->
                    drawn.Weights
                    |> Array2D.mapi (fun i j _ ->
                        dense.Weights[i * Array2D.length2 drawn.Weights + j])
                | :? SparseSynapses as sparse ->
                    let matrix =
                        Array2D.zeroCreate
                            (Array2D.length1 drawn.Weights)
                            (Array2D.length2 drawn.Weights)

                    for i in 0 .. Array2D.length1 matrix - 1 do
                        for k in sparse.RowStart[i] .. sparse.RowStart[i + 1] - 1 do
                            matrix[i, sparse.Columns[k]] <- sparse.Weights[k]

                    matrix
                | _ -> drawn.Weights

            let row i =
                drawn.To |> Option.map (Array.item i) |> Option.defaultValue i

            let column j =
                drawn.From |> Option.map (Array.item j) |> Option.defaultValue j

            let places = [|
                for i in 0 .. Array2D.length1 drawn.Exists - 1 do
                    for j in 0 .. Array2D.length2 drawn.Exists - 1 do
                        if drawn.Exists[i, j] then
                            row i, column j
            |]

            {
                Index = index
                Case = projection
                Spec = spec
                Weights = InReference.spread circuit projection { drawn with Weights = weights }
                Places = places
                Collector =
                    if isLearning spec.Plasticity then
                        Some(Collector(nonNull spec.Plasticity, places.Length, lanes))
                    else
                        None
            }
    ]

    let onto target =
        parts |> List.filter (fun part -> part.Case.Target = target)

    // Running means are each lane's own.
    let groupsOf _ = [
        for a in 0 .. sizes.Length - 1 do
            for (rule, _, _, _, _), members in
                onto (Onto a)
                |> List.filter (fun part -> part.Collector.IsSome)
                |> List.groupBy (fun part ->
                    let plan = nonNull part.Spec.Plasticity
                    plan.Rule, plan.Schedule, plan.Optimizer, plan.Clip, plan.Rates) do
                match rule with
                | :? ThreeFactorRule as rule ->
                    let ofUnits =
                        rule.Third = ThirdFactor.Error
                        || rule.Third = ThirdFactor.RewardError
                        || (match rule.Source with
                            | :? AreaModulator as area -> not (isNull area.Weights)
                            | _ -> false)

                    a,
                    {
                        Parts = members
                        Rule = rule
                        Post = Shaped(rule.PostShaping, sizes[a])
                        Third = Shaped(rule.ThirdShaping, (if ofUnits then sizes[a] else 1))
                        Pre =
                            Dictionary(
                                members
                                |> List.map (fun part ->
                                    KeyValuePair(
                                        part.Index,
                                        Shaped(rule.PreShaping, Array2D.length2 part.Weights)
                                    ))
                            )
                    }
                | other -> failwith $"no plain form of {other}"
    ]

    let groupsOfLanes = Array.init lanes.Count groupsOf

    let shapedOf (rule: ThreeFactorRule) count =
        Array.init lanes.Count (fun _ -> Shaped(rule.ThirdShaping, count))

    let taus = [
        for a in 0 .. sizes.Length - 1 do
            if isLearning areas[a].TauPlasticity then
                let plan = nonNull areas[a].TauPlasticity
                let rule = plan.Rule :?> ThreeFactorRule
                a, rule, shapedOf rule sizes[a], Collector(plan, sizes[a], lanes)
    ]

    let initial = areas |> Array.map (fun area -> Array.copy area.InitialRates)

    let starts = [
        for a in 0 .. sizes.Length - 1 do
            if isLearning areas[a].InitialPlasticity then
                let plan = nonNull areas[a].InitialPlasticity
                let rule = plan.Rule :?> ThreeFactorRule
                a, rule, shapedOf rule sizes[a], Collector(plan, sizes[a], lanes)
    ]

    /// Rates at the end of the trial before, the last first.
    let carried: float[][][] option[] = Array.create lanes.Count None
    let losses = List<float>()
    let mutable trial = 0

    /// The slope of the costs of a weight.
    let penalty part k =
        let i, j = part.Places[k]
        let weight = part.Weights[i, j]
        part.Spec.L2 * weight + part.Spec.L1 * float (sign weight)

    let change part (step: (float * float)[]) decayed =
        let signs = part.Spec.Signs

        for k in 0 .. part.Places.Length - 1 do
            let i, j = part.Places[k]
            let by, left = step[k]
            let moved = part.Weights[i, j] * (1.0 - decayed * part.Spec.Decay) * left + by
            let moved = min part.Spec.Upper (max part.Spec.Lower moved)
            let drawn = (draw circuit part.Case).From

            let own =
                drawn
                |> Option.map (fun from -> Array.IndexOf(from, j))
                |> Option.defaultValue j

            part.Weights[i, j] <-
                match signs with
                | null -> moved
                | signs when signs[own] > 0y -> max 0.0 moved
                | _ -> min 0.0 moved

    let changeTau a (step: (float * float)[]) _ =
        for i in 0 .. sizes[a] - 1 do
            let by, left = step[i]

            if by <> 0.0 || left <> 1.0 then
                alpha[a][i] <- exp -(max 0.0 (-(log (alpha[a][i])) * left + by))

    let changeStart a (step: (float * float)[]) _ =
        for i in 0 .. sizes[a] - 1 do
            let by, left = step[i]
            initial[a][i] <- initial[a][i] * left + by

    let free _ = 0.0

    /// All updates that are due at a moment, of weights, time constants and initial states.
    let update ofWeights ofTaus =
        applyAll [
            for part in parts do
                match part.Collector with
                | Some collector -> yield! ofWeights collector (penalty part) (change part)
                | None -> ()
            for a, _, _, collector in taus do
                yield! ofTaus collector free (changeTau a)
            for a, _, _, collector in starts do
                yield! ofTaus collector free (changeStart a)
        ]

    /// Begins a trial in a lane.
    let begins lane trial =
        let groups: (int * Group) list = groupsOfLanes[lane]
        let shown = InReference.trialOf case trial
        let steps = shown.Steps
        // Step t is at place history + t.
        let rates =
            Array.init sizes.Length (fun a ->
                Array.init (history + steps + 1) (fun _ -> Array.zeroCreate<float> sizes[a]))

        let isCurrent a =
            circuit.Areas[a].Dynamics = Dynamics.CurrentForm

        let transferOf a =
            InReference.transferName circuit.Areas[a].Transfer

        let transmit a state =
            Array.map (Reference.transfer (transferOf a)) state

        // What the leak acts on: x of the current form, else the rates themselves.
        let states =
            rates
            |> Array.mapi (fun a own -> if isCurrent a then Array.map Array.copy own else own)

        /// dh / ds of a unit.
        let gain a t i =
            if isCurrent a then
                Reference.slope (transferOf a) states[a].[history + t].[i]
            else
                1.0

        let slopes = Array.init sizes.Length (fun a -> Array.zeroCreate<float> sizes[a])
        let currents = Array.init sizes.Length (fun a -> Array.zeroCreate<float> sizes[a])

        let responses =
            Array.init outputs.Length (fun _ ->
                Array.init (history + steps + 1) (fun _ -> [||]: float[]))

        let errors = Array.init outputs.Length (fun r -> Array.zeroCreate<float> outputs[r])
        let noises = Array.init sizes.Length (fun _ -> [||]: float[][])

        for a, area in List.indexed circuit.Areas do
            let start, noise = InReference.drawsOf case trial steps a area
            noises[a] <- noise

            // What learned, and what is drawn beside it.
            let start = Array.map2 (+) initial[a] (Array.map2 (-) start (startOf area))

            for back in 0..history do
                rates[a][history - back] <-
                    match area.Start, carried[lane] with
                    | InitialPolicy.CarriedOver, Some last -> last[a][back]
                    | _ -> Array.copy start

                // The current form: what begins is the state.
                if isCurrent a then
                    states[a][history - back] <- rates[a][history - back]
                    rates[a][history - back] <- transmit a states[a].[history - back]

        let signal part t =
            let isOpen = t < 1 || InReference.isOpen shown part.Case.Gate t
            let size = Array2D.length2 part.Weights

            if not isOpen then
                Array.zeroCreate size
            else
                match part.Case.Source, part.Case.Target with
                | Rates(a, _), Read _ -> rates[a][history + t]
                | Rates(a, delay), Onto _ -> rates[a][history + t - delay]
                | Fed(r, delay), _ -> responses[r][history + t - delay]
                | Channels input, _ ->
                    let first = circuit.Inputs |> List.take input |> List.sum

                    Array.init size (fun j ->
                        shown.Inputs[(t - 1) * shown.InputChannels + first + j])
                | Bias, _ -> [| 1.0 |]

        let sums target size t =
            let total = Array.zeroCreate<float> size

            for part in onto target do
                let arriving = signal part t

                for i in 0 .. size - 1 do
                    for j in 0 .. arriving.Length - 1 do
                        total[i] <- total[i] + part.Weights[i, j] * arriving[j]

            total

        let kind r =
            InReference.kindName circuit.Readouts[r]

        for t in 1 - history .. 0 do
            for r in 0 .. outputs.Length - 1 do
                responses[r][history + t] <- Reference.respond (kind r) (sums (Read r) outputs[r] t)

        /// Sum over readouts of B eps, with B as it is now.
        let told path a t =
            let signal = Array.zeroCreate<float> sizes[a]

            let through r =
                for part in onto (Read r) do
                    match part.Case.Source with
                    | Rates(source, _) when source = a ->
                        for i in 0 .. sizes[a] - 1 do
                            for k in 0 .. outputs[r] - 1 do
                                signal[i] <- signal[i] + part.Weights[k, i] * errors[r][k]
                    | _ -> ()

            match path with
            | ErrorPath.Symmetric ->
                for r in 0 .. outputs.Length - 1 do
                    through r
            | _ ->
                for r, area, isRandom in circuit.Feedbacks do
                    if area = a && isRandom then
                        let matrix = feedbackMatrix circuit (r, area)

                        for i in 0 .. sizes[a] - 1 do
                            for k in 0 .. outputs[r] - 1 do
                                signal[i] <- signal[i] + matrix[i, k] * errors[r][k]
                    elif area = a then
                        through r

            for cost in areas[a].Penalties do
                for i in 0 .. sizes[a] - 1 do
                    let distance = rates[a].[history + t].[i] - cost.Target

                    signal[i] <-
                        signal[i]
                        - cost.Strength
                          * (if cost.Kind = PenaltyKind.Absolute then
                                 float (sign distance)
                             else
                                 distance)

            signal

        let decays (rule: ThreeFactorRule) a t =
            Array.init sizes[a] (fun i ->
                match rule.Memory with
                | TraceMemory.None -> 0.0
                | TraceMemory.WholeTrial -> 1.0
                | TraceMemory.Given -> 1.0 - rule.MemoryAlpha
                | TraceMemory.OwnJacobian ->
                    let own =
                        Seq.sum [
                            for part in onto (Onto a) do
                                if
                                    part.Case.Source = Rates(a, 1)
                                    && InReference.isOpen shown part.Case.Gate t
                                then
                                    part.Weights[i, i]
                        ]

                    1.0 - alpha[a][i] + slopes[a][i] * own * gain a (t - 1) i
                | _ -> 1.0 - alpha[a][i])

        let traces = Dictionary<int, float[,]>()
        // Where the third factor is known at the end of the trial only: the sums that it multiplies.
        let untold = Dictionary<int, float[,]>()
        let filters = Dictionary<int, float[]>()

        for part in parts do
            let rows, columns = Array2D.length1 part.Weights, Array2D.length2 part.Weights
            traces[part.Index] <- Array2D.zeroCreate rows columns
            untold[part.Index] <- Array2D.zeroCreate rows columns
            filters[part.Index] <- Array.zeroCreate columns

        let tauTraces =
            taus |> List.map (fun (a, _, _, _) -> Array.zeroCreate<float> sizes[a])

        let startTraces = starts |> List.map (fun (a, _, _, _) -> Array.create sizes[a] 1.0)

        let share = 1.0 / float steps
        let lossSum = ref 0.0

        /// r(t) + gamma V(t) - V(t-1), where V(T) = 0.
        let difference gamma r output t =
            let value t = responses[r].[history + t].[output]
            let next = if t = steps then 0.0 else gamma * value t
            shown.Rewards[t - 1] + next - value (t - 1)

        /// A signal of the circuit as a modulator: one number, or one for each unit.
        let modulator (source: Neuromodulator) units t =
            match source with
            | :? ReadoutModulator as one -> [|
                responses[one.Readout.Index].[history + t].[one.Output]
              |]
            | :? TemporalDifferenceModulator as one -> [|
                difference one.Gamma one.Readout.Index one.Output t
              |]
            | :? AreaModulator as one ->
                let sent = rates[one.Area.Index].[history + t - one.Delay]

                match one.Weights with
                | null -> [| sent[one.Unit] |]
                | weights ->
                    Array.init units (fun i ->
                        Seq.sum [
                            for k in 0 .. sent.Length - 1 -> weights[i * sent.Length + k] * sent[k]
                        ])
            | other -> failwith $"no plain form of {other}"

        /// What the sum of a readout with one output does to it.
        let slope r t =
            let y = responses[r].[history + t].[0]

            match circuit.Readouts[r].Kind with
            | OutputKind.Sigmoid -> y * (1.0 - y)
            | OutputKind.Exponential -> y
            | OutputKind.Softplus -> 1.0 - exp -y
            | _ -> 1.0

        // The traces of readouts that predict rewards, up to the step before.
        let predictions = Dictionary<int, float[]>()

        for part in parts do
            match part.Case.Target with
            | Read r ->
                predictions[part.Index] <-
                    signal part 0
                    |> Array.map (fun s -> if outputs[r] = 1 then slope r 0 * s else 0.0)
            | Onto _ -> ()

        let make t =
            for a in 0 .. sizes.Length - 1 do
                let transfer = transferOf a
                let noise, before = noises[a][t - 1], states[a][history + t - 1]
                let u = Array.map2 (+) (sums (Onto a) (sizes[a]) t) noise
                currents[a] <- u

                let toward =
                    if isCurrent a then
                        u
                    else
                        Array.map (Reference.transfer transfer) u

                slopes[a] <-
                    u
                    |> Array.mapi (fun i u ->
                        alpha[a][i] * (if isCurrent a then 1.0 else Reference.slope transfer u))

                states[a][history + t] <-
                    toward
                    |> Array.mapi (fun i toward ->
                        (1.0 - alpha[a][i]) * before[i] + alpha[a][i] * toward)

                if isCurrent a then
                    rates[a][history + t] <- transmit a states[a].[history + t]

            let mutable lost = 0.0
            let all = Array.sum outputs

            for r in 0 .. outputs.Length - 1 do
                let first = Array.sum (Array.truncate r outputs)

                let ofReadout (values: float[]) =
                    Array.init outputs[r] (fun k -> values[(t - 1) * all + first + k])

                let total = sums (Read r) outputs[r] t
                responses[r][history + t] <- Reference.respond (kind r) total

                let error, loss =
                    Reference.compare
                        (kind r)
                        total
                        (responses[r][history + t])
                        (ofReadout shown.Targets)
                        (ofReadout shown.Mask)

                errors[r] <- error
                lost <- lost + loss

            lossSum.Value <- lossSum.Value + lost

            // All increments are of the weights of the step; then all change.
            for a, group in groups do
                let rule = group.Rule
                let decay = decays rule a t

                let post =
                    match rule.Post with
                    | PostSignal.Rate -> rates[a][history + t]
                    | PostSignal.Current -> currents[a]
                    | PostSignal.Noise ->
                        noises[a][t - 1] |> Array.map (fun noise -> noise / circuit.Areas[a].Noise)
                    | _ -> slopes[a]

                let post = group.Post.Apply(post, true)

                let isAnyOpen =
                    group.Parts
                    |> List.exists (fun part -> InReference.isOpen shown part.Case.Gate t)

                let third =
                    match rule.Third with
                    | ThirdFactor.Error -> group.Third.Apply(told rule.Path a t, true)
                    | ThirdFactor.RewardError ->
                        group.Third.Apply(
                            currents[a] |> Array.map (fun u -> shown.Rewards[t - 1] - u),
                            isAnyOpen
                        )
                    | ThirdFactor.TaskReward ->
                        Array.create
                            sizes[a]
                            (Array.head (group.Third.Apply([| shown.Rewards[t - 1] |], isAnyOpen)))
                    | ThirdFactor.StepReward ->
                        Array.create sizes[a] (Array.head (group.Third.Apply([| -lost |], true)))
                    | ThirdFactor.Constant ->
                        Array.create sizes[a] (Array.head (group.Third.Apply([| 1.0 |], true)))
                    | ThirdFactor.Signal ->
                        let own =
                            group.Third.Apply(modulator (nonNull rule.Source) sizes[a] t, true)

                        Array.init sizes[a] (fun i -> own[if own.Length = 1 then 0 else i])
                    | _ -> Array.create sizes[a] 1.0

                for part in group.Parts do
                    let arriving =
                        signal part t
                        |> Array.mapi (fun j s ->
                            let filtered = filters[part.Index]
                            filtered[j] <- filtered[j] + rule.PreAlpha * (s - filtered[j])
                            filtered[j])

                    let pre = group.Pre[part.Index].Apply(arriving, true)
                    let trace = traces[part.Index]

                    part.Places
                    |> Array.iteri (fun k (i, j) ->
                        trace[i, j] <- decay[i] * trace[i, j] + post[i] * pre[j]

                        let felt = if rule.Post = PostSignal.Slope then gain a t i else 1.0

                        let asked =
                            felt
                            * (trace[i, j]
                               - (if rule.Oja then
                                      post[i] * post[i] * part.Weights[i, j]
                                  else
                                      0.0))

                        if rule.NeedsWholeTrial then
                            let sum = untold[part.Index]
                            sum[i, j] <- sum[i, j] + asked
                        else
                            part.Collector.Value.Add(k, share * third[i] * asked))

            for part in parts do
                match part.Case.Target, part.Collector with
                | Read r, Some collector when ((nonNull part.Spec.Plasticity).Readout :? TdReadout) ->
                    let rule = (nonNull part.Spec.Plasticity).Readout :?> TdReadout
                    let error, trace = difference rule.Gamma r 0 t, predictions[part.Index]

                    part.Places
                    |> Array.iteri (fun k (_, j) -> collector.Add(k, share * error * trace[j]))

                    predictions[part.Index] <-
                        signal part t
                        |> Array.mapi (fun j s ->
                            rule.Gamma * rule.Lambda * trace[j] + slope r t * s)
                | Read r, Some collector ->
                    let arriving = signal part t

                    part.Places
                    |> Array.iteri (fun k (i, j) ->
                        collector.Add(k, share * errors[r][i] * arriving[j]))
                | _ -> ()

            for (a, rule, third, collector), trace in List.zip taus tauTraces do
                let signal = (Array.item lane (third: Shaped[])).Apply(told rule.Path a t, true)
                let decay = decays rule a t
                let before, now = states[a][history + t - 1], states[a][history + t]

                for i in 0 .. sizes[a] - 1 do
                    trace[i] <- decay[i] * trace[i] + before[i] - now[i]

                    collector.Add(i, share * signal[i] * gain a t i * trace[i])

            for (a, rule, third, collector), trace in List.zip starts startTraces do
                let signal = (Array.item lane (third: Shaped[])).Apply(told rule.Path a t, true)
                let decay = decays rule a t

                for i in 0 .. sizes[a] - 1 do
                    trace[i] <- decay[i] * trace[i]
                    collector.Add(i, share * signal[i] * gain a t i * trace[i])

        let finish () =
            // A trial without a target has no loss, and so no reward.
            let hasTarget =
                Seq.exists
                    (fun mask -> mask > 0.0)
                    (Seq.truncate (steps * shown.Outputs) shown.Mask)

            for _, group in groups do
                if group.Rule.NeedsWholeTrial && hasTarget then
                    let reward =
                        Array.head (group.Third.Apply([| -lossSum.Value / float steps |], true))

                    for part in group.Parts do
                        part.Places
                        |> Array.iteri (fun k (i, j) ->
                            part.Collector.Value.Add(k, share * reward * untold[part.Index].[i, j]))

            carried[lane] <-
                Some [|
                    for a in 0 .. sizes.Length - 1 ->
                        [|
                            for back in 0..history -> states[a][history + steps - back]
                        |]
                |]

            let loss = lossSum.Value / float steps
            losses.Add loss
            if hasTarget then loss else nan

        {
            Trial = trial
            Steps = steps
            Make = make
            Finish = finish
        }

    member _.Losses = losses.ToArray()

    /// Weights in the shape that the core gives them.
    member _.Weights = [|
        for part in parts -> InReference.gather circuit part.Case part.Weights
    |]

    member _.TimeConstants = alpha |> Array.map (Array.map (fun a -> 1.0 / a))

    member _.InitialStates = Array.map Array.copy initial

    member _.Finish() =
        let last = trial - 1

        let finish (collector: Collector) penalty change = collector.Finish(last, penalty, change)

        update finish finish

    /// Trains the trials of a group.
    member _.Train() =
        let running = [
            for lane in 0 .. lanes.Count - 1 -> begins lane (trial + lane)
        ]

        let longest = running |> List.map _.Steps |> List.max
        let last = trial + lanes.Count - 1

        for t in 1..longest do
            for lane in running do
                if t <= lane.Steps then
                    lane.Make t

            let step (collector: Collector) penalty change =
                collector.EndStep(last, t, longest, penalty, change)

            update step step

        let found = running |> List.map (fun lane -> lane.Trial, lane.Finish())

        let ended (collector: Collector) penalty change =
            collector.EndTrial(last, penalty, change)

        for _ in running do
            update ended ended

        for trial, loss in found do
            window.Add(trial, loss)

            for collector in
                (parts |> List.choose _.Collector) @ [ for _, _, _, c in taus @ starts -> c ] do
                collector.Observe(trial, window.Mean)

        trial <- trial + lanes.Count

/// A circuit that learns by plain loops, one trial after another.
type Learner(graph: Graph, case: Case, lossWindow: int) =
    inherit LaneLearner(graph, case, lossWindow, TrialLanes.One)
