using System.Text.Json;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>A guest of another architecture crashes under emulation; its own makedumpfile says what the text is.</summary>
[Collection("9 Vmcores of another architecture"), Trait(Lane.Name, Lane.Beside)]
public sealed class Aarch64Scenarios(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(10), Trait("Category", "Long")]
    public async Task Dumps_of_an_aarch64_guest_give_the_text_of_its_own_makedumpfile_and_one_report()
    {
        NeedLab();
        var parent = Directory.CreateTempSubdirectory("kdumpnfs-aarch64-");
        try
        {
            var folder = Path.Combine(parent.FullName, "dumps");
            var made = await LabCommand.RunAsync(Lab, "aarch64", folder);
            Out.WriteLine(made.Said);
            Skip.If(made.Status != 0 && !made.Said.Contains("left no dumps", StringComparison.Ordinal), $"there is no aarch64 guest on this machine: {made.Said}");
            Assert.Equal(0, made.Status);
            var text = await File.ReadAllBytesAsync(Path.Combine(folder, "dmesg.txt"));
            string? first = null;
            foreach (var (name, format, compression) in new[]
            {
                ("raw.vmcore", VmcoreFormat.Elf, PageCompression.None),
                ("elf.vmcore", VmcoreFormat.Elf, PageCompression.None),
                ("zlib.vmcore", VmcoreFormat.KdumpCompressed, PageCompression.Zlib),
                ("lzo.vmcore", VmcoreFormat.KdumpCompressed, PageCompression.Lzo),
                ("plain.vmcore", VmcoreFormat.KdumpCompressed, PageCompression.None),
                ("zlib.flat", VmcoreFormat.Flattened, PageCompression.Zlib),
            })
            {
                await using var access = new DumpAccess(null);
                var place = new DumpPlace(Path.Combine(folder, name));
                var report = One<VmcoreReport>(async (_, context, token) => context.Output(await VmcoreReportOperation.RunAsync(access, place, 200, context, token)), Lab.Storage);
                Check(report);
                Assert.Equal(format, report.Format);
                var comparable = JsonSerializer.Serialize(report with { Path = "", Format = default, CrashCommand = null, DrgnCommand = null });
                Assert.Equal(first ??= comparable, comparable);

                var log = One<KernelLog>(async (_, context, token) => context.Output(await VmcoreDmesgOperation.RunAsync(access, place, context, token)), Lab.Storage);
                using var written = new MemoryStream();
                log.WriteTo(written);
                Assert.True(text.AsSpan().SequenceEqual(written.ToArray()), $"The text of {name} differs from makedumpfile's.");
                var test = One<VmcoreTest>(async (_, context, token) => context.Output(await TestVmcoreOperation.RunAsync(access, place, full: true, context, token)), Lab.Storage);
                Assert.Empty(test.Problem);
                Assert.Equal((true, format, compression), (test.Passed, test.Format, test.Compression));
            }
        }
        finally
        {
            parent.Delete(recursive: true);
        }
    }

    private static void Check(VmcoreReport report)
    {
        Assert.Equal(("aarch64", PanicKind.Sysrq, "arm1"), (report.Machine, report.Kind, report.CrashedHost));
        Assert.Contains("sysrq triggered crash", report.Reason, StringComparison.Ordinal);
        Assert.Equal(("init", 1, "", 1, 0), (report.TaskName, report.TaskPid, report.Taint, report.CpuCount, report.PanicCpu));
        Assert.EndsWith("-cloud-arm64", report.Release, StringComparison.Ordinal);
        Assert.Equal($"linux-image-{report.Release}-dbg", report.DebugPackage);
        Assert.Equal("linux,dummy-virt (DT)", report.MachineModel);
        Assert.Equal(40, report.BuildId!.Length);
        Assert.InRange(report.Uptime!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15));
        Assert.Contains(report.CallTrace, f => f is { Function: "write_sysrq_trigger", Reliable: true });
        Assert.Contains(report.CallTrace, f => f is { Function: "el0t_64_sync", Reliable: true });
        Assert.NotNull(Assert.Single(report.CpuPosition).Symbol);
        Assert.Empty(report.Missing);
    }
}
