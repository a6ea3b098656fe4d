namespace Rflo.Host

open Rflo.Dsl
open Rflo.Runs

/// Weights from files.
[<AutoOpen>]
module WeightFiles =

    let private matrixOf (array: NamedArray) =
        match array.Shape with
        | [| rows; columns |] ->
            Ok(Array2D.init rows columns (fun i j -> array.Values[i * columns + j]))
        | shape ->
            let lengths = shape |> Array.map string |> String.concat ", "

            Error
                $"{array.Name} has shape ({lengths}); a matrix of weights has two axes, (post, pre)"

    /// `npz "runs/p1/weights.npz" "final/cortex->cortex"` starts from that array of that file, of shape (post, pre);
    /// the file is read when the experiment is checked. A relative path starts from the current folder.
    let npz file name =
        ReadFrom(
            $"{file}, {name}",
            fun () ->
                try
                    matrixOf (Npz.ReadArray(file, name))
                with :? RunFileException as e ->
                    Error $"{e.Problem}. {e.Remedy}"
        )
