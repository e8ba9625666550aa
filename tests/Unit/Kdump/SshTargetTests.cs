using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Kdump;

public class SshTargetTests
{
    private const string Key = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    private const string Other = "AAAAC3NzaC1lZDI1NTE5AAAAIBBBqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    private static SshTargetRequest Request(string user = "kdump", string path = "/dumps", string? key = null, string server = "Storage", DumpKeyLimit limit = DumpKeyLimit.Commands, params string[] from) =>
        SshTargetRequest.Create(server, user, path, key, from, limit, false, false, CaptureOptions.None);

    private static string Content(HostFamily family, string before, TargetRequest request)
    {
        var first = request.Content(new FactsOf(family, before).Make());
        Assert.Equal(first, request.Content(new FactsOf(family, Encoding.UTF8.GetString(first)).Make()));
        return Encoding.UTF8.GetString(first);
    }

    [Fact]
    public void Kdump_conf_gets_the_target_and_a_stream()
    {
        var text = Content(HostFamily.RedHat, "nfs storage:/data # x\npath /var/crash\ncore_collector makedumpfile -l --message-level 7 -d 31\n", Request());
        Assert.Equal("ssh kdump@storage # x\npath /dumps\ncore_collector makedumpfile -F -l --message-level 7 -d 31\n", text);
        var conf = KdumpConf.Parse(Encoding.UTF8.GetBytes(text));
        Assert.Empty(conf.Problems);
        Assert.Equal("kdump@storage:/dumps", conf.Target.Location);
    }

    [Fact]
    public void The_default_collector_of_ssh_targets_is_a_stream_already() =>
        Assert.Equal("path /dumps\nssh kdump@fd00::1\n", Content(HostFamily.RedHat, "path /var/crash\n", Request(server: "[fd00::1]")));

    [Fact]
    public void Another_key_is_named()
    {
        Assert.Equal("ssh kdump@storage\nsshkey /etc/kdump/key\npath /dumps\n", Content(HostFamily.RedHat, "ssh a@b\nsshkey /root/.ssh/old\npath /dumps\n", Request(key: "/etc/kdump/key")));
        Assert.Contains("SSH_KEY=\"/etc/kdump/key\"", Content(HostFamily.Debian, "USE_KDUMP=1\n", Request(key: "/etc/kdump/key")), StringComparison.Ordinal);
    }

    [Fact]
    public void Debian_gets_account_and_directory() =>
        Assert.Equal("USE_KDUMP=1\nKDUMP_COREDIR=\"/dumps\"\n#NFS=\"s:/x\"\n#SSH=\"<user at server>\"\nSSH=\"kdump@storage\"\n",
            Content(HostFamily.Debian, "USE_KDUMP=1\nKDUMP_COREDIR=\"/var/crash\"\nNFS=\"s:/x\"\n#SSH=\"<user at server>\"\n", Request()));

    [Fact]
    public void The_servers_directory_is_no_mount_point_of_the_host()
    {
        const string Ssh = "USE_KDUMP=1\nKDUMP_COREDIR=\"/dumps\"\nSSH=\"kdump@storage\"\n";
        Assert.Equal("USE_KDUMP=1\nKDUMP_COREDIR=\"/var/crash\"\n#SSH=\"kdump@storage\"\nNFS=\"storage:/data\"\n",
            Content(HostFamily.Debian, Ssh, NfsTargetRequest.Create("storage", "/data", null, null, null, false)));
        Assert.Equal("USE_KDUMP=1\nKDUMP_COREDIR=\"/var/crash\"\n#SSH=\"kdump@storage\"\n",
            Content(HostFamily.Debian, Ssh, LocalTargetRequest.Create(null, null, null, CaptureOptions.None, false)));
        Assert.Contains("KDUMP_COREDIR=\"/own\"", Content(HostFamily.Debian, "USE_KDUMP=1\nKDUMP_COREDIR=\"/own\"\nNFS=\"a:/b\"\n",
            NfsTargetRequest.Create("storage", "/data", null, null, null, false)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("root", "/dumps", "")]
    [InlineData("Kdump", "/dumps", "")]
    [InlineData("k d", "/dumps", "")]
    [InlineData("kdump", "/my dumps", "")]
    [InlineData("kdump", "/dumps;x", "")]
    [InlineData("kdump", "/", "")]
    [InlineData("kdump", "dumps", "")]
    [InlineData("kdump", "/dumps", "a\"b")]
    [InlineData("kdump", "/dumps", "a b")]
    public void What_no_host_could_use_is_refused(string user, string path, string from) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Request(user, path, from: from.Length == 0 ? [] : [from])).ErrorId);

    [Fact]
    public void The_key_is_limited()
    {
        Assert.Equal($"restrict,from=\"192.0.2.7\",command=\"/usr/local/sbin/kdumpnfs-receive /dumps\" ssh-ed25519 {Key} kdumpnfs:web01:id",
            SetSshTargetOperation.Line(Request(), ["192.0.2.7"], "ssh-ed25519", Key, "kdumpnfs:web01:id"));
        Assert.Equal($"restrict ssh-ed25519 {Key} m", SetSshTargetOperation.Line(Request(limit: DumpKeyLimit.Address), [], "ssh-ed25519", Key, "m"));
    }

    [Fact]
    public void Host_keys_are_added_once_and_another_key_is_an_error()
    {
        string Add(string before, params string[] keys) => Encoding.UTF8.GetString(PinnedHostKeys.Add(Encoding.UTF8.GetBytes(before), "storage", keys, "web01") ?? "same"u8);
        Assert.Equal($"# mine\nother ssh-ed25519 {Other}\nstorage ssh-ed25519 {Key}\n", Add($"# mine\nother ssh-ed25519 {Other}", $"ssh-ed25519 {Key} root@storage"));
        Assert.Equal("same", Add($"storage,10.0.0.1 ssh-ed25519 {Key}\n", $"ssh-ed25519 {Key} root@storage"));
        var error = Assert.Throws<HostException>(() => Add($"\nstorage ssh-ed25519 {Other}\n", $"ssh-ed25519 {Key} x"));
        Assert.Equal(ErrorIds.DumpKeyFailed, error.ErrorId);
        Assert.Contains("known_hosts:2", error.Message, StringComparison.Ordinal);
        Assert.Contains("revoked", Assert.Throws<HostException>(() => Add($"@revoked storage ssh-ed25519 {Key}\n", $"ssh-ed25519 {Key} x")).Message, StringComparison.Ordinal);
        Assert.Equal(ErrorIds.DumpKeyFailed, Assert.Throws<HostException>(() => Add("")).ErrorId);
    }
}

/// <summary>The script that limits dump keys, run by this machine's sh with the commands that the tools of kdump send.</summary>
public sealed class ReceiverTests : IDisposable
{
    private readonly Tool.TempDirectory _folder = Tool.Directory();
    private readonly string _script;
    private readonly string _dumps;

    public ReceiverTests()
    {
        _script = _folder.Write("kdumpnfs-receive", Encoding.UTF8.GetBytes(HostScript.Read("kdumpnfs-receive")));
        _dumps = Path.Combine(_folder.Path, "dumps");
        Directory.CreateDirectory(_dumps);
    }

    public void Dispose() => _folder.Dispose();

    private int Ask(string command, string input = "") =>
        Tool.Run("/bin/sh", [_script, _dumps], Encoding.UTF8.GetBytes(input), ("SSH_ORIGINAL_COMMAND", command.Replace("DIR", _dumps, StringComparison.Ordinal)), ("HOME", "/nonexistent")).Status;

    [Fact]
    public void What_kdump_utils_sends_is_served()
    {
        // mkdumprd and kdumpctl, then dump_ssh of kdump.sh; the path that ends in a slash is DEFAULT_PATH.
        Assert.Equal(0, Ask("mkdir -p DIR/"));
        var (status, output) = Tool.Run("/bin/sh", [_script, _dumps], [], ("SSH_ORIGINAL_COMMAND", $"mktemp -dqp {_dumps}"));
        Assert.Equal(0, status);
        Assert.Equal(0, Ask("rmdir " + Encoding.UTF8.GetString(output).Trim()));
        Assert.Equal(0, Ask("df --output=avail DIR"));
        Assert.Equal(0, Ask("mkdir -p DIR/192.0.2.7-2026-11-22-10:11:12"));
        Assert.Equal(0, Ask("umask 0077 && dd of='DIR/192.0.2.7-2026-11-22-10:11:12/vmcore-dmesg-incomplete.txt'", "words"));
        Assert.Equal(0, Ask("mv DIR/192.0.2.7-2026-11-22-10:11:12/vmcore-dmesg-incomplete.txt DIR/192.0.2.7-2026-11-22-10:11:12/vmcore-dmesg.txt"));
        Assert.Equal(0, Ask("umask 0077 && dd bs=512 of='DIR/192.0.2.7-2026-11-22-10:11:12/vmcore-incomplete'", "core"));
        Assert.Equal(0, Ask("mv 'DIR/192.0.2.7-2026-11-22-10:11:12/vmcore-incomplete' 'DIR/192.0.2.7-2026-11-22-10:11:12/vmcore.flat'"));
        Assert.Equal("core", File.ReadAllText(Path.Combine(_dumps, "192.0.2.7-2026-11-22-10:11:12", "vmcore.flat")));
        Assert.Equal("600\n"u8.ToArray(), Tool.Run("stat", ["-c", "%a", Path.Combine(_dumps, "192.0.2.7-2026-11-22-10:11:12", "vmcore.flat")]).Output);
        Assert.Equal(0, Ask("mkdir -p DIR/kdump-test-1"));
        Assert.Equal(0, Ask("echo success kdump_test_id=1 > DIR/kdump-test-1/vmcore-creation.status"));
        Assert.Equal("success kdump_test_id=1\n", File.ReadAllText(Path.Combine(_dumps, "kdump-test-1", "vmcore-creation.status")));
    }

    [Fact]
    public void What_kdump_tools_sends_is_served()
    {
        Assert.Equal(0, Ask("mkdir -p DIR/192.0.2.7-202611221011"));
        Assert.Equal(0, Ask("dd of=DIR/192.0.2.7-202611221011/dump-incomplete", "core"));
        Assert.Equal(0, Ask("mv DIR/192.0.2.7-202611221011/dump-incomplete DIR/192.0.2.7-202611221011/dump.202611221011"));
        Assert.True(File.Exists(Path.Combine(_dumps, "192.0.2.7-202611221011", "dump.202611221011")));
    }

    [Fact]
    public void What_suses_kdump_save_sends_is_served()
    {
        string Save(string file) => $"umask 077; mkdir -p DIR/web01-2026-11-22-10-11 && cat > DIR/web01-2026-11-22-10-11/{file}";
        Assert.Equal(0, Ask(Save("README.txt"), "first"));
        Assert.Equal(0, Ask(Save("vmcore"), "core"));
        Assert.Equal(0, Ask(Save("README.txt"), "second"));
        Assert.Equal("second", File.ReadAllText(Path.Combine(_dumps, "web01-2026-11-22-10-11", "README.txt")));
        Assert.Equal(126, Ask(Save("vmcore"), "harm"));
        Assert.Equal(126, Ask("umask 077; mkdir -p DIR/x && cat > /tmp/kdumpnfs-elsewhere", "harm"));
        Assert.Equal("core", File.ReadAllText(Path.Combine(_dumps, "web01-2026-11-22-10-11", "vmcore")));
    }

    [Fact]
    public void The_check_before_a_change_is_served()
    {
        Assert.Equal(0, Ask("umask 0077 && dd bs=512 of='DIR/.kdumpnfs-probe-1-incomplete'", "probe"));
        Assert.Equal(0, Ask("mv 'DIR/.kdumpnfs-probe-1-incomplete' 'DIR/.kdumpnfs-probe-1'"));
        Assert.Equal(0, Ask("rm -f DIR/.kdumpnfs-probe-1"));
        Assert.Empty(Directory.GetFileSystemEntries(_dumps));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sh")]
    [InlineData("cat DIR/kept")]
    [InlineData("rm -f DIR/kept")]
    [InlineData("rm -rf DIR")]
    [InlineData("dd of=DIR/kept")]
    [InlineData("dd if=DIR/kept of=DIR/x")]
    [InlineData("dd of=/etc/x-incomplete")]
    [InlineData("dd of=DIR/../x")]
    [InlineData("dd of=DIRx/y")]
    [InlineData("dd of=DIR/link")]
    [InlineData("dd of=DIR/x; id")]
    [InlineData("dd of=DIR/$(id)")]
    [InlineData("dd of=DIR/`id`")]
    [InlineData("dd of=DIR/x\nid")]
    [InlineData("umask 0077 && id")]
    [InlineData("umask 0077 && rm -f DIR/kept")]
    [InlineData("mv DIR/kept DIR/other")]
    [InlineData("mv DIR/x-incomplete DIR/kept")]
    [InlineData("mv DIR/x-incomplete /tmp/out")]
    [InlineData("mv DIR/x-incomplete DIR/sub")]
    [InlineData("mkdir -p /tmp/kdumpnfs-nothing")]
    [InlineData("mkdir -m 777 DIR/x")]
    [InlineData("scp -f DIR/kept")]
    [InlineData("scp -r -t DIR")]
    [InlineData("scp -t /etc/x")]
    [InlineData("scp -S x -t DIR")]
    [InlineData("df --output=avail /")]
    [InlineData("mktemp -dqp /tmp")]
    [InlineData("echo pwned > DIR/kept")]
    [InlineData("echo success kdump_test_id=1 > DIR/kept")]
    public void Everything_else_is_refused(string command)
    {
        File.WriteAllText(Path.Combine(_dumps, "kept"), "a dump");
        File.WriteAllText(Path.Combine(_dumps, "x-incomplete"), "");
        Directory.CreateDirectory(Path.Combine(_dumps, "sub"));
        File.CreateSymbolicLink(Path.Combine(_dumps, "link"), "/tmp/kdumpnfs-elsewhere");
        var before = Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(126, Ask(command, "harm"));
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
        Assert.Equal("a dump", File.ReadAllText(Path.Combine(_dumps, "kept")));
        Assert.False(Path.Exists("/tmp/kdumpnfs-elsewhere"));
    }

    [Fact]
    public void Files_over_sftp_need_a_home_that_the_account_cannot_write()
    {
        Assert.Equal(126, Tool.Run("/bin/sh", [_script, _dumps], [], ("SSH_ORIGINAL_COMMAND", "internal-sftp"), ("HOME", _folder.Path)).Status);
    }
}
