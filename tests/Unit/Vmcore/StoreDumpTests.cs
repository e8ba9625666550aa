using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Collection;
using KdumpNfs.Tests.Unit.Text;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Dumps read through a connection; here its host is this machine's own shell.</summary>
public sealed class StoreDumpTests : IDisposable
{
    private readonly List<FleetMessage> _messages = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-").FullName;
    private readonly ShellConnector _connector = new();
    private readonly DumpAccess _access;

    public StoreDumpTests() => _access = new DumpAccess(ShellConnector.Access(_connector));

    private HostContext Context => new("store", m =>
    {
        lock (_messages)
        {
            _messages.Add(m);
        }
    });

    public void Dispose()
    {
        _access.DisposeAsync().AsTask().Wait();
        Directory.Delete(_folder, recursive: true);
    }

    private Task<VmcoreReport> Report(string path, bool remote = true) =>
        VmcoreReportOperation.RunAsync(_access, new DumpPlace(path, remote ? new SshHost("store") : null), 50, Context, default);

    private string Make(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    [Theory]
    [InlineData("lzo.mini")]
    [InlineData("zstd.mini")]
    public async Task A_report_through_a_connection_is_the_local_one(string name)
    {
        var remote = await Report(Samples.File(name));
        var local = await Report(Samples.File(name), remote: false);

        Assert.Equal("store", remote.StoreHost);
        Assert.Null(local.StoreHost);
        Assert.Equal(ReportText.Of(local), ReportText.Of(remote));
        Assert.Equal(local.Signature, remote.Signature);
        Assert.Equal(1, _connector.Connections);
    }

    [SkippableTheory]
    [InlineData("rhel-lzo.vmcore")]
    [InlineData("zstd.vmcore")]
    public async Task A_report_reads_at_most_2_MiB(string name)
    {
        var path = SharedSamples.PathOf(name);
        var file = await StoreFile.OpenAsync(_connector.Connection, path, default);
        using var image = VmcoreImage.Open(file);
        Assert.Equal(PanicKind.Sysrq, ReportBuilder.FromDump(image, path).Kind);

        Assert.True(file.BytesRead <= 2 << 20, $"{file.BytesRead} bytes");
        Assert.True(file.RoundTrips <= 100, $"{file.RoundTrips} round trips");
    }

    [Fact]
    public async Task A_flattened_dump_is_indexed_on_the_store()
    {
        var flat = MachineBuilder.Flatten(File.ReadAllBytes(Samples.File("lzo.mini")), 30_000, r => r.Reverse());
        var report = await Report(Make("it's flat", flat));

        Assert.Equal((PanicKind.Sysrq, VmcoreFormat.Flattened), (report.Kind, report.Format));
        Assert.Empty(report.Missing);
        Assert.Contains("cut", (await Report(Make("cut", MachineBuilder.Flatten(File.ReadAllBytes(Samples.File("lzo.mini")), 30_000, r => r)[..^16]))).Missing[0], StringComparison.Ordinal);

        var broken = MachineBuilder.Flatten(File.ReadAllBytes(Samples.File("lzo.mini")), 30_000, r => r);
        broken.AsSpan(broken.Length - 16, 8).Fill(0x80);
        Assert.Contains("damaged", (await Report(Make("broken", broken))).Missing[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_is_walked_alike_with_perl_and_without()
    {
        var programs = Directory.CreateDirectory(Path.Combine(_folder, "programs")).FullName;
        File.CreateSymbolicLink(Path.Combine(programs, "od"), File.Exists("/usr/bin/od") ? "/usr/bin/od" : "/bin/od");
        var flat = MachineBuilder.Flatten(File.ReadAllBytes(Samples.File("lzo.mini")), 30_000, r => r.Reverse());
        var broken = flat.ToArray();
        broken.AsSpan(broken.Length - 16, 8).Fill(0x80);
        foreach (var (path, records) in new[] { (Make("whole", flat), 1000), (Make("few", flat), 3), (Make("cut short", flat[..^40]), 1000), (Make("bad", broken), 1000), (_folder + "/none", 1000) })
        {
            var script = HostScript.Load("flatindex", ("F", path), ("MAX", $"{records}")).Text;
            var fast = Tool.Run("/bin/sh", ["-c", script]);
            var slow = Tool.Run("/bin/sh", ["-c", script], [], ("PATH", programs));
            Assert.Equal(slow.Output, fast.Output);
            Assert.NotEmpty(slow.Output);
        }
    }

    [Fact]
    public async Task What_cannot_be_read_has_an_id()
    {
        async Task<string> Id(string path, bool remote) => (await Assert.ThrowsAsync<HostException>(() => Report(path, remote))).ErrorId;

        Assert.Equal(ErrorIds.FileNotReadable, await Id(_folder + "/none", remote: true));
        Assert.Equal(ErrorIds.FileNotReadable, await Id(_folder + "/none", remote: false));
        Assert.Equal(ErrorIds.FileNotReadable, await Id(_folder, remote: true));
        Assert.Equal(ErrorIds.FileNotReadable, await Id(_folder, remote: false));
        Assert.Equal(ErrorIds.VmcoreNotReadable, await Id(Make("zeros", new byte[9000]), remote: true));
        Assert.Equal(ErrorIds.VmcoreNotReadable, await Id(Make("empty", []), remote: false));
        Assert.Equal(ErrorIds.InvalidInput, await Id("relative", remote: true));
        Assert.Equal(ErrorIds.InvalidInput, await Id(" ", remote: false));

        var large = Make("large", MachineBuilder.Flatten(new byte[100], 10, r => r));
        using (var file = File.OpenWrite(large))
        {
            file.SetLength(1L << 30);
        }

        Assert.Equal(ErrorIds.FlattenedNotIndexed, await Id(large, remote: true));
    }

    [Fact]
    public async Task Saved_logs_are_read_from_the_store_too()
    {
        var report = await Report(Samples.File("rhel-lzo.dmesg.txt"));
        Assert.Equal(PanicKind.Sysrq, report.Kind);
        Assert.Equal("bash", report.TaskName);
    }

    [Fact]
    public async Task Test_vmcore_says_what_is_wrong()
    {
        var good = File.ReadAllBytes(Samples.File("zstd.mini"));
        async Task<VmcoreTest> Test(string path, bool full) => await TestVmcoreOperation.RunAsync(_access, new DumpPlace(path), full, Context, default);

        var whole = await Test(Samples.File("zstd.mini"), full: true);
        Assert.True(whole is { Passed: true, Full: true, MissingPages: 0, DamagedPages: 0, Pages: > 50, LogRecords: > 100 }, string.Join(' ', whole.Problem));

        // The last page's data: the structure is sound, the page is not.
        var bad = (byte[])good.Clone();
        bad.AsSpan(bad.Length - 300).Fill(0xff);
        var flipped = await Test(Make("flipped", bad), full: true);
        Assert.False(flipped.Passed);
        Assert.True(flipped is { DamagedPages: > 0, MissingPages: 0 } && flipped.Problem.Any(p => p.Contains("cannot be unpacked", StringComparison.Ordinal)), string.Join(' ', flipped.Problem));

        var cut = await Test(Make("cut", good[..^5000]), full: false);
        Assert.False(cut.Passed);
        Assert.Contains("the file has", cut.Problem[0], StringComparison.Ordinal);
        Assert.False((await Test(Make("nothing", [1, 2, 3]), full: false)).Passed);
    }

    [Fact]
    public async Task Convert_rearranges_and_replaces_nothing()
    {
        var dump = File.ReadAllBytes(Samples.File("lzo.mini"));
        var flat = Make("flat", MachineBuilder.Flatten(dump, 4000, r => r.Reverse()));
        var target = Path.Combine(_folder, "vmcore");
        var result = await ConvertVmcoreOperation.RunAsync(flat, target, false, Context, default);

        Assert.Equal(dump, File.ReadAllBytes(target));
        Assert.Equal((dump.LongLength, null), (result.Bytes, result.Damage));
        Assert.Equal(ErrorIds.InvalidInput, (await Assert.ThrowsAsync<HostException>(() => ConvertVmcoreOperation.RunAsync(flat, target, false, Context, default))).ErrorId);
        Assert.Equal(ErrorIds.VmcoreNotReadable, (await Assert.ThrowsAsync<HostException>(() => ConvertVmcoreOperation.RunAsync(target, target + "2", false, Context, default))).ErrorId);
        Assert.False(File.Exists(target + "2") || File.Exists(target + ".incomplete"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(target));
        }
    }
}
