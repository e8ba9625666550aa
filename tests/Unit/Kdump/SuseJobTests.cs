using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Kdump;

/// <summary>The job of a change on a SUSE host, with this machine's sh and stand-ins for mkdumprd and systemctl in a directory of the test's own.</summary>
public sealed class SuseJobTests : IDisposable
{
    private const string Before = "KDUMP_SAVEDIR=\"ftp://old/x\"\n";
    private const string After = "KDUMP_SAVEDIR=\"ftp://new/x\"\n";

    private readonly Tool.TempDirectory _host = Tool.Directory();

    public SuseJobTests()
    {
        _host.Write("etc/kdump", Encoding.UTF8.GetBytes(Before));
        _host.Write("loaded", "1\n"u8.ToArray());
        _host.Write("initrd", "old"u8.ToArray());
        // What was called, in which order, and with what in the file.
        Program("mkdumprd", "echo \"mkdumprd $* $(cat HOST/etc/kdump)\" >>HOST/calls; [ ! -e HOST/broken ] || { echo 'dracut: no space'; exit 1; }; cp HOST/etc/kdump HOST/initrd");
        Program("systemctl", "case $1 in is-active) exit 0 ;; restart) echo \"restart $2 $(cat HOST/initrd)\" >>HOST/calls; [ ! -e HOST/refuses ] || ! grep -q new HOST/etc/kdump ;; status) echo 'kdump: said no' ;; esac");
    }

    public void Dispose() => _host.Dispose();

    private void Program(string name, string text)
    {
        var file = _host.Write("bin/" + name, Encoding.UTF8.GetBytes("#!/bin/sh\n" + text.Replace("HOST", _host.Path, StringComparison.Ordinal) + "\n"));
        Assert.Equal(0, Tool.Run("chmod", ["755", file]).Status);
    }

    private HostReply Run()
    {
        // A restore to a target that nothing can be asked about from here: the job begins with the file.
        var facts = new FactsOf(HostFamily.Suse, Before).WithBackups(("20260101T000000Z", After)).Make();
        var plan = KdumpTargetPlan.Create(facts, RestoreRequest.Create(null, false));
        var text = TargetChangeJob.Compose(plan).Replace("/run/kdumpnfs/job", _host.Path + "/job", StringComparison.Ordinal)
            .Replace("/etc/sysconfig/kdump", _host.Path + "/etc/kdump", StringComparison.Ordinal)
            .Replace("/sys/kernel/kexec_crash_loaded", _host.Path + "/loaded", StringComparison.Ordinal)
            .Replace("/var/lib/kdump/initrd", _host.Path + "/initrd", StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(_host.Path, "job"));
        var script = _host.Write("script", Encoding.UTF8.GetBytes(text));
        var (_, output) = Tool.Run("/bin/sh", ["-c", $"/bin/sh {script} 3>&1 >/dev/null"], [], ("PATH", _host.Path + "/bin:" + Environment.GetEnvironmentVariable("PATH")));
        return HostReply.Parse("web01", output);
    }

    private string Read(string name) => File.ReadAllText(Path.Combine(_host.Path, name));

    [Fact]
    public void The_image_is_built_while_the_old_kernel_is_loaded_and_then_the_service_is_restarted()
    {
        var reply = Run();
        Assert.Null(reply.Text("fail.id"));
        Assert.Equal($"mkdumprd -f {After}restart kdump.service {After}", Read("calls"));
        Assert.Equal(After, Read("etc/kdump"));
        Assert.True(reply.Flag("rebuilt"));
        Assert.Equal(Before, File.ReadAllText(reply.Text("backup")!));
    }

    [Fact]
    public void A_build_that_fails_leaves_the_old_file_image_and_kernel()
    {
        _host.Write("broken", []);
        var reply = Run();
        Assert.Equal(ErrorIds.ChangeRolledBack, reply.Text("fail.id"));
        Assert.Contains("no space", reply.Text("fail.said"), StringComparison.Ordinal);
        Assert.Equal((Before, "old"), (Read("etc/kdump"), Read("initrd")));
        Assert.Equal($"mkdumprd -f {After}", Read("calls"));
        Assert.Empty(Directory.GetFiles(Path.Combine(_host.Path, "etc"), "*.bak"));
    }

    [Fact]
    public void A_service_that_fails_gets_its_old_image_back()
    {
        _host.Write("refuses", []);
        var reply = Run();
        Assert.Equal(ErrorIds.ChangeRolledBack, reply.Text("fail.id"));
        Assert.Contains("kdump: said no", reply.Text("fail.said"), StringComparison.Ordinal);
        Assert.Equal((Before, Before), (Read("etc/kdump"), Read("initrd")));
        Assert.EndsWith($"mkdumprd -f {Before}restart kdump.service {Before}", Read("calls"), StringComparison.Ordinal);
    }
}
