module Rflo.Runs.Tests.GitCommitTests

open System
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Folders

let private hash = String('a', 39) + "1"

/// Lays out a repository by hand and looks for the commit of a script two folders down.
let private commitOf (files: (string * string) list) =
    let mutable found: string | null = null

    inFolder (fun folder ->
        for path, text in files do
            let file = Path.Combine(folder, path)
            Directory.CreateDirectory(nonNull (Path.GetDirectoryName file)) |> ignore
            File.WriteAllText(file, text)

        found <- GitCommit.Find(Path.Combine(folder, "work", "examples", "01.fsx")))

    found

[<Tests>]
let tests =
    testList "git commit" [
        test "of a branch, of a packed branch, of no branch, of a worktree" {
            Expect.equal
                (commitOf [
                    ".git/HEAD", "ref: refs/heads/main\n"
                    ".git/refs/heads/main", hash + "\n"
                ])
                hash
                "branch"

            Expect.equal
                (commitOf [
                    ".git/HEAD", "ref: refs/heads/main\n"
                    ".git/packed-refs", $"# pack-refs\n{hash} refs/heads/main\n"
                ])
                hash
                "packed"

            Expect.equal (commitOf [ ".git/HEAD", hash ]) hash "detached"

            Expect.equal
                (commitOf [
                    "work/.git", "gitdir: ../main/.git/worktrees/work\n"
                    "main/.git/worktrees/work/HEAD", "ref: refs/heads/topic\n"
                    "main/.git/worktrees/work/commondir", "../..\n"
                    "main/.git/refs/heads/topic", hash
                ])
                hash
                "worktree"
        }

        test "is null where there is none, whatever lies there" {
            Expect.isNull (commitOf []) "no repository"
            Expect.isNull (commitOf [ ".git/HEAD", "ref: refs/heads/main\n" ]) "no commit yet"

            Expect.isNull
                (commitOf [ ".git/HEAD", "ref: refs/../../secret\n"; "secret", hash ])
                "a path that leaves"

            Expect.isNull (commitOf [ ".git/HEAD", "nonsense" ]) "nonsense"
            Expect.isNull (commitOf [ ".git", "nonsense" ]) "nonsense in a file"
        }
    ]
