namespace Rflo.Dsl

open System
open Rflo.Core
open Defining

/// Tasks whose targets depend on earlier inputs in every step.
module internal SignalDefinitions =

    let sine (task: SineCommand) : Definition = {
        Summary =
            $"a tonic command sets the frequency of a sine, of a period between {string (float task.ShortestPeriod)} and {string (float task.LongestPeriod)} ms"
        Settings = [
            "shortestPeriod", Time task.ShortestPeriod
            "longestPeriod", Time task.LongestPeriod
            "lowestCommand", Number task.LowestCommand
            "highestCommand", Number task.HighestCommand
            "amplitude", Number task.Amplitude
        ]
        Inputs = 2
        Outputs = 1
        Conditions = [ "period" ]
        Faults =
            fun _ -> [
                let isPeriod period =
                    period > 0.0<ms> && Double.IsFinite(float period)

                if not (isPeriod task.ShortestPeriod) then
                    NotAllowed(
                        "the shortest period",
                        $"{string (float task.ShortestPeriod)} ms",
                        "finite and more than 0 ms"
                    )
                elif
                    not (task.LongestPeriod >= task.ShortestPeriod)
                    || not (isPeriod task.LongestPeriod)
                then
                    NotAllowed(
                        "the longest period",
                        $"{string (float task.LongestPeriod)} ms",
                        $"finite and at least the shortest, {string (float task.ShortestPeriod)} ms"
                    )

                yield! CheckValues.finite "the lowest command" task.LowestCommand
                yield! CheckValues.finite "the highest command" task.HighestCommand
                yield! CheckValues.finite "the amplitude" task.Amplitude
            ]
        Make =
            fun timeline stream ->
                let share = stream.Uniform(0.0, 1.0)
                let slowest, fastest = 1.0 / task.LongestPeriod, 1.0 / task.ShortestPeriod
                let frequency = slowest + share * (fastest - slowest)
                says timeline [ "period", float (1.0 / frequency) ]

                let command =
                    task.LowestCommand + share * (task.HighestCommand - task.LowestCommand)

                fun now ->
                    if now.Phase = "wave" then
                        let wave = sin (2.0 * Math.PI * frequency * now.Since)

                        {
                            Input = [| command; 1.0 |]
                            Target = [| task.Amplitude * wave |]
                            Mask = [||]
                            Events = []
                        }
                    else
                        {
                            Input = [| 0.0; 0.0 |]
                            Target = [| 0.0 |]
                            Mask = [||]
                            Events = []
                        }
    }

    let flipFlop (task: FlipFlop) : Definition = {
        Summary =
            $"pulses of {string (float task.Pulse)} ms up and down, about {string (float task.Interval)} ms apart, on each of {task.Bits} channels; the target of each output is the latest pulse of its channel"
        Settings = [
            "bits", Whole task.Bits
            "interval", Time task.Interval
            "pulse", Time task.Pulse
            "amplitude", Number task.Amplitude
        ]
        Inputs = task.Bits
        Outputs = task.Bits
        Conditions = []
        Faults =
            fun dt -> [
                yield! CheckValues.atLeastOne "the number of bits" task.Bits
                yield! Steps.faults "the duration of a pulse" dt task.Pulse
                let shortest = Option.defaultValue 0.0<ms> dt

                if
                    not (task.Interval >= shortest && task.Interval > 0.0<ms>)
                    || not (Double.IsFinite(float task.Interval))
                then
                    NotAllowed(
                        "the interval between pulses",
                        $"{string (float task.Interval)} ms",
                        $"finite, more than 0 ms and at least one step, {string (float shortest)} ms"
                    )

                yield! CheckValues.finite "the amplitude" task.Amplitude
            ]
        Make =
            fun timeline _ ->
                let chance = timeline.Dt / task.Interval
                let pulse = int (round (task.Pulse / timeline.Dt))
                let latest = Array.zeroCreate task.Bits
                let left = Array.zeroCreate task.Bits

                fun now ->
                    for bit in 0 .. task.Bits - 1 do
                        if left[bit] > 0 then
                            left[bit] <- left[bit] - 1

                        if left[bit] = 0 && now.Stream.Chance chance then
                            latest[bit] <- sign now.Stream
                            left[bit] <- pulse

                    {
                        Input =
                            Array.init task.Bits (fun bit ->
                                if left[bit] > 0 then task.Amplitude * latest[bit] else 0.0)
                        Target = Array.copy latest
                        Mask = [||]
                        Events = []
                    }
    }

    /// The input bits of a trial are drawn before its first step, then the random target bits.
    let add (task: AddTask) : Definition = {
        Summary =
            $"random bits held for {string (float task.Held)} ms; the targets are {string task.Base} + {string task.FirstWeight} x(t - {string (float task.FirstDelay)} ms) + {string task.SecondWeight} x(t - {string (float task.SecondDelay)} ms) and its complement"
        Settings = [
            "held", Time task.Held
            "firstDelay", Time task.FirstDelay
            "secondDelay", Time task.SecondDelay
            "firstWeight", Number task.FirstWeight
            "secondWeight", Number task.SecondWeight
            "base", Number task.Base
            "bernoulli", Flag task.Bernoulli
        ]
        Inputs = 2
        Outputs = 2
        Conditions = []
        Faults =
            fun dt -> [
                let hold = Steps.faults "the time for which a bit is held" dt task.Held
                yield! hold

                for name, delay in [ "first", task.FirstDelay; "second", task.SecondDelay ] do
                    let isMultiple =
                        delay >= 0.0<ms> && Option.isSome (Steps.ofTime task.Held delay)

                    if List.isEmpty hold && not isMultiple then
                        NotAllowed(
                            $"the {name} delay",
                            $"{string (float delay)} ms",
                            $"a multiple of the time for which a bit is held, {string (float task.Held)} ms"
                        )

                yield! CheckValues.finite "the first weight" task.FirstWeight
                yield! CheckValues.finite "the second weight" task.SecondWeight
                yield! CheckValues.finite "the base" task.Base

                if task.Bernoulli then
                    for x1 in [ 0.0; 1.0 ] do
                        for x2 in [ 0.0; 1.0 ] do
                            let p = task.Base + task.FirstWeight * x1 + task.SecondWeight * x2

                            let where =
                                $"the probability where the two bits are {string x1} and {string x2}"

                            yield! CheckValues.probability where p
            ]
        Make =
            fun timeline stream ->
                let hold = int (round (task.Held / timeline.Dt))
                let first = int (round (task.FirstDelay / task.Held))
                let second = int (round (task.SecondDelay / task.Held))
                let count = (timeline.Steps + hold - 1) / hold

                let bits = Array.init count (fun _ -> if stream.Chance 0.5 then 1.0 else 0.0)

                let asked =
                    Array.init count (fun k ->
                        if k < max first second then
                            None
                        else
                            let p =
                                task.Base
                                + task.FirstWeight * bits[k - first]
                                + task.SecondWeight * bits[k - second]

                            if not task.Bernoulli then Some p
                            elif stream.Chance p then Some 1.0
                            else Some 0.0)

                fun now ->
                    let k = (now.Step - 1) / hold
                    let input = [| bits[k]; 1.0 - bits[k] |]

                    match asked[k] with
                    | Some y -> {
                        Input = input
                        Target = [| y; 1.0 - y |]
                        Mask = [||]
                        Events = []
                      }
                    | None -> {
                        Input = input
                        Target = [| 0.0; 0.0 |]
                        Mask = [| 0.0 |]
                        Events = []
                      }
    }

    let sensorimotorMap (task: SensorimotorMap) : Definition = {
        Summary = "the input is +1 or -1, and two outputs report it after a delay"
        Settings = ("neutral", Number task.Neutral) :: answerSettings task.Answer
        Inputs = 2
        Outputs = 2
        Conditions = [ "sign" ]
        Faults =
            fun _ -> [
                yield! CheckValues.finite "the neutral target" task.Neutral
                yield! answerFaults task.Answer
            ]
        Make =
            fun timeline stream ->
                let stimulus = sign stream
                let right = if stimulus > 0.0 then 0 else 1
                says timeline [ "sign", stimulus ]

                fun now ->
                    let input = [|
                        if now.Phase = "stimulus" then stimulus else 0.0
                        if now.Phase = "decision" then 1.0 else 0.0
                    |]

                    let presented = answered task.Answer right now input

                    if now.Phase = "decision" then
                        presented
                    else
                        {
                            presented with
                                Target = [| task.Neutral; task.Neutral |]
                        }
    }
