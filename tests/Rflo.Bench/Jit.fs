/// Waiting for the compiler that works while the program runs.
module Rflo.Bench.Jit

open System.Diagnostics
open System.Runtime

/// How long nothing new must be compiled: the JIT itself waits a tenth of a second before it optimizes.
let private quietSeconds = 0.3

/// Where something is compiled all the time, for good reasons or bad, this is enough.
let private mostSeconds = 5.0

/// Does some work again and again until the JIT has had nothing to compile for a while: then it is optimized.
let settle (work: unit -> unit) =
    let quiet, whole = Stopwatch.StartNew(), Stopwatch.StartNew()
    let mutable compiled = 0L

    while quiet.Elapsed.TotalSeconds < quietSeconds
          && whole.Elapsed.TotalSeconds < mostSeconds do
        work ()
        let now = JitInfo.GetCompiledMethodCount false

        if now <> compiled then
            compiled <- now
            quiet.Restart()
