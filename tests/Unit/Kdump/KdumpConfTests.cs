using System.Text;
using FsCheck.Fluent;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Kdump;

public class KdumpConfTests
{
    // The end of the file that rhkdump/kdump-utils generates.
    private const string Stock = """
        # nfs <nfs mount>
        #           - Will mount nfs to <mnt>, and copy /proc/vmcore to
        #raw /dev/vg/lv_kdump
        #nfs my.server.com:/export/tmp
        #nfs [2001:db8::1:2:3:4]:/export/tmp
        #ssh user@my.server.com
        #sshkey /root/.ssh/kdump_id_rsa
        auto_reset_crashkernel yes
        path /var/crash
        core_collector makedumpfile -l --message-level 7 -d 31
        #core_collector scp
        #failure_action shell

        """;

    private static readonly string[] Pieces =
    [
        "nfs storage:/data", "nfs storage:/data/nfs_share", "nfs4 a:/b", "net a:/b", "net u@h", "ssh u@h # old", "\tssh u@h", "raw /dev/sda1", "ext4 LABEL=x", "xfs /dev/x",
        "virtiofs tag", "path /var/crash", "path \"/var/crash\" # c", "path", "path /x\r", "core_collector makedumpfile -F -l -d 31", "core_collector \"makedumpfile -c\"", "core_collector scp",
        "dracut_args --mount \"a:/b /mnt nfs defaults\"", "dracut_args --mount \"a:/b /mnt nfs x\" --add-drivers \"ext2 ext3\"", "dracut_args --add x", "dracut_args --mount \"open",
        "dracut_args \"x y\" --mount 'a b nfs c'", "failure_action shell", "default reboot", "force_rebuild 1", "# comment", "#nfs my.server.com:/export/tmp", "", "unknown x", " ", "nfs", "nfs #x", "sshkey /k",
        "# gr\u00f6\u00dfe", "kdump_post /x#y", "nfs \"storage:/data\"#z", "blacklist x",
    ];

    private static KdumpConf Parse(string text) => KdumpConf.Parse(Encoding.UTF8.GetBytes(text));

    private static string Text(KdumpConf conf) => Encoding.UTF8.GetString(conf.ToBytes());

    [Fact]
    public void The_shipped_file_gets_an_export()
    {
        var conf = Parse(Stock);
        Assert.Empty(conf.Problems);
        Assert.Equal("local /var/crash", conf.Target.ToString());
        var set = conf.WithNfsTarget("192.168.122.1", "/data/nfs_share", "/var/crash");
        Assert.Equal(Stock.Replace("#nfs [2001:db8::1:2:3:4]:/export/tmp\n", "#nfs [2001:db8::1:2:3:4]:/export/tmp\nnfs 192.168.122.1:/data/nfs_share\n"), Text(set));
        Assert.Equal("nfs 192.168.122.1:/data/nfs_share/var/crash", set.Target.ToString());
        Assert.Same(set, set.WithNfsTarget("192.168.122.1", "/data/nfs_share", "/var/crash").WithNfsTarget("192.168.122.1", "/data//nfs_share/"));
        Assert.Equal(Stock.Replace("-l --message-level 7 -d 31", "-z --message-level 7 -d 17"), Text(conf.WithCoreCollector((DumpLevel)17, VmcoreCompression.Zstd)));
        Assert.Same(conf, conf.WithCoreCollector(DumpLevel.All, VmcoreCompression.Lzo));
    }

    [Theory]
    [InlineData("ssh kdump@old.example # was here\npath /x\nsshkey /k\ncore_collector makedumpfile -F -l -d 31\n",
        "nfs storage:/data # was here\npath /var/crash\nsshkey /k\ncore_collector makedumpfile -l -d 31\n")]
    [InlineData("\text4 LABEL=dumps", "\tnfs storage:/data")]
    [InlineData("nfs4 storage:/data\n", "nfs storage:/data\n")]
    [InlineData("a b\nraw /dev/vg/x #c\n\nnet u@h # d\nnfs storage:/data\n", "a b\nnfs storage:/data #c\n\n# d\n")]
    [InlineData("dracut_args --mount \"old:/x /mnt nfs defaults\"\npath /var/crash\n", "nfs storage:/data\npath /var/crash\n")]
    [InlineData("dracut_args --mount \"old:/x /mnt nfs defaults\" --omit-drivers \"cfg80211 snd\" # c\n", "nfs storage:/data\ndracut_args --omit-drivers \"cfg80211 snd\" # c\n")]
    [InlineData("dracut_args --add-drivers \"ext2 ext3\" --mount \"old:/x /mnt nfs defaults\"\n", "nfs storage:/data\ndracut_args --add-drivers \"ext2 ext3\"\n")]
    [InlineData("nfs \"storage:/old/\" \npath \"/x\" # c\r\n", "nfs \"storage:/data\" \npath \"/var/crash\" # c\r\n")]
    [InlineData("nfs storage:/data\r\n#\r\npath /var/crash\r\n", "nfs storage:/data\n#\r\npath /var/crash\n")]
    [InlineData("", "nfs storage:/data\n")]
    [InlineData("extra_bins x", "extra_bins x\nnfs storage:/data\n")]
    [InlineData("path /a\npath /b # two\n", "path /b # two\nnfs storage:/data\n")]
    public void Any_other_target_is_replaced_in_its_place(string before, string after)
    {
        var path = before.Contains("/b # two", StringComparison.Ordinal) ? null : "/var/crash";
        var set = Parse(before).WithNfsTarget("storage", "/data", path);
        Assert.Equal(path is null ? "path /a\npath /b # two\nnfs storage:/data\n" : after, Text(set));
    }

    [Fact]
    public void A_path_given_twice_becomes_one() =>
        Assert.Equal("path /c # two\nnfs storage:/data\n", Text(Parse("path /a\npath /b # two\n").WithNfsTarget("storage", "/data", "/c")));

    [Fact]
    public void IPv6_servers_stand_in_brackets()
    {
        var set = Parse(Stock).WithNfsTarget("fd00::1", "/x", "/");
        Assert.Contains("\nnfs [fd00::1]:/x\n", Text(set), StringComparison.Ordinal);
        Assert.Equal("nfs [fd00::1]:/x", set.Target.ToString());
    }

    [Theory]
    [InlineData("nfs a:/b # x \n", "nfs", "a:/b")]
    [InlineData("  nfs\t a:/b  \n", "nfs", "a:/b")]
    [InlineData("path \"/a b\"", "path", "/a b")]
    [InlineData("path \"/a\" \"b\"", "path", "/a\" \"b")]
    [InlineData("path \"/a # b\"\n", "path", "\"/a")]
    [InlineData("path '/a'\n", "path", "'/a'")]
    [InlineData("path /a\\\n", "path", "/a\\")]
    [InlineData("path /a\npath /b", "path", "/b")]
    [InlineData("path \"\n", "path", "\"")]
    [InlineData("kdump_post /x#y\n", "kdump_post", "/x")]
    public void Values_are_read_as_the_tools_read_them(string text, string directive, string value) => Assert.Equal(value, Parse(text).Get(directive));

    [Theory]
    [InlineData("nfs a:/b\nssh u@h\n", ConfigProblemIds.SeveralTargets, "1,2", "More than one dump targets specified")]
    [InlineData("nfs a:/b\ndracut_args --mount \"x y nfs z\"\n", ConfigProblemIds.SeveralTargets, "1,2", "More than one dump targets specified")]
    [InlineData("path /a\n\npath /a\n", ConfigProblemIds.DuplicateDirective, "1,3", "Duplicated kdump config value of option path")]
    [InlineData("net a:/b\n", ConfigProblemIds.DeprecatedDirective, "1", "Deprecated kdump config option: net. Refer to kdump.conf manpage for alternatives.")]
    [InlineData("#\nnfs4 a:/b\n", ConfigProblemIds.InvalidDirective, "2", "Invalid kdump config option nfs4")]
    [InlineData("path # none\n", ConfigProblemIds.EmptyValue, "1", "Invalid kdump config value for option 'path'")]
    [InlineData("nfs\n", ConfigProblemIds.EmptyValue, "1", "Invalid kdump config value for option '_target'")]
    [InlineData("dracut_args --mount=x\n", ConfigProblemIds.EmptyValue, "1", "Invalid kdump config value for option '_fstype'")]
    [InlineData("dracut_args --mount \"a b nfs c\" --mount \"d e nfs f\"\n", ConfigProblemIds.SeveralMounts, "1", "Multiple mount targets specified in one \"dracut_args\".")]
    [InlineData("failure_action panic\n", ConfigProblemIds.InvalidValue, "1", "Usage kdump.conf: failure_action {reboot|halt|poweroff|shell|dump_to_rootfs}")]
    [InlineData("final_action shell\n", ConfigProblemIds.InvalidValue, "1", "Usage kdump.conf: final_action {reboot|halt|poweroff}")]
    [InlineData("force_rebuild yes\n", ConfigProblemIds.InvalidValue, "1", "Error: force_rebuild value is invalid")]
    [InlineData("force_no_rebuild 1\nforce_rebuild 1\n", ConfigProblemIds.InvalidValue, "1,2", "Error: force_rebuild and force_no_rebuild are enabled simultaneously in kdump.conf")]
    [InlineData("ssh host\n", ConfigProblemIds.SshUserMissing, "1", "Please verify that /etc/kdump.conf contains 'ssh <user>@<host>' and that it is properly formatted.")]
    [InlineData("default shell\n", ConfigProblemIds.OldDirective, "1", "Option 'default' was renamed 'failure_action' and will be removed in the future.")]
    [InlineData("path /x\r\n", ConfigProblemIds.CarriageReturn, "1", "the value of path ends in a carriage return, which the tools take as part of it")]
    public void What_kdumpctl_refuses_is_told_in_its_words(string text, string id, string lines, string words)
    {
        var problem = Assert.Single(Parse(text).Problems);
        Assert.Equal((id, lines, words), (problem.Id, string.Join(",", problem.Lines), problem.Words));
        Assert.Equal(id != ConfigProblemIds.OldDirective, problem.Refused);
    }

    [Theory]
    [InlineData("nfs4 a:/b", "nfs a:/b/var/crash")]
    [InlineData("net a:/b\npath /", "nfs a:/b")]
    [InlineData("net u@h", "ssh u@h:/var/crash")]
    [InlineData("ssh u@2001:db8::1", "ssh u@[2001:db8::1]:/var/crash")]
    [InlineData("raw /dev/x", "raw /dev/x")]
    [InlineData("ext4 UUID=1", "UUID=1:/var/crash")]
    [InlineData("dracut_args --mount \"a:/b /mnt nfs defaults\"\npath /c", "nfs a:/b/c")]
    [InlineData("virtiofs myfs", "virtiofs myfs:/var/crash")]
    [InlineData("path /mnt//dumps/", "local /mnt/dumps")]
    public void Old_and_hidden_targets_are_understood(string text, string target) => Assert.Equal(target, Parse(text).Target.ToString());

    [Fact]
    public void Defaults_are_those_of_the_tools()
    {
        var conf = Parse("");
        Assert.Equal("makedumpfile -l --message-level 7 -d 31", conf.CoreCollector.ToString());
        Assert.Equal(("/var/crash", "reboot", "reboot"), (conf.DumpPath, conf.FailureAction, conf.FinalAction));
        Assert.True(Parse("ssh u@h").CoreCollector.Flattened);
        Assert.Equal("halt", Parse("default halt").FailureAction);
    }

    [Theory]
    [InlineData("/a b")]
    [InlineData("/a#b")]
    [InlineData("/a:/b")]
    public void What_the_grammar_cannot_hold_is_refused(string path)
    {
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => Parse("").WithNfsTarget("s", path, "/x")).ErrorId);
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => Parse("").WithNfsTarget("s", "/x", path)).ErrorId);
    }

    [Fact]
    public void A_file_with_a_NUL_is_not_edited()
    {
        var conf = Parse("path /x\n\0");
        Assert.Equal(ConfigProblemIds.NotText, Assert.Single(conf.Problems).Id);
        Assert.Equal(ErrorIds.ConfigurationInvalid, Assert.Throws<HostException>(() => conf.WithNfsTarget("s", "/x")).ErrorId);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_survive_an_edit()
    {
        byte[] bytes = [.. "# gr"u8, 0xf6, .. "\ncore_collector makedumpfile --config /x"u8, 0xff, .. " -d 1\n"u8];
        var set = KdumpConf.Parse(bytes).WithCoreCollector(DumpLevel.All, null).WithNfsTarget("s", "/x");
        Assert.Equal([.. "# gr"u8, 0xf6, .. "\ncore_collector makedumpfile --config /x"u8, 0xff, .. " -d 31\nnfs s:/x\n"u8], set.ToBytes());
    }

    [Fact]
    public void Parsing_and_printing_is_the_identity() =>
        DocumentGen.Check(DocumentGen.Any(Pieces), bytes => KdumpConf.Parse(bytes).ToBytes().AsSpan().SequenceEqual(bytes), 2000);

    [Fact]
    public void Setting_twice_is_setting_once_and_reads_back()
    {
        var gen = from bytes in DocumentGen.Any(Pieces)
                  from server in Gen.Elements("storage", "192.168.122.1", "fd00::1")
                  from export in Gen.Elements("/data", "/data/nfs_share", "/")
                  from path in Gen.Elements<string?>("/var/crash", "/", "/a/b", null)
                  select (bytes, server, export, path);
        DocumentGen.Check(gen, c =>
        {
            try
            {
                var once = KdumpConf.Parse(c.bytes).WithNfsTarget(c.server, c.export, c.path);
                var again = KdumpConf.Parse(once.ToBytes());
                return again.Targets.Count == 1 && again.Target.SameLocation(KdumpTarget.Nfs(c.server, c.export, c.path ?? again.DumpPath)) &&
                    !again.CoreCollector.Flattened && !again.Problems.Any(p => p.Id is ConfigProblemIds.SeveralTargets or ConfigProblemIds.SeveralMounts) &&
                    again.WithNfsTarget(c.server, c.export, c.path).ToBytes().AsSpan().SequenceEqual(once.ToBytes());
            }
            catch (HostException e)
            {
                return e.ErrorId == ErrorIds.ConfigurationInvalid;
            }
        }, 3000);
    }
}
