namespace Rflo.Dsl

/// Targets and mask of two outputs that report a decision, in the phase "decision".
type Answer = {
    /// Target of the output that is right.
    High: float
    /// Target of the other.
    Low: float
    /// Weight in the mask of every step before the decision, where both targets are 0; in the decision it is 1.
    QuietWeight: float
} with

    /// Targets 1 for the right output and 0 for the other; the mask is 0.1 before the decision.
    static member standard = {
        High = 1.0
        Low = 0.0
        QuietWeight = 0.1
    }

/// Delayed match to sample. Phases: "fixation", "sample", "delay", "test", "decision". Channel 0 is 1 until "decision" and 0 in it.
/// A sample d is drawn evenly among K = Directions; the test is d with probability MatchShare, else evenly one of the others.
/// Channels 1 .. K are a ring: 0.5 + 0.5 cos(2 pi (k - d) / K), k = 0 .. K - 1, in "sample", the same of the test in "test", 0
/// else; noise of standard deviation Noise / sqrt(dt / ms) in both. Output 0 is right if they match, output 1 if not.
type DelayedMatch = {
    Fixation: Lasting
    Sample: Lasting
    Delay: Lasting
    Test: Lasting
    Decision: Lasting
    Directions: int
    MatchShare: float
    Noise: float
    Answer: Answer
} with

    /// Two opposite stimuli of 50 ms, 50 to 150 ms apart, in little noise; 30 ms before, 50 ms to decide.
    static member standard = {
        Fixation = FixedFor 30.0<ms>
        Sample = FixedFor 50.0<ms>
        Delay = EvenlyBetween(50.0<ms>, 150.0<ms>)
        Test = FixedFor 50.0<ms>
        Decision = FixedFor 50.0<ms>
        Directions = 2
        MatchShare = 0.5
        Noise = 0.1
        Answer = Answer.standard
    }

    /// Its phases.
    member this.Phases = [
        phase "fixation" this.Fixation
        phase "sample" this.Sample
        phase "delay" this.Delay
        phase "test" this.Test
        phase "decision" this.Decision
    ]

/// Delayed discrimination of two frequencies (Romo, Brody, Hernandez and Lemus 1999). Phases: "fixation", "first", "delay",
/// "second", "decision". Channel 0 is 1 until "decision" and 0 in it. A pair is drawn evenly from Pairs, its order by equal
/// chance: f1 in "first", f2 in "second". There, channel 1 is 0.4 + 0.8 (f - Lowest) / (Highest - Lowest), channel 2
/// 0.4 + 0.8 (Highest - f) / (Highest - Lowest); 0 else; noise of standard deviation Noise / sqrt(dt / ms) on both in every step.
/// Output 0 is right if f1 > f2, output 1 if f1 < f2.
type DelayedDiscrimination = {
    Fixation: Lasting
    First: Lasting
    Delay: Lasting
    Second: Lasting
    Decision: Lasting
    /// Pairs of different frequencies.
    Pairs: (float * float) list
    Lowest: float
    Highest: float
    Noise: float
    Answer: Answer
} with

    /// The pairs of PsychRNN, 8 Hz apart between 10 and 34 Hz; stimuli of 50 ms, 50 to 150 ms apart.
    static member standard = {
        Fixation = FixedFor 30.0<ms>
        First = FixedFor 50.0<ms>
        Delay = EvenlyBetween(50.0<ms>, 150.0<ms>)
        Second = FixedFor 50.0<ms>
        Decision = FixedFor 50.0<ms>
        Pairs = [
            18.0, 10.0
            22.0, 14.0
            26.0, 18.0
            30.0, 22.0
            34.0, 26.0
        ]
        Lowest = 10.0
        Highest = 34.0
        Noise = 0.1
        Answer = Answer.standard
    }

    /// Its phases.
    member this.Phases = [
        phase "fixation" this.Fixation
        phase "first" this.First
        phase "delay" this.Delay
        phase "second" this.Second
        phase "decision" this.Decision
    ]

/// Perceptual discrimination by integrating evidence (Britten, Shadlen, Newsome and Movshon 1992). Phases: "fixation", "stimulus",
/// "delay", "decision". Channel 0 is 1 until "decision" and 0 in it. A side is drawn by equal chance, a coherence c evenly from
/// Coherences; in "stimulus" the channel of that side (1 or 2) is 1 + c and the other 1; 0 else; noise of standard deviation
/// Noise / sqrt(dt / ms) on both in every step. The output of that side is right.
type PerceptualDecision = {
    Fixation: Lasting
    Stimulus: Lasting
    Delay: Lasting
    Decision: Lasting
    Coherences: float list
    Noise: float
    Answer: Answer
} with

    /// Coherences 0.1, 0.3, 0.5, 0.7 for 50 to 150 ms, noise 0.5, and no delay.
    static member standard = {
        Fixation = FixedFor 30.0<ms>
        Stimulus = EvenlyBetween(50.0<ms>, 150.0<ms>)
        Delay = FixedFor 0.0<ms>
        Decision = FixedFor 50.0<ms>
        Coherences = [ 0.1; 0.3; 0.5; 0.7 ]
        Noise = 0.5
        Answer = Answer.standard
    }

    /// Its phases.
    member this.Phases = [
        phase "fixation" this.Fixation
        phase "stimulus" this.Stimulus
        phase "delay" this.Delay
        phase "decision" this.Decision
    ]

/// The target of context-dependent integration.
type ContextReport =
    /// In "decision", +1 or -1: the sign of the stream that the context names. Before it the target is 0, and the mask is
    /// `quietWeight`.
    | SignAtEnd of quietWeight: float
    /// In every step, the sum over "stimulus" so far of scale x dt / ms, x the channel that the context names, with its noise.
    | RunningSum of scale: float

/// Context-dependent integration (Mante, Sussillo, Shenoy and Newsome 2013). Phases: "fixation", "stimulus", "delay", "decision".
/// For each of two streams, motion (channel 0) and colour (channel 1), a coherence is drawn evenly from Coherences and its sign by
/// equal chance; which of them counts, by equal chance: channel 2 is 1 in every step if motion, channel 3 if colour. In "stimulus"
/// channels 0 and 1 are Gain times their signed coherence, with noise of standard deviation Noise / sqrt(dt / ms); 0 else.
type ContextIntegration = {
    Fixation: Lasting
    Stimulus: Lasting
    Delay: Lasting
    Decision: Lasting
    Coherences: float list
    Gain: float
    Noise: float
    Report: ContextReport
} with

    /// Five coherences of 0.032 to 0.512 times a gain of 2 for 150 ms, noise 0.5; the target is the sign, after it.
    static member standard = {
        Fixation = FixedFor 20.0<ms>
        Stimulus = FixedFor 150.0<ms>
        Delay = FixedFor 0.0<ms>
        Decision = FixedFor 50.0<ms>
        Coherences = [ 0.032; 0.064; 0.128; 0.256; 0.512 ]
        Gain = 2.0
        Noise = 0.5
        Report = SignAtEnd 0.1
    }

    /// Its phases.
    member this.Phases = [
        phase "fixation" this.Fixation
        phase "stimulus" this.Stimulus
        phase "delay" this.Delay
        phase "decision" this.Decision
    ]

/// Which of two intervals was longer. Phases: "fixation", "first", "gap", "second", "wait", "decision". Channel 0 is 1 until
/// "decision" and 0 in it; channel 1 is 1 in "first", channel 2 in "second". Output 0 is right if "first" lasted longer, output 1 if
/// "second" did; in a trial in which both lasted as long, the mask is 0.
type IntervalDiscrimination = {
    Fixation: Lasting
    First: Lasting
    Gap: Lasting
    Second: Lasting
    Wait: Lasting
    Decision: Lasting
    Answer: Answer
} with

    /// Intervals of 30 to 90 ms, 50 to 100 ms apart.
    static member standard = {
        Fixation = FixedFor 20.0<ms>
        First = EvenlyBetween(30.0<ms>, 90.0<ms>)
        Gap = EvenlyBetween(50.0<ms>, 100.0<ms>)
        Second = EvenlyBetween(30.0<ms>, 90.0<ms>)
        Wait = FixedFor 20.0<ms>
        Decision = FixedFor 50.0<ms>
        Answer = Answer.standard
    }

    /// Its phases.
    member this.Phases = [
        phase "fixation" this.Fixation
        phase "first" this.First
        phase "gap" this.Gap
        phase "second" this.Second
        phase "wait" this.Wait
        phase "decision" this.Decision
    ]

/// Accumulating cues on two sides (Morcos and Harvey 2016; Bellec et al. 2020). Phases: "cues", of Cues times On + Off, "delay",
/// "decision". A side is drawn by equal chance; each cue is on that side with probability Share, else on the other: channel 0 (left)
/// or 1 (right) is 1 for On, then both are 0 for Off. Channel 2 is 1 in "decision". The output of the side that had more cues is
/// right, whichever was drawn.
type EvidenceAccumulation = {
    /// An odd number, so that one side has more.
    Cues: int
    On: float<ms>
    Off: float<ms>
    Delay: Lasting
    Decision: Lasting
    Share: float
    Answer: Answer
} with

    /// Seven cues of 10 ms, 5 ms apart, seven in ten on the side drawn, then 50 to 100 ms of delay.
    static member standard = {
        Cues = 7
        On = 10.0<ms>
        Off = 5.0<ms>
        Delay = EvenlyBetween(50.0<ms>, 100.0<ms>)
        Decision = FixedFor 30.0<ms>
        Share = 0.7
        Answer = Answer.standard
    }

    /// Its phases.
    member this.Phases = [
        phase "cues" (FixedFor(float this.Cues * (this.On + this.Off)))
        phase "delay" this.Delay
        phase "decision" this.Decision
    ]
