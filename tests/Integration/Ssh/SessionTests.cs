using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>Kept connections against a real server, which counts the logins.</summary>
public abstract class SessionTests(SharedServer shared) : TransportTests(shared)
{
    [SkippableFact]
    public async Task Three_operations_on_a_session_are_one_login()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await using var pool = new SessionPool();
        var session = await OpenAsync(pool, server);
        var statuses = new List<KdumpStatus>();
        for (var i = 0; i < 3; i++)
        {
            statuses.Add(await StatusAsync(server, session.ToHost()));
        }

        Assert.Equal(1, Logins(server));
        Assert.Equal((KdumpSessionState.Opened, 1, "root"), (session.State, session.ConnectionCount, session.UserName));
        Assert.All(statuses, status => Assert.Equal(session.BootId, status.BootId));
        Assert.Equal(Connector.Transport, session.Transport);
    }

    [SkippableFact]
    public async Task Without_a_session_each_operation_is_a_login()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await StatusAsync(server, HostOf(server));
        await StatusAsync(server, HostOf(server));
        Assert.Equal(2, Logins(server));
    }

    [SkippableFact]
    public async Task A_connection_that_was_cut_while_idle_is_opened_again()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await using var pool = new SessionPool();
        var session = await OpenAsync(pool, server);
        server.KillSessions();
        await StatusAsync(server, session.ToHost());
        Assert.Equal((2, 2), (session.ConnectionCount, Logins(server)));
        Assert.True(session.LastConnected > session.Since);
    }

    [SkippableFact]
    public async Task A_script_that_was_cut_is_not_run_again()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await using var pool = new SessionPool();
        var session = await OpenAsync(pool, server);
        var began = Path.Combine(server.Home, "began");
        var lease = await session.LeaseAsync(OptionsOf(server), default);
        var running = RunAsync(lease, $"echo x >>{began}; sleep 300");
        await WaitForAsync(() => File.Exists(began), "the script runs");
        server.KillSessions();
        Assert.Equal(ErrorIds.ConnectionLost, (await Assert.ThrowsAsync<HostException>(() => running)).ErrorId);
        Assert.Equal(KdumpSessionState.Broken, session.State);
        await StatusAsync(server, session.ToHost());
        Assert.Equal("x\n", await File.ReadAllTextAsync(began));
    }

    [SkippableFact]
    public async Task What_must_not_reconnect_does_not()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await using var pool = new SessionPool();
        var session = await OpenAsync(pool, server);
        server.KillSessions();
        var error = await Assert.ThrowsAsync<HostException>(() => session.LeaseAsync(OptionsOf(server) with { MayReconnect = false }, default));
        Assert.Equal(ErrorIds.ConnectionLost, error.ErrorId);
        Assert.Equal(1, Logins(server));
    }

    [SkippableFact]
    public async Task A_cancelled_script_costs_the_connection_and_not_the_session()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await using var pool = new SessionPool();
        var session = await OpenAsync(pool, server);
        using var cancel = new CancellationTokenSource();
        var lease = await session.LeaseAsync(OptionsOf(server), default);
        var running = lease.RunAsync(new RemoteScript("sleep 300"), cancel.Token);
        await Task.Delay(200);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await StatusAsync(server, session.ToHost());
        Assert.Equal(2, session.ConnectionCount);
    }

    [SkippableFact]
    public async Task A_closed_pool_leaves_nothing_behind()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        var pool = new SessionPool();
        var sessions = new[] { await OpenAsync(pool, server), await OpenAsync(pool, server) };
        Assert.Equal([1, 2], pool.All.Select(session => session.Id));
        await pool.DisposeAsync();
        Assert.Empty(pool.All);
        Assert.All(sessions, session => Assert.Equal(KdumpSessionState.Closed, session.State));
        await WaitForAsync(() => SshServer.Descendants(server.ProcessId).Count == 0, "the server's sessions end");
    }

    private static int Logins(SshServer server) =>
        File.ReadLines(Path.Combine(server.Home, "log")).Count(line => line.Contains("Accepted publickey", StringComparison.Ordinal));

    private Task<KdumpStatus> StatusAsync(SshServer server, SshHost host) =>
        OneAsync(host, (context, token) => new KdumpStatusOperation(Access(server)).RunAsync(host, context, token));

    private Task<KdumpSession> OpenAsync(SessionPool pool, SshServer server) =>
        OneAsync(HostOf(server), (context, token) => pool.OpenAsync(Access(server), HostOf(server), context, token));

    private HostAccess Access(SshServer server) => new(new SessionConnector(Connector), OptionsOf(server));

    private static Task<T> OneAsync<T>(SshHost host, Func<HostContext, CancellationToken, Task<T>> work)
        where T : class => Task.Run(() =>
    {
        T? result = null;
        using var fleet = new FleetRun(1);
        fleet.Start(host.HostName, work);
        while (fleet.TryTake(out var message))
        {
            result = message switch
            {
                HostOutput output => (T)output.Value,
                HostFailed failed => throw failed.Error,
                _ => result,
            };
        }

        return result!;
    });
}
