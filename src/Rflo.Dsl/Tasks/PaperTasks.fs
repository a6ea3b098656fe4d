namespace Rflo.Dsl

/// Interval matching: its usual parameters.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module ReadySetGo =

    /// Delays of 5 to 15 tau of 10 ms, first pulse at 5 tau, pulses of 1.5 tau and height 1 on one channel, 6 tau after the
    /// latest peak. The paper gives only the width and the longest delay.
    let standard = {
        FirstPulse = 50.0<ms>
        Delays = DrawnBetween(50.0<ms>, 150.0<ms>)
        Width = 15.0<ms>
        Amplitude = 1.0
        TargetAmplitude = 1.0
        Tail = 60.0<ms>
        OwnChannels = false
    }

    /// The same with delays of 5 tau to that many ms.
    let upTo longest = {
        standard with
            Delays = DrawnBetween(50.0<ms>, longest)
    }

/// The cursor task: its usual parameters.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Syllables =

    /// Right, up, left, down, each 200 ms and one length, without a hold; one syllable a trial, drawn among those that stay
    /// in a workspace of two lengths by two, where the cursor stays from trial to trial.
    let standard = {
        Directions = [ 1.0, 0.0; 0.0, 1.0; -1.0, 0.0; 0.0, -1.0 ]
        Move = 200.0<ms>
        Hold = 0.0<ms>
        InputInHold = false
        Length = 1.0
        EvenSpeed = false
        Amplitude = 1.0
        Bounds = Some(-1.0, 1.0)
        Start = 0.0, 0.0
        Returns = false
        MovedByTarget = false
        Sequence = []
        PerTrial = 1
        Cue = EachSyllable
        Chooser = None
        JudgedByPair = false
        StopsAtError = false
    }

    /// `p |> Syllables.inOrder [ 0; 1; 2; 3 ]` has that sequence in every trial, from the start, with an input for each syllable.
    let inOrder sequence syllables = {
        syllables with
            Sequence = sequence
            Returns = true
    }

    /// `p |> Syllables.chosenBy "striatum"` has an input for the first syllable of a sequence only; that area chooses the others.
    let chosenBy chooser syllables = {
        syllables with
            Cue = FirstSyllable
            Chooser = Some chooser
    }

    /// `p |> Syllables.untaught` has no input: the circuit produces the sequence from its own state.
    let untaught syllables = { syllables with Cue = NoSyllable }
