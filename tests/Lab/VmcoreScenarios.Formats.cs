using System.Diagnostics;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Tests.Lab;

/// <summary>One dump in every form that this machine's makedumpfile can write.</summary>
public sealed partial class VmcoreScenarios
{
    // Options, and what comes of them; compressions that makedumpfile was built without it says so of, and writes plain pages.
    private static readonly (string Options, VmcoreFormat Format, PageCompression Compression)[] Forms =
    [
        ("-c", VmcoreFormat.KdumpCompressed, PageCompression.Zlib),
        ("-l", VmcoreFormat.KdumpCompressed, PageCompression.Lzo),
        ("-p", VmcoreFormat.KdumpCompressed, PageCompression.Snappy),
        ("-z", VmcoreFormat.KdumpCompressed, PageCompression.Zstd),
        ("", VmcoreFormat.KdumpCompressed, PageCompression.None),
        ("-E", VmcoreFormat.Elf, PageCompression.None),
        ("-F -l", VmcoreFormat.Flattened, PageCompression.Lzo),
        ("-F -E", VmcoreFormat.Flattened, PageCompression.None),
    ];

    private async Task FormatsAsync(KeptDump dump)
    {
        var source = dump.Path;
        var wanted = Comparable(dump.Report);
        if (dump.Format == VmcoreFormat.Flattened)
        {
            source += ".plain";
            Assert.Equal(0, Makedumpfile.Run(Out, $"-R {source} <{dump.Path}").Status);
            await ReadAsync(dump.Path, await TextOfAsync(source), wanted, VmcoreFormat.Flattened, null);
        }

        var text = await TextOfAsync(source);
        var own = await ReadAsync(source, text, wanted, null, null);
        foreach (var (options, format, compression) in Forms)
        {
            var path = source + ".other";
            File.Delete(path);
            var flattened = format == VmcoreFormat.Flattened;
            var made = Makedumpfile.Run(Out, $"{options} --message-level 7 -d 31 {source} {(flattened ? ">" : "")}{path}");
            if (made.Status != 0)
            {
                // The one thing that it cannot do, in its own words.
                Assert.True(options.Contains('E', StringComparison.Ordinal) && own.Format == VmcoreFormat.KdumpCompressed, $"{options}: {made.Said}");
                Assert.Contains("'-E' option is disable", made.Said, StringComparison.Ordinal);
                continue;
            }

            var without = made.Said.Contains("disabled", StringComparison.Ordinal);
            var asText = flattened ? path + ".plain" : path;
            if (flattened)
            {
                File.Delete(asText);
                Assert.Equal(0, Makedumpfile.Run(Out, $"-R {asText} <{path}").Status);
            }

            // Not the first dump's text again: what makedumpfile reads out of this very file.
            await ReadAsync(path, await TextOfAsync(asText), wanted, format, without ? PageCompression.None : compression);
            kept.Seen.Add($"{dump.Report.Kind}: {(options.Length == 0 ? "plain" : options)}{(without ? " (not in this makedumpfile: plain pages)" : "")}");
        }
    }

    private async Task<VmcoreTest> ReadAsync(string path, byte[] text, string wanted, VmcoreFormat? format, PageCompression? compression)
    {
        await using var access = new DumpAccess(null);
        var place = new DumpPlace(path);
        Assert.Equal(wanted, Comparable(await ReportAsync(place)));
        var log = One<KernelLog>(async (_, context, token) => context.Output(await VmcoreDmesgOperation.RunAsync(access, place, context, token)), Lab.Storage);
        using var written = new MemoryStream();
        log.WriteTo(written);
        Assert.True(text.AsSpan().SequenceEqual(written.ToArray()), $"The text of {path} differs from makedumpfile's.");
        var test = One<VmcoreTest>(async (_, context, token) => context.Output(await TestVmcoreOperation.RunAsync(access, place, full: true, context, token)), Lab.Storage);
        Assert.Empty(test.Problem);
        Assert.True(test is { Passed: true, DamagedPages: 0, MissingPages: null or 0 } && test.Pages > 1000, test.ToString());
        Assert.Equal((format ?? test.Format, compression ?? test.Compression), (test.Format, test.Compression));
        return test;
    }

    private async Task<byte[]> TextOfAsync(string path)
    {
        File.Delete(path + ".dmesg");
        Assert.Equal(0, Makedumpfile.Run(Out, $"--dump-dmesg {path} {path}.dmesg").Status);
        return await File.ReadAllBytesAsync(path + ".dmesg");
    }
}

/// <summary>This machine's makedumpfile.</summary>
internal static class Makedumpfile
{
    public static bool IsThere => File.Exists("/usr/bin/makedumpfile") || File.Exists("/usr/sbin/makedumpfile");

    public static (int Status, string Said) Run(Xunit.Abstractions.ITestOutputHelper output, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"PATH=$PATH:/usr/sbin; makedumpfile {arguments}"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
        process.WaitForExit();
        output.WriteLine($"makedumpfile {arguments}: {process.ExitCode} {said}");
        return (process.ExitCode, said);
    }
}

/// <summary>Commands of the lab itself.</summary>
internal static class LabCommand
{
    public static async Task<(int Status, string Said)> RunAsync(LabFixture lab, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(lab.Required("KDUMPNFS_LAB_COMMAND"), arguments) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true })!;
        process.StandardInput.Close();
        var texts = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(texts).Trim());
    }
}
