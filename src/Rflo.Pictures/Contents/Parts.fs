/// What a picture shows of a circuit, before anything has a place.
module internal Rflo.Pictures.Parts

/// What a node looks like.
[<RequireQualifiedAccess>]
type Shape =
    | Area
    | Relay
    | WinnerTakeAll
    | Input
    | Readout
    /// A name that stands nowhere in the circuit; the shape that it would have.
    | Stranger of wanted: Shape

/// How an arrow ends, by the signs of the units that it comes from.
[<RequireQualifiedAccess>]
type Ending =
    | Excitatory
    | Inhibitory
    /// From excitatory and inhibitory units.
    | Both
    /// No law says which sign the weights have.
    | AnySign

/// What an arrow is drawn with.
[<RequireQualifiedAccess>]
type Paint =
    | Plastic
    | Frozen
    /// Carries an error.
    | Error

/// A word on an arrow.
[<RequireQualifiedAccess>]
type Mark =
    | Gate of string
    | Delay of string
    | Density of string
    | Rule of string
    | Populations of string
    | Name of string
    | Feedback of string

type Node = {
    Name: string
    /// The prefix that it shares with others, or nothing.
    Group: string
    /// Its name within the group.
    Short: string
    Shape: Shape
    Units: int
    /// What stands below the name.
    Lines: string list
    /// Fraction of excitatory units under Dale's law.
    Excitatory: float option
    /// All that is declared of it.
    Words: string
}

type Arrow = {
    /// Index of a node.
    Source: int
    /// Index of a node.
    Target: int
    Ending: Ending
    Paint: Paint
    Marks: Mark list
    Words: string
}

type Parts = {
    Nodes: Node[]
    Arrows: Arrow[]
    /// Arrows from the constant 1; their source is their target.
    Biases: Arrow[]
}
