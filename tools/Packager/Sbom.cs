using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace KdumpNfs.Packager;

/// <summary>A bill of materials of a module folder: each assembly in it, the package that it came from, licenses, hashes, and who needs whom. CycloneDX 1.5, JSON.</summary>
/// <remarks>Without a serial number and a time, which CycloneDX leaves optional: the same folder gives the same bytes.</remarks>
internal static class Sbom
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes it.</summary>
    /// <exception cref="InvalidDataException">An assembly in the folder is neither ours nor of a package that was restored.</exception>
    public static byte[] Create(string name, string version, string module, IReadOnlyList<string> assets)
    {
        var packages = new SortedDictionary<string, Package>(StringComparer.OrdinalIgnoreCase);
        foreach (var file in assets)
        {
            Read(file, packages);
        }

        var components = new List<JsonObject>();
        var shipped = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var needed = new JsonArray();
        foreach (var file in Directory.GetFiles(module, "*.dll", SearchOption.AllDirectories).OrderBy(f => Path.GetRelativePath(module, f).Replace('\\', '/'), StringComparer.Ordinal))
        {
            var path = Path.GetRelativePath(module, file).Replace('\\', '/');
            var assembly = AssemblyName.GetAssemblyName(file);
            var package = packages.Values.FirstOrDefault(p => p.Files.Contains(Path.GetFileName(file)));
            if (package is null && assembly.Name != name && !assembly.Name!.StartsWith(name + ".", StringComparison.Ordinal))
            {
                throw new InvalidDataException($"{path} is in the module, and no package that was restored has it.");
            }

            var reference = package?.Url ?? $"{name}/{path}";
            if (package is not null)
            {
                shipped.Add(package.Name);
            }

            needed.Add(reference);
            components.Add(Component(reference, package?.Name ?? assembly.Name!, package?.Version ?? version, package?.License ?? "MIT", package?.Url, path, assembly.Version!, file));
        }

        var bill = new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.5",
            ["version"] = 1,
            ["metadata"] = new JsonObject
            {
                ["component"] = new JsonObject { ["type"] = "library", ["bom-ref"] = name, ["name"] = name, ["version"] = version, ["licenses"] = Licenses("MIT") },
            },
            ["components"] = new JsonArray([.. components]),
            ["dependencies"] = new JsonArray([
                new JsonObject { ["ref"] = name, ["dependsOn"] = needed },
                .. packages.Values.Where(p => shipped.Contains(p.Name)).Select(p => new JsonObject
                {
                    ["ref"] = p.Url,
                    ["dependsOn"] = new JsonArray([.. p.Needs.Where(shipped.Contains).Order(StringComparer.Ordinal).Select(n => JsonValue.Create(packages[n].Url))]),
                })]),
        };
        return System.Text.Encoding.UTF8.GetBytes(bill.ToJsonString(Json) + "\n");
    }

    private static JsonObject Component(string reference, string name, string version, string? license, string? url, string path, Version assembly, string file)
    {
        var component = new JsonObject { ["type"] = "library", ["bom-ref"] = reference, ["name"] = name, ["version"] = version };
        component["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-256", ["content"] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))) });
        if (license is not null)
        {
            component["licenses"] = Licenses(license);
        }

        if (url is not null)
        {
            component["purl"] = url;
        }

        component["properties"] = new JsonArray(
            new JsonObject { ["name"] = "kdumpnfs:path", ["value"] = path },
            new JsonObject { ["name"] = "kdumpnfs:assemblyVersion", ["value"] = assembly.ToString() });
        return component;
    }

    // A license of a package is an SPDX id or an expression, or an address where the text is.
    private static JsonArray Licenses(string license) =>
        new(license.StartsWith("http", StringComparison.Ordinal) ? new JsonObject { ["license"] = new JsonObject { ["name"] = "see url", ["url"] = license } }
            : license.Contains(' ', StringComparison.Ordinal) ? new JsonObject { ["expression"] = license }
            : new JsonObject { ["license"] = new JsonObject { ["id"] = license } });

    private static void Read(string assets, SortedDictionary<string, Package> packages)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(assets));
        var folders = document.RootElement.GetProperty("packageFolders").EnumerateObject().Select(f => f.Name).ToList();
        foreach (var library in document.RootElement.GetProperty("targets").EnumerateObject().First().Value.EnumerateObject())
        {
            if (library.Value.GetProperty("type").GetString() != "package" || library.Name.Split('/') is not [var name, var version])
            {
                continue;
            }

            packages[name] = new Package(
                name, version, License(folders, name, version),
                library.Value.TryGetProperty("runtime", out var runtime) ? runtime.EnumerateObject().Select(f => Path.GetFileName(f.Name)).ToHashSet(StringComparer.OrdinalIgnoreCase) : [],
                library.Value.TryGetProperty("dependencies", out var needs) ? [.. needs.EnumerateObject().Select(d => d.Name)] : []);
        }
    }

    private static string? License(List<string> folders, string name, string version)
    {
        var nuspec = folders.Select(f => Path.Combine(f, name.ToLowerInvariant(), version.ToLowerInvariant(), name.ToLowerInvariant() + ".nuspec")).FirstOrDefault(File.Exists);
        var metadata = nuspec is null ? null : XDocument.Load(nuspec).Root!.Elements().First(e => e.Name.LocalName == "metadata");
        var license = metadata?.Elements().FirstOrDefault(e => e.Name.LocalName == "license");
        return license?.Attribute("type")?.Value == "expression" ? license.Value : metadata?.Elements().FirstOrDefault(e => e.Name.LocalName == "licenseUrl")?.Value;
    }

    private sealed record Package(string Name, string Version, string? License, HashSet<string> Files, IReadOnlyList<string> Needs)
    {
        public string Url => string.Create(CultureInfo.InvariantCulture, $"pkg:nuget/{Name}@{Version}");
    }
}
