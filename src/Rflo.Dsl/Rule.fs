namespace Rflo.Dsl

/// How credit for an error flows back to the weights that caused it.
type Credit =
    /// An eligibility trace for every synapse and nothing non-local (Murray 2019, Eqs 5 and 6).
    | EligibilityTrace
    /// Backward through the stored trial; exact (Eqs 18 to 23).
    | BackwardInTime
    /// Forward, by the influence of every weight on every unit; exact (Eqs 10 to 14).
    | ForwardInTime

/// How the error of a readout reaches an area.
type ErrorPath =
    /// Through the feedback that the circuit declares.
    | DeclaredFeedback
    /// Through the transpose of the readout's own weights, as the exact gradient has it.
    | SymmetricPath

/// How the increments of several trials become one update.
type Combine =
    | Sum
    | Mean

/// When increments become weight changes.
type Update =
    /// In every step.
    | Online
    /// At the end of every trial.
    | TrialEnd
    /// At the end of every k-th trial.
    | EveryTrials of k: int * combine: Combine

/// A learning rule: a point in the space of three independent choices. `{ Rule.rflo with Update = Online }` is its
/// neighbour that learns step by step.
type Rule = {
    /// What tables and figures call it.
    Name: string
    Credit: Credit
    Error: ErrorPath
    Update: Update
}

/// Ready-made rules.
[<RequireQualifiedAccess>]
module Rule =

    /// Random feedback local online learning (Murray 2019), applied at the end of a trial. Approximate; time and
    /// memory O(n^2) a step for n units.
    let rflo = {
        Name = "rflo"
        Credit = EligibilityTrace
        Error = DeclaredFeedback
        Update = TrialEnd
    }

    /// RFLO with the readout's own weights as feedback: local, but not random. Approximate; cost as RFLO.
    let localSymmetric = {
        rflo with
            Name = "local-symmetric"
            Error = SymmetricPath
    }

    /// Back-propagation through time. Exact; time O(n^2) a step, memory O(n T) for T steps.
    let bptt = {
        Name = "bptt"
        Credit = BackwardInTime
        Error = SymmetricPath
        Update = TrialEnd
    }

    /// Back-propagation through time with the declared feedback in place of the readout's weights: random, but not
    /// local. Cost as BPTT.
    let bpttRandom = {
        bptt with
            Name = "bptt-random"
            Error = DeclaredFeedback
    }

    /// Real-time recurrent learning. Exact; time O(n^4) a step, memory O(n^3).
    let rtrl = {
        Name = "rtrl"
        Credit = ForwardInTime
        Error = SymmetricPath
        Update = TrialEnd
    }

    /// Real-time recurrent learning with the declared feedback in place of the readout's weights. Cost as RTRL.
    let rtrlRandom = {
        rtrl with
            Name = "rtrl-random"
            Error = DeclaredFeedback
    }

    /// Every ready-made rule, in the order of the documentation.
    let all = [ rflo; localSymmetric; bptt; bpttRandom; rtrl; rtrlRandom ]

    /// `Rule.named "bptt"` is the ready-made rule of that name, if there is one.
    let named name =
        all |> List.tryFind (fun rule -> rule.Name = name)
