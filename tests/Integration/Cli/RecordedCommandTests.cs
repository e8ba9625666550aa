using System.Globalization;
using System.Text.Json;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using KdumpNfs.Ssh.Recorded;
using KdumpNfs.Ssh.Sessions;
using KdumpNfs.Tests.Integration.Ssh;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary>What the command records it replays, and so do sessions; and the other way round.</summary>
public sealed class RecordedCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-recorded-").FullName;

    private string File => Path.Combine(_folder, "recording");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task A_recording_of_the_command_answers_the_command_and_sessions()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        string live;
        string[] login;
        using (var server = SshServer.Start("", "ed25519"))
        {
            login = ["--port", server.Port.ToString(CultureInfo.InvariantCulture), "--key", server.UserKey, "--known-hosts", server.KnownHosts, "--user", "root"];
            (var status, live, var error) = KdumpNfsCommand.Run("", ["status", "127.0.0.1", "--json", "--record", File, .. login]);
            Assert.Equal((0, ""), (status, error));
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
            }
        }

        var (again, replayed, said) = KdumpNfsCommand.Run("", "status", "127.0.0.1", "--json", "--replay", File);
        Assert.Equal((0, ""), (again, said));
        Assert.Equal(Plain(live), Plain(replayed));

        // Without the server nothing else has an answer, and a recording replaces no file.
        var (other, _, why) = KdumpNfsCommand.Run("", "estimate", "127.0.0.1", "--replay", File);
        Assert.Equal(1, other);
        Assert.StartsWith("error NotRecorded: 127.0.0.1", why, StringComparison.Ordinal);
        Assert.StartsWith("error NotRecorded: web07", KdumpNfsCommand.Run("", "status", "web07", "--replay", File).Error, StringComparison.Ordinal);
        Assert.Equal(2, KdumpNfsCommand.Run("", "status", "127.0.0.1", "--record", File).Status);
        Assert.Equal(2, KdumpNfsCommand.Run("", "status", "127.0.0.1", "--record", File + "2", "--replay", File).Status);
        Assert.StartsWith("error RecordingInvalid: ", KdumpNfsCommand.Run("", "status", "127.0.0.1", "--replay", "/dev/null").Error, StringComparison.Ordinal);

        await using var pool = new SessionPool();
        var access = new HostAccess(new ReplayConnector(Recording.Load(File)), new SshOptions());
        var session = await OpenAsync(pool, access, new SshHost("127.0.0.1"));
        Assert.Equal(JsonDocument.Parse(live).RootElement.GetProperty("BootId").GetString(), session.BootId);
        var status2 = await StatusAsync(access with { Connector = new SessionConnector(access.Connector) }, session.ToHost());
        Assert.Equal(session.BootId, status2.BootId);
    }

    [SkippableFact]
    public async Task A_recording_of_sessions_answers_the_command()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        KdumpStatus live;
        using (var server = SshServer.Start("", "ed25519"))
        {
            await using var pool = new SessionPool();
            var access = new HostAccess(new RecordingConnector(new OpenSshConnector(), Recording.Create(File)), new SshOptions { KnownHostsFiles = [server.KnownHosts] });
            var session = await OpenAsync(pool, access, new SshHost("127.0.0.1", "root", server.Port, server.UserKey));
            live = await StatusAsync(access with { Connector = new SessionConnector(access.Connector) }, session.ToHost());
        }

        var (status, output, _) = KdumpNfsCommand.Run("", "status", "127.0.0.1", "--json", "--replay", File);
        Assert.Equal((0, live.BootId), (status, JsonDocument.Parse(output).RootElement.GetProperty("BootId").GetString()));
    }

    private static string Plain(string status)
    {
        using var json = JsonDocument.Parse(status);
        return string.Join('\n', json.RootElement.EnumerateObject().Where(p => p.Name != nameof(KdumpStatus.CheckedAt)).Select(p => p.ToString()));
    }

    private static async Task<KdumpSession> OpenAsync(SessionPool pool, HostAccess access, SshHost host)
    {
        KdumpSession? session = null;
        await RunAsync(host, async (context, token) => session = await pool.OpenAsync(access, host, context, token));
        return session!;
    }

    private static async Task<KdumpStatus> StatusAsync(HostAccess access, SshHost host)
    {
        KdumpStatus? status = null;
        await RunAsync(host, async (context, token) => status = await new KdumpStatusOperation(access).RunAsync(host, context, token));
        return status!;
    }

    private static Task RunAsync(SshHost host, Func<HostContext, CancellationToken, Task> work) => Task.Run(() =>
    {
        var front = new CollectingFront();
        using var fleet = new FleetRun(1);
        fleet.Start(host.HostName, work);
        fleet.Finish(front);
        Assert.Empty(front.Errors);
    });
}
