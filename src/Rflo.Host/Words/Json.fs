namespace Rflo.Host

open System
open System.Text.Json.Nodes
open Rflo.Dsl

/// Words for JSON.
module internal Json =

    let text (value: string) : JsonNode = nonNull (JsonValue.Create value)
    let flag (value: bool) : JsonNode = JsonValue.Create value
    let whole (value: int) : JsonNode = JsonValue.Create value

    /// JSON has no infinity.
    let number (value: float) : JsonNode =
        if Double.IsFinite value then
            JsonValue.Create value
        else
            text (string value)

    let time (value: float<ms>) = number (float value)

    let list (items: JsonNode seq) : JsonNode = JsonArray(Array.ofSeq items)

    let record (fields: (string * JsonNode) list) : JsonNode =
        let json = JsonObject()

        for name, value in fields do
            json[name] <- value

        json

    let case name fields = record (("kind", text name) :: fields)

    let shape (matrix: 'a[,]) =
        list [
            whole (Array2D.length1 matrix)
            whole (Array2D.length2 matrix)
        ]
