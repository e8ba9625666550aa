using System.IO.Compression;
using System.Text;
using System.Text.Json;
using KdumpNfs.Packager;

namespace KdumpNfs.Tests.Unit.Packages;

/// <summary>What is published: the same bytes from the same input, and what the gallery wants to know.</summary>
public sealed class PackagerTests : IDisposable
{
    private const string Manifest = """
        @{
            ModuleVersion   = '1.2.3'
            Author          = 'Somebody''s friends'
            CompanyName     = 'Company'
            Copyright       = 'None.'
            Description     = 'Does <things>.'
            CmdletsToExport = @(
                'Get-Thing'
                'Set-Thing'
            )
            PrivateData     = @{
                PSData = @{
                    Tags = @('one', 'PSEdition_Core')
                }
            }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-pack-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Module(string name, DateTime time)
    {
        var module = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.Combine(module, "private"));
        File.WriteAllText(Path.Combine(module, "KdumpNfs.psd1"), Manifest);
        File.WriteAllText(Path.Combine(module, "LICENSE"), "MIT");
        File.Copy(typeof(HostException).Assembly.Location, Path.Combine(module, "KdumpNfs.dll"), overwrite: true);
        foreach (var file in Directory.GetFiles(module))
        {
            File.SetLastWriteTimeUtc(file, time);
        }

        return module;
    }

    private string Pack(string module, string to, string? url = null, params string[] assets)
    {
        var changelog = Path.Combine(_folder, "CHANGELOG.md");
        File.WriteAllText(changelog, "# Changelog\n\n## [Unreleased]\n\n- Later.\n\n## [1.2.3] - 2026-11-01\n\n### Added\n- A thing.\n\n## [1.2.2]\n\n- Old.\n");
        return ModulePackage.Write(module, changelog, Path.Combine(_folder, to), url, assets);
    }

    [Fact]
    public void TheSameFilesGiveTheSameBytes()
    {
        var first = Pack(Module("a", new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)), "out1");
        var second = Pack(Module("b", new DateTime(2025, 6, 1, 0, 0, 0, DateTimeKind.Utc)), "out2");
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        Assert.EndsWith("KdumpNfs.1.2.3.nupkg", first, StringComparison.Ordinal);
    }

    [Fact]
    public void TheGalleryIsToldEverything()
    {
        using var zip = ZipFile.OpenRead(Pack(Module("a", DateTime.UtcNow), "out", "https://example.org/kdump"));
        var nuspec = Read(zip, "KdumpNfs.nuspec");
        Assert.Contains("<license type=\"expression\">MIT</license>", nuspec, StringComparison.Ordinal);
        Assert.Contains("<projectUrl>https://example.org/kdump</projectUrl>", nuspec, StringComparison.Ordinal);
        Assert.Contains("<authors>Somebody's friends</authors>", nuspec, StringComparison.Ordinal);
        Assert.Contains("Does &lt;things&gt;.", nuspec, StringComparison.Ordinal);
        Assert.Contains("<releaseNotes>### Added\n- A thing.</releaseNotes>", nuspec, StringComparison.Ordinal);
        Assert.Contains("<tags>one PSEdition_Core PSModule PSIncludes_Cmdlet PSCmdlet_Get-Thing PSCommand_Get-Thing PSCmdlet_Set-Thing PSCommand_Set-Thing</tags>", nuspec, StringComparison.Ordinal);
        var manifest = Read(zip, "KdumpNfs.psd1");
        Assert.Contains("ProjectUri = 'https://example.org/kdump'", manifest, StringComparison.Ordinal);
        Assert.Contains("- A thing.", manifest, StringComparison.Ordinal);
        Assert.Contains("Extension=\"psd1\"", Read(zip, "[Content_Types].xml"), StringComparison.Ordinal);
        Assert.Contains("PartName=\"/LICENSE\"", Read(zip, "[Content_Types].xml"), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutASectionOfItsVersionTheNotesAreThoseToCome() =>
        Assert.Equal("- Later.", Changelog.NotesOf("## [Unreleased]\r\n\r\n- Later.\r\n\r\n## [0.1.0]\r\n", "9.9.9"));

    [Fact]
    public void TheBillNamesEachAssemblyWithItsHash()
    {
        var module = Module("a", DateTime.UtcNow);
        using var bill = JsonDocument.Parse(Sbom.Create("KdumpNfs", "1.2.3", module, []));
        var component = Assert.Single(bill.RootElement.GetProperty("components").EnumerateArray().ToList());
        Assert.Equal("KdumpNfs", component.GetProperty("name").GetString());
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(module, "KdumpNfs.dll"))));
        Assert.Equal(hash, component.GetProperty("hashes")[0].GetProperty("content").GetString());
    }

    [Fact]
    public void AnAssemblyThatNobodyKnowsIsNotShipped()
    {
        var module = Module("a", DateTime.UtcNow);
        File.Copy(typeof(FactAttribute).Assembly.Location, Path.Combine(module, "private", "xunit.core.dll"));
        var refusal = Assert.Throws<InvalidDataException>(() => Pack(module, "out"));
        Assert.Contains("private/xunit.core.dll", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void APackageMayComeFromAnywhereInAnyOrder()
    {
        var package = Path.Combine(_folder, "tool.nupkg");
        byte[] Written(string core, DateTimeOffset time, bool turned)
        {
            using (var zip = new ZipArchive(new FileStream(package, FileMode.Create), ZipArchiveMode.Create))
            {
                var names = new List<string> { "Tool.nuspec", $"package/services/metadata/core-properties/{core}.psmdcp", "_rels/.rels", "tools/a.dll" };
                foreach (var name in turned ? names.AsEnumerable().Reverse() : names)
                {
                    var entry = zip.CreateEntry(name);
                    entry.LastWriteTime = time;
                    using var writer = new StreamWriter(entry.Open());
                    writer.Write(name == "_rels/.rels" ? core : "the same");
                }
            }

            Nupkg.Normalize(package);
            return File.ReadAllBytes(package);
        }

        var first = Written("0123", new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), turned: false);
        Assert.Equal(first, Written("9876", new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), turned: true));
        using var read = ZipFile.OpenRead(package);
        Assert.Equal("the same", Read(read, "tools/a.dll"));
        Assert.Contains("/Tool.nuspec", Read(read, "_rels/.rels"), StringComparison.Ordinal);
    }

    private static string Read(ZipArchive zip, string name)
    {
        using var reader = new StreamReader(zip.GetEntry(name)!.Open(), Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
