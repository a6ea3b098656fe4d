namespace Rflo.Testing

open FsCheck
open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials

/// Random parts of models, for property tests.
[<RequireQualifiedAccess>]
module Generate =

    /// Valid experiments over everything that the language can express: 1 to 4 areas of at most 6 units, any projections between
    /// them, any ready-made rule, trials of at most 12 steps.
    let experiments: Gen<Experiment> = Circuits.experimentGen

    /// `Generate.experimentsOf rule` is such experiments in which that rule learns all that it can, double or single precision.
    /// Raises an argument exception with the rule's problems if it can learn nowhere.
    let experimentsOf rule : Gen<Experiment> = Fitting.experiments 6 id rule

    /// The circuits of such experiments, valid in steps of 1 ms.
    let circuits: Gen<Circuit> = Circuits.experimentIn 1.0<ms> |> Gen.map _.Circuit

    /// `Generate.tasks c` is tasks that fit the inputs and readouts of the circuit c, with targets that they allow: the same
    /// arrays in every trial, trials drawn by a function, and closed loops, of at most 12 steps of 1 ms.
    let tasks (circuit: Circuit) : Gen<Task> =
        let channels, asked = channelsIn circuit, askedOf circuit

        gen {
            let! steps = Gen.choose (1, 12)

            return!
                Gen.elements [
                    arraysTask channels asked steps false []
                    arraysTask channels asked steps true []
                    functionTask channels asked 1.0<ms> steps []
                    loopTask channels asked 1.0<ms> steps []
                ]
        }

    let private number = Gen.choose (-1000, 1000) |> Gen.map (fun k -> float k / 500.0)

    /// `Generate.weights 3 2` is matrices of that shape (post, pre), of numbers from -2 to 2.
    let weights post pre : Gen<float[,]> = Circuits.matrixOf post pre number

    /// `Generate.trials 2 1` is trials of 1 to 12 steps with two channels and one output: inputs and targets from -2 to 2, some
    /// with a mask, all with rewards, no events.
    let trials channels outputs : Gen<TrialData> =
        gen {
            let! steps = Gen.choose (1, 12)
            let! inputs = weights steps channels
            let! targets = weights steps outputs
            let! mask = Circuits.matrixOf steps outputs (Gen.elements [ 0.0; 1.0 ])
            let! isMasked = Gen.elements [ true; false ]
            let! rewards = Gen.arrayOfLength steps number

            return {
                Inputs = inputs
                Targets = targets
                Mask = (if isMasked then Some mask else None)
                Events = []
                Rewards = Some rewards
                Conditions = []
            }
        }

    /// Smaller valid experiments from a valid one: a part less with all that depends on it, fewer units, plainer parts,
    /// fewer steps and trials.
    let smaller (experiment: Experiment) : Experiment seq = Shrinks.shrink experiment

    /// The trial without its last steps.
    let shorter (trial: TrialData) : TrialData seq =
        seq {
            let steps = Array2D.length1 trial.Targets

            for kept in List.distinct [ steps / 2; steps - 1 ] do
                if kept >= 1 then
                    let rows (matrix: float[,]) = matrix[0 .. kept - 1, *]

                    {
                        Inputs = rows trial.Inputs
                        Targets = rows trial.Targets
                        Mask = Option.map rows trial.Mask
                        Events = [
                            for name, steps in trial.Events ->
                                name, List.filter (fun t -> t <= kept) steps
                        ]
                        Rewards = trial.Rewards |> Option.map (Array.truncate kept)
                        Conditions = trial.Conditions
                    }
        }

/// FsCheck's arbitrary values for models: `ArbMap.defaults |> ArbMap.mergeWith<Arbitraries>`, or `arbitrary = [ typeof<Arbitraries> ]`
/// in Expecto's FsCheckConfig.
[<AbstractClass; Sealed>]
type Arbitraries =

    /// Valid experiments.
    static member Experiment() : Arbitrary<Experiment> =
        Arb.fromGenShrink (Generate.experiments, Generate.smaller)

    /// Circuits of valid experiments in steps of 1 ms.
    static member Circuit() : Arbitrary<Circuit> = Arb.fromGen Generate.circuits

    /// Trials of 1 to 2 channels and 1 to 2 outputs.
    static member Trial() : Arbitrary<TrialData> =
        let gen =
            Gen.zip (Gen.choose (1, 2)) (Gen.choose (1, 2))
            |> Gen.bind (fun (channels, outputs) -> Generate.trials channels outputs)

        Arb.fromGenShrink (gen, Generate.shorter)
