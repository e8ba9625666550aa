using KdumpNfs.Packager;

// Makes what is published, byte for byte the same from the same input: the module's package for the PowerShell Gallery, with its bill of materials, and
// the command's package as dotnet pack left it, without the times and names by which two runs of that differ.
try
{
    switch (args)
    {
        case ["module", var module, var changelog, var folder, .. var rest]:
            Console.WriteLine(ModulePackage.Write(module, changelog, folder, Option(rest, "--project-url"), [.. rest.Where(a => a.EndsWith(".json", StringComparison.Ordinal))]));
            return 0;
        case ["tool", var package]:
            Nupkg.Normalize(package);
            Console.WriteLine(package);
            return 0;
        default:
            Console.Error.WriteLine("usage: Packager module MODULE-FOLDER CHANGELOG OUT-FOLDER PROJECT.ASSETS.JSON... [--project-url URL] | tool NUPKG");
            return 2;
    }
}
catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or System.Text.Json.JsonException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

static string? Option(string[] rest, string name) => Array.IndexOf(rest, name) is var at and >= 0 && at + 1 < rest.Length && rest[at + 1].Length > 0 ? rest[at + 1] : null;
