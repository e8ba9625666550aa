using System.Text;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>For many known_hosts files: our verdict and that of each transport are what ssh itself says about the same server.</summary>
[Collection(SshGroup.Name)]
public sealed class KnownHostsCorpusTests(SharedServer shared)
{
    public static TheoryData<string> Names => new(Corpus.Keys);

    /// <summary>Words: NAME is [address]:port, ADDR the address, PORT the port, ED, EC, RSA the server's keys, XED and XRSA keys of somebody else.</summary>
    private static Dictionary<string, string> Corpus { get; } = new()
    {
        ["all keys"] = "NAME ED\nNAME EC\nNAME RSA\n",
        ["ed25519 only"] = "NAME ED\n",
        ["ecdsa only"] = "NAME EC\n",
        ["rsa only"] = "NAME RSA\n",
        ["rsa then ecdsa"] = "NAME RSA\nNAME EC\n",
        ["empty"] = "",
        ["other host"] = "[192.0.2.1]:PORT ED\nexample.org EC\n",
        ["other port"] = "[ADDR]:1 ED\n",
        ["without the port"] = "ADDR ED\n",
        ["without the port, rsa"] = "ADDR RSA\n",
        ["without the port, wrong key"] = "ADDR XED\n",
        ["without the port and wrong with it"] = "ADDR ED\nNAME XED\n",
        ["wrong key"] = "NAME XED\n",
        ["wrong key, right key of another type"] = "NAME XED\nNAME RSA\n",
        ["wrong key of another type, right key"] = "NAME XRSA\nNAME ED\n",
        ["wrong key of another type only"] = "NAME XRSA\n",
        ["wrong and right key of one type"] = "NAME XED\nNAME ED\n",
        ["right and wrong key of one type"] = "NAME ED\nNAME XED\n",
        ["hashed"] = "HASH(NAME) ED\n",
        ["hashed other host"] = "HASH(other) ED\n",
        ["hashed wrong key"] = "HASH(NAME) XED\n",
        ["hashed, bad salt"] = "|1|AAAA|BBBB ED\n|2|x|y ED\n|1| ED\n",
        ["list of names"] = "a.example,NAME,b.example ED\n",
        ["wildcard"] = "[127.*]:* ED\n",
        ["question marks"] = "[127.0.0.?]:PORT ED\n",
        ["wildcard that does not match"] = "[10.*]:* ED\n",
        ["star alone"] = "* ED\n",
        ["negated"] = "*,!NAME ED\n",
        ["negated other"] = "*,!other ED\n",
        ["negated alone"] = "!other ED\n",
        ["revoked"] = "@revoked NAME ED\nNAME ED\n",
        ["revoked for all"] = "NAME ED\nNAME EC\nNAME RSA\n@revoked * ED\n",
        ["first key of the type revoked"] = "NAME EC\nNAME XED\nNAME ED\n@revoked * XED\n",
        ["second key of the type revoked"] = "NAME EC\nNAME ED\nNAME XED\n@revoked * XED\n",
        ["revoked for another host"] = "@revoked other ED\nNAME ED\n",
        ["revoked key of another type"] = "@revoked * RSA\nNAME ED\n",
        ["revoked only"] = "@revoked NAME ED\n",
        ["comments and blank lines"] = "# comment\n\n   \n\t# another\n  NAME ED comment of the key\n",
        ["CRLF"] = "# c\r\n\r\nother XED\r\nNAME ED\r\n",
        ["no final line feed"] = "NAME ED",
        ["tabs"] = "NAME\tED\n",
        ["garbage"] = "garbage\nNAME\nNAME ssh-ed25519\nNAME ssh-ed25519 !!!!\nNAME ssh-rsa AAAAC3NzaC1lZDI1NTE5\nNAME 1024 35 1234\nNAME ED\n",
        ["garbage only"] = "garbage\n\0\0\n\xff\xfe\nNAME ssh-ed25519 AAAA\n",
        ["type that does not fit the key"] = "NAME SWAP(ED)\n",
        ["unknown mark"] = "@unknown NAME ED\n",
        ["unknown mark and right line"] = "@unknown NAME XED\nNAME ED\n",
        ["two marks"] = "@revoked @cert-authority NAME ED\nNAME ED\n",
        ["authority and plain key"] = "@cert-authority * XED\nNAME ED\n",
        ["authority only"] = "@cert-authority * XED\n",
        ["upper case"] = "[LOCALHOST]:PORT ED\n[LocalHost]:PORT EC\nNAME ED\n",
        ["many hosts"] = "MANY\nNAME ED\n",
    };

    [SkippableTheory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Long")]
    public async Task The_verdict_is_that_of_ssh(string name)
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var server = shared.Server;
        var file = Path.Combine(server.Home, "corpus-" + Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(file, Fill(Corpus[name], server), Encoding.Latin1);

        var expected = AskSsh(server, file);
        Assert.Equal(expected, (await AskAsync(new OpenSshConnector(), server, file)).Verdict);
        var known = KnownHosts.Load([file]);
        var order = known.Order(SshServer.Address, server.Port, ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"]);
        var kind = order[0] switch { "ssh-ed25519" => "ed25519", "ecdsa-sha2-nistp256" => "ecdsa", _ => "rsa" };
        Assert.Equal(expected, known.Check(SshServer.Address, server.Port, Convert.FromBase64String(server.HostKey(kind).Split(' ')[1])).Verdict);
#if WITH_SSHNET
        var (verdict, id) = await AskAsync(new KdumpNfs.SshNet.SshNetConnector(), server, file);
        Assert.Equal(expected, verdict);
        Assert.True(id != ErrorIds.HostCertificateNotSupported || name == "authority only");
#endif
    }

    private static HostKeyVerdict AskSsh(SshServer server, string file)
    {
        var (status, text) = CommandRunner.Run(
            "ssh",
            ["-F", "/dev/null", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={file}", "-o", "GlobalKnownHostsFile=none", "-o", "UpdateHostKeys=no",
             "-o", "IdentitiesOnly=yes", "-i", server.UserKey, "-l", "root", "-p", $"{server.Port}", SshServer.Address, "exit 0"],
            mayFail: true);
        return status == 0 ? HostKeyVerdict.Match
            : text.Contains("REVOKED HOST KEY", StringComparison.Ordinal) ? HostKeyVerdict.Revoked
            : text.Contains("IDENTIFICATION HAS CHANGED", StringComparison.Ordinal) ? HostKeyVerdict.Changed
            : text.Contains("host key is known for", StringComparison.Ordinal) ? HostKeyVerdict.Unknown
            : throw new InvalidOperationException(text);
    }

#pragma warning disable CA1859 // Without SSH.NET there is only one connector to ask.
    private static async Task<(HostKeyVerdict Verdict, string? Id)> AskAsync(IHostConnector connector, SshServer server, string file)
    {
        try
        {
            var options = new SshOptions { KnownHostsFiles = [file], ConfigFile = "/dev/null" };
            await (await connector.ConnectAsync(new SshHost(SshServer.Address, "root", server.Port, server.UserKey), options, default)).DisposeAsync();
            return (HostKeyVerdict.Match, null);
        }
        catch (HostException e)
        {
            return (e.ErrorId switch
            {
                ErrorIds.HostKeyUnknown or ErrorIds.HostCertificateNotSupported => HostKeyVerdict.Unknown,
                ErrorIds.HostKeyChanged => HostKeyVerdict.Changed,
                ErrorIds.HostKeyRevoked => HostKeyVerdict.Revoked,
                _ => throw new InvalidOperationException(e.Message, e),
            }, e.ErrorId);
        }
    }
#pragma warning restore CA1859

    private static string Fill(string text, SshServer server)
    {
        var stranger = Path.Combine(server.Home, "stranger_");
        lock (Gate)
        {
            foreach (var kind in new[] { "ed25519", "rsa" })
            {
                if (!File.Exists(stranger + kind))
                {
                    SshServer.GenerateKey(kind, stranger + kind);
                }
            }
        }

        string Stranger(string kind) => string.Join(' ', File.ReadAllText(stranger + kind + ".pub").Split(' ').Take(2)).Trim();
        var many = string.Join('\n', Enumerable.Range(0, 500).Select(i => $"host{i}.example,10.0.0.{i} {Stranger("ed25519")}"));
        return text
            .Replace("HASH(NAME)", Hash(server.Lookup), StringComparison.Ordinal)
            .Replace("HASH(other)", Hash("other"), StringComparison.Ordinal)
            .Replace("SWAP(ED)", server.HostKey("ed25519").Replace("ssh-ed25519", "ssh-rsa", StringComparison.Ordinal), StringComparison.Ordinal)
            .Replace("NAME", server.Lookup, StringComparison.Ordinal)
            .Replace("ADDR", SshServer.Address, StringComparison.Ordinal)
            .Replace("PORT", $"{server.Port}", StringComparison.Ordinal)
            .Replace("MANY", many, StringComparison.Ordinal)
            .Replace(" XED", " " + Stranger("ed25519"), StringComparison.Ordinal)
            .Replace(" XRSA", " " + Stranger("rsa"), StringComparison.Ordinal)
            .Replace(" ED", " " + server.HostKey("ed25519"), StringComparison.Ordinal)
            .Replace("\tED", "\t" + server.HostKey("ed25519"), StringComparison.Ordinal)
            .Replace(" EC", " " + server.HostKey("ecdsa"), StringComparison.Ordinal)
            .Replace(" RSA", " " + server.HostKey("rsa"), StringComparison.Ordinal);
    }

    private static readonly object Gate = new();

    /// <summary>A hashed name as ssh-keygen -H makes it.</summary>
    private static string Hash(string name)
    {
        var salt = System.Security.Cryptography.RandomNumberGenerator.GetBytes(20);
#pragma warning disable CA5350 // The file format says so.
        var hash = System.Security.Cryptography.HMACSHA1.HashData(salt, Encoding.ASCII.GetBytes(name));
#pragma warning restore CA5350
        return $"|1|{Convert.ToBase64String(salt)}|{Convert.ToBase64String(hash)}";
    }
}
