/// One page a rule, from one table.
module Rules

#load "training.fsx"

open Rflo.Dsl
open Training

type Page = {
    File: string
    Title: string
    /// How a script says it.
    Word: string
    /// What it is, in a few sentences.
    Words: string
    /// Lines of TeX.
    Equation: string list
    IsExact: string
    Time: string
    Memory: string
    Source: string
    /// The figure, and what is to be seen in it.
    Figure: unit -> string
    Seen: string
}

let private onTask r rate =
    "the network and the task of the example that compares rules (30 units, a period of 100 ms), its recurrent weights learning at rate "
    + string rate
    + $"; left, the loss of {r}, of BPTT, and of a readout that learns alone; right, the angle between what it asks for and the exact gradient"

/// The eligibility trace of RFLO.
let private trace =
    @"e_{ij}(t) = (1 - \alpha_i)\, e_{ij}(t-1) + \alpha_i\, \varphi^\prime(u_i(t))\, s_j(t)"

/// The update of a local rule, with the readout's own weights as feedback.
let private symmetricUpdate =
    @"\Delta W_{ij} = \frac{\eta}{T} \sum_t \left(W_\text{out}^\top \varepsilon(t)\right)_i\, e_{ij}(t)"

let all = [
    {
        File = "rflo"
        Title = "RFLO"
        Word = "Rule.rflo"
        Words =
            "Random feedback local online learning. A synapse keeps a leaky trace of what arrived times how ready its unit was to change; the error reaches the unit through fixed random weights. Nothing in it needs to know another synapse."
        Equation = [
            trace
            @"\Delta W_{ij} = \frac{\eta}{T} \sum_t \left(B\, \varepsilon(t)\right)_i\, e_{ij}(t)"
        ]
        IsExact =
            "no: what a weight does through other units is left out. It is the gradient where no recurrent weight carries credit and feedback is symmetric."
        Time = "n m"
        Memory = "n m online (n T where trials are short beside m), n T at the end of a trial"
        Source = "Murray (2019), eLife 8:e43299, Eqs 5 and 6"
        Figure = fun () -> besideBptt Rule.rflo 0.03
        Seen = onTask "RFLO" 0.03
    }
    {
        File = "local-symmetric"
        Title = "Symmetric local rule"
        Word = "Rule.localSymmetric"
        Words =
            "RFLO's trace, told the error by the readout's own weights instead of random ones: what random feedback costs is the difference between the two."
        Equation = [ trace; symmetricUpdate ]
        IsExact = "no, as RFLO; it needs the readout's weights where no synapse could know them."
        Time = "n m"
        Memory = "as RFLO"
        Source = "Murray (2019), Fig 2d"
        Figure = fun () -> besideBptt Rule.localSymmetric 0.03
        Seen = onTask "the rule" 0.03
    }
    {
        File = "e-prop"
        Title = "E-prop"
        Word = "Rule.eprop"
        Words =
            "Eligibility propagation leaves out what a unit passes on through others. For leaky rate units all that is left is the leak, so its trace is RFLO's: with the readout's own weights as feedback it is the symmetric local rule, to the bit."
        Equation = [ trace; symmetricUpdate ]
        IsExact = "no, as the symmetric local rule."
        Time = "n m"
        Memory = "as RFLO"
        Source = "Bellec et al. (2020), Nature Communications 11:3625"
        Figure = fun () -> besideBptt Rule.eprop 0.03
        Seen = onTask "e-prop" 0.03
    }
    {
        File = "snap-1"
        Title = "SnAp-1"
        Word = "Rule.snap1"
        Words =
            "RTRL that keeps only a weight's influence on its own unit: RFLO's trace with the unit's connection to itself added to the leak."
        Equation = [
            @"e_{ij}(t) = \left(1 - \alpha_i + \alpha_i\, \varphi^\prime(u_i(t))\, W_{ii}\right)\, e_{ij}(t-1) + \alpha_i\, \varphi^\prime(u_i(t))\, s_j(t)"
            symmetricUpdate
        ]
        IsExact = "where units speak only to themselves."
        Time = "n m"
        Memory = "as RFLO"
        Source = "Menick et al. (2020), arXiv 2006.07232"
        Figure = fun () -> besideBptt Rule.snap1 0.03
        Seen = onTask "SnAp-1" 0.03
    }
    {
        File = "hebb"
        Title = "Hebb's rule"
        Word = "Rule.hebb"
        Words =
            "Rates that are high together strengthen what connects them. Nobody is asked for an error, and nothing ends the growth: bound the weights (`|> bounds`), let them decay (`|> decay`), or take Oja's rule."
        Equation = [ @"\Delta W_{ij} = \frac{\eta}{T} \sum_t h_i(t)\, s_j(t)" ]
        IsExact = "it follows no error."
        Time = "n m"
        Memory = "n m"
        Source = "Hebb (1949), The Organization of Behavior"
        Figure = growth
        Seen =
            "the recurrent weights of 30 units learning at rate 0.03: Hebb's grow without end, Oja's find a length and keep it"
    }
    {
        File = "oja"
        Title = "Oja's rule"
        Word = "Rule.oja"
        Words =
            "Hebb's rule with a decay that keeps a unit's weights at length 1; a linear unit finds the first principal component of what arrives."
        Equation = [
            @"\Delta W_{ij} = \frac{\eta}{T} \sum_t h_i(t)\, \left(s_j(t) - h_i(t)\, W_{ij}\right)"
        ]
        IsExact = "it follows no error."
        Time = "n m"
        Memory = "n m"
        Source = "Oja (1982), Journal of Mathematical Biology 15:267"
        Figure = growth
        Seen =
            "the recurrent weights of 30 units learning at rate 0.03: Hebb's grow without end, Oja's find a length and keep it"
    }
    {
        File = "reward-hebb"
        Title = "Reward-modulated Hebb"
        Word = "Rule.rewardHebb, Rule.rewardHebbBaseline, Rule.rewardHebbLiteral, Rule.rewardDelta"
        Words =
            "Hebb's rule times the reward that the task gives: cortex to striatum in the paper's sequences. With a baseline, the reward counts by how much it is more than usual, and what was rewarded first does not grow into all others. `Rule.rewardHebbLiteral` and `Rule.rewardDelta` are the paper's letter and the delta rule."
        Equation = [
            @"\Delta W_{ij} = \frac{\eta}{T} \sum_t \left(R(t) - \bar R\right)\, h_i(t)\, s_j(t), \qquad \bar R = 0 \text{ without a baseline}"
        ]
        IsExact = "it follows rewards, not a gradient."
        Time = "n m"
        Memory = "n m"
        Source = "Murray (2019), Fig 4; the baseline is ours"
        Figure = fun () -> choices Rule.rewardHebb Rule.rewardHebbBaseline
        Seen =
            "one of four cues is shown, a winner-take-all area chooses one of four actions, and the one that belongs to the cue is rewarded with 1; a random one wins with probability 0.2, so that 0.85 is the most that can be had"
    }
    {
        File = "node-perturbation"
        Title = "Node perturbation"
        Word = "Rule.nodePerturbation"
        Words =
            "The area's own noise, times what arrived, times how much better than usual the trial went. It needs noise in the area (`|> noise 0.05`)."
        Equation = [
            @"\Delta W_{ij} = \frac{\eta}{T} \sum_t \left(R - \bar R\right)\, \xi_i(t)\, s_j(t), \qquad R = -L \text{ of the trial}"
        ]
        IsExact = "on average, to first order in the noise; a single trial says little."
        Time = "n m"
        Memory = "n T"
        Source = "Williams (1992), Machine Learning 8:229 (REINFORCE); Murray (2019), Eq 8"
        Figure = fun () -> besideBptt Rule.nodePerturbation 0.03
        Seen = onTask "node perturbation" 0.03
    }
    {
        File = "miconi"
        Title = "Miconi's rule"
        Word = "Rule.miconi"
        Words =
            "Node perturbation for a unit that does not know its noise: the cube of the current's departure from its running mean stands for it."
        Equation = [
            @"\Delta W_{ij} = \frac{\eta}{T} \sum_t \left(R - \bar R\right)\, \left(u_i(t) - \bar u_i(t)\right)^3\, s_j(t)"
        ]
        IsExact = "on average, roughly."
        Time = "n m"
        Memory = "n T"
        Source = "Miconi (2017), eLife 6:e20899"
        Figure = fun () -> besideBptt Rule.miconi 0.03
        Seen = onTask "Miconi's rule" 0.03
    }
    {
        File = "bptt"
        Title = "BPTT"
        Word = "Rule.bptt, Rule.bpttRandom"
        Words =
            "Back-propagation through time: the trial is stored and walked backward. The exact gradient, and the measure of all others; it is neither local nor online."
        Equation = [
            @"z(t) = W_\text{out}^\top \varepsilon(t) + J(t+1)^\top z(t+1)"
            @"\Delta W = \frac{\eta}{T} \sum_t \left(\alpha\, \varphi^\prime(u(t)) \odot z(t)\right)\, s(t)^\top"
        ]
        IsExact =
            "yes, for every differentiable circuit: areas, delays, gates, masks, fed-back outputs."
        Time = "n m"
        Memory = "n T"
        Source = "Rumelhart, Hinton and Williams (1985); Murray (2019), Eqs 18 to 23"
        Figure = fun () -> besideBptt Rule.bptt 0.03
        Seen = onTask "BPTT" 0.03
    }
    {
        File = "truncated-bptt"
        Title = "Truncated BPTT"
        Word = "Rule.truncatedBptt 20.0<ms> 10.0<ms>, Rule.tbptt"
        Words =
            "BPTT that looks back over a window, every stride. It can update before a trial ends."
        Equation = [
            @"z(s) = [s > t - \text{stride}]\; W_\text{out}^\top \varepsilon(s) + J(s+1)^\top z(s+1), \qquad s = t, t-1, \ldots, t - \text{window} + 1"
            @"\Delta W = \frac{\eta}{T} \sum_s \left(\alpha\, \varphi^\prime(u(s)) \odot z(s)\right)\, s(s)^\top"
        ]
        IsExact = "up to the window; BPTT where the window is never shorter than a trial."
        Time = "n m window / stride"
        Memory = "n window, and n T at the end of a trial, n m online"
        Source = "Williams and Peng (1990), Neural Computation 2:490"
        Figure = fun () -> besideBptt Rule.tbptt 0.03
        Seen = onTask "a window of 20 ms every 10 ms" 0.03
    }
    {
        File = "rtrl"
        Title = "RTRL"
        Word = "Rule.rtrl, Rule.rtrlRandom"
        Words =
            "Real-time recurrent learning: the influence of every weight on every rate is carried forward. Exact and online, and as costly as that sounds."
        Equation = [
            @"P(t) = J(t)\, P(t-1) + \text{(direct influence of step } t\text{)}"
            @"\Delta W = \frac{\eta}{T} \sum_t \left(W_\text{out}^\top \varepsilon(t)\right)^\top P(t)"
        ]
        IsExact = "yes, as BPTT; the two agree to rounding."
        Time = "n m K for K weights, online; at the end of a trial an eighth of it"
        Memory = "n K, and n T at the end of a trial"
        Source = "Williams and Zipser (1989), Neural Computation 1:270; Murray (2019), Eqs 10 to 14"
        Figure = fun () -> besideBptt Rule.rtrl 0.03
        Seen = onTask "RTRL, which is BPTT's curve" 0.03
    }
    {
        File = "uoro"
        Title = "UORO"
        Word = "Rule.uoro"
        Words =
            "RTRL's influence as one product of two vectors, mixed by random signs so that it is right on average. It needs small rates."
        Equation = [
            @"P(t) \approx p(t)\, q(t)^\top, \qquad p \leftarrow J\, p + \text{noise term}, \quad q \leftarrow q + \text{noise term, scaled against each other}"
        ]
        IsExact = "on average; very noisy."
        Time = "n m"
        Memory = "n m"
        Source = "Tallec and Ollivier (2017), arXiv 1702.05043"
        Figure = fun () -> besideBptt Rule.uoro 0.001
        Seen = onTask "UORO" 0.001
    }
    {
        File = "kf-rtrl"
        Title = "KF-RTRL"
        Word = "Rule.kfRtrl"
        Words =
            "RTRL's influence as a Kronecker product of a vector over presynaptic signals and a matrix over units: as UORO right on average, with less noise."
        Equation = [
            @"P(t) \approx \tilde s(t) \otimes A(t), \qquad A \leftarrow J\, A + \text{noise term}, \quad \tilde s \leftarrow \tilde s + \text{noise term}"
        ]
        IsExact = "on average."
        Time = "n^2 m"
        Memory = "n^2 + (n + m) T"
        Source = "Mujika, Meier and Steger (2018), arXiv 1805.10842"
        Figure = fun () -> besideBptt Rule.kfRtrl 0.001
        Seen = onTask "KF-RTRL" 0.001
    }
    {
        File = "reverse-kf-rtrl"
        Title = "Reverse KF-RTRL"
        Word = "Rule.reverseKfRtrl"
        Words =
            "The Kronecker product the other way round: a vector over units and a matrix over units and signals."
        Equation = [
            @"P(t) \approx A(t) \otimes p(t), \qquad p \leftarrow J\, p + \text{noise term}"
        ]
        IsExact = "on average; about as noisy as UORO."
        Time = "n^2 m"
        Memory = "n m + (n + m) T"
        Source = "Marschall, Cho and Savin (2020), Journal of Machine Learning Research 21:135"
        Figure = fun () -> besideBptt Rule.reverseKfRtrl 0.001
        Seen = onTask "reverse KF-RTRL" 0.001
    }
    {
        File = "kernl"
        Title = "KeRNL"
        Word = "Rule.kernl"
        Words =
            "RFLO's trace with a sensitivity A of units to each other and memories kappa, both learned beside the weights from small nudges. It begins as the symmetric local rule and comes nearer to the gradient."
        Equation = [
            @"e_{ij}(t) = \kappa_i\, e_{ij}(t-1) + \alpha_i\, \varphi^\prime(u_i(t))\, s_j(t)"
            @"\Delta W_{ij} = \frac{\eta}{T} \sum_t \left(A^\top W_\text{out}^\top \varepsilon(t)\right)_i\, e_{ij}(t)"
        ]
        IsExact = "no, but nearer than RFLO."
        Time = "n m + n^2"
        Memory = "n m + n^2"
        Source = "Roth, Kanitscheider and Fiete (2019), ICLR"
        Figure = fun () -> besideBptt Rule.kernl 0.03
        Seen = onTask "KeRNL" 0.03
    }
    {
        File = "ridge"
        Title = "Echo-state network (ridge regression)"
        Word = "Rule.ridge"
        Words =
            "Areas stay as they are drawn; only readouts learn, by ridge regression over all trials so far."
        Equation = [
            @"\min_W\; \sum_t m(t)\, \lVert y^*(t) - W s(t) \rVert^2 + \alpha\, \lVert W \rVert^2"
        ]
        IsExact = "yes, for what the areas do."
        Time = "n^2, and n^3 a trial"
        Memory = "n^2"
        Source = "Jaeger (2001), GMD report 148"
        Figure = fun () -> readoutOnly Rule.ridge
        Seen =
            "the same network and task: what a readout alone can reach with areas as they are drawn, and BPTT, which changes them"
    }
    {
        File = "force"
        Title = "FORCE (recursive least squares)"
        Word = "Rule.force"
        Words =
            "Only readouts learn, by recursive least squares in every step. With the readout fed back the network learns while it runs to produce its pattern for ever."
        Equation = [
            @"k = \frac{P s}{1 + s^\top P s}, \qquad \Delta W = (y^* - y)\, k^\top, \qquad P \leftarrow P - k\, s^\top P"
        ]
        IsExact = "yes, for what the areas do."
        Time = "n^2"
        Memory = "n^2"
        Source = "Sussillo and Abbott (2009), Neuron 63:544"
        Figure = fun () -> readoutOnly Rule.force
        Seen =
            "the same network and task, without the output fed back. Losses of FORCE are small at once since its weights follow the error within a trial; the example shows what remains when learning ends"
    }
    {
        File = "delta"
        Title = "Delta rule"
        Word = "Rule.delta"
        Words =
            "Only readouts learn, down the gradient. Readouts learn so under every other rule too, unless its `Readout` says otherwise."
        Equation = [
            @"\Delta W_\text{out} = \frac{\eta}{T} \sum_t \varepsilon(t)\, h(t)^\top"
        ]
        IsExact = "yes, where no readout is fed back."
        Time = "n a output"
        Memory = "none"
        Source = "Widrow and Hoff (1960)"
        Figure = fun () -> readoutOnly Rule.delta
        Seen = "the same network and task, areas as they are drawn; BPTT changes them as well"
    }
]

/// A page as markdown.
let markdown page =
    $"""# {page.Title}

{page.Words}

{page.Equation
 |> List.map (fun line -> $"```math\n{line}\n```")
 |> String.concat "\n\n"}

| | |
|---|---|
| in a script | `{page.Word}` |
| exact? | {page.IsExact} |
| time of a step | {page.Time} |
| memory beside the network's | {page.Memory} |
| source | {page.Source} |

{page.Figure()}

In the figure: {page.Seen}.

n: units of an area, m: presynaptic signals of a unit, T: steps of a trial. Letters are those of [the model](model.md); [all rules](rules.md) stand
side by side there, with what is checked of each.
"""
