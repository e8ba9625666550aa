using System.Security.Cryptography;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Vmcore;

namespace KdumpNfs.Tests.Unit.Collection;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ReceiveVmcoreTests : IDisposable
{
    private const string Rhel = "192.168.122.102-2026-11-22-10:05:50";
    private readonly StoreFolder _store = new();
    private readonly ShellConnector _connector = new();
    private readonly string _here = Directory.CreateTempSubdirectory("kdumpnfs-here-").FullName;

    public ReceiveVmcoreTests()
    {
        Samples.Lzo.Write(Path.Combine(_store.Make(Rhel), "vmcore"));
        _store.Put(Rhel, "vmcore-dmesg.txt", Samples.Dmesg("rhel-lzo"));
        _store.Put(Rhel, "kexec-dmesg.log", "all well\n");
        _store.Age(Rhel);
    }

    private string Target => Path.Combine(_here, "in", "192.168.122.102-2026-11-22-10%3A05%3A50");

    private string Source => Path.Combine(_store.Root, Rhel);

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_here, true);
    }

    [Fact]
    public async Task A_crash_directory_arrives_whole_private_and_with_its_times()
    {
        var received = await ReceiveAsync();

        Assert.Equal((Target, true, VmcoreState.Complete), (received.LocalPath, received.Changed, received.State));
        Assert.Equal(Path.Combine(Target, "vmcore"), received.DumpFile);
        Assert.Equal("vmcore", received.Files[^1].Name);
        foreach (var name in new[] { "vmcore", "vmcore-dmesg.txt", "kexec-dmesg.log" })
        {
            var (here, there) = (Path.Combine(Target, name), Path.Combine(Source, name));
            Assert.Equal(await File.ReadAllBytesAsync(there), await File.ReadAllBytesAsync(here));
            Assert.Equal(File.GetLastWriteTimeUtc(there), File.GetLastWriteTimeUtc(here), TimeSpan.FromSeconds(1));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(here));
            var file = Assert.Single(received.Files, f => f.Name == name);
            Assert.Equal(Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(there))).ToLowerInvariant(), file.Sha256);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Target));
        Assert.Equal(received.Files.Sum(f => f.Bytes), received.BytesReceived);
        Assert.Equal(3, Directory.GetFiles(Target).Length);

        // What is here can be listed here.
        await using var local = new LocalVmcores(Path.Combine(_here, "in"));
        var dump = Assert.Single(await GetVmcoreOperation.RunAsync(local, new VmcoreFilter(), _store.Context, default));
        Assert.Equal((VmcoreState.Complete, "192.168.122.102"), (dump.State, dump.CrashedHost));
    }

    [Fact]
    public async Task What_is_here_is_not_fetched_again()
    {
        await ReceiveAsync();
        var again = await ReceiveAsync();
        Assert.Equal((false, 0L), (again.Changed, again.BytesReceived));
        Assert.All(again.Files, f => Assert.Equal(ReceiveOutcome.AlreadyHere, f.Outcome));
    }

    [Fact]
    public async Task The_dump_alone_then_the_rest()
    {
        Assert.Equal("vmcore", Assert.Single((await ReceiveAsync(dumpOnly: true)).Files).Name);
        Assert.Equal("vmcore-dmesg.txt", Assert.Single((await ReceiveAsync(path: Source + "/vmcore-dmesg.txt")).Files).Name);
        var all = await ReceiveAsync();
        Assert.Equal(["kexec-dmesg.log"], all.Files.Where(f => f.Outcome == ReceiveOutcome.Received).Select(f => f.Name));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_opened_again_and_nothing_is_fetched_twice()
    {
        _connector.Connection.CutAfter = 300_000;
        var received = await ReceiveAsync();
        Assert.Equal(received.Files.Sum(f => f.Bytes), received.BytesReceived);
        Assert.True(_connector.Connections >= 2);
    }

    [Fact]
    public async Task A_later_run_continues_what_was_begun()
    {
        using (var cancel = new CancellationTokenSource())
        {
            _connector.Connection.CutAfter = 400_000;
            _connector.Connection.Before = script =>
            {
                if (script.Contains("OFFSET='4", StringComparison.Ordinal))
                {
                    cancel.Cancel();
                    cancel.Token.ThrowIfCancellationRequested();
                }
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReceiveAsync(token: cancel.Token));
        }

        Assert.False(File.Exists(Path.Combine(Target, "vmcore")));
        var part = new FileInfo(Assert.Single(Directory.GetFiles(Target, "vmcore.kdumpnfs-part-*")));
        Assert.True(part.Length >= 400_000);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, part.UnixFileMode);

        _connector.Connection = new ShellConnection();
        var received = await ReceiveAsync();
        Assert.Equal(ReceiveOutcome.Resumed, received.Files.Single(f => f.Name == "vmcore").Outcome);
        Assert.Equal(Samples.Lzo.Length - part.Length, received.BytesReceived);
        Assert.Equal(await File.ReadAllBytesAsync(Source + "/vmcore"), await File.ReadAllBytesAsync(received.DumpFile!));
        Assert.Equal(3, Directory.GetFiles(Target).Length);
    }

    [Fact]
    public async Task A_part_of_another_file_is_not_continued()
    {
        LocalCopy.MakeFolder(Target);
        await File.WriteAllTextAsync(Path.Combine(Target, "vmcore.kdumpnfs-part-0123456789AB"), "of a dump that is gone");
        var received = await ReceiveAsync();
        Assert.Equal(ReceiveOutcome.Received, received.Files[^1].Outcome);
        Assert.Equal(3, Directory.GetFiles(Target).Length);
    }

    [Fact]
    public async Task A_part_that_was_damaged_here_is_found_by_its_hash_and_thrown_away()
    {
        _connector.Connection.CutAfter = 400_000;
        using (var stop = new CancellationTokenSource())
        {
            _connector.Connection.Before = script =>
            {
                if (script.Contains("OFFSET='4", StringComparison.Ordinal))
                {
                    stop.Cancel();
                    stop.Token.ThrowIfCancellationRequested();
                }
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReceiveAsync(token: stop.Token));
        }

        await using (var part = File.OpenWrite(Assert.Single(Directory.GetFiles(Target, "vmcore.kdumpnfs-part-*"))))
        {
            part.Position = 1234;
            part.WriteByte(0xAA);
            part.WriteByte(0x55);
        }

        _connector.Connection = new ShellConnection();
        var e = await Assert.ThrowsAsync<HostException>(() => ReceiveAsync());
        Assert.Equal(ErrorIds.ReceiveFailed, e.ErrorId);
        Assert.Empty(Directory.GetFiles(Target, "vmcore*part*"));
        Assert.Equal(ReceiveOutcome.Received, (await ReceiveAsync()).Files[^1].Outcome);
    }

    [Fact]
    public async Task A_dump_that_is_being_written_is_refused()
    {
        Samples.Lzo.Write(Path.Combine(_store.Make("10.0.0.9-2026-11-22-11:00:00"), "vmcore-incomplete"), 500_000);
        var e = await Assert.ThrowsAsync<HostException>(() => ReceiveAsync(path: _store.Root + "/10.0.0.9-2026-11-22-11:00:00"));
        Assert.Equal(ErrorIds.VmcoreWriting, e.ErrorId);
        Assert.False(Directory.Exists(Path.Combine(_here, "in")));
    }

    [Fact]
    public async Task A_local_file_is_replaced_only_with_force()
    {
        LocalCopy.MakeFolder(Target);
        await File.WriteAllTextAsync(Path.Combine(Target, "vmcore"), "mine");
        var e = await Assert.ThrowsAsync<HostException>(() => ReceiveAsync());
        Assert.Equal(ErrorIds.LocalFileExists, e.ErrorId);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(Target, "vmcore")));
        Assert.Single(Directory.GetFiles(Target));

        await ReceiveAsync(force: true);
        Assert.Equal(Samples.Lzo.Length, new FileInfo(Path.Combine(Target, "vmcore")).Length);
    }

    [Fact]
    public async Task Links_and_odd_names_lead_nowhere()
    {
        File.CreateSymbolicLink(Path.Combine(Source, "passwd"), "/etc/passwd");
        Directory.CreateSymbolicLink(Path.Combine(_store.Root, "10.0.0.9-202611220000"), "/etc");
        foreach (var odd in new[] { "x\\..\\evil", "a\nb", "-n", "C:evil", ".hold" })
        {
            _store.Put(Rhel, odd, "x");
        }

        _store.Age(Rhel);
        var received = await ReceiveAsync();
        // Hidden ones are left out, as the marker is.
        Assert.Equal(["-n", "C:evil", "a\nb", "kexec-dmesg.log", "vmcore", "vmcore-dmesg.txt", "x\\..\\evil"], received.Files.Select(f => f.Name).Order(StringComparer.Ordinal));
        Assert.All(received.Files, f => Assert.Equal(Target, Path.GetDirectoryName(f.Path)));
        Assert.Contains(_store.Messages.OfType<HostWarning>(), w => w.Text.Contains("passwd", StringComparison.Ordinal));
        Assert.Equal(ErrorIds.VmcoreMissing, (await Assert.ThrowsAsync<HostException>(() => ReceiveAsync(path: _store.Root + "/10.0.0.9-202611220000"))).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, (await Assert.ThrowsAsync<HostException>(() => ReceiveAsync(path: "/etc/passwd"))).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, (await Assert.ThrowsAsync<HostException>(() => ReceiveAsync(path: $"{_store.Root}/../{Rhel}"))).ErrorId);
    }

    [Fact]
    public async Task A_file_that_is_swapped_for_a_link_on_the_way_is_not_followed()
    {
        _connector.Connection.Before = script =>
        {
            if (script.Contains("FILE='vmcore'", StringComparison.Ordinal) && new FileInfo(Source + "/vmcore").LinkTarget is null)
            {
                File.Delete(Source + "/vmcore");
                File.CreateSymbolicLink(Source + "/vmcore", "/etc/passwd");
            }
        };
        Assert.Equal(ErrorIds.ReceiveFailed, (await Assert.ThrowsAsync<HostException>(() => ReceiveAsync())).ErrorId);
        Assert.False(File.Exists(Path.Combine(Target, "vmcore")));
    }

    private Task<ReceivedVmcore> ReceiveAsync(string? path = null, bool dumpOnly = false, bool force = false, CancellationToken token = default) =>
        new ReceiveVmcoreOperation(ShellConnector.Access(_connector)) { Destination = Path.Combine(_here, "in"), DumpOnly = dumpOnly, Force = force }
            .RunAsync(new SshHost("store"), path ?? Source, _store.Context, token);
}
