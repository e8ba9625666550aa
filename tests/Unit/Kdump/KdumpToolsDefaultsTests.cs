using System.Text;
using FsCheck.Fluent;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Kdump;

public class KdumpToolsDefaultsTests
{
    // The lines of the shipped file that matter here.
    private const string Shipped = """
        # kdump-tools configuration
        USE_KDUMP=1
        KDUMP_KERNEL=/var/lib/kdump/vmlinuz
        KDUMP_COREDIR="/var/crash"
        #KDUMP_FAIL_CMD="reboot -f"
        #MAKEDUMP_ARGS="-c -d 31"
        #HOSTTAG="hostname|[ip]"
        #NFS="<nfs mount>"
        #NFS_TIMEO="600"
        #SSH="<user at server>"

        """;

    private static readonly string[] Pieces =
    [
        "USE_KDUMP=1", "USE_KDUMP=0", "USE_KDUMP=\"1\" # on", "NFS=\"old:/x\"", "#NFS=\"<nfs mount>\"", "NFS=storage:/data", "SSH=\"u@h\"", "export SSH=u@h", "FTP=h:/x", "FTP_PASSWORD=secret",
        "MAKEDUMP_ARGS=\"-c -d 31\"", "MAKEDUMP_ARGS=\"-F -l -d 17\" # c", "#MAKEDUMP_ARGS=\"-c -d 31\"", "MAKEDUMP_ARGS=$X", "KDUMP_COREDIR=\"/var/crash\"", "NFS=${NFS:-a:/b}", "NFS=a:/b SSH=u@h", "# c \\", "",
        "if [ -e /x ]; then\n  NFS=c:/d\nfi", "NFS=\"$(hostname)\"", "# gr\u00f6\u00dfe",
    ];

    private static KdumpToolsDefaults Parse(string text) => KdumpToolsDefaults.Parse(Encoding.UTF8.GetBytes(text));

    private static string Text(KdumpToolsDefaults file) => Encoding.UTF8.GetString(file.ToBytes());

    [Fact]
    public void The_shipped_file_gets_an_export()
    {
        var file = Parse(Shipped);
        Assert.Empty(file.Problems);
        Assert.True(file.UseKdump);
        Assert.Equal("local /var/crash", file.Target.ToString());
        Assert.Equal("-F -c -d 31", file.CoreCollector.ToString());
        Assert.Equal(("ip", 600, 3, null), (file.HostTag, file.NfsTimeo, file.NfsRetrans, file.OuterCompression));
        var set = file.WithNfsTarget("192.168.122.1", "/data/nfs_share", "/var/crash");
        Assert.Equal(Shipped.Replace("#NFS=\"<nfs mount>\"\n", "#NFS=\"<nfs mount>\"\nNFS=\"192.168.122.1:/data/nfs_share/var/crash\"\n"), Text(set));
        Assert.True(set.Target.SameLocation(KdumpTarget.Nfs("192.168.122.1", "/data/nfs_share", "/var/crash")));
        Assert.Null(set.Target.DumpPath);
        Assert.Same(set, set.WithNfsTarget("192.168.122.1", "/data", "/nfs_share/var/crash").WithUseKdump(true).WithCoreCollector(DumpLevel.All, VmcoreCompression.Zlib));
    }

    [Theory]
    [InlineData("NFS=\"old:/x\" # store\nSSH=\"u@h\"\nUSE_KDUMP=1\n", "# store\nNFS=\"storage:/data/x\"\n#SSH=\"u@h\"\nUSE_KDUMP=1\n")]
    [InlineData("FTP=h:/x\nNFS='storage:/data//x/'\n", "#FTP=h:/x\nNFS='storage:/data//x/'\n")]
    [InlineData("", "NFS=\"storage:/data/x\"\n")]
    public void Other_targets_become_comments(string before, string after) => Assert.Equal(after, Text(Parse(before).WithNfsTarget("storage", "/data", "/x")));

    [Fact]
    public void Several_targets_are_a_problem()
    {
        var file = Parse("NFS=a:/b\nSSH=u@h\nFTP=f:/x\nKDUMP_COREDIR=/c\n");
        Assert.Equal(3, file.Targets.Count);
        Assert.Equal("nfs a:/b", file.Target.ToString());
        Assert.Equal("ssh u@h:/c", file.Targets[1].ToString());
        Assert.Equal("ftp://f/x", file.Targets[0].ToString());
        Assert.Equal((ConfigProblemIds.SeveralTargets, "1,2,3"), (file.Problems[0].Id, string.Join(",", file.Problems[0].Lines)));
    }

    [Theory]
    [InlineData("USE_KDUMP=1", true)]
    [InlineData("USE_KDUMP=\"2\"", true)]
    [InlineData("USE_KDUMP=0", false)]
    [InlineData("USE_KDUMP=yes", false)]
    [InlineData("", false)]
    public void Use_of_kdump(string text, bool on)
    {
        Assert.Equal(on, Parse(text).UseKdump);
        Assert.True(Parse(text).WithUseKdump(true).UseKdump);
        Assert.False(Parse(text).WithUseKdump(false).UseKdump);
    }

    [Theory]
    [InlineData("#MAKEDUMP_ARGS=\"-c -d 31\"\n", "#MAKEDUMP_ARGS=\"-c -d 31\"\nMAKEDUMP_ARGS=\"-F -l -d 31\"\n")]
    [InlineData("MAKEDUMP_ARGS=\"-c -d 17 --message-level 1\"\n", "MAKEDUMP_ARGS=\"-l -d 31 --message-level 1\"\n")]
    [InlineData("MAKEDUMP_ARGS='-l -d 31'\n", "MAKEDUMP_ARGS='-l -d 31'\n")]
    public void Arguments_of_makedumpfile(string before, string after)
    {
        var set = Parse(before).WithCoreCollector(DumpLevel.All, VmcoreCompression.Lzo);
        Assert.Equal(after, Text(set));
        Assert.Equal((DumpLevel.All, VmcoreCompression.Lzo, true), (set.CoreCollector.DumpLevel, set.CoreCollector.Compression, set.CoreCollector.Flattened));
    }

    [Fact]
    public void Spaces_can_be_written_here_and_quotes_cannot()
    {
        Assert.Equal("NFS=\"s:/my data#1\"\n", Text(Parse("").WithNfsTarget("s", "/my data#1")));
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Parse("").WithNfsTarget("s", "/a\"b")).ErrorId);
    }

    [Fact]
    public void Passwords_are_not_shown()
    {
        var file = Parse("FTP_PASSWORD=secret$X\nFTP=h:/x\nSSH=$Y\n");
        Assert.DoesNotContain("secret", string.Join("|", file.Problems) + string.Join("|", file.Targets), StringComparison.Ordinal);
    }

    [Fact]
    public void Parsing_and_printing_is_the_identity() =>
        DocumentGen.Check(DocumentGen.Any(Pieces), bytes => KdumpToolsDefaults.Parse(bytes).ToBytes().AsSpan().SequenceEqual(bytes), 1000);

    [Fact]
    public void An_edit_does_not_uncover_a_line_that_systemd_did_not_see()
    {
        // For older versions of systemd the comment goes on in the next line, so its USE_KDUMP is another one than that of sh.
        var file = KdumpToolsDefaults.Parse("USE_KDUMP=1\nMAKEDUMP_ARGS=\"-l -d 17\" # c\\\nUSE_KDUMP=\"1\" # on \n"u8);
        KdumpToolsDefaults Set(KdumpToolsDefaults from) => from.WithUseKdump(true).WithCoreCollector((DumpLevel)15, VmcoreCompression.Lzo);
        var once = Set(file);
        Assert.Equal(DocumentGen.Show(once.ToBytes()), DocumentGen.Show(Set(once).ToBytes()));
        Assert.Equal((DumpLevel)15, once.CoreCollector.DumpLevel);
    }

    [Fact]
    public void Setting_twice_is_setting_once_and_reads_back()
    {
        var gen = from bytes in DocumentGen.Any(Pieces)
                  from server in Gen.Elements("storage", "fd00::1")
                  from path in Gen.Elements<string?>("/var/crash", "/a b", null)
                  from level in Gen.Choose(0, 31)
                  select (bytes, server, path, level);
        DocumentGen.Check(gen, c =>
        {
            KdumpToolsDefaults Set(byte[] bytes) => KdumpToolsDefaults.Parse(bytes).WithNfsTarget(c.server, "/data", c.path).WithUseKdump(true)
                .WithCoreCollector((DumpLevel)c.level, VmcoreCompression.Lzo);
            try
            {
                var once = Set(c.bytes).ToBytes();
                var again = KdumpToolsDefaults.Parse(once);
                return again.Targets.Count == 1 && again.Target.SameLocation(KdumpTarget.Nfs(c.server, "/data", c.path)) && again.UseKdump &&
                    again.CoreCollector.DumpLevel == (DumpLevel)c.level && again.CoreCollector.Compression == VmcoreCompression.Lzo &&
                    Set(once).ToBytes().AsSpan().SequenceEqual(once);
            }
            catch (HostException e)
            {
                return e.ErrorId is ErrorIds.ConfigurationInvalid or ErrorIds.NotExpressible;
            }
        }, 3000);
    }
}
