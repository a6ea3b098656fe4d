/// The elements of a circuit's picture, before layout.
module internal Rflo.Pictures.Parts

/// The shape of a node.
[<RequireQualifiedAccess>]
type Shape =
    | Area
    | Relay
    | WinnerTakeAll
    | Input
    | Readout
    /// A name that is not declared in the circuit, with the shape of its kind.
    | Stranger of wanted: Shape

/// The ending of an arrow, by the signs of its presynaptic units.
[<RequireQualifiedAccess>]
type Ending =
    | Excitatory
    | Inhibitory
    /// From excitatory and inhibitory units.
    | Both
    /// Weights of any sign, without Dale's law.
    | AnySign

/// The color and line style of an arrow.
[<RequireQualifiedAccess>]
type Paint =
    | Plastic
    | Frozen
    /// Carries an error.
    | Error

/// A mark on an arrow.
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
    /// The lines below the name.
    Lines: string list
    /// Fraction of excitatory units under Dale's law.
    Excitatory: float option
    /// Its declaration in words.
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
