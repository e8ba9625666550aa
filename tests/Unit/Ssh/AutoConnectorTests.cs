using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Ssh;

public sealed class AutoConnectorTests : IDisposable
{
    private const string Usable = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";

    private readonly string _home = Directory.CreateTempSubdirectory("kdumpnfs-auto-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void Auto_takes_SshNet_when_it_can() => Assert.Equal((SshTransport.SshNet, null), Choose("", Usable));

    [Theory]
    [InlineData("ProxyJump bastion\n", Usable, "proxyjump")]
    [InlineData("", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "agent")]
    [InlineData("", "ssh-ed25519 AAAA\n", "agent")]
    [InlineData("", "", "no key file")]
    public void Auto_takes_OpenSsh_and_says_why(string config, string key, string reason)
    {
        var (transport, why) = Choose(config, key);
        Assert.Equal(SshTransport.OpenSsh, transport);
        Assert.Contains(reason, why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_with_a_certificate_is_for_OpenSsh()
    {
        File.WriteAllText(Path.Combine(_home, "key-cert.pub"), "");
        Assert.Equal(SshTransport.OpenSsh, Choose("", Usable).Transport);
    }

    [Fact]
    public void A_host_behind_an_authority_is_for_OpenSsh()
    {
        File.WriteAllText(Path.Combine(_home, "known"), "@cert-authority * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n");
        Assert.Equal(SshTransport.OpenSsh, Choose("", Usable).Transport);
    }

    [Fact]
    public async Task Without_SshNet_Auto_is_OpenSsh_and_asking_for_it_is_an_error()
    {
        var auto = new AutoConnector(null, new Never());
        Assert.Equal(SshTransport.OpenSsh, auto.Choose(new SshHost("web"), new SshOptions()).Transport);
        foreach (var options in new[] { new SshOptions { Transport = SshTransport.SshNet }, new SshOptions { Credential = new System.Net.NetworkCredential("u", "p") } })
        {
            var error = await Assert.ThrowsAsync<HostException>(() => auto.ConnectAsync(new SshHost("web"), options, default));
            Assert.Equal(ErrorIds.TransportNotAvailable, error.ErrorId);
        }
    }

    [Fact]
    public async Task A_password_is_never_given_to_OpenSsh()
    {
        var options = new SshOptions { Transport = SshTransport.OpenSsh, Credential = new System.Net.NetworkCredential("u", "hunter2") };
        var error = await Assert.ThrowsAsync<HostException>(() => new AutoConnector().ConnectAsync(new SshHost("web"), options, default));
        Assert.Equal(ErrorIds.TransportNotAvailable, error.ErrorId);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_ssh_program_has_its_own_id()
    {
        var connector = new KdumpNfs.Ssh.OpenSsh.OpenSshConnector(Path.Combine(_home, "no-ssh"));
        var error = await Assert.ThrowsAsync<HostException>(() => connector.ConnectAsync(new SshHost("web"), new SshOptions(), default));
        Assert.Equal(ErrorIds.SshClientMissing, error.ErrorId);
    }

    [Fact]
    public void The_bootstrap_is_one_line_that_every_login_shell_reads_alike()
    {
        var plain = new SshOptions();
        foreach (var (options, start) in new[]
        {
            (plain, "exec /bin/sh -c '"),
            (plain with { Sudo = true }, "exec env LC_ALL=C sudo -n -- /bin/sh -c '"),
            (plain with { Sudo = true, SudoPassword = Secret.From("hunter2") }, "exec env LC_ALL=C sudo -S -p kdumpnfs-asks-"),
        })
        {
            var command = new Bootstrap(options).Command;
            Assert.Equal(2, command.Count(c => c == '\''));
            Assert.DoesNotContain(command, c => c is '\\' or '!' or '\n' or '`');
            Assert.StartsWith(start, command, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2", command, StringComparison.Ordinal);
        }
    }

    private (SshTransport Transport, string? Reason) Choose(string config, string key)
    {
        var configFile = Path.Combine(_home, "config");
        var keyFile = Path.Combine(_home, "key");
        File.WriteAllText(configFile, config + $"IdentityFile {keyFile}\nUserKnownHostsFile {_home}/known\nGlobalKnownHostsFile none\n");
        if (key.Length > 0)
        {
            File.WriteAllText(keyFile, key);
        }

        return new AutoConnector(new Never(), new Never()).Choose(new SshHost("web"), new SshOptions { ConfigFile = configFile });
    }

    private sealed class Never : IHostConnector
    {
        public SshTransport Transport => SshTransport.SshNet;

        public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
