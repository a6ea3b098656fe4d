/// A task is somebody else's code: when it throws, the run ends with what it said and keeps what it had.
module Rflo.Core.Tests.TaskFailureTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Networks

let private failing = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = 4
        member _.Events = 0

        member _.Fill(trial, _, into) =
            if trial = 3 then
                failwith "the data file has no row 3"

            into.Targets[0] <- 1.0
}

let private network: Network = {
    Alpha = [| 0.5; 0.5 |]
    Start = [| 0.1; 0.2 |]
    Recurrent = array2D [ [ 0.1; 0.2 ]; [ 0.3; 0.4 ] ]
    Input = Array2D.zeroCreate 0 0
    Bias = [||]
    Readout = array2D [ [ 0.5; -0.5 ] ]
    Offset = [||]
    Feedback = array2D [ [ 1.0 ]; [ -1.0 ] ]
}

[<Tests>]
let tests =
    testList "a task that throws" [
        test "ends the run with what it said, and loses no trial before" {
            let plasticity _ =
                Plasticity(ThreeFactorRule.Rflo(), 0.1, UpdateSchedule.TrialEnd)

            let session = Session.Create(fst (graph plasticity network), failing, 1L)
            let status = session.Run 10
            Expect.equal status.End RunEnd.Failed "failed"
            Expect.equal status.Trial 3 "trial"
            Expect.stringContains (string status) "the data file has no row 3" "its words"
            Expect.equal session.Metrics.Count 3 "trials before"
            Expect.all (session.Metrics.CopyLosses()) (fun loss -> loss > 0.0) "losses before"
        }
    ]
