/// What stands around the text of a finished page: its contents, the pages before and after it, and the index for the search.
module Finish

open System
open System.IO
open System.Net
open System.Text.Json
open System.Text.RegularExpressions

/// A heading with the name by which links reach it.
type private Heading = { Level: int; Id: string; Text: string }

let private plain (html: string) =
    Regex.Replace(html, @"(?s)<(script|style|annotation)\b.*?</\1>|<[^>]+>", " ")
    |> WebUtility.HtmlDecode
    |> fun text -> Regex.Replace(text, @"\s+", " ").Trim()

let private mainOf (page: string) =
    Regex.Match(page, @"(?s)<main>(.*)</main>").Groups[1].Value

let private headings (text: string) = [
    for found in
        Regex.Matches(
            text,
            @"(?s)<h([23])[^>]*?(?:id=""(?<id>[^""]*)"")?[^>]*>(?<inside>.*?)</h\1>"
        ) do
        let inside = found.Groups["inside"].Value

        let id =
            if found.Groups["id"].Success then
                found.Groups["id"].Value
            else
                Regex.Match(inside, @"(?:name|id)=""([^""]*)""").Groups[1].Value

        if id <> "" then
            {
                Level = int found.Groups[1].Value
                Id = id
                Text = plain inside
            }
]

let private encode (text: string) = WebUtility.HtmlEncode text

/// Contents stand in a page that has at least three parts.
let private contents (headings: Heading list) =
    if headings.Length < 3 then
        ""
    else
        let items =
            headings
            |> List.map (fun heading ->
                $"""<li class="level{heading.Level}"><a href="#{heading.Id}">{encode heading.Text}</a></li>""")
            |> String.concat "\n"

        $"""<aside class="contents" aria-label="On this page"><b>On this page</b><ul>
{items}
</ul></aside>"""

let private neighbours (before: (string * string) option) (after: (string * string) option) =
    let link kind arrow page =
        match page with
        | Some(file, title: string) ->
            $"""<a class="{kind}" href="{file}.html"><span>{arrow}</span> {encode title}</a>"""
        | None -> "<span></span>"

    $"""<footer>{link "before" "Previous:" before}{link "after" "Next:" after}</footer>"""

/// Words of a page, each once: what the search looks through.
let private words (text: string) =
    Regex.Matches((plain text).ToLowerInvariant(), @"[\p{L}\p{N}_.\-]{2,}")
    |> Seq.map _.Value.Trim('.', '-')
    |> Seq.filter (fun word -> word.Length > 1)
    |> Seq.distinct
    |> String.concat " "

/// Finishes all pages of a folder: `order` has those of the navigation, file and title.
let apply (folder: string) (order: (string * string) list) =
    let order = List.toArray order

    let index = [
        for file in Directory.GetFiles(folder, "*.html") |> Array.sort do
            let name = Path.GetFileNameWithoutExtension file
            let page = File.ReadAllText file
            let text = mainOf page

            // Reports of runs are pages of their own.
            if text <> "" && page.Contains "id=\"search\"" then
                let found = headings text

                let around =
                    match order |> Array.tryFindIndex (fst >> (=) name) with
                    | Some k ->
                        neighbours
                            (if k > 0 then Some order[k - 1] else None)
                            (if k < order.Length - 1 then Some order[k + 1] else None)
                    | None -> ""

                let finished =
                    page
                        .Replace("<!-- contents -->", contents found)
                        .Replace("<!-- neighbours -->", around)

                File.WriteAllText(file, finished)

                let title =
                    match order |> Array.tryFind (fst >> (=) name) with
                    | Some(_, title) -> title
                    | None -> plain (Regex.Match(page, @"(?s)<title>(.*?)</title>").Groups[1].Value)

                {|
                    file = Path.GetFileName file
                    title = title.Replace(" · Rflo.Dsl", "")
                    parts = found |> List.map (fun heading -> [ heading.Id; heading.Text ])
                    words = words text
                |}
    ]

    // A page of a folder may load a script, but not read a file: so the index is a script.
    File.WriteAllText(
        Path.Combine(folder, "search-index.js"),
        $"window.searchIndex = {JsonSerializer.Serialize index};\n"
    )
