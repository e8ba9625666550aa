using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Kdump;

namespace KdumpNfs.Tests.Unit.Fleet;

/// <summary>Operations on hosts that answer at once and whose jobs are counted: those of one store never run more than the limit at a time.</summary>
public sealed class StoreLimitTests
{
    private const int Hosts = 6;

    [Theory]
    [InlineData("update", 1)]
    [InlineData("update", 2)]
    [InlineData("target", 1)]
    [InlineData("target", 3)]
    [InlineData("install", 1)]
    [InlineData("install", 2)]
    public async Task Jobs_that_burden_a_store_are_at_most_its_limit(string operation, int limit)
    {
        var most = await RunAsync(operation, limit, "nfs storage:/data/nfs_share\npath /var/crash\n", crashLoaded: operation != "install");
        Assert.Equal(limit, most);
    }

    [Theory]
    [InlineData("update")]
    [InlineData("install")]
    public async Task Jobs_of_hosts_that_dump_to_their_own_disks_wait_for_nobody(string operation) =>
        Assert.Equal(Hosts, await RunAsync(operation, 1, "path /var/crash\n", crashLoaded: operation != "install"));

    // An installation that only enables the service burdens no store.
    [Fact]
    public async Task An_installation_that_starts_nothing_waits_for_nobody() =>
        Assert.Equal(Hosts, await RunAsync("install", 1, "nfs storage:/data/nfs_share\n", crashLoaded: true));

    // Works on all hosts at once and gives how many jobs ran at the same time. Jobs end when as many run as are expected to: fewer would never end.
    private static async Task<int> RunAsync(string operation, int limit, string configuration, bool crashLoaded)
    {
        var expected = configuration.StartsWith("nfs", StringComparison.Ordinal) && !(operation == "install" && crashLoaded) ? limit : Hosts;
        var hosts = new CountedHosts(configuration, crashLoaded, expected);
        var access = new HostAccess(hosts, new SshOptions());
        var stores = SharedLimit.ForStores(limit);
        Func<SshHost, HostContext, CancellationToken, Task> work = operation switch
        {
            "update" => (host, context, token) => new UpdateInitramfsOperation(access) { Stores = stores }.RunAsync(host, null, context, token),
            "install" => (host, context, token) => new InstallKdumpOperation(access) { Stores = stores }.RunAsync(host, null, context, token),
            _ => (host, context, token) => new SetNfsTargetOperation(access, NfsTargetRequest.Create("storage", "/data/nfs_share", "/var/other", 17, null, false)) { Stores = stores }.RunAsync(host, null, context, token),
        };
        using var limited = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var done = 0;
        await Task.WhenAll(Enumerable.Range(0, Hosts).Select(i => Task.Run(() => work(new SshHost($"web{i}"), new HostContext($"web{i}", Take), limited.Token))));
        Assert.Equal(Hosts, done);
        return hosts.Most;

        void Take(FleetMessage message)
        {
            if (message is HostQuestion question)
            {
                question.Answer(true);
            }
            else if (message is HostOutput)
            {
                Interlocked.Increment(ref done);
            }
        }
    }

    /// <summary>Hosts of the RHEL family with one configuration.</summary>
    private sealed class CountedHosts(string configuration, bool crashLoaded, int expected) : IHostConnector
    {
        private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly object _gate = new();
        private int _now;

        public int Most { get; private set; }

        public SshTransport Transport => SshTransport.OpenSsh;

        public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken) => Task.FromResult<IHostConnection>(new Connection(this, host));

        private async Task<byte[]> AnswerAsync(string script, CancellationToken cancellationToken) =>
            script.Contains("\njob_new=", StringComparison.Ordinal) ? await JobAsync(cancellationToken)
            : script.Contains("\njob_id=", StringComparison.Ordinal) ? []
            : script.Contains("\npackages=", StringComparison.Ordinal) ? Records(("package.manager", "dnf"), ("package.has", "nfs-utils 2.5.4"))
            : Facts();

        private byte[] Facts() => new FactsOf(HostFamily.RedHat, configuration).With("tool.systemctl", "/usr/bin/systemctl").With("crash.loaded", crashLoaded ? "1" : "0")
            .With("service.show", "LoadState=loaded\nActiveState=active\nUnitFileState=" + (crashLoaded ? "disabled" : "enabled")).Reply();

        private async Task<byte[]> JobAsync(CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                Most = Math.Max(Most, ++_now);
                if (_now >= expected)
                {
                    _enough.TrySetResult();
                }
            }

            // A moment for one too many to come.
            await _enough.Task.WaitAsync(cancellationToken);
            await Task.Delay(50, cancellationToken);
            lock (_gate)
            {
                _now--;
            }

            return Records(("job.state", "done"), ("job.exit", "0"), ("image", "/boot/initramfs-5.14.0kdump.img"), ("image.time", "1795379700"), ("loaded", "1"));
        }

        private static byte[] Records(params (string Key, string Value)[] records) =>
            Encoding.UTF8.GetBytes(string.Concat(records.Select(record => $"{record.Key} {Encoding.UTF8.GetByteCount(record.Value)}\n{record.Value}\n")));

        private sealed class Connection(CountedHosts hosts, SshHost host) : IHostConnection
        {
            public SshHost Host => host;

            public SshTransport Transport => SshTransport.OpenSsh;

            public async Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default) =>
                new(await hosts.AnswerAsync("\n" + script.Text, cancellationToken), default, 0);

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
