using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>What every transport must do with connections: how they begin, how they end, and what is said when they fail.</summary>
public abstract class ConnectionTests(SharedServer shared) : TransportTests(shared)
{
    [SkippableFact]
    public async Task Cancelling_returns_at_once_and_ends_the_script_on_the_host()
    {
        SkipUnlessRunnable();
        var connection = await ConnectAsync();
        var pid = Path.Combine(Server.Home, $"cancel-{GetType().Name}");
        using var cancel = new CancellationTokenSource();
        var running = connection.RunAsync(new RemoteScript($"sh -c 'echo $$ >{pid}; exec sleep 300'"), cancel.Token);
        await WaitForAsync(() => File.Exists(pid) && new FileInfo(pid).Length > 1, "the script runs");
        var clock = Stopwatch.StartNew();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True(clock.ElapsedMilliseconds < 1000, $"{clock.ElapsedMilliseconds} ms");
        Assert.Equal(ErrorIds.ConnectionLost, (await Assert.ThrowsAsync<HostException>(() => RunAsync(connection, "echo"))).ErrorId);
        await connection.DisposeAsync();
        await WaitForAsync(() => !Directory.Exists("/proc/" + File.ReadAllText(pid).Trim()), "the script ends");
    }

    [SkippableFact]
    public async Task Cancelling_while_the_input_is_stuck_returns_at_once()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        using var cancel = new CancellationTokenSource();
        using var input = new MemoryStream(new byte[32 << 20]);
        var running = connection.RunAsync(new RemoteScript("sleep 300") { Input = input }, cancel.Token);
        await Task.Delay(500);
        var clock = Stopwatch.StartNew();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True(clock.ElapsedMilliseconds < 1000, $"{clock.ElapsedMilliseconds} ms");
    }

    [SkippableFact]
    public async Task A_script_that_takes_too_long_is_a_timeout()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var error = await Assert.ThrowsAsync<HostException>(() => connection.RunAsync(new RemoteScript("sleep 300") { Timeout = Second }));
        Assert.Equal(ErrorIds.Timeout, error.ErrorId);
        Assert.Contains("-OperationTimeout", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_connection_cut_in_a_script_is_lost_and_cut_input_is_never_taken_for_whole()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await using var connection = await ConnectAsync(server);
        var got = Path.Combine(server.Home, "got");
        using var input = new StuckStream(1 << 20);
        var running = RunAsync(connection, $"sh -c 'echo $PPID' >{got}.pid; cat >{got}; echo complete >{got}.complete", input);
        await WaitForAsync(() => File.Exists(got) && new FileInfo(got).Length == 1 << 20, "the first part arrives");
        server.KillSessions();
        var error = await Assert.ThrowsAsync<HostException>(() => running);
        Assert.Equal(ErrorIds.ConnectionLost, error.ErrorId);
        await WaitForAsync(() => !Directory.Exists("/proc/" + File.ReadAllText(got + ".pid").Trim()), "the script ends");
        Assert.False(File.Exists(got + ".complete"));
    }

    [SkippableFact]
    public async Task A_connection_cut_while_idle_is_lost()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("", "ed25519");
        await using var connection = await ConnectAsync(server);
        await RunAsync(connection, "echo");
        server.KillSessions();
        await Task.Delay(100);
        Assert.Equal(ErrorIds.ConnectionLost, (await Assert.ThrowsAsync<HostException>(() => RunAsync(connection, "echo"))).ErrorId);
    }

    [SkippableTheory]
    [InlineData("sh")]
    [InlineData("bash")]
    [InlineData("csh")]
    [InlineData("tcsh")]
    [InlineData("fish")]
    [InlineData("zsh")]
    [InlineData("ksh")]
    public async Task A_chatty_login_shell_does_not_matter(string shell)
    {
        SkipUnlessRunnable();
        Skip.If(!CommandRunner.Exists(shell), $"{shell} is not installed");
        using var server = Forced($"printf 'Welcome!\\nready\\n\\0\\n'; echo motd >&2; exec {CommandRunner.PathOf(shell)} -c \"$SSH_ORIGINAL_COMMAND\"");
        await using var connection = await ConnectAsync(server);
        var result = await RunAsync(connection, "echo out; echo err >&2; exit 3");
        Assert.Equal((3, "out\n", "err\n"), (result.ExitStatus, result.OutputText, result.ErrorText));
    }

    [SkippableFact]
    public async Task A_shell_start_up_that_reads_stdin_is_told()
    {
        SkipUnlessRunnable();
        using var server = Forced("head -c 10 >/dev/null; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"");

        // The far end waits for the bytes that are gone, until the limit.
        var error = await RefusedAsync(server, o => o with { ConnectTimeout = TimeSpan.FromSeconds(3) });
        Assert.Contains(error.ErrorId, new[] { ErrorIds.ProtocolError, ErrorIds.Timeout });
    }

    [SkippableTheory]
    [InlineData("echo 'This account is currently not available.'; exit 1", "not available")]
    [InlineData("exit 0", "")]
    [InlineData("echo 'head: not found' >&2; exit 127", "not found")]
    public async Task An_account_without_a_shell_is_told(string command, string said)
    {
        SkipUnlessRunnable();
        using var server = Forced(command);
        var error = await RefusedAsync(server);
        Assert.Equal(ErrorIds.NoShell, error.ErrorId);
        Assert.Contains(said, error.HostSaid ?? "", StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Sudo_that_refuses_is_told_and_sudo_that_works_works()
    {
        SkipUnlessRunnable();

        // A stand-in for sudo: its words and its way of being called.
        using var server = Forced("PATH=HOME/bin:$PATH; export PATH; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"");
        var sudo = Path.Combine(Directory.CreateDirectory(Path.Combine(server.Home, "bin")).FullName, "sudo");
        File.WriteAllText(sudo, "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n");
        CommandRunner.Run("chmod", ["755", sudo]);
        var error = await RefusedAsync(server, o => o with { Sudo = true });
        Assert.Equal(ErrorIds.SudoRefused, error.ErrorId);
        Assert.Contains("a password is required", error.HostSaid, StringComparison.Ordinal);

        File.WriteAllText(sudo, "#!/bin/sh\n[ \"$LC_ALL $1 $2\" = 'C -n --' ] || exit 9\nshift 2\nSUDO_USED=1 exec \"$@\"\n");
        await using var connection = await ConnectAsync(server, o => o with { Sudo = true });
        Assert.Equal("1\n", (await RunAsync(connection, "echo $SUDO_USED")).OutputText);
    }

    [SkippableFact]
    public async Task A_login_that_is_refused_is_told()
    {
        SkipUnlessRunnable();
        var key = Path.Combine(Server.Home, $"other-{GetType().Name}");
        SshServer.GenerateKey("ed25519", key);
        var error = await RefusedAsync(host: h => h with { KeyFilePath = key });
        Assert.Equal(ErrorIds.AuthenticationFailed, error.ErrorId);
        Assert.Contains("authorized_keys", error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("rsa", "RFC4716")]
    [InlineData("rsa", "PEM")]
    [InlineData("rsa", "PKCS8")]
    [InlineData("ecdsa", "RFC4716")]
    [InlineData("ecdsa", "PEM")]
    [InlineData("ed25519", "RFC4716")]
    public async Task Keys_of_each_kind_log_in(string kind, string format)
    {
        SkipUnlessRunnable();
        var key = Path.Combine(Server.Home, $"{kind}-{format}-{GetType().Name}");
        SshServer.GenerateKey(kind, key, format: format);
        lock (Server)
        {
            File.AppendAllText(Path.Combine(Server.Home, "authorized_keys"), File.ReadAllText(key + ".pub"));
        }

        await using var connection = await ConnectAsync(host: h => h with { KeyFilePath = key });
        Assert.Equal("in\n", (await RunAsync(connection, "echo in")).OutputText);
    }

    [SkippableFact]
    public async Task A_key_that_cannot_be_used_is_told()
    {
        SkipUnlessRunnable();
        var key = Path.Combine(Server.Home, $"locked-{GetType().Name}");
        SshServer.GenerateKey("ed25519", key, "secret words");
        Assert.Equal(ErrorIds.AuthenticationFailed, (await RefusedAsync(host: h => h with { KeyFilePath = key })).ErrorId);
        var garbage = key + ".txt";
        await File.WriteAllTextAsync(garbage, "this is no key\n");
        Assert.Equal(ErrorIds.AuthenticationFailed, (await RefusedAsync(host: h => h with { KeyFilePath = garbage })).ErrorId);
    }

    [SkippableFact]
    public async Task A_closed_port_is_unreachable()
    {
        SkipUnlessRunnable();
        Assert.Equal(ErrorIds.Unreachable, (await RefusedAsync(host: h => h with { Port = SshServer.FreePort() })).ErrorId);
    }

    [SkippableFact]
    public async Task A_name_without_an_address_is_not_resolved()
    {
        SkipUnlessRunnable();
        Assert.Equal(ErrorIds.NameNotResolved, (await RefusedAsync(host: h => h with { HostName = "no-such-host.invalid" })).ErrorId);
    }

    [SkippableFact]
    public async Task A_port_that_says_nothing_is_a_timeout_and_can_be_cancelled()
    {
        SkipUnlessRunnable();
        using var listener = new TcpListener(IPAddress.Parse(SshServer.Address), 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var clock = Stopwatch.StartNew();
        Assert.Equal(ErrorIds.Timeout, (await RefusedAsync(Server, o => o with { ConnectTimeout = Second }, h => h with { Port = port })).ErrorId);
        Assert.InRange(clock.ElapsedMilliseconds, 500, 5000);

        using var cancel = new CancellationTokenSource(500);
        clock.Restart();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Connector.ConnectAsync(HostOf(Server) with { Port = port }, OptionsOf(Server), cancel.Token));
        Assert.True(clock.ElapsedMilliseconds < 1500, $"{clock.ElapsedMilliseconds} ms");
    }

    [SkippableFact]
    public async Task A_server_with_too_many_logins_under_way_says_so()
    {
        SkipUnlessRunnable();
        using var server = SshServer.Start("MaxStartups 1:100:1\n", "ed25519");

        // It is counted once the server has said its version, and not before whoever asked whether it listens has left.
        using var waiting = await WaitingLoginAsync(server);
        var error = await RefusedAsync(server);
        Assert.Equal(ErrorIds.NotAdmitted, error.ErrorId);
        Assert.Contains("MaxStartups", error.Remedy, StringComparison.Ordinal);
    }

    private static async Task<TcpClient> WaitingLoginAsync(SshServer server)
    {
        for (var i = 0; i < 100; i++)
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Parse(SshServer.Address), server.Port);
            var first = new byte[1];
            if (await client.GetStream().ReadAsync(first) == 1 && first[0] == (byte)'S')
            {
                return client;
            }

            client.Dispose();
            await Task.Delay(50);
        }

        throw new InvalidOperationException("The server lets nobody in.");
    }

    [SkippableFact]
    public async Task A_port_that_speaks_another_protocol_is_an_error()
    {
        SkipUnlessRunnable();
        using var listener = new TcpListener(IPAddress.Parse(SshServer.Address), 0);
        listener.Start();
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("HTTP/1.0 400 Bad Request\r\n\r\n"u8.ToArray());
        });
        var error = await RefusedAsync(Server, o => o with { ConnectTimeout = TimeSpan.FromSeconds(15) }, h => h with { Port = ((IPEndPoint)listener.LocalEndpoint).Port });
        Assert.Contains(error.ErrorId, new[] { ErrorIds.ConnectionLost, ErrorIds.NotAdmitted, ErrorIds.ProtocolError });
        await serving;
    }

    [SkippableFact]
    public async Task AcceptNew_adds_the_key_and_Strict_then_takes_it()
    {
        SkipUnlessRunnable();
        var file = Path.Combine(Server.Home, $"new dir {GetType().Name}", "known hosts");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var unknown = await RefusedAsync(change: o => o with { KnownHostsFiles = [file] });
        Assert.Equal(ErrorIds.HostKeyUnknown, unknown.ErrorId);
        Assert.Contains("SHA256:", unknown.Message, StringComparison.Ordinal);
        Assert.Contains($"ssh-keyscan -p {Server.Port} {SshServer.Address}", unknown.Message, StringComparison.Ordinal);
        await (await ConnectAsync(change: o => o with { KnownHostsFiles = [file], HostKeyPolicy = HostKeyPolicy.AcceptNew })).DisposeAsync();
        Assert.True(File.Exists(file));
        await (await ConnectAsync(change: o => o with { KnownHostsFiles = [file] })).DisposeAsync();
    }

    [SkippableFact]
    public async Task A_changed_key_is_refused_by_AcceptNew_too_and_taken_by_Off()
    {
        SkipUnlessRunnable();
        using var other = SshServer.Start("", "ed25519");
        var file = Path.Combine(Server.Home, $"changed-{GetType().Name}");
        await File.WriteAllTextAsync(file, $"{Server.Lookup} {other.HostKey("ed25519")}\n");
        foreach (var policy in new[] { HostKeyPolicy.Strict, HostKeyPolicy.AcceptNew })
        {
            var error = await RefusedAsync(change: o => o with { KnownHostsFiles = [file], HostKeyPolicy = policy });
            Assert.Equal(ErrorIds.HostKeyChanged, error.ErrorId);
            Assert.Contains($"ssh-keygen -R '{Server.Lookup}'", error.Message, StringComparison.Ordinal);
            Assert.Contains("SHA256:", error.Message, StringComparison.Ordinal);
        }

        var before = await File.ReadAllTextAsync(file);
        await (await ConnectAsync(change: o => o with { KnownHostsFiles = [file], HostKeyPolicy = HostKeyPolicy.Off })).DisposeAsync();
        Assert.Equal(before, await File.ReadAllTextAsync(file));
    }

    [SkippableFact]
    public async Task A_revoked_key_is_refused_with_its_own_id()
    {
        SkipUnlessRunnable();
        var file = Path.Combine(Server.Home, $"revoked-{GetType().Name}");
        await File.WriteAllTextAsync(file, $"{Server.Lookup} {Server.HostKey("ed25519")}\n@revoked * {Server.HostKey("ed25519")}\n");
        Assert.Equal(ErrorIds.HostKeyRevoked, (await RefusedAsync(change: o => o with { KnownHostsFiles = [file] })).ErrorId);
    }

    private static SshServer Forced(string command)
    {
        var server = SshServer.Start("ForceCommand HOME/forced", "ed25519");
        var path = Path.Combine(server.Home, "forced");
        File.WriteAllText(path, "#!/bin/sh\n" + command.Replace("HOME", server.Home, StringComparison.Ordinal) + "\n");
        CommandRunner.Run("chmod", ["755", path]);
        return server;
    }
}
