using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Collection;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Kdump;

/// <summary>Image trees: the real scripts with this machine's sh against a tree in a directory.</summary>
public sealed class ImageRootTests : IDisposable
{
    private const string Conf = "# golden\npath /var/crash\ncore_collector makedumpfile -l --message-level 7 -d 31\n";

    private readonly Tool.TempDirectory _tree = Tool.Directory();

    public void Dispose() => _tree.Dispose();

    private void Put(string path, string content, bool program = false)
    {
        var file = _tree.Write(path, Encoding.UTF8.GetBytes(content));
        if (program)
        {
            Assert.Equal(0, Tool.Run("chmod", ["755", file]).Status);
        }
    }

    private async Task<HostFacts> FactsAsync(params string[] more)
    {
        await using var host = new ShellConnection();
        return await HostFacts.ReadImageAsync(host, _tree.Path, more, CancellationToken.None);
    }

    private void RedHatTree()
    {
        Put("etc/os-release", "ID=rocky\nVERSION_ID=9.4\nID_LIKE=\"rhel centos fedora\"\n");
        Put("etc/machine-id", "uninitialized\n");
        Put("etc/kdump.conf", Conf);
        Put("etc/sysconfig/kdump", "KDUMP_IMG=vmlinuz\n");
        Put("usr/bin/kdumpctl", "#!/bin/bash\n# knows failure_action\n", program: true);
        Put("usr/sbin/makedumpfile", "#!/nonexistent\n", program: true);
        Put("lib/modules/5.14.0-9/kernel/x", "");
        Put("lib/modules/5.14.0-10/kernel/x", "");
    }

    [Fact]
    public async Task A_tree_is_read_as_the_host_that_it_will_be()
    {
        RedHatTree();
        var facts = await FactsAsync();
        Assert.Equal((HostFamily.RedHat, "5.14.0-10", null), (facts.Family, facts.KernelRelease, facts.MachineId));
        var plan = KdumpTargetPlan.Create(facts, NfsTargetRequest.Create("storage", "/data", "/dumps", null, null, false));
        Assert.Equal(_tree.Path + "/etc/kdump.conf", plan.Path);
        Assert.Equal((true, false), (plan.WritesFile, plan.OnlyActivates));
        Assert.Contains(plan.Warnings, w => w.Contains("kdumpctl rebuild", StringComparison.Ordinal));
        Assert.DoesNotContain(plan.Warnings, w => w.Contains("machine-id", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_machine_id_in_an_image_is_a_clone_to_be()
    {
        RedHatTree();
        Put("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        var plan = KdumpTargetPlan.Create(await FactsAsync(), NfsTargetRequest.Create("storage", "/data", null, null, null, false));
        Assert.Contains(plan.Warnings, w => w.Contains("the same machine", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Debian_needs_no_image_and_SUSE_is_read_too()
    {
        Put("etc/os-release", "ID=debian\n");
        Put("etc/default/kdump-tools", "USE_KDUMP=1\n");
        Put("usr/sbin/kdump-config", "#!/bin/sh\n", program: true);
        Put("usr/bin/makedumpfile", "#!/nonexistent\n", program: true);
        var facts = await FactsAsync();
        Assert.Equal(HostFamily.Debian, facts.Family);
        Assert.DoesNotContain(KdumpTargetPlan.Create(facts, LocalTargetRequest.Create("/dumps", null, null, CaptureOptions.None, false)).Warnings, w => w.Contains("capture image", StringComparison.Ordinal));
        File.Delete(System.IO.Path.Combine(_tree.Path, "usr/sbin/kdump-config"));
        Put("etc/sysconfig/kdump", "KDUMP_SAVEDIR=\"/var/crash\"\n");
        Put("usr/sbin/kdumptool", "#!/bin/sh\n", program: true);
        Assert.Equal("/etc/sysconfig/kdump", (await FactsAsync()).Configuration!.Path[_tree.Path.Length..]);
    }

    [Fact]
    public async Task What_is_no_tree_is_an_error()
    {
        Assert.Equal(ErrorIds.ImageRootMissing, (await Assert.ThrowsAsync<HostException>(() => FactsAsync())).ErrorId);
    }

    [Fact]
    public async Task The_job_writes_the_file_keeps_a_backup_and_stays_in_the_tree()
    {
        RedHatTree();
        var request = NfsTargetRequest.Create("storage", "/data", null, null, null, false);
        var plan = KdumpTargetPlan.Create(await FactsAsync(), request);
        Assert.Equal(0, Run(plan).Status);
        Assert.Equal(plan.NewContent.ToArray(), await File.ReadAllBytesAsync(plan.Path));
        var again = await FactsAsync("backups");
        Assert.True(KdumpTargetPlan.Create(again, request).IsEmpty);
        Assert.Equal(Conf, Assert.Single(KdumpBackup.Of(again)).File.Text);
        Assert.Equal(Conf, Encoding.UTF8.GetString(KdumpTargetPlan.Create(again, RestoreRequest.Create(null, false)).NewContent.Span));

        // The plan is of another file by now.
        var (status, said) = Run(plan);
        Assert.NotEqual(0, status);
        Assert.Contains("FileChanged", said, StringComparison.Ordinal);

        // A link that means a place in the tree to its hosts and one of the build host here.
        File.Delete(plan.Path);
        File.CreateSymbolicLink(plan.Path, "/etc/kdumpnfs-no-such-file");
        Assert.Contains("outside of the tree", Run(plan).Said, StringComparison.Ordinal);
        Assert.False(File.Exists("/etc/kdumpnfs-no-such-file"));
    }

    [Fact]
    public void What_an_image_cannot_have_is_refused()
    {
        string Id(string root, TargetRequest request) => Assert.Throws<HostException>(() => TargetChangeOperation.CheckImageRoot(root, request)).ErrorId;
        var nfs = NfsTargetRequest.Create("storage", "/data", null, null, null, false);
        Assert.Equal(ErrorIds.InvalidInput, Id("/", nfs));
        Assert.Equal(ErrorIds.InvalidInput, Id("images/x", nfs));
        Assert.Equal(ErrorIds.InvalidInput, Id("/images/x", NfsTargetRequest.Create("storage", "/data", null, null, null, true)));
        Assert.Equal(ErrorIds.InvalidInput, Id("/images/x", SshTargetRequest.Create("storage", "kdump", "/d", null, null, DumpKeyLimit.Commands, false, false, CaptureOptions.None)));
        Assert.Equal("/images/x", TargetChangeOperation.CheckImageRoot("/images//x/", nfs));
    }

    // As detach.sh runs it, with a directory of the test's own for the job.
    private static (int Status, string Said) Run(KdumpTargetPlan plan)
    {
        using var job = Tool.Directory();
        var script = job.Write("script", Encoding.UTF8.GetBytes(TargetChangeJob.Compose(plan).Replace("job=/run/kdumpnfs/job", $"job={job.Path}", StringComparison.Ordinal)));
        var (status, output) = Tool.Run("/bin/sh", ["-c", $"/bin/sh {script} 3>&1"]);
        return (status, Encoding.UTF8.GetString(output));
    }
}
