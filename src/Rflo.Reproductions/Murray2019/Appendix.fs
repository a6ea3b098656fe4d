namespace Rflo.Reproductions.Murray2019

open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Host

/// The paper's appendix, as far as it can be decided by numbers: why random feedback works at all.
[<RequireQualifiedAccess>]
module internal Appendix =

    let private gains = [ 0.0; 0.5; 1.0; 1.5 ]

    /// White noise on one channel, and the target of Fig 2.
    let private driven =
        let steps = 200

        Task.ofTrials 200.0<ms> (fun _ stream -> {
            Inputs = Array2D.init steps 1 (fun _ _ -> stream.Gaussian())
            Targets =
                Array2D.init steps 1 (fun t _ ->
                    let phase = 2.0 * System.Math.PI * float (t + 1) / float steps
                    sin phase + 0.5 * sin (2.0 * phase) + 0.25 * sin (4.0 * phase))
            Mask = None
            Events = []
            Rewards = None
            Conditions = []
        })

    let private network units shape gain (seed: int) =
        let cortex = area "cortex" units |> tau 10.0<ms> |> transfer shape
        let drive = input "drive" 1
        let y = readout "y" 1

        Circuit.empty
        |> areas [ cortex ]
        |> inputs [ drive ]
        |> readouts [ y ]
        |> projections [
            cortex --> cortex |> weights (gaussian gain) |> learningRate 1.0
            drive --> cortex |> weights (uniform -1.0 1.0)
            cortex --> y |> weights (uniformScaled 1.0) |> learningRate 1.0
        ]
        |> feedback [ errorOf y --> cortex ]
        |> fun circuit -> experiment "appendix" circuit driven |> Experiment.seed seed

    /// Whether RFLO's step on the recurrent weights lowers the loss where readout and feedback point the same way, and
    /// raises it where they do not, to first order.
    let private agrees units shape gain seed =
        match Check.experiment (network units shape gain seed) with
        | Error problems -> invalidOp (problems |> List.map Problem.text |> String.concat "; ")
        | Ok ready ->
            let running = Run.start ready

            let block (rule: LearningRule) =
                running.Session.Increments(0, rule, UpdateTime.TrialEnd)[0] |> nonNull

            let rflo, exact = block (ThreeFactorRule.Rflo()), block (BpttRule())
            let product = Array.fold2 (fun sum a b -> sum + a * b) 0.0 rflo exact
            sign product = sign (running.Session.Alignment 0)

    let private share units shape draws gain =
        let agreeing = [ 1..draws ] |> List.filter (agrees units shape gain) |> List.length
        float agreeing / float draws

    let private draws (size: PaperSize) = if size.IsQuick then 100 else 300

    /// The mean of exp(-(1 - W) s) over draws of W, N(0, g^2 / N).
    let private meanPropagator units gain (time: float) count =
        let stream = RandomStream(1L, $"propagator {units}")
        let deviation = gain / sqrt (float units)
        let mutable sum = Matrix<float>.Build.Dense(units, units)

        for _ in 1..count do
            let w =
                Matrix<float>
                    .Build.Dense(units, units, fun _ _ -> deviation * time * stream.Gaussian())

            let square = w * w

            // The series of exp W; its norm is below 4 here. W and -W are as likely as each other: with both, odd powers,
            // which are all noise, cancel.
            let mutable term = Matrix<float>.Build.DenseIdentity units
            let mutable total = term

            for k in 1..10 do
                term <- term * square / float ((2 * k - 1) * (2 * k))
                total <- total + term

            sum <- sum + total * exp -time

        sum / float count

    let private bySize (size: PaperSize) =
        let shares =
            lazy (gains |> List.map (fun g -> g, share 30 Transfer.Tanh (draws size) g))

        let count = if size.IsQuick then 400 else 2000

        let propagators =
            lazy ([ 10; 30; 100 ] |> List.map (fun n -> n, meanPropagator n 1.5 1.0 count))

        shares, propagators

    let figure size =
        let shares, propagators = bySize size

        {
            Id = "appendix"
            Title = "Appendix: why random feedback works"
            About =
                "To first order, RFLO's step on the recurrent weights lowers the loss while readout and feedback weights point the same way; and the mean of the network's propagator over random weights is diagonal, which is what the local rule keeps."
            Notes = [
                "Computed from the rules' increments at random weights; nothing is trained."
            ]
            Conditions = fun _ -> []
            Claims = [
                {
                    Id = "P16"
                    Text =
                        "In a linear network without recurrent weights RFLO's step lowers the loss if readout and feedback are aligned, and raises it if they are opposed."
                    Source = "Appendix 1, Eqs 24 to 34"
                    Threshold = "in every draw"
                    Decide =
                        fun _ ->
                            let share = share 30 Transfer.Identity (draws size) 0.0

                            Claims.found
                                (share = 1.0)
                                (draws size)
                                $"%.1f{100.0 * share} %% of draws"
                }
                {
                    Id = "P17"
                    Text =
                        "With recurrent weights and tanh units this holds more often than not, the less so the larger the gain."
                    Source = "Appendix 1, Eqs 35 to 41"
                    Threshold =
                        "in more than 55 % of draws at g = 1.5, and no more often at a larger g, but for 3 %"
                    Decide =
                        fun _ ->
                            let shares = shares.Value

                            let text =
                                shares
                                |> List.map (fun (g, s) -> $"g = {string g}: %.0f{100.0 * s} %%")
                                |> String.concat ", "

                            let values = List.map snd shares

                            Claims.found
                                (values[3] > 0.55
                                 && values
                                    |> List.pairwise
                                    |> List.forall (fun (a, b) -> b <= a + 0.03))
                                (4 * draws size)
                                text
                }
                {
                    Id = "P19"
                    Text =
                        "The mean of exp(-(1 - W) s) over random W is diagonal, and close to exp(-s) for large networks."
                    Source = "Appendix 1, Eq 36"
                    Threshold =
                        "for N = 10, 30, 100, g = 1.5, s = 1: the mean off-diagonal entry below 1 % of the diagonal, and the diagonal's excess over exp(-s) within a third of s^2 g^2 / 2N"
                    Decide =
                        fun _ ->
                            let found =
                                propagators.Value
                                |> List.map (fun (n, mean) ->
                                    let diagonal = Seq.average (mean.Diagonal())
                                    let all = mean.ToRowMajorArray() |> Array.sum
                                    let off = (all - diagonal * float n) / float (n * (n - 1))
                                    let excess = diagonal / exp -1.0 - 1.0
                                    n, off / diagonal, excess, 1.5 * 1.5 / (2.0 * float n))

                            let text =
                                found
                                |> List.map (fun (n, off, excess, theory) ->
                                    $"N = {n}: off-diagonal %.2f{100.0 * off} %%, excess %.1f{100.0 * excess} %% (theory %.1f{100.0 * theory} %%)")
                                |> String.concat "; "

                            Claims.found
                                (found
                                 |> List.forall (fun (_, off, excess, theory) ->
                                     abs off < 0.01 && abs (excess - theory) < theory / 3.0))
                                3
                                text
                }
            ]
            Panels =
                fun _ -> [
                    {
                        Title = "How often the sign is the alignment's"
                        Caption =
                            $"Share of {draws size} draws; N = 30, random drive, the target of Fig 2. A half is chance."
                        IsWide = false
                        Height = 320
                        Chart =
                            let x, y = shares.Value |> List.unzip

                            [
                                Style.line
                                    "share of draws"
                                    Style.blue
                                    2.4
                                    (Array.ofList x)
                                    (Array.ofList y)
                                Style.guide Style.grey Plotly.NET.StyleParam.DrawingStyle.Dash [|
                                    0.0
                                    1.5
                                |] [| 0.5; 0.5 |]
                            ]
                            |> Style.figure
                                (Style.axis "gain g")
                                (Style.axis "share" |> Style.ranged (0.4, 1.02))
                    }
                ]
        }
