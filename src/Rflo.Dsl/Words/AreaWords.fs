namespace Rflo.Dsl

/// The words of areas. Like all words of a model they take their part last, so that parts are built with `|>`, and none fails: `Check`
/// reports all problems of a declaration at once. The order of different words does not matter; a word that is used again replaces its
/// earlier value. Arrays are copied. Every word also has a full name, such as `Area.tau`, for scripts that use the short name
/// otherwise.
[<AutoOpen>]
module AreaWords =

    /// Initial rates of trials, for `initial`.
    [<AutoOpen>]
    module Initial =

        /// `initial (reset 0.0)`: every trial begins with this rate in every unit.
        let reset rate = Reset rate

        /// `initial (resetTo rates)`: every trial begins with these rates, one a unit.
        let resetTo (rates: float[]) = ResetTo(Array.copy rates)

        /// `initial (carriedOver 0.1)`: a trial begins with the rates at the end of the trial before; the first begins with this
        /// rate in every unit.
        let carriedOver first = CarriedOver first

        /// `initial (randomStart 0.0 0.1)`: every trial begins with rates drawn anew from the normal distribution of that mean and
        /// standard deviation.
        let randomStart mean deviation = RandomStart(mean, deviation)

        /// `initial (drawnOnce 0.0 0.1)`: every trial begins with the same rates, drawn once a network from that normal distribution.
        let drawnOnce mean deviation = DrawnOnce(mean, deviation)

    /// Transfer functions phi, for `transfer`. Those whose names are unlikely to clash also have short names.
    [<RequireQualifiedAccess>]
    module Transfer =

        /// tanh u; the default.
        let tanh = Rflo.Core.Transfer.Tanh

        /// max(0, u).
        let relu = Rflo.Core.Transfer.Relu

        /// 1 / (1 + exp(-u)).
        let sigmoid = Rflo.Core.Transfer.Sigmoid

        /// ln(1 + exp u).
        let softplus = Rflo.Core.Transfer.Softplus

        /// u.
        let identity = Rflo.Core.Transfer.Identity

        /// max(0, tanh u).
        let rectifiedTanh = Rflo.Core.Transfer.RectifiedTanh

    /// `transfer relu`: max(0, u).
    let relu = Transfer.relu

    /// `transfer sigmoid`: 1 / (1 + exp(-u)).
    let sigmoid = Transfer.sigmoid

    /// `transfer softplus`: ln(1 + exp u).
    let softplus = Transfer.softplus

    /// `transfer rectifiedTanh`: max(0, tanh u).
    let rectifiedTanh = Transfer.rectifiedTanh

    /// Words for areas.
    [<AutoOpen>]
    module Area =

        /// `area "cortex" 50` is an area of 50 tanh units: tau 10 ms, no noise, every trial from rates 0.1.
        let area name units : Area = {
            Name = name
            Units = units
            Tau = SameTau 10.0<ms>
            Transfer = Transfer.Tanh
            Dynamics = Leaky
            Noise = 0.0
            Initial = Reset 0.1
            Dale = None
            TauRate = None
            InitialRate = None
            RecordsStates = false
            Penalties = []
            Populations = []
            Lost = []
        }

        /// `relay "thalamus" 4` is an area whose rates are its currents: identity, a leak of one step, initial rates 0.
        let relay name units : Area = {
            area name units with
                Tau = OneStep
                Transfer = Transfer.Identity
                Initial = Reset 0.0
        }

        /// `winnerTakeAll "striatum" 4` is an area in which the unit with the largest current is 1 and the others are 0.
        let winnerTakeAll name units : Area = {
            area name units with
                Dynamics = WinnerTakeAll 0.0
                Tau = OneStep
                Transfer = Transfer.Identity
                Initial = Reset 0.0
        }

        /// `a |> tau 20.0<ms>` is the area a with that time constant in every unit.
        let tau (constant: float<ms>) (area: Area) = { area with Tau = SameTau constant }

        /// `a |> taus [| 5.0<ms>; 20.0<ms> |]` is the area a with a time constant of its own for each unit.
        let taus (constants: float<ms>[]) (area: Area) = {
            area with
                Tau = TauOfUnit(Array.copy constants)
        }

        /// `a |> transfer relu` is the area a with that transfer function.
        let transfer phi (area: Area) = { area with Transfer = phi }

        /// `a |> noise 0.1` is the area a with normal noise in every current, of that standard deviation in steps of 1 ms; with
        /// steps of dt it is 0.1 / sqrt(dt / ms), so that the variance of rates does not depend on dt.
        let noise deviation (area: Area) = { area with Noise = deviation }

        /// `a |> initial (carriedOver 0.0)` is the area a with those initial rates.
        let initial start (area: Area) = {
            area with
                Initial =
                    match start with
                    | ResetTo rates -> ResetTo(Array.copy rates)
                    | other -> other
        }

        /// `a |> learnTau 0.1` lets every unit of a learn its time constant by the experiment's rule: d ln tau = -0.1 dL / d ln tau,
        /// exact under BPTT and RTRL, local under RFLO and its like; tau stays at or above dt.
        let learnTau rate (area: Area) = { area with TauRate = Some rate }

        /// `a |> learnInitial 0.1` lets every unit of a learn the state that trials begin with, from where `initial` sets it, by the
        /// experiment's rule: dh(0) = -0.1 dL / dh(0), exact under BPTT, RTRL and truncated BPTT whose window reaches the first step, local
        /// under RFLO and its like.
        let learnInitial rate (area: Area) = { area with InitialRate = Some rate }

        /// `a |> recordStates` is the area a whose units' states are in activity, recordings and files beside their rates:
        /// `activity.States["a v"]`, shape (steps, units), for each state of a unit model, "x" of the current form.
        let recordStates (area: Area) = { area with RecordsStates = true }

        /// `a |> dale 0.8` is the area a under Dale's law: the first 80 % of its units are excitatory, the others
        /// inhibitory, and every weight that leaves a unit for an area has the unit's sign.
        let dale excitatory (area: Area) = { area with Dale = Some excitatory }

        /// Records a word without effect on the area, which the check refuses.
        let private losing what instead (area: Area) = {
            area with
                Lost = area.Lost |> Lost.add what instead
        }

        let private bothForms (model: UnitModel) =
            losing $"it is given the current form and the units {model}" "leave one of them out"

        /// `a |> currentForm` is the area a in the current form, tau dx/dt = -x + W h + ..., h = phi(x), as PsychRNN, FORCE and most cognitive
        /// models have it; by default tau dh/dt = -h + phi(W h + ...). `initial` then sets the initial x.
        let currentForm (area: Area) =
            match area.Dynamics with
            | Leaky
            | CurrentForm -> { area with Dynamics = CurrentForm }
            | OfModel model -> bothForms model area
            | WinnerTakeAll _ ->
                area
                |> losing
                    "it is given the current form, and a winner-take-all area has no leak"
                    $"declare it as area \"{area.Name}\", or leave currentForm out"

        /// `a |> units (UnitModel.lif 1.0)` is the area a of leaky integrate-and-fire units, or of units of any other model.
        /// `initial` then sets their first state at the start; a transfer function is refused.
        let units (model: UnitModel) (area: Area) =
            match area.Dynamics with
            | Leaky
            | OfModel _ -> { area with Dynamics = OfModel model }
            | CurrentForm -> bothForms model area
            | WinnerTakeAll _ ->
                area
                |> losing
                    $"it is given the units {model}, and a winner-take-all area has units of its own"
                    $"declare it as area \"{area.Name}\", or leave units out"

        /// `a |> penalties [ Penalty.l2 0.01 ]` is the area a with that penalty on its rates, added to the losses of the
        /// readouts; all rules that use errors reduce it.
        let penalties (costs: Penalty list) (area: Area) = { area with Penalties = costs }

        /// `a |> population "left" [ 0 .. 9 ]` is the area a in which those units have a name; `a["left"]` is an end of
        /// projections.
        let population name units (area: Area) = {
            area with
                Populations = area.Populations @ [ name, units ]
        }

        /// `s |> explore 0.1` is the winner-take-all area s in which a random unit wins with that probability. Other areas do not
        /// explore; the check refuses it.
        let explore probability (area: Area) =
            match area.Dynamics with
            | WinnerTakeAll _ -> {
                area with
                    Dynamics = WinnerTakeAll probability
              }
            | Leaky
            | OfModel _
            | CurrentForm ->
                area
                |> losing
                    "it explores, and only a winner-take-all area does"
                    $"declare it as winnerTakeAll \"{area.Name}\", or leave explore out"
