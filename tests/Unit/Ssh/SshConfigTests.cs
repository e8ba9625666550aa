using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Config;

namespace KdumpNfs.Tests.Unit.Ssh;

public sealed class SshConfigTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("kdumpnfs-config-").FullName;

    private static string UserHome => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void The_first_value_wins_and_patterns_decide()
    {
        const string Text = """
            # comment
            Host web* !web9
              HostName %h.example.org
              User=admin
              Port = 2222
              IdentityFile "~/.ssh/key one"
              IdentityFile /keys/%h-%r-%p-%n-%%
            Host *
              User other
              Port 22022
              IdentityFile /keys/all # trailing comment
            """;
        var web = Resolve(Text, "web1");
        Assert.Equal(("web1.example.org", 2222, "admin"), (web.HostName, web.Port, web.UserName));
        Assert.Equal([Path.Combine(UserHome, ".ssh/key one"), "/keys/web1.example.org-admin-2222-web1-%", "/keys/all"], web.IdentityFiles);
        var nine = Resolve(Text, "web9");
        Assert.Equal(("web9", 22022, "other"), (nine.HostName, nine.Port, nine.UserName));
        Assert.Null(web.OpenSshReason);
    }

    [Fact]
    public void What_the_caller_says_wins()
    {
        var host = new SshHost("web", "me", 1234, "/my/key");
        var found = Resolve("User you\nPort 5\nIdentityFile /your/key\nUserKnownHostsFile /your/hosts\n", host, new SshOptions { KnownHostsFiles = ["/my/hosts"] });
        Assert.Equal(("me", 1234), (found.UserName, found.Port));
        Assert.Equal(["/my/key"], found.IdentityFiles);
        Assert.Equal(["/my/hosts"], found.KnownHostsFiles);
        Assert.Equal("joe", Resolve("User you\n", new SshHost("joe@web")).UserName);
        Assert.Equal("cred", Resolve("User you\n", new SshHost("web"), new SshOptions { Credential = new System.Net.NetworkCredential("cred", "x") }).UserName);
    }

    [Fact]
    public void Known_hosts_files_and_alias()
    {
        var found = Resolve("UserKnownHostsFile \"/a b\" ~/c none\nGlobalKnownHostsFile none\nHostKeyAlias cluster\nPort 99\n", "web");
        Assert.Equal(["/a b", Path.Combine(UserHome, "c")], found.KnownHostsFiles);
        Assert.Equal(("cluster", 22), (found.KeyName, found.KeyPort));
        Assert.Equal(KnownHosts.DefaultFiles, Resolve("", "web").KnownHostsFiles);
    }

    [Fact]
    public void Includes_hold_where_they_stand()
    {
        Directory.CreateDirectory(Path.Combine(_home, "d"));
        File.WriteAllText(Path.Combine(_home, "d", "1.conf"), "Host db\nUser dba\nHost *\nPort 7\n");
        File.WriteAllText(Path.Combine(_home, "d", "2.conf"), "Port 8\n");
        File.WriteAllText(Path.Combine(_home, "d", "3.txt"), "Port 9\n");
        var text = $"Host db\nInclude {_home}/d/*.conf\nUser late\nHost *\nUser all\n";
        var db = Resolve(text, "db");
        Assert.Equal(("dba", 7), (db.UserName, db.Port));
        var web = Resolve(text, "web");
        Assert.Equal(("all", 22), (web.UserName, web.Port));
        Assert.Equal(22, Resolve($"Include {_home}/config\nInclude /no/such/*\n", "web").Port);
    }

    [Fact]
    public void Match_all_and_final_are_understood()
    {
        var found = Resolve("Match final all\nPort 1\nUser final\nMatch all\nPort 2\n", "web");
        Assert.Equal((2, "final"), (found.Port, found.UserName));
        Assert.Null(found.OpenSshReason);
    }

    [Theory]
    [InlineData("ProxyJump bastion", "proxyjump")]
    [InlineData("ProxyCommand nc %h %p", "proxycommand")]
    [InlineData("CertificateFile /x", "certificatefile")]
    [InlineData("IdentityAgent ~/agent", "identityagent")]
    [InlineData("PKCS11Provider /lib/x.so", "pkcs11provider")]
    [InlineData("PubkeyAuthentication no", "public keys")]
    [InlineData("Match exec true\nUser x", "Match exec")]
    [InlineData("IdentityFile /keys/%C", "token")]
    [InlineData("RevokedHostKeys /x", "revokedhostkeys")]
    [InlineData("AddressFamily inet6", "inet6")]
    public void What_SshNet_cannot_do_is_named(string text, string reason) =>
        Assert.Contains(reason, Resolve(text + "\n", "web").OpenSshReason, StringComparison.Ordinal);

    [Theory]
    [InlineData("ProxyJump none")]
    [InlineData("ProxyCommand none")]
    [InlineData("GSSAPIAuthentication yes")]
    [InlineData("Host other\nProxyJump bastion")]
    [InlineData("SendEnv LANG LC_*\nHashKnownHosts yes\nCiphers aes256-ctr\n\"User\" x")]
    public void What_does_not_matter_is_left_alone(string text) => Assert.Null(Resolve(text + "\n", "web").OpenSshReason);

    [Fact]
    public void Words_are_split_as_ssh_splits_them() =>
        Assert.Equal(["a b", "c'd", "e\"f", "g h", "", "i#j"], SshConfigFile.Words("\"a b\" \"c'd\"  e\\\"f g\\ h '' i#j # k"));

    private ResolvedHost Resolve(string text, string host) => Resolve(text, new SshHost(host));

    private ResolvedHost Resolve(string text, SshHost host, SshOptions? options = null)
    {
        var file = Path.Combine(_home, "config");
        File.WriteAllText(file, text);
        return SshConfig.Load(file).Resolve(host, options ?? new SshOptions());
    }
}
