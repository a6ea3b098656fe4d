/// The places in pages that links lead to.
module Anchors

open System.Collections.Generic
open System.IO
open System.Text.RegularExpressions

/// The names of a file's places; of each file they are read once.
let reader () =
    let known = Dictionary<string, Set<string>>()

    fun (path: string) ->
        match known.TryGetValue path with
        | true, found -> found
        | _ ->
            let found =
                Regex.Matches(File.ReadAllText path, "(?:name|id)=\"([^\"]*)\"")
                |> Seq.map _.Groups[1].Value
                |> Set.ofSeq

            known[path] <- found
            found
