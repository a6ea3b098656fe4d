namespace Rflo.Dsl

/// A sine whose frequency a tonic input commands (Sussillo and Barak 2013). Phases: "wait", "wave". In each trial a frequency
/// f is drawn evenly from [1/LongestPeriod, 1/ShortestPeriod); in "wave" channel 0 is the command, which rises evenly with f from
/// LowestCommand to HighestCommand, channel 1 is 1, and y*(t) = Amplitude sin(2 pi f s), s the time since "wave" began; in "wait"
/// all are 0. Every step counts.
type SineCommand = {
    Wait: Lasting
    Wave: Lasting
    ShortestPeriod: float<ms>
    LongestPeriod: float<ms>
    LowestCommand: float
    HighestCommand: float
    Amplitude: float
} with

    /// Periods of 50 to 150 ms for 300 ms, after 20 ms of rest; commands of 0.25 to 1.25.
    static member standard = {
        Wait = FixedFor 20.0<ms>
        Wave = FixedFor 300.0<ms>
        ShortestPeriod = 50.0<ms>
        LongestPeriod = 150.0<ms>
        LowestCommand = 0.25
        HighestCommand = 1.25
        Amplitude = 1.0
    }

    /// Its phases.
    member this.Phases = [ phase "wait" this.Wait; phase "wave" this.Wave ]

/// An n-bit flip-flop (Sussillo and Barak 2013). Phase: "run". In each step, on each of Bits channels on which no pulse is on, one
/// begins with probability dt/Interval, of +Amplitude or -Amplitude by equal chance, and is on for Pulse; the target
/// of that channel is the sign of its latest pulse, from the pulse's first step on, and 0 before the first. Every step counts.
type FlipFlop = {
    Bits: int
    Run: Lasting
    /// Mean time from the end of a pulse to the first step of the next.
    Interval: float<ms>
    /// Duration of a pulse.
    Pulse: float<ms>
    Amplitude: float
} with

    /// Three bits for 300 ms; pulses of 5 ms, 50 ms apart on the average.
    static member standard = {
        Bits = 3
        Run = FixedFor 300.0<ms>
        Interval = 50.0<ms>
        Pulse = 5.0<ms>
        Amplitude = 1.0
    }

    /// Its phases.
    member this.Phases = [ phase "run" this.Run ]

/// The add task: two dependencies of known delay (Pitis 2016; Marschall, Cho and Savin 2020). Phase: "run". Every Held a new bit
/// x is drawn, 0 or 1 by equal chance; channels x and 1 - x. With
/// p(t) = Base + FirstWeight x(t - FirstDelay) + SecondWeight x(t - SecondDelay), the targets are p and 1 - p, or, if
/// Bernoulli, a bit b that is 1 with probability p, drawn once a Held, and 1 - b. Steps up to the later delay do not count:
/// their targets depend on bits before the trial.
type AddTask = {
    Run: Lasting
    /// Duration of each bit; the delays are multiples of it.
    Held: float<ms>
    FirstDelay: float<ms>
    SecondDelay: float<ms>
    FirstWeight: float
    SecondWeight: float
    Base: float
    Bernoulli: bool
} with

    /// Bits held for 10 ms, delays of 20 and 50 ms, weights 0.5 and -0.25 on 0.5, 300 ms.
    static member standard = {
        Run = FixedFor 300.0<ms>
        Held = 10.0<ms>
        FirstDelay = 20.0<ms>
        SecondDelay = 50.0<ms>
        FirstWeight = 0.5
        SecondWeight = -0.25
        Base = 0.5
        Bernoulli = false
    }

    /// Its phases.
    member this.Phases = [ phase "run" this.Run ]

/// A stimulus that is reported after a delay (Marschall, Cho and Savin 2020). Phases: "wait", "stimulus", "delay", "decision", "end".
/// Channel 0 is +1 or -1, by equal chance, in "stimulus"; channel 1 is 1 in "decision", whose two outputs report the sign: output 0
/// is right for +1, output 1 for -1. In all other steps both targets are Neutral, with Answer's weight.
type SensorimotorMap = {
    Wait: Lasting
    Stimulus: Lasting
    Delay: Lasting
    Decision: Lasting
    End: Lasting
    Neutral: float
    Answer: Answer
} with

    /// A stimulus of 20 ms, 100 ms of delay, 30 ms to report; one half is neutral.
    static member standard = {
        Wait = FixedFor 10.0<ms>
        Stimulus = FixedFor 20.0<ms>
        Delay = FixedFor 100.0<ms>
        Decision = FixedFor 30.0<ms>
        End = FixedFor 20.0<ms>
        Neutral = 0.5
        Answer = Answer.standard
    }

    /// Its phases.
    member this.Phases = [
        phase "wait" this.Wait
        phase "stimulus" this.Stimulus
        phase "delay" this.Delay
        phase "decision" this.Decision
        phase "end" this.End
    ]
