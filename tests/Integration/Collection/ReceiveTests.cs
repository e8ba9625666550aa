using System.Runtime.Versioning;
using System.Security.Cryptography;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Ssh;

namespace KdumpNfs.Tests.Integration.Collection;

/// <summary>Dumps over a real SSH server: fetched through cut connections, held, removed.</summary>
[UnsupportedOSPlatform("windows")]
public abstract class ReceiveTests : IDisposable
{
    private const string Crash = "192.168.122.102-2026-11-22-10:05:50";
    private const int Size = (48 << 20) + 12_345;
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-receive-").FullName;
    private readonly Lazy<SshServer> _server = new(() => SshServer.Start());
    private Action<HostProgress> _onProgress = _ => { };

    protected abstract IHostConnector Connector { get; }

    private string Root => Path.Combine(_folder, "share");

    private string Here => Path.Combine(_folder, "here");

    private HostAccess Access => new(Connector, new SshOptions { KnownHostsFiles = [_server.Value.KnownHosts], ConfigFile = "/dev/null", ConnectTimeout = TimeSpan.FromSeconds(60) });

    private SshHost Store => new(SshServer.Address, "root", _server.Value.Port, _server.Value.UserKey);

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }

        Directory.Delete(_folder, true);
        GC.SuppressFinalize(this);
    }

    [SkippableFact]
    public async Task A_connection_that_is_killed_in_the_middle_is_opened_again()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var data = MakeDump();
        var killed = 0;
        _onProgress = progress =>
        {
            if (progress.Fraction is > 0.2 and < 0.9 && Interlocked.Exchange(ref killed, 1) == 0)
            {
                _server.Value.KillSessions();
            }
        };

        var received = await ReceiveAsync();

        Assert.Equal(1, killed);
        Assert.Equal(data, await File.ReadAllBytesAsync(received.DumpFile!));
        Assert.Equal(Size + 4, received.BytesReceived);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(data)).ToLowerInvariant(), received.Files[^1].Sha256);
    }

    [SkippableFact]
    public async Task A_run_that_is_stopped_in_the_middle_is_continued_by_the_next_one()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var data = MakeDump();
        using var stop = new CancellationTokenSource();
        _onProgress = progress =>
        {
            if (progress.Fraction is > 0.1 and < 0.9)
            {
                stop.Cancel();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReceiveAsync(stop.Token));
        var begun = new FileInfo(Assert.Single(Directory.GetFiles(Here, "vmcore.kdumpnfs-part-*", SearchOption.AllDirectories))).Length;
        Assert.InRange(begun, 1, Size - 1);

        _onProgress = _ => { };
        var received = await ReceiveAsync();
        Assert.Equal(ReceiveOutcome.Resumed, received.Files[^1].Outcome);
        Assert.Equal(Size - begun, received.BytesReceived);
        Assert.Equal(data, await File.ReadAllBytesAsync(received.DumpFile!));
        Assert.False((await ReceiveAsync()).Changed);
    }

    [SkippableFact]
    public async Task Dumps_are_held_and_removed()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        foreach (var hour in new[] { "10", "11", "12", "13" })
        {
            var name = $"10.0.0.1-2026-01-02-{hour}:00:00";
            Directory.CreateDirectory(Path.Combine(Root, name));
            await File.WriteAllTextAsync(Path.Combine(Root, name, "vmcore"), "x");
            File.SetLastWriteTimeUtc(Path.Combine(Root, name, "vmcore"), new DateTime(2026, 1, 2, int.Parse(hour, System.Globalization.CultureInfo.InvariantCulture), 0, 0, DateTimeKind.Utc));
            Directory.SetLastWriteTimeUtc(Path.Combine(Root, name), new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc));
        }

        await new VmcoreHoldOperation(Access) { Hold = true, Reason = "case" }.RunAsync(Store, $"{Root}/10.0.0.1-2026-01-02-11:00:00", Context([]), default);
        var results = new List<object>();
        await new RemoveVmcoreOperation(Access, new RetentionPolicy { OlderThan = TimeSpan.FromDays(30) }).RunAsync(Store, Root, null, Context(results), default);
        Assert.Equal(["10.0.0.1-2026-01-02-12:00:00"], results.Cast<VmcoreRemoval>().Where(r => r.Outcome == RemovalOutcome.Removed).Select(r => Path.GetFileName(r.Path)));
        Assert.Equal(["10", "11", "13"], Directory.GetDirectories(Root).Select(d => d[^8..^6]).Order());
    }

    private byte[] MakeDump()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Root, Crash)).FullName;
        var data = RandomNumberGenerator.GetBytes(Size);
        File.WriteAllBytes(Path.Combine(directory, "vmcore"), data);
        File.WriteAllText(Path.Combine(directory, "kexec-dmesg.log"), "log\n");
        foreach (var path in Directory.GetFiles(directory).Append(directory))
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-1));
        }

        return data;
    }

    private Task<ReceivedVmcore> ReceiveAsync(CancellationToken token = default) =>
        new ReceiveVmcoreOperation(Access) { Destination = Here, TellEvery = TimeSpan.Zero }.RunAsync(Store, $"{Root}/{Crash}", Context([]), token);

    private HostContext Context(List<object> results) => new("store", message =>
    {
        switch (message)
        {
            case HostProgress progress:
                _onProgress(progress);
                break;
            case HostQuestion question:
                question.Answer(true);
                break;
            case HostOutput output:
                results.Add(output.Value);
                break;
        }
    });
}

[UnsupportedOSPlatform("windows")]
public sealed class OpenSshReceiveTests : ReceiveTests
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.Ssh.OpenSsh.OpenSshConnector();
}

#if WITH_SSHNET
[UnsupportedOSPlatform("windows")]
public sealed class SshNetReceiveTests : ReceiveTests
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();
}
#endif
