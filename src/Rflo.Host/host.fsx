// What a model script loads: the language and the host. If a file is not found here, the project is not built yet:
//     dotnet fsi build.fsx build
#I "bin/Release/net10.0"
#r "Rflo.Core.dll"
#r "Rflo.Analysis.dll"
#r "Rflo.Dsl.dll"
#r "Rflo.Runs.dll"
#r "Rflo.Pictures.dll"
#r "Rflo.Host.dll"
#r "MathNet.Numerics.dll"
#r "Plotly.NET.dll"

#if INTERACTIVE
// A model says the same on every machine: `$"gain-{gain}"` is gain-0.3 under a decimal comma too.
System.Globalization.CultureInfo.CurrentCulture <- System.Globalization.CultureInfo.InvariantCulture

System.Globalization.CultureInfo.DefaultThreadCurrentCulture <-
    System.Globalization.CultureInfo.InvariantCulture

// A project may compile a script too, where there is nothing to print to.
Rflo.Host.Printers.register fsi
#endif
