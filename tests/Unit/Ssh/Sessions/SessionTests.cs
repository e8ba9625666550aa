using System.Text;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.Tests.Unit.Ssh.Sessions;

public sealed class SessionTests : IDisposable
{
    private readonly FakeConnector _fake = new();
    private readonly SessionPool _pool = new();

    private HostAccess Access => new(new SessionConnector(_fake), new SshOptions());

    public void Dispose() => _pool.DisposeAsync().AsTask().GetAwaiter().GetResult();

    [Fact]
    public async Task Many_operations_share_one_connection()
    {
        var session = await OpenAsync();
        for (var i = 0; i < 3; i++)
        {
            await using var lease = await LeaseAsync(session);
            await lease.RunAsync(new RemoteScript("work"));
        }

        Assert.Equal(1, _fake.Connections);
        Assert.Equal((KdumpSessionState.Opened, 1, "kim", "boot-1"), (session.State, session.ConnectionCount, session.UserName, session.BootId));
        Assert.Same(session, Assert.Single(_pool.All));
    }

    [Fact]
    public async Task A_host_without_a_session_gets_a_connection_of_its_own()
    {
        await OpenAsync();
        await using var other = await Access.Connector.ConnectAsync(new SshHost("web01"), Access.Options, default);
        Assert.Equal(2, _fake.Connections);
    }

    [Fact]
    public async Task A_connection_that_died_is_replaced_before_anything_is_begun()
    {
        var session = await OpenAsync();
        _fake.Last.Kill();
        Assert.Equal(KdumpSessionState.Broken, session.State);
        _fake.BootId = "boot-2";
        await using var lease = await LeaseAsync(session);
        await lease.RunAsync(new RemoteScript("work"));
        Assert.Equal((2, KdumpSessionState.Opened, "boot-2"), (session.ConnectionCount, session.State, session.BootId));
        Assert.Contains("rebooted", lease.TransportReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_vanished_without_a_word_is_noticed_before_anything_is_begun()
    {
        var session = await OpenAsync();
        _fake.Last.Silent = true;
        await using var lease = await session.LeaseAsync(new SshOptions { ConnectTimeout = TimeSpan.FromMilliseconds(50) }, default);
        await lease.RunAsync(new RemoteScript("work"));
        Assert.Equal(2, _fake.Connections);
    }

    [Fact]
    public async Task A_connection_is_not_replaced_between_two_scripts()
    {
        var session = await OpenAsync();
        await using var lease = await LeaseAsync(session);
        await lease.RunAsync(new RemoteScript("first"));
        _fake.Last.Kill();
        Assert.Equal(ErrorIds.ConnectionLost, (await Assert.ThrowsAsync<HostException>(() => lease.RunAsync(new RemoteScript("second")))).ErrorId);

        // Not even when somebody else has made the session whole again.
        await using var other = await LeaseAsync(session);
        Assert.Equal(ErrorIds.ConnectionLost, (await Assert.ThrowsAsync<HostException>(() => lease.RunAsync(new RemoteScript("second")))).ErrorId);
        Assert.DoesNotContain("second", _fake.Ran);
    }

    [Fact]
    public async Task Who_has_not_begun_does_not_suffer_from_what_another_borrower_broke()
    {
        var session = await OpenAsync();
        await using var waiting = await LeaseAsync(session);
        _fake.Last.Kill();
        await waiting.RunAsync(new RemoteScript("work"));
        Assert.Equal(["work"], _fake.Ran);
    }

    [Fact]
    public async Task Scripts_of_all_borrowers_run_one_after_the_other()
    {
        var session = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            await using var lease = await LeaseAsync(session);
            await lease.RunAsync(new RemoteScript($"work {i}"));
        }));
        Assert.Equal((1, 1, 20), (_fake.Connections, _fake.MostAtOnce, _fake.Ran.Count));
    }

    [Fact]
    public async Task A_trigger_is_not_pulled_through_a_connection_that_was_opened_again()
    {
        var session = await OpenAsync();
        var status = new KdumpStatus { HostName = "web01", State = KdumpState.Configured, MachineId = "machine", BootId = "boot-1" };
        _fake.Last.Kill();
        var front = new Dictionary<string, HostException>();
        using var fleet = new FleetRun(1);
        fleet.Start("web01", (context, token) => new SysrqCrashOperation(Access).TriggerAsync(new CrashCandidate(session.ToHost(), status, null), context, token));
        while (fleet.TryTake(out var message))
        {
            if (message is HostFailed failed)
            {
                front.Add(failed.Error.ErrorId, failed.Error);
            }
        }

        Assert.Contains("not opened again", Assert.Contains(ErrorIds.ConnectionLost, front).Message, StringComparison.Ordinal);
        Assert.Equal(1, _fake.Connections);
        Assert.Empty(_fake.Ran);
    }

    [Fact]
    public async Task Another_machine_behind_the_name_is_refused()
    {
        var session = await OpenAsync();
        _fake.Last.Kill();
        _fake.MachineId = "stranger";
        Assert.Equal(ErrorIds.MachineIdMismatch, (await Assert.ThrowsAsync<HostException>(() => LeaseAsync(session))).ErrorId);
        Assert.True(_fake.Last.Disposed);
        Assert.Equal(KdumpSessionState.Broken, session.State);
        _fake.MachineId = "machine";
        await LeaseAsync(session);
    }

    [Fact]
    public async Task A_session_that_was_closed_says_so()
    {
        var session = await OpenAsync();
        await using var lease = await LeaseAsync(session);
        await _pool.CloseAsync(session);
        Assert.Equal(KdumpSessionState.Closed, session.State);
        Assert.Empty(_pool.All);
        Assert.True(_fake.Last.Disposed);
        Assert.Equal(ErrorIds.SessionClosed, (await Assert.ThrowsAsync<HostException>(() => lease.RunAsync(new RemoteScript("work")))).ErrorId);
        Assert.Equal(ErrorIds.SessionClosed, (await Assert.ThrowsAsync<HostException>(() => LeaseAsync(session))).ErrorId);
    }

    [Fact]
    public async Task The_limit_of_a_script_is_the_borrowers()
    {
        var session = await OpenAsync();
        await using var lease = await session.LeaseAsync(new SshOptions { OperationTimeout = TimeSpan.FromMinutes(7) }, default);
        await lease.RunAsync(new RemoteScript("work"));
        await lease.RunAsync(new RemoteScript("work") { Timeout = TimeSpan.FromMinutes(1) });
        Assert.Equal([TimeSpan.FromMinutes(7), TimeSpan.FromMinutes(1)], _fake.Limits);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_identified_is_not_left_open()
    {
        _fake.BootId = null;
        await Assert.ThrowsAsync<HostException>(OpenAsync);
        Assert.True(_fake.Last.Disposed);
        Assert.Empty(_pool.All);
    }

    private static Task<IHostConnection> LeaseAsync(KdumpSession session) => session.LeaseAsync(new SshOptions(), default);

    private async Task<KdumpSession> OpenAsync()
    {
        KdumpSession? session = null;
        HostException? error = null;
        using var fleet = new FleetRun(1);
        fleet.Start("web01", async (context, token) => session = await _pool.OpenAsync(Access, new SshHost("web01"), context, token));
        while (fleet.TryTake(out var message))
        {
            error = (message as HostFailed)?.Error ?? error;
        }

        await Task.CompletedTask;
        return session ?? throw error!;
    }

    private sealed class FakeConnector : IHostConnector
    {
        private int _now;

        public SshTransport Transport => SshTransport.OpenSsh;

        public int Connections { get; private set; }

        public string? BootId { get; set; } = "boot-1";

        public string MachineId { get; set; } = "machine";

        public FakeConnection Last { get; private set; } = null!;

        public List<string> Ran { get; } = [];

        public List<TimeSpan?> Limits { get; } = [];

        public int MostAtOnce { get; private set; }

        public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
        {
            Connections++;
            Last = new FakeConnection(this, host, BootId);
            return Task.FromResult<IHostConnection>(Last);
        }

        public async Task<ScriptResult> RunAsync(RemoteScript script, string? bootId)
        {
            MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _now));
            await Task.Yield();
            Interlocked.Decrement(ref _now);
            if (!script.Text.Contains("boot.id", StringComparison.Ordinal))
            {
                Ran.Add(script.Text);
                Limits.Add(script.Timeout);
                return new ScriptResult(default, default, 0);
            }

            var reply = $"machine.id {MachineId.Length}\n{MachineId}\nuser 3\nkim\n" + (bootId is null ? "" : $"boot.id {bootId.Length}\n{bootId}\n");
            return new ScriptResult(Encoding.UTF8.GetBytes(reply), default, 0);
        }
    }

    private sealed class FakeConnection(FakeConnector owner, SshHost host, string? bootId) : IHostConnection
    {
        private bool _dead;

        public SshHost Host => host;

        public SshTransport Transport => SshTransport.OpenSsh;

        public bool IsOpen => !_dead;

        public bool Silent { get; set; }

        public bool Disposed { get; private set; }

        public void Kill() => _dead = true;

        public async Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
        {
            if (Silent)
            {
                _dead = true;
                throw new HostException(ErrorIds.Timeout, host.HostName, "silent");
            }

            return _dead || Disposed ? throw SshErrors.Lost(host.HostName, "gone") : await owner.RunAsync(script, bootId);
        }

        public ValueTask DisposeAsync()
        {
            _dead = Disposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
