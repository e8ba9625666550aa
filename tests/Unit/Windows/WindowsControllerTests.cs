using KdumpNfs.Collection;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Config;
using KdumpNfs.Ssh.OpenSsh;

namespace KdumpNfs.Tests.Unit.Windows;

/// <summary>What is decided for Windows as the controller, as far as it can be seen without one. Names of files: LocalNameTests.</summary>
public sealed class WindowsControllerTests
{
    private static string[] Options(bool windows, SshOptions? options = null) =>
        [.. OpenSshArguments.Build(new SshHost("web01"), options ?? new SshOptions(), "sh", windows: windows)];

    [Fact]
    public void Windows_ssh_is_kept_from_masters_that_it_does_not_have()
    {
        Assert.Contains("ControlMaster=no", Options(windows: true));
        Assert.Contains("ControlPath=none", Options(windows: true));
        // Elsewhere a master of the user's is welcome.
        Assert.DoesNotContain("ControlPath=none", Options(windows: false));
    }

    [Theory]
    [InlineData(true, "NUL")]
    [InlineData(false, "/dev/null")]
    public void Nothing_is_remembered_in_the_file_that_is_none(bool windows, string nothing)
    {
        var options = Options(windows, new SshOptions { HostKeyPolicy = HostKeyPolicy.Off });
        Assert.Contains("UserKnownHostsFile=" + nothing, options);
        Assert.Contains("GlobalKnownHostsFile=" + nothing, options);
    }

    [Theory]
    [InlineData(true, @"C:\Users\Kim Lee\.ssh\id_ed25519", "\"C:/Users/Kim Lee/.ssh/id_ed25519\"")]
    [InlineData(true, @"\\files\keys\100%\id", "\"//files/keys/100%%/id\"")]
    [InlineData(false, @"/home/kim/a\b", "\"/home/kim/a\\\\b\"")]
    public void A_path_is_one_word_for_ssh(bool windows, string path, string word) => Assert.Equal(word, OpenSshArguments.Quote(path, windows));

    [Fact]
    public void Home_may_be_followed_by_either_slash_on_Windows()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(Path.Combine(home, "id"), SshConfig.ExpandHome(@"~\id", windows: true));
        Assert.Equal(Path.Combine(home, "id"), SshConfig.ExpandHome("~/id", windows: true));
        Assert.Equal(@"~\id", SshConfig.ExpandHome(@"~\id", windows: false));
    }

    [Fact]
    public void What_was_fetched_is_for_its_owner_the_system_and_administrators() =>
        Assert.Equal("D:P(A;OICI;FA;;;S-1-5-21-1-2-3-1001)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", WindowsAccess.OwnerOnly("S-1-5-21-1-2-3-1001"));

    [Fact]
    public void Scripts_reach_hosts_with_their_line_ends_whatever_checked_them_out()
    {
        Assert.Equal("a\nb\n", HostScript.HostLines("a\r\nb\r\n"));
        foreach (var name in typeof(HostException).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(".sh", StringComparison.Ordinal)))
        {
            Assert.DoesNotContain('\r', HostScript.Read(name[..^3]));
        }
    }

    [Fact]
    public void Files_of_Windows_editors_are_read_as_any_other()
    {
        var folder = Directory.CreateTempSubdirectory("kdumpnfs-crlf-").FullName;
        try
        {
            var file = Path.Combine(folder, "config");
            File.WriteAllText(file, "Host web*\r\n  User kim\r\n  Port 2222\r\n");
            var host = SshConfig.Load(file).Resolve(new SshHost("web01"), new SshOptions { ConfigFile = file });
            Assert.Equal(("kim", 2222), (host.UserName, host.Port));
            var known = Path.Combine(folder, "known_hosts");
            File.WriteAllText(known, "web01 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Yl0ZVMBhsPFhMTFvSjJKbmoNSZ8aGEd1Fh3ZVbYPm\r\n");
            Assert.True(KnownHosts.Load([known]).HasKey("web01", 22));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
