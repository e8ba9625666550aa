using KdumpNfs.Kdump;

namespace KdumpNfs.Tests.Unit.Kdump;

public class TargetInputTests
{
    [Theory]
    [InlineData("storage", "storage")]
    [InlineData("store-1.example.com", "store-1.example.com")]
    [InlineData("192.168.122.1", "192.168.122.1")]
    [InlineData("fd00::1", "fd00::1")]
    [InlineData("[FD00:0:0::1]", "fd00::1")]
    public void Servers(string server, string expected) => Assert.Equal(expected, TargetInput.CheckServer(server));

    [Theory]
    [InlineData("")]
    [InlineData(" storage")]
    [InlineData("sto rage")]
    [InlineData("-storage")]
    [InlineData("storage:/x")]
    [InlineData("store/x")]
    [InlineData("a\nb")]
    [InlineData("a#b")]
    [InlineData("\"a\"")]
    [InlineData("a..b")]
    [InlineData(".")]
    [InlineData("10.1")]
    [InlineData("256.1.1.1")]
    [InlineData("010.1.1.1")]
    [InlineData("[storage]")]
    [InlineData("[fd00::1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("fd00::1/64")]
    [InlineData("[fd00::1]:2049")]
    [InlineData("städte.example")]
    public void Servers_that_no_host_could_use(string server)
    {
        var e = Assert.Throws<HostException>(() => TargetInput.CheckServer(server));
        Assert.Equal(ErrorIds.InvalidInput, e.ErrorId);
        Assert.NotNull(e.Remedy);
    }

    [Theory]
    [InlineData("/data/nfs_share", "/data/nfs_share")]
    [InlineData("//data///x/", "/data/x")]
    [InlineData("/", "/")]
    [InlineData("/my data/x", "/my data/x")]
    [InlineData("/./a/.b", "/a/.b")]
    [InlineData("/größe", "/größe")]
    public void Directories(string path, string expected) => Assert.Equal(expected, TargetInput.CheckDirectory(path, "export"));

    [Theory]
    [InlineData("")]
    [InlineData("data")]
    [InlineData("/a/../b")]
    [InlineData("/a\nb")]
    [InlineData("/a\tb")]
    [InlineData("/a\0")]
    [InlineData("/a\u2028b")]
    [InlineData("/a'b")]
    [InlineData("/$HOME")]
    [InlineData("/a\\b")]
    [InlineData("/a ")]
    public void Directories_that_no_host_could_use(string path) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => TargetInput.CheckDirectory(path, "dump path")).ErrorId);

    [Fact]
    public void Half_a_character_is_refused() => Directories_that_no_host_could_use("/a" + (char)0xd800);

    [Fact]
    public void A_joined_target_and_a_split_one_are_the_same_place()
    {
        var split = KdumpTarget.Nfs("Storage", "/data/nfs_share/", "/var/crash");
        var joined = KdumpTarget.ParseNfs("storage:/data//nfs_share/var/crash", null);
        Assert.True(split.SameLocation(joined));
        Assert.Equal("nfs storage:/data/nfs_share/var/crash", joined.ToString());
        Assert.True(KdumpTarget.ParseNfs("[FD00::0:1]:/x", "/y").SameLocation(KdumpTarget.Nfs("fd00::1", "/x/y", null)));
        Assert.Equal("[fd00::1]:/x/y", KdumpTarget.Nfs("fd00::1", "/x/y", null).Location);
        Assert.False(split.SameLocation(KdumpTarget.ParseSsh("root@storage", "/data/nfs_share/var/crash")));
        Assert.False(split.SameLocation(null));
    }

    [Theory]
    [InlineData("fd00::1:/x")]
    [InlineData("[fd00::1:/x")]
    [InlineData("[]:/x")]
    [InlineData("host:x")]
    [InlineData(":/x")]
    [InlineData("host")]
    public void What_mount_would_not_understand_has_no_store(string text)
    {
        var target = KdumpTarget.ParseNfs(text, "/var/crash");
        Assert.Null(target.Store);
        Assert.Equal(text, target.Location);
    }

    [Theory]
    [InlineData("storage:/data", "nfs4", "/mnt/dumps", "/mnt/dumps/crash", "nfs storage:/data/crash")]
    [InlineData("storage:/data", "nfs", "/var/crash", "/var/crash/", "nfs storage:/data")]
    [InlineData("/dev/vda1", "ext4", "/", "/var/crash", "local /var/crash")]
    [InlineData("tag", "virtiofs", "/", "/var/crash", "virtiofs tag:/var/crash")]
    public void A_path_on_a_mounted_share_is_on_that_share(string source, string type, string mountPoint, string path, string expected) =>
        Assert.Equal(expected, KdumpTarget.OnMount(source, type, mountPoint, path).ToString());
}
