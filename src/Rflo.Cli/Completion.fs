namespace Rflo.Cli

open Rflo.Dsl
open Rflo.Host

/// A command of `rflo`.
type internal Command = {
    Name: string
    Usage: string
    Summary: string
    /// The names of its options.
    Options: string list
    /// Runs it; returns the exit code.
    Run: string list -> int
}

/// Scripts by which shells complete commands and options, made from the table of commands.
[<RequireQualifiedAccess>]
module internal Completion =

    /// The shells that there are scripts for.
    let shells = [ "bash"; "zsh"; "fish" ]

    /// The values of options that take one of a few words.
    let private values = [
        "--rule", [ for rule in Rule.all -> rule.Name ]
        "--template", Templates.names
        "--precision", [ "double"; "single" ]
        "--update", [ "online"; "trial-end" ]
        "--learns", [ "everything"; "readouts"; "recurrent"; "inputs" ]
    ]

    let private joined (words: string list) = String.concat " " words

    let private bash (commands: Command list) =
        let names =
            joined ([ for command in commands -> command.Name ] @ [ "completion"; "--help" ])

        String.concat "\n" [
            "# Completes the rflo command. Words that are no option complete as file names."
            "_rflo() {"
            "    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" words="
            "    if [ \"$COMP_CWORD\" -eq 1 ]; then"
            $"        COMPREPLY=($(compgen -W \"{names}\" -- \"$word\"))"
            "        return"
            "    fi"
            "    case \"$before\" in"
            for option, words in values do
                $"        {option}) COMPREPLY=($(compgen -W \"{joined words}\" -- \"$word\")); return ;;"
            "    esac"
            "    case \"${COMP_WORDS[1]}\" in"
            for command in commands do
                let options = joined (command.Options @ [ "--help" ])
                $"        {command.Name}) words=\"{options}\" ;;"
            $"        completion) words=\"{joined shells}\" ;;"
            "    esac"
            "    if [[ \"$word\" == -* || \"${COMP_WORDS[1]}\" == completion ]]; then"
            "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))"
            "    else"
            "        COMPREPLY=()"
            "    fi"
            "}"
            "complete -o default -F _rflo rflo"
            ""
        ]

    let private quoted (text: string) =
        let inner = text.Replace("\\", "\\\\").Replace("'", "\\'")
        $"'{inner}'"

    let private fish (commands: Command list) =
        let inside name = $"__fish_seen_subcommand_from {name}"

        String.concat "\n" [
            "# Completes the rflo command. Words that are no option complete as file names."
            for command in commands do
                $"complete -c rflo -n __fish_use_subcommand -f -a {command.Name} -d {quoted command.Summary}"

                for option in command.Options do
                    let name = option.TrimStart '-'

                    let following =
                        match List.tryFind (fst >> (=) option) values with
                        | Some(_, words) -> $" -x -a {quoted (joined words)}"
                        | None -> ""

                    $"complete -c rflo -n {quoted (inside command.Name)} -l {name}{following}"
            "complete -c rflo -n __fish_use_subcommand -f -a completion"
            let completing = quoted (inside "completion")
            $"complete -c rflo -n {completing} -f -a {quoted (joined shells)}"
            ""
        ]

    /// The script for a shell, to be sourced.
    let script shell commands =
        match shell with
        | "fish" -> fish commands
        | "zsh" -> "autoload -U +X bashcompinit && bashcompinit\n" + bash commands
        | _ -> bash commands
