using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Ssh;

public sealed class KnownHostsTests : IDisposable
{
    private static readonly byte[] Ed = Key("ssh-ed25519", 1);
    private static readonly byte[] OtherEd = Key("ssh-ed25519", 2);
    private static readonly byte[] Rsa = Key("ssh-rsa", 3);

    private readonly string _home = Directory.CreateTempSubdirectory("kdumpnfs-known-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void Several_files_count_as_one()
    {
        var known = Load(Line("web", OtherEd), Line("web", Ed));
        Assert.Equal(HostKeyVerdict.Match, known.Check("WEB", 22, Ed).Verdict);
        Assert.Equal(HostKeyVerdict.Changed, known.Check("web", 22, Rsa).Verdict);
        Assert.Equal(HostKeyVerdict.Unknown, known.Check("db", 22, Ed).Verdict);
    }

    [Fact]
    public void A_finding_names_its_line()
    {
        var finding = Load("# one\n\n" + Line("web", Ed)).Check("web", 22, Rsa);
        Assert.EndsWith(":3", finding.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void Algorithms_of_known_keys_come_first()
    {
        string[] all = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"];
        Assert.Equal(["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519", "ecdsa-sha2-nistp256"], Load(Line("web", Rsa)).Order("web", 22, all));
        Assert.Equal(all, Load(Line("web", Rsa) + Line("web", Ed)).Order("web", 22, all));
        Assert.Equal(all, Load("").Order("web", 22, all));
    }

    [Fact]
    public void Authorities_are_seen_and_are_no_keys()
    {
        var known = Load("@cert-authority *.example " + Line("", Ed).TrimStart());
        Assert.True(known.HasAuthority("web.example", 22));
        Assert.False(known.HasAuthority("web", 22));
        Assert.False(known.HasKey("web.example", 22));
        Assert.Equal(HostKeyVerdict.Unknown, known.Check("web.example", 22, Ed).Verdict);
    }

    [Fact]
    public void Adding_makes_directory_and_file_for_the_user_alone_and_ends_a_cut_line()
    {
        var file = Path.Combine(_home, "new", "known_hosts");
        KnownHosts.Add(file, KnownHosts.LookupName("Web", 2222), Ed);
        Assert.Equal(HostKeyVerdict.Match, KnownHosts.Load([file]).Check("web", 2222, Ed).Verdict);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal((UnixFileMode)0x1C0, File.GetUnixFileMode(Path.GetDirectoryName(file)!));
        }

        File.AppendAllText(file, "# no line feed");
        KnownHosts.Add(file, "db", Rsa);
        Assert.Equal(HostKeyVerdict.Match, KnownHosts.Load([file]).Check("db", 22, Rsa).Verdict);
        Assert.Equal(3, File.ReadAllLines(file).Length);
    }

    [Fact]
    public async Task Adding_from_many_connections_at_once_loses_no_line()
    {
        var file = Path.Combine(_home, "many");
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => KnownHosts.Add(file, $"host{i}", Ed))));
        var known = KnownHosts.Load([file]);
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(HostKeyVerdict.Match, known.Check($"host{i}", 22, Ed).Verdict));
    }

    [Fact]
    public void A_file_behind_a_link_is_read_again_when_it_changes()
    {
        var file = Path.Combine(_home, "real");
        var link = Path.Combine(_home, "link");
        File.WriteAllText(file, Line("web", Ed));
        File.CreateSymbolicLink(link, file);
        Assert.Equal(HostKeyVerdict.Match, KnownHosts.Load([link]).Check("web", 22, Ed).Verdict);
        File.WriteAllText(file, "");
        Assert.Equal(HostKeyVerdict.Unknown, KnownHosts.Load([link]).Check("web", 22, Ed).Verdict);
        File.WriteAllText(file, "@revoked " + Line("*", Ed));
        Assert.Equal(HostKeyVerdict.Revoked, KnownHosts.Load([link]).Check("web", 22, Ed).Verdict);
        File.WriteAllText(file, "# no line feed");
        KnownHosts.Add(link, "db", Rsa);
        Assert.Equal(HostKeyVerdict.Match, KnownHosts.Load([link]).Check("db", 22, Rsa).Verdict);
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    [Fact]
    public void Added_keys_are_seen_at_once_and_name_their_lines()
    {
        var file = Path.Combine(_home, "added");
        File.WriteAllText(file, Line("web,WEB2", Ed) + "# no line feed");
        var before = KnownHosts.Load([file]);
        Assert.Equal(HostKeyVerdict.Match, before.Check("web2", 22, Ed).Verdict);
        KnownHosts.Add(file, "db", Rsa);
        KnownHosts.Add(file, "[db]:2222", Ed);
        var known = KnownHosts.Load([file]);
        Assert.Equal(new HostKeyFinding(HostKeyVerdict.Match, file + ":3"), known.Check("db", 22, Rsa));
        Assert.Equal(new HostKeyFinding(HostKeyVerdict.Match, file + ":4"), known.Check("db", 2222, Ed));
        Assert.Equal(new HostKeyFinding(HostKeyVerdict.Changed, file + ":1"), known.Check("web", 22, Rsa));
    }

    [Fact]
    public void What_others_write_is_read_anew_also_between_our_own_lines()
    {
        var file = Path.Combine(_home, "shared");
        File.WriteAllText(file, Line("web", Ed));
        Assert.Equal(HostKeyVerdict.Match, KnownHosts.Load([file]).Check("web", 22, Ed).Verdict);
        File.WriteAllText(file, "@revoked " + Line("web", Ed));
        KnownHosts.Add(file, "db", Ed);
        Assert.Equal(HostKeyVerdict.Revoked, KnownHosts.Load([file]).Check("web", 22, Ed).Verdict);
        File.AppendAllText(file, "@revoked " + Line("db", Ed));
        Assert.Equal(HostKeyVerdict.Revoked, KnownHosts.Load([file]).Check("db", 22, Ed).Verdict);
        File.Delete(file);
        Assert.Equal(HostKeyVerdict.Unknown, KnownHosts.Load([file]).Check("web", 22, Ed).Verdict);
    }

    [Fact]
    public void Lines_with_plain_names_patterns_and_hashed_names_keep_their_order()
    {
        var salt = Enumerable.Range(0, 20).Select(i => (byte)i).ToArray();
#pragma warning disable CA5350 // The file format says HMAC-SHA1.
        var hash = System.Security.Cryptography.HMACSHA1.HashData(salt, "web"u8);
#pragma warning restore CA5350
        var hashed = $"|1|{Convert.ToBase64String(salt)}|{Convert.ToBase64String(hash)}";
        Assert.Equal("2", LineOf(Line("db", Ed) + Line("w*", OtherEd) + Line("web", OtherEd) + Line(hashed, OtherEd)));
        Assert.Equal("1", LineOf(Line("x,web", OtherEd) + Line("w*", OtherEd) + Line(hashed, OtherEd)));
        Assert.Equal("1", LineOf(Line(hashed, OtherEd) + Line("web", OtherEd) + Line("w?b,!web", OtherEd)));

        string LineOf(string text)
        {
            var known = Load(text);
            var finding = known.Check("web", 22, OtherEd);
            Assert.Equal(HostKeyVerdict.Match, finding.Verdict);
            Assert.Equal(finding, known.Check("web", 22, OtherEd));
            Assert.Equal(HostKeyVerdict.Unknown, known.Check("mail", 22, Ed).Verdict);
            return finding.Where!.Split(':')[^1];
        }
    }

    [Fact]
    public void A_fleet_that_is_added_and_asked_for_costs_a_host_no_more_than_a_small_one()
    {
        // Work, not time: a file that is read or gone through for each host makes objects for each of its lines.
        Assert.InRange(PerHost(2000), 0, (2 * PerHost(100)) + 2000);

        long PerHost(int hosts)
        {
            var file = Path.Combine(_home, $"fleet{hosts}");
            KnownHosts.Add(file, "first", Ed);
            KnownHosts.Load([file]);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < hosts; i++)
            {
                Assert.Equal(HostKeyVerdict.Unknown, KnownHosts.Load([file]).Check($"host{i}", 22, Ed).Verdict);
                KnownHosts.Add(file, $"host{i}", Ed);
                Assert.True(KnownHosts.Load([file]).HasKey($"host{i}", 22));
            }

            return (GC.GetAllocatedBytesForCurrentThread() - before) / hosts;
        }
    }

    [Fact]
    public void Arbitrary_files_are_read_without_an_error()
    {
        var random = new Random(7);
        var file = Path.Combine(_home, "fuzz");
        for (var run = 0; run < 300; run++)
        {
            var bytes = new byte[random.Next(400)];
            random.NextBytes(bytes);
            "|1| @,!*?\n\r\tssh-rsa"u8.ToArray().AsSpan(0, Math.Min(bytes.Length, random.Next(18))).CopyTo(bytes);
            File.WriteAllBytes(file, bytes);
            Assert.Equal(HostKeyVerdict.Unknown, KnownHosts.Load([file]).Check("web", 22, Ed).Verdict);
        }
    }

    [Theory]
    [InlineData("*", "anything", true)]
    [InlineData("", "", true)]
    [InlineData("a*c", "abbbc", true)]
    [InlineData("a*c", "abbb", false)]
    [InlineData("*.example", "WEB.Example", true)]
    [InlineData("?", "", false)]
    [InlineData("a?c*", "abc", true)]
    [InlineData("*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void Patterns_match_as_in_ssh(string pattern, string name, bool matches) => Assert.Equal(matches, HostPattern.MatchOne(pattern, name));

    private static byte[] Key(string type, byte fill) =>
        [0, 0, 0, (byte)type.Length, .. System.Text.Encoding.ASCII.GetBytes(type), 0, 0, 0, 32, .. Enumerable.Repeat(fill, 32)];

    private static string Line(string name, byte[] key) => $"{name} {KnownHostsEntry.TypeOf(key)} {Convert.ToBase64String(key)}\n";

    private KnownHosts Load(params string[] texts) => KnownHosts.Load(texts.Select((text, index) =>
    {
        var file = Path.Combine(_home, $"{index}-{Guid.NewGuid():N}");
        File.WriteAllText(file, text);
        return file;
    }));
}
