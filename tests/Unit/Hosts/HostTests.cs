using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Hosts;

public sealed class HostTests
{
    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("-oProxyCommand=x")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("$(reboot)")]
    [InlineData("a;b")]
    public void Odd_host_names_are_refused(string name) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new SshHost(name).Validated()).ErrorId);

    [Theory]
    [InlineData(0)]
    [InlineData(70000)]
    [InlineData(-1)]
    public void Odd_ports_are_refused(int port) =>
        Assert.Contains(port.ToString(System.Globalization.CultureInfo.InvariantCulture), Assert.Throws<HostException>(() => new SshHost("h", Port: port).Validated()).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_key_file_is_refused() =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new SshHost("h", KeyFilePath: "/no/such/key").Validated()).ErrorId);

    [Theory]
    [InlineData("web01")]
    [InlineData("127.0.0.1")]
    [InlineData("fd00::1%eth0")]
    [InlineData("web_01.example.org")]
    public void Hosts_that_can_exist_pass(string name) => Assert.Equal(name, new SshHost(name).Validated().HostName);

    [Theory]
    [InlineData("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", HostFamily.Debian, "Debian GNU/Linux 12")]
    [InlineData("NAME='Rocky Linux'\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", HostFamily.RedHat, "Rocky Linux")]
    [InlineData("ID=mydistro\nID_LIKE=ubuntu\n", HostFamily.Debian, "")]
    [InlineData("ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\n", HostFamily.Suse, "")]
    [InlineData("# nothing\n", HostFamily.Unknown, "")]
    public void Os_release_tells_the_family(string text, HostFamily family, string name)
    {
        var release = OsRelease.Parse(text);
        Assert.Equal((family, name), (release.Family, release.Name));
    }

    [Fact]
    public void The_mount_of_a_path_is_the_nearest_one_above()
    {
        var mounts = HostMount.ParseAll("/dev/vda / ext4 rw 0 0\nstore:/x\\040y /mnt/a\\040b nfs4 rw 0 0\ntmpfs /mnt tmpfs rw 0 0\nbad\n");
        Assert.Equal("/mnt/a b", HostMount.Of(mounts, "/mnt/a b/c")!.MountPoint);
        Assert.Equal("store:/x y", HostMount.Of(mounts, "/mnt/a b")!.Source);
        Assert.Equal("/mnt", HostMount.Of(mounts, "/mnt/a bc")!.MountPoint);
        Assert.Equal("/", HostMount.Of(mounts, "/mntx")!.MountPoint);
    }

    [Fact]
    public void Makedumpfile_tells_what_really_works()
    {
        var debian12 = MakedumpfileVersion.Parse("makedumpfile: version 1.7.2 (released on 20 Oct 2022)\nlzo\tenabled\nsnappy\tdisabled\nzstd\tdisabled\n\n")!;
        Assert.Equal("1.7.2", debian12.Version);
        Assert.Equal([VmcoreCompression.None, VmcoreCompression.Zlib, VmcoreCompression.Lzo], debian12.Compressions);
        Assert.Equal([VmcoreCompression.None, VmcoreCompression.Zlib], MakedumpfileVersion.Parse("sh: makedumpfile: what?")!.Compressions);
        Assert.Null(MakedumpfileVersion.Parse(null));
    }

    [Fact]
    public void Messages_have_the_hosts_words_without_its_control_characters()
    {
        var error = new HostException(ErrorIds.Unreachable, "h\u001b[31m", "It failed.") { HostSaid = "a\u001b[2Jb\r\nc\n", Remedy = "Try again." };
        Assert.DoesNotContain('\u001b', error.Message);
        Assert.Contains("\\x1b[2Jb", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Next: Try again.", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, error.Message.Split('\n').Length);
    }
}
