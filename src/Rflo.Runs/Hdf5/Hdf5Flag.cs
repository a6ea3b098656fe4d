using System.Diagnostics.CodeAnalysis;

namespace Rflo.Runs;

/// <summary>Truth values as h5py writes them: an enumeration of these names and values is a bool of numpy.</summary>
[SuppressMessage("Design", "CA1028", Justification = "One byte each in the file.")]
internal enum Hdf5Flag : byte
{
    FALSE,
    TRUE,
}
