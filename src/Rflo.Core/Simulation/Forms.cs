namespace Rflo.Core;

/// <summary>
/// The fast forms of a calculation that may replace the plain one. Each gives the plain form's numbers but for rounding
/// wherever it is chosen; tests compare every form with the plain one.
/// </summary>
[Flags]
internal enum Forms
{
    /// <summary>The plain form of everything.</summary>
    None = 0,

    /// <summary>Online updates kept as products over the steps of a trial.</summary>
    Deferred = 1 << 0,

    /// <summary>Traces, weights and the currents of the next step in one pass.</summary>
    Ahead = 1 << 1,

    /// <summary>UORO's factor over the weights as products over steps.</summary>
    Products = 1 << 2,

    /// <summary>RTRL at ends of trials in blocks of steps.</summary>
    Blocks = 1 << 3,

    /// <summary>The backward pass of an isolated area in one call.</summary>
    WholePass = 1 << 4,

    /// <summary>A learning signal of one output as one column times an error.</summary>
    OneColumn = 1 << 5,

    /// <summary>Outputs of all steps at the end of a trial.</summary>
    AnswersAtEnd = 1 << 6,

    /// <summary>The rates of a source area as the rows of presynaptic signals.</summary>
    SharedRows = 1 << 7,

    /// <summary>Increments added directly to the weights.</summary>
    Direct = 1 << 8,

    /// <summary>A tangent multiplied in the pass that computes the currents.</summary>
    Beside = 1 << 9,

    /// <summary>The influence of a single source read where it lies.</summary>
    OneSource = 1 << 10,

    /// <summary>The trials of an update side by side.</summary>
    Lanes = 1 << 11,

    /// <summary>Every form, where it is faster.</summary>
    All = (1 << 12) - 1,

    /// <summary>Allowed forms are chosen wherever they are legal, whether they are faster or not.</summary>
    Unpaid = 1 << 12,

    /// <summary>Every form that is legal.</summary>
    Eager = All | Unpaid,
}

/// <summary>The names of forms in a plan.</summary>
internal static class FormTitles
{
    public static string Title(this Forms form) => form switch
    {
        Forms.Deferred => "online updates made at the end of the trial",
        Forms.Ahead => "update and next currents in one pass",
        Forms.Products => "factor of the weights as products over steps",
        Forms.Blocks => "influence in blocks of steps",
        Forms.WholePass => "backward pass in one call",
        Forms.OneColumn => "learning signal as one column times an error",
        Forms.AnswersAtEnd => "outputs made at the end of the trial",
        Forms.SharedRows => "rates read where they lie",
        Forms.Direct => "increments added to the weights as they come",
        Forms.Beside => "tangent multiplied in the pass that makes the currents",
        Forms.OneSource => "influence of a single source read where it lies",
        Forms.Lanes => "trials side by side",
        _ => form.ToString(),
    };
}
