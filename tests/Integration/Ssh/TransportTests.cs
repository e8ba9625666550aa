using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>What the contract tests of a transport stand on.</summary>
public abstract class TransportTests(SharedServer shared)
{
    /// <summary>A connector of the transport under test.</summary>
    protected abstract IHostConnector Connector { get; }

    protected SshServer Server => shared.Server;

    protected static TimeSpan Second => TimeSpan.FromSeconds(1);

    protected static void SkipUnlessRunnable() => Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);

    protected static SshHost HostOf(SshServer server) => new(SshServer.Address, "root", server.Port, server.UserKey);

    protected static SshOptions OptionsOf(SshServer server) => new()
    {
        KnownHostsFiles = [server.KnownHosts],
        ConfigFile = "/dev/null",
        ConnectTimeout = TimeSpan.FromSeconds(60),
        OperationTimeout = TimeSpan.FromSeconds(120),
    };

    protected Task<IHostConnection> ConnectAsync(SshServer? server = null, Func<SshOptions, SshOptions>? change = null, Func<SshHost, SshHost>? host = null)
    {
        server ??= Server;
        var options = OptionsOf(server);
        return Connector.ConnectAsync((host ?? (h => h))(HostOf(server)), (change ?? (o => o))(options), default);
    }

    protected static Task<ScriptResult> RunAsync(IHostConnection connection, string script, Stream? input = null) =>
        connection.RunAsync(new RemoteScript(script) { Input = input });

    protected async Task<HostException> RefusedAsync(SshServer? server = null, Func<SshOptions, SshOptions>? change = null, Func<SshHost, SshHost>? host = null) =>
        await Assert.ThrowsAsync<HostException>(async () =>
        {
            // A transport may leave it to the first script to find that nothing runs scripts there.
            await using var connection = await ConnectAsync(server, change, host);
            await RunAsync(connection, ":");
        });

    protected static async Task WaitForAsync(Func<bool> condition, string what)
    {
        for (var i = 0; i < 1000; i++)
        {
            if (condition())
            {
                return;
            }

            await Task.Delay(20);
        }

        Assert.Fail("Waited in vain: " + what);
    }
}
