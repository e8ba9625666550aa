using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Ssh;

public sealed class HostNamesTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("kdumpnfs-names-").FullName;

    [Fact]
    public void Names_come_from_the_config_with_its_includes_and_from_known_hosts()
    {
        var included = Write("more.conf", "Host db01\n  Port 2222\nHost db*\n");
        var config = Write("config", $"Include {included}\nHost web01 web02 !web03 *.example.com\n  User admin\nHost *\n");
        var known = Write("known_hosts",
            "# comment\n|1|c2FsdA==|aGFzaA== ssh-ed25519 AAAA\n[192.0.2.9]:2222,node9 ssh-ed25519 AAAA\nweb01 ssh-ed25519 AAAA\n" +
            "@revoked evil ssh-ed25519 AAAA\n@cert-authority *.example.com ssh-ed25519 AAAA\n*.example.net,!x ssh-ed25519 AAAA\n2001:db8::7 ssh-rsa AAAA\nbad\u001bname ssh-rsa AAAA\n");
        Assert.Equal(
            [("db01", "ssh_config"), ("web01", "ssh_config"), ("web02", "ssh_config"), ("192.0.2.9", "known_hosts, port 2222"), ("node9", "known_hosts"), ("2001:db8::7", "known_hosts")],
            HostNames.Read(config, [known]).Select(h => (h.Name, h.Source)));
    }

    [Fact]
    public void Files_that_are_not_there_name_nobody() =>
        Assert.Empty(HostNames.Read(Path.Combine(_home, "none"), [Path.Combine(_home, "none either")]));

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_home, name);
        File.WriteAllText(path, text);
        return path;
    }
}
