using System.Text;
using KdumpNfs.Collection;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Collection;
using KdumpNfs.Tests.Unit.Text;
using KdumpNfs.Tests.Unit.Vmcore;

namespace KdumpNfs.Tests.Unit.Kdump;

/// <summary>
/// SUSE's own kdump-save, which runs in its capture kernel, where a copy of github.com/openSUSE/kdump is at hand (KDUMPNFS_SUSE_KDUMP): with a
/// configuration that we wrote it saves a dump, and that is what the store's side is made for. Only what it would do to the machine is replaced.
/// </summary>
public sealed class SuseSaveTests : IDisposable
{
    private readonly StoreFolder _store = new();
    private readonly Tool.TempDirectory _work = Tool.Directory();

    public void Dispose()
    {
        _store.Dispose();
        _work.Dispose();
    }

    private string Stub(string name, string body)
    {
        var path = _work.Write("bin/" + name, Encoding.UTF8.GetBytes("#!/bin/sh\n" + body + "\n"));
        Assert.Equal(0, Tool.Run("chmod", ["755", path]).Status);
        return path;
    }

    // Runs kdump-save for a target with a makedumpfile that writes a real dump, and gives what the store then has.
    private async Task<VmcoreDump> SaveAsync(TargetRequest request, string makedumpfile)
    {
        var sources = Environment.GetEnvironmentVariable("KDUMPNFS_SUSE_KDUMP");
        Skip.If(string.IsNullOrEmpty(sources), "KDUMPNFS_SUSE_KDUMP names no copy of openSUSE/kdump.");
        var folder = _work.Path;
        var conf = _work.Write("kdump", request.Content(new FactsOf(HostFamily.Suse, "KDUMP_SAVEDIR=\"/var/crash\"\n").Make()));
        _work.Write("hostname", Encoding.UTF8.GetBytes("sles15\n"));
        _work.Write("vmcore", []);
        _work.Write("tmp/x", []);
        Samples.Flattened.Write(Path.Combine(folder, "dump"));
        _work.Write("dmesg", Encoding.UTF8.GetBytes(Samples.Dmesg("zstd")));
        var receive = _work.Write("receive", Encoding.UTF8.GetBytes(HostScript.Read("kdumpnfs-receive")));
        Stub("makedumpfile", $"case \"$*\" in *--dump-dmesg*) cat {folder}/dmesg; echo 'OSRELEASE=6.4.0-default' >&2 ;; *) {makedumpfile} ;; esac");
        // The key's forced command, as the store's sshd runs it.
        Stub("ssh", $"for command; do :; done; exec env SSH_ORIGINAL_COMMAND=\"$command\" sh {receive} {_store.Root}");
        Stub("ping", "exit 0");

        // What goes into the capture image (dracut/module-setup.sh).
        var (read, options) = Tool.Run("bash", [Path.Combine(sources, "kdump-read-config.sh"), "--print"], [], ("KDUMP_CONF", conf));
        Assert.Equal(0, read);
        var baked = _work.Write("kdump.conf", options);

        var script = await File.ReadAllTextAsync(Path.Combine(sources, "dracut/kdump-save"));
        foreach (var (from, to) in new[]
        {
            ("/tmp", folder + "/tmp"), ("umount -a", "true"), ("umount -q", "true"), ("reboot -f", "true"), ("/kdump/mnt", _store.Root), ("/etc/kdump.conf", baked), ("/proc/vmcore", folder + "/vmcore"),
            ("/etc/hostname.kdump", folder + "/hostname"), ("/sys/class/leds", folder + "/no-leds"), ("/sys/kernel/fadump", folder + "/no-fadump"),
        })
        {
            // /tmp first: it is where the others lead to.
            script = script.Replace(from, to, StringComparison.Ordinal);
        }

        Assert.DoesNotMatch("(umount|reboot) -", script);
        var save = _work.Write("kdump-save", Encoding.UTF8.GetBytes(script));
        var (status, said) = Tool.Run("timeout", ["60", "bash", save], [], ("PATH", $"{folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
        Assert.True(status == 0, $"{status}: {Encoding.UTF8.GetString(said)}");
        return await _store.OneAsync(remote: true);
    }

    private SshTargetRequest ToAccount() => SshTargetRequest.Create("storage", "kdump", _store.Root, null, null, DumpKeyLimit.Commands, false, false, CaptureOptions.None);

    [SkippableTheory]
    [InlineData("nfs")]
    [InlineData("ssh")]
    public async Task What_it_saves_is_found_whole_and_known(string protocol)
    {
        TargetRequest request = protocol == "nfs" ? NfsTargetRequest.Create("storage", "/data", "/dumps", null, null, false) : ToAccount();
        var dump = await SaveAsync(request, $"cat {_work.Path}/dump");
        Assert.Equal((VmcoreState.Complete, null, VmcoreFamily.Suse, "sles15"), (dump.State, dump.Reason, dump.Family, dump.CrashedHost));
        Assert.Equal(Samples.Flattened.Length, dump.Bytes);
        Assert.Equal(["README.txt", "dmesg", "vmcore"], dump.Files.Select(f => f.Name).Order(StringComparer.Ordinal));
        Assert.StartsWith(_store.Root + "/sles15-", dump.Path, StringComparison.Ordinal);
        Assert.True(dump.CaptureOver);
    }

    [SkippableTheory]
    [InlineData("nfs")]
    [InlineData("ssh")]
    public async Task What_it_could_not_save_is_told_in_its_words(string protocol)
    {
        TargetRequest request = protocol == "nfs" ? NfsTargetRequest.Create("storage", "/data", "/dumps", null, null, false) : ToAccount();
        var dump = await SaveAsync(request, $"head -c 500000 {_work.Path}/dump; exit 1");
        Assert.Equal((VmcoreState.Incomplete, true, "sles15"), (dump.State, dump.CaptureOver, dump.CrashedHost));
        Assert.Contains("error while saving", dump.Reason, StringComparison.Ordinal);
    }
}
