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

    private static (int Status, string Output) Quiet(string path)
    {
        var (status, output, _) = KdumpNfsCommand.Run("", "test-vmcore", "--quiet", "--full", path);
        return (status, output);
    }
}
