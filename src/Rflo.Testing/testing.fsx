// What a script loads that tests rules: the language and the laws. If a file is not found here, the project is not built
// yet:
//     dotnet fsi build.fsx build
#I "bin/Release/net10.0"
#r "Rflo.Core.dll"
#r "Rflo.Dsl.dll"
#r "Rflo.Testing.dll"
#r "FsCheck.dll"
#r "MathNet.Numerics.dll"
