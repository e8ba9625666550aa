using System.Diagnostics;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Tests.Unit.Vmcore;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Tests.Unit.Collection;

public sealed class GetVmcoreTests : IDisposable
{
    private const string Rhel = "192.168.122.102-2026-11-22-10:05:50";
    private const string Debian = "192.168.122.101-202611220946";
    private const string Suse = "sles15-2026-11-22-10-05";
    private readonly StoreFolder _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_finished_rhel_dump_is_complete_at_once(bool remote)
    {
        Samples.Lzo.Write(Path.Combine(_store.Make(Rhel), "vmcore"));
        _store.Put(Rhel, "vmcore-dmesg.txt", Samples.Dmesg("rhel-lzo"));
        _store.Put(Rhel, "kexec-dmesg.log", "all well\n");

        var dump = await _store.OneAsync(remote);

        Assert.Equal((VmcoreState.Complete, null, VmcoreIntegrity.Whole), (dump.State, dump.Reason, dump.Verdict));
        Assert.Equal(("192.168.122.102", "node1", VmcoreFamily.RedHat), (dump.CrashedHost, dump.NodeName, dump.Family));
        Assert.Equal((VmcoreFormat.KdumpCompressed, "6.1.0-56-cloud-amd64", Samples.Lzo.Length), (dump.Format, dump.KernelRelease, dump.Bytes));
        Assert.Equal("Kernel panic - not syncing: sysrq triggered crash", dump.PanicReason);
        Assert.Equal((DateTimeOffset.FromUnixTimeSeconds(1795341950), CrashTimeSource.Dump), (dump.CrashTime, dump.CrashTimeSource));
        Assert.Equal(new DateTime(2026, 11, 22, 10, 5, 50), dump.DirectoryTime);
        Assert.Equal((remote ? "store" : null, $"{_store.Root}/{Rhel}/vmcore"), (dump.StoreHost, dump.DumpFile));
        Assert.Equal(["kexec-dmesg.log", "vmcore", "vmcore-dmesg.txt"], dump.Files.Select(f => f.Name).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_finished_debian_dump_is_complete_and_a_cut_one_is_not(bool remote)
    {
        Samples.Flattened.Write(Path.Combine(_store.Make(Debian), "dump.202611220946"));
        _store.Put(Debian, "dmesg.202611220946", Samples.Dmesg("debian-flattened-zlib"));
        var whole = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Complete, VmcoreFormat.Flattened, null), (whole.State, whole.Format, whole.Reason));

        Samples.Flattened.Write(Path.Combine(_store.Make(Debian), "dump.202611220946"), length: 1_000_000);
        Assert.Equal(VmcoreState.Writing, (await _store.OneAsync(remote)).State);

        _store.Age(Debian);
        var cut = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Incomplete, VmcoreIntegrity.Cut, true), (cut.State, cut.Verdict, cut.CaptureOver));
        Assert.Contains("no end record", cut.Reason, StringComparison.Ordinal);
        Assert.Equal("Kernel panic - not syncing: sysrq triggered crash", cut.PanicReason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_empty_dump_under_its_final_name_is_incomplete(bool remote)
    {
        _store.Put(Debian, "dump.202611220946", "");
        _store.Age(Debian);

        Assert.Equal((VmcoreState.Incomplete, "The file is empty."), ((await _store.OneAsync(remote)).State, (await _store.OneAsync(remote)).Reason));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_unfinished_dump_is_being_written_until_the_capture_says_why_not(bool remote)
    {
        Samples.Lzo.Write(Path.Combine(_store.Make(Rhel), "vmcore-incomplete"), 500_000);
        var writing = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Writing, 500_000L, "node1"), (writing.State, writing.Bytes, writing.NodeName));

        _store.Put(Rhel, "kexec-dmesg.log", "x\nkdump.sh[1]: Can't write the dump file(/mnt/vmcore). No space left on device\nkdump[1]: saving vmcore failed, exitcode:1\nbye\n");
        var failed = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Incomplete, true), (failed.State, failed.CaptureOver));
        Assert.Contains("No space left on device", failed.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_suse_directory_says_itself_that_it_failed(bool remote)
    {
        Samples.Flattened.Write(Path.Combine(_store.Make(Suse), "vmcore"), 500_000);
        _store.Put(Suse, "dmesg", Samples.Dmesg("zstd"));
        _store.Put(Suse, "README.txt", "This file will be overwritten when the dump is finished.\n");
        Assert.Equal(VmcoreState.Writing, (await _store.OneAsync(remote)).State);

        _store.Age(Suse);
        var silent = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Incomplete, false), (silent.State, silent.CaptureOver));

        _store.Put(Suse, "README.txt", "Kernel crashdump\n----\ndmesg status: saved successfully\n\tvmcore status: error while saving, return code: 1\n");
        _store.Age(Suse);
        var failed = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Incomplete, true, "sles15"), (failed.State, failed.CaptureOver, failed.CrashedHost));
        Assert.Contains("return code: 1", failed.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Debians_fallback_copy_counts_and_beats_what_makedumpfile_left(bool remote)
    {
        File.WriteAllBytes(Path.Combine(_store.Make(Debian), "vmcore.202611220946"), ElfBuilder.Core(false, true, "OSRELEASE=6.1.0\nCRASHTIME=1795340747\n", 4096));
        _store.Put(Debian, "dump-incomplete", "makedumpfile");
        _store.Age(Debian);

        var dump = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Complete, VmcoreFormat.Elf, "6.1.0"), (dump.State, dump.Format, dump.KernelRelease));
        Assert.EndsWith("vmcore.202611220946", dump.DumpFile, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_test_of_kdumpctl_is_named_by_its_dump(bool remote)
    {
        Samples.Zstd.Write(Path.Combine(_store.Make("kdump-test-1795342900-5"), "vmcore"));

        var dump = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Complete, "node1", null), (dump.State, dump.CrashedHost, dump.DirectoryTime));
    }

    [Fact]
    public async Task Odd_names_and_odd_files_confuse_nobody()
    {
        Samples.Lzo.Write(Path.Combine(_store.Make(Rhel), "vmcore"));
        foreach (var odd in new[] { "a b-202611220946", "-rf-202611220946", "x\ny-202611220946", "é-202611220946", "$(touch owned)-202611220946", "'\"-202611220946", "lost+found", ".hidden-202611220946", "*-202611220946" })
        {
            _store.Put(odd, "vmcore", "x");
        }

        foreach (var odd in new[] { "-n", "a\nb", "*", "$(touch owned)", "dump.202611220946 x", "é\u001b[2J" })
        {
            _store.Put(Rhel, odd, "x");
        }

        // Not UTF-8, and things that would hang or lead elsewhere.
        Shell($"cd '{_store.Root}' && mkdir \"$(printf 'bad\\377-202611220946')\" && touch \"{Rhel}/$(printf 'f\\377')\" && ln -s /etc '10.0.0.9-202611220946' && " +
            $"mkdir 10.0.0.8-202611220946 && mkfifo 10.0.0.8-202611220946/dump.202611220946 && ln -s /etc/passwd 10.0.0.8-202611220946/dmesg.202611220946");
        foreach (var remote in new[] { true, false })
        {
            var dumps = await _store.GetAsync(remote).WaitAsync(TimeSpan.FromSeconds(20));
            var rhel = Assert.Single(dumps, d => d.CrashedHost == "192.168.122.102");
            Assert.Equal(VmcoreState.Complete, rhel.State);
            Assert.Contains(rhel.Files, f => f.Name.Contains("a\\x0ab", StringComparison.OrdinalIgnoreCase) || f.Name.Contains("a\\x0Ab", StringComparison.Ordinal));
            Assert.DoesNotContain(rhel.Files, f => f.Name.Any(char.IsControl));
            var pipe = Assert.Single(dumps, d => d.CrashedHost == "10.0.0.8");
            Assert.Null(pipe.PanicReason);
            Assert.Equal(2, dumps.Count);
        }

        Assert.Contains(_store.Messages.OfType<HostVerbose>(), m => m.Text.Contains("no crash directories", StringComparison.Ordinal));
        Assert.False(File.Exists(Path.Combine(_store.Root, "owned")) || File.Exists("/owned"));
    }

    [Fact]
    public async Task Every_shell_at_hand_gives_the_same_answer()
    {
        Samples.Lzo.Write(Path.Combine(_store.Make(Rhel), "vmcore"));
        Samples.Flattened.Write(Path.Combine(_store.Make(Debian), "dump.202611220946"));
        foreach (var shell in new[] { "/bin/dash", "/bin/bash", "/bin/ksh", "/bin/mksh" }.Where(File.Exists))
        {
            _store.Connection = new ShellConnection(shell);
            Assert.Equal([VmcoreState.Complete, VmcoreState.Complete], (await _store.GetAsync(remote: true)).Select(d => d.State));
        }
    }

    [Fact]
    public async Task A_missing_directory_is_an_error_of_its_own()
    {
        await using var missing = new RemoteVmcores("store", _store.Root + "/no such\n'dir", (_, _) => Task.FromResult<KdumpNfs.Ssh.IHostConnection>(_store.Connection));
        await using var local = new LocalVmcores(_store.Root + "/none");
        foreach (var store in new IVmcoreStore[] { missing, local })
        {
            var e = await Assert.ThrowsAsync<HostException>(() => store.ListAsync(new StoreQuery(), _store.Context, default));
            Assert.Equal(ErrorIds.VmcoreDirectoryMissing, e.ErrorId);
        }
    }

    [Theory]
    [InlineData("relative", null)]
    [InlineData("", null)]
    [InlineData("/a\nb", null)]
    [InlineData("/a", "b\nc")]
    public void A_bad_path_is_refused_before_any_connection(string export, string? dump) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => RemoteVmcores.JoinPath("store", export, dump)).ErrorId);

    [Theory]
    [InlineData("/data/nfs_share/", "/var/crash/", "/data/nfs_share/var/crash")]
    [InlineData("/data", null, "/data")]
    [InlineData("/", "", "/")]
    public void Export_and_dump_path_are_joined(string export, string? dump, string root) => Assert.Equal(root, RemoteVmcores.JoinPath("store", export, dump));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Filters_choose(bool remote)
    {
        Samples.Lzo.Write(Path.Combine(_store.Make(Rhel), "vmcore"));
        Samples.Flattened.Write(Path.Combine(_store.Make(Debian), "dump.202611220946"), 5000);
        _store.Age(Debian);

        Assert.Equal(2, (await _store.GetAsync(remote)).Count);
        Assert.Equal("192.168.122.101", Assert.Single(await _store.GetAsync(remote, new VmcoreFilter { Hosts = ["192.168.122.101"] })).CrashedHost);
        Assert.Equal(2, (await _store.GetAsync(remote, new VmcoreFilter { Hosts = ["node1"] })).Count);
        Assert.Equal(VmcoreState.Complete, Assert.Single(await _store.GetAsync(remote, new VmcoreFilter { States = [VmcoreState.Complete] })).State);
        Assert.Empty(await _store.GetAsync(remote, new VmcoreFilter { Since = DateTimeOffset.UtcNow.AddDays(2) }));
        Assert.Equal("192.168.122.102", Assert.Single(await _store.GetAsync(remote, new VmcoreFilter { Since = DateTimeOffset.FromUnixTimeSeconds(1795341000) })).CrashedHost);
        Assert.Single(await _store.GetAsync(remote, new VmcoreFilter { Maximum = 1 }));
        Assert.Contains(_store.Messages.OfType<HostWarning>(), m => m.Text.Contains("more than 1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Thousands_of_directories_are_one_round_trip_of_bounded_size()
    {
        for (var i = 0; i < 3000; i++)
        {
            _store.Put($"10.1.{i / 250}.{i % 250}-202611220946", "dump.202611220946", "x");
        }

        await using var store = _store.Remote();
        var started = Stopwatch.StartNew();
        var names = await store.ListAsync(new StoreQuery { Content = false, Maximum = 100_000 }, _store.Context, default);
        Assert.Equal((3000, 1), (names.Directories.Count, _store.Connection.Runs));
        Assert.True(started.Elapsed < TimeSpan.FromSeconds(30), $"{started.Elapsed}");

        var some = await store.ListAsync(new StoreQuery { Maximum = 50 }, _store.Context, default);
        Assert.Equal((50, true), (some.Directories.Count, some.Truncated));
    }

    private static void Shell(string command)
    {
        using var process = Process.Start("/bin/sh", ["-c", command]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
