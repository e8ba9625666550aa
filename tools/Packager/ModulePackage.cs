using System.Text;
using System.Xml.Linq;

namespace KdumpNfs.Packager;

/// <summary>The module's package for the PowerShell Gallery.</summary>
internal static class ModulePackage
{
    /// <summary>The bill of materials inside the module.</summary>
    public const string SbomName = "KdumpNfs.cdx.json";

    /// <summary>Writes the package of a module folder.</summary>
    /// <param name="module">The folder; nothing in it is changed.</param>
    /// <param name="changelog">CHANGELOG.md.</param>
    /// <param name="folder">Where the package and, beside it, the bill of materials go.</param>
    /// <param name="projectUrl">Where the project lives; null leaves that out.</param>
    /// <param name="assets">project.assets.json of the projects whose assemblies are in the module.</param>
    /// <returns>Path of the package.</returns>
    /// <exception cref="InvalidDataException">The manifest, the changelog or an assembly of the module does not fit.</exception>
    public static string Write(string module, string changelog, string folder, string? projectUrl, IReadOnlyList<string> assets)
    {
        var manifestName = Path.GetFileName(Directory.GetFiles(module, "*.psd1").Single());
        var id = Path.GetFileNameWithoutExtension(manifestName);
        var manifest = ModuleManifest.Parse(File.ReadAllText(Path.Combine(module, manifestName)));
        var version = manifest["ModuleVersion"];
        var notes = Changelog.NotesOf(File.ReadAllText(changelog), version);
        var sbom = Sbom.Create(id, version, module, assets);
        var content = new List<(string Name, byte[] Content)> { (SbomName, sbom) };
        foreach (var file in Directory.GetFiles(module, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(module, file).Replace('\\', '/');
            content.Add((name, name == manifestName
                ? Encoding.UTF8.GetBytes(manifest.WithPsData([("LicenseUri", "https://licenses.nuget.org/MIT"), ("ProjectUri", projectUrl), ("ReleaseNotes", notes)]))
                : File.ReadAllBytes(file)));
        }

        Directory.CreateDirectory(folder);
        var package = Path.Combine(folder, $"{id}.{version}.nupkg");
        Nupkg.Write(package, id, version, Nuspec(id, version, manifest, projectUrl, notes), content);
        File.WriteAllBytes(Path.Combine(folder, $"{id}.{version}.cdx.json"), sbom);
        return package;
    }

    // The gallery finds modules and their commands by tags of this form.
    private static XDocument Nuspec(string id, string version, ModuleManifest manifest, string? projectUrl, string notes)
    {
        XNamespace ns = "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd";
        var cmdlets = manifest.List("CmdletsToExport");
        var tags = manifest.List("Tags").Append("PSModule").Append("PSIncludes_Cmdlet").Concat(cmdlets.SelectMany(c => new[] { "PSCmdlet_" + c, "PSCommand_" + c }));
        return new XDocument(new XElement(ns + "package", new XElement(ns + "metadata",
            new XElement(ns + "id", id),
            new XElement(ns + "version", version),
            new XElement(ns + "authors", manifest["Author"]),
            new XElement(ns + "owners", manifest["CompanyName"]),
            new XElement(ns + "requireLicenseAcceptance", "false"),
            new XElement(ns + "license", new XAttribute("type", "expression"), "MIT"),
            new XElement(ns + "licenseUrl", "https://licenses.nuget.org/MIT"),
            projectUrl is null ? null : new XElement(ns + "projectUrl", projectUrl),
            new XElement(ns + "description", manifest["Description"]),
            new XElement(ns + "releaseNotes", notes),
            new XElement(ns + "copyright", manifest["Copyright"]),
            new XElement(ns + "tags", string.Join(' ', tags)))));
    }
}
