using System.Runtime.CompilerServices;
using System.Text.Json;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary>The commands that read dumps, on a small real one.</summary>
public sealed class DumpCommandTests
{
    private static readonly string Dump = Sample("lzo.mini");

    private static string Sample(string name, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../Unit/Vmcore/samples", name));

    [Fact]
    public void Dmesg_into_a_pipe_is_the_plain_text()
    {
        var (status, output, error) = KdumpNfsCommand.Run("", "dmesg", Dump);
        Assert.Equal((0, ""), (status, error));
        Assert.StartsWith("[    0.000000] Linux version 6.1.0-56-cloud-amd64", output, StringComparison.Ordinal);
        Assert.EndsWith("\n", output, StringComparison.Ordinal);
        Assert.Contains("] Kernel panic - not syncing: sysrq triggered crash\n", output, StringComparison.Ordinal);

        var (one, json, _) = KdumpNfsCommand.Run("", "dmesg", Dump, "--json");
        Assert.Equal(0, one);
        var records = json.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Contains(records, r => r.GetProperty("Level").GetInt32() == 0 && r.GetProperty("Text").GetString()!.StartsWith("Kernel panic", StringComparison.Ordinal));
        Assert.Equal(2, KdumpNfsCommand.Run("", "dmesg", Dump, Dump).Status);
    }

    [Fact]
    public void Report_as_text_and_as_json()
    {
        var (status, output, _) = KdumpNfsCommand.Run("", "report", Dump);
        Assert.Equal(0, status);
        Assert.Contains("sysrq_handle_crash+0x16/0x20", output, StringComparison.Ordinal);

        var (_, json, _) = KdumpNfsCommand.Run("", "report", Dump, "--json");
        var report = JsonDocument.Parse(json).RootElement;
        Assert.Equal("Sysrq", report.GetProperty("Kind").GetString());
        Assert.Equal(Dump, report.GetProperty("Path").GetString());
    }

    [Fact]
    public void Test_vmcore_tells_by_its_exit_status()
    {
        Assert.Equal((0, ""), Quiet(Dump));
        var cut = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(cut, File.ReadAllBytes(Dump)[..150_000]);
            Assert.Equal((1, ""), Quiet(cut));
        }
        finally
        {
            File.Delete(cut);
        }
    }

    [Fact]
    public void What_if_of_what_writes_here_says_it_and_writes_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("kdumpnfs-whatif-").FullName;
        try
        {
            var (flat, made, cases) = (Path.Combine(folder, "flat"), Path.Combine(folder, "made"), Path.Combine(folder, "cases"));
            File.WriteAllBytes(flat, [.. File.ReadAllBytes(Sample("debian-flattened.head")), .. File.ReadAllBytes(Sample("debian-flattened.tail"))]);
            File.WriteAllText(made, "old");
            Directory.CreateDirectory(cases);
            var before = Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order();

            // Nobody is asked either: port 1 answers nobody.
            Shows($"Rearrange {flat} into {made}", "convert", flat, made, "--force");
            Shows($"Pack {Dump} into {cases}", "export-bundle", Dump, "--destination", cases, "--crashed-host", "127.0.0.1", "--port", "1");
            Shows($"Pack 127.0.0.1:/data/vmcore into {cases}", "export-bundle", "/data/vmcore", "--store", "127.0.0.1", "--destination", cases, "--port", "1");
            Shows($"Fetch 127.0.0.1:/data/crash-1 to {Path.Combine(folder, "new")}", "receive", "/data/crash-1", "--store", "127.0.0.1", "--to", Path.Combine(folder, "new"), "--port", "1");
            Assert.Equal(before, Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order());
            Assert.Equal("old", File.ReadAllText(made));

            // Without it they do not ask.
            Assert.Equal(0, KdumpNfsCommand.Run("", "export-bundle", Dump, "--destination", cases).Status);
            Assert.Single(Directory.GetFiles(cases));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Vmcores_looks_into_no_more_directories_than_the_newest_so_many()
    {
        var store = Directory.CreateTempSubdirectory("kdumpnfs-maximum-").FullName;
        try
        {
            foreach (var day in new[] { 1, 2, 3 })
            {
                var crash = Directory.CreateDirectory(Path.Combine(store, $"192.0.2.7-2026-11-2{day}-10:11:12")).FullName;
                File.Copy(Dump, Path.Combine(crash, "vmcore"));
                Directory.SetLastWriteTimeUtc(crash, new DateTime(2026, 11, 20 + day, 10, 12, 0, DateTimeKind.Utc));
            }

            var (status, output, _) = KdumpNfsCommand.Run("", "vmcores", "--path", store, "--maximum", "2", "--json");
            Assert.Equal(0, status);
            Assert.Equal(["22", "23"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("Path").GetString()!.Split("2026-11-")[1][..2]).Order());
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    [SkippableTheory]
    [InlineData(80, false)]
    [InlineData(220, true)]
    public void On_a_narrow_terminal_nothing_is_cut_or_squeezed(int columns, bool table)
    {
        Skip.If(!CommandRunner.Exists("script") || !CommandRunner.Exists("stty"), "script or stty is not installed");
        var store = Directory.CreateTempSubdirectory("kdumpnfs-narrow-").FullName;
        try
        {
            var crash = Directory.CreateDirectory(Path.Combine(store, "192.0.2.7-2026-11-22-10:11:12")).FullName;
            File.Copy(Dump, Path.Combine(crash, "vmcore"));
            var (status, text) = CommandRunner.Run("script", ["-qec", $"stty cols {columns} rows 50; TERM=xterm NO_COLOR=1 {string.Join(' ', CommandRunner.KdumpNfs.Select(word => $"'{word}'"))} vmcores --path '{store}'", "/dev/null"]);
            Assert.Equal(0, status);
            Assert.Equal(table, text.Contains("───", StringComparison.Ordinal));
            Assert.Contains("289.4 KiB", text, StringComparison.Ordinal);
            Assert.Contains(crash, text, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    private static void Shows(string what, params string[] arguments) =>
        Assert.Equal((0, $"What if: {what}\n", ""), KdumpNfsCommand.Run("", [.. arguments, "--what-if"]));

    private static (int Status, string Output) Quiet(string path)
    {
        var (status, output, _) = KdumpNfsCommand.Run("", "test-vmcore", "--quiet", "--full", path);
        return (status, output);
    }
}
