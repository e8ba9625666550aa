using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Packages from the repository inside the image, on the store and on node1; tools that are installed for it.</summary>
[Collection("6 Packages"), Trait(Lane.Name, Lane.Node1)]
public sealed class PackageTests(LabFixture lab, ITestOutputHelper output) : SetupScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(20), Trait("Category", "Long")]
    public async Task Kdump_is_installed_from_a_repository_and_switched_off_again()
    {
        NeedLab();
        await ShellAsync(Lab.Storage, "dpkg --purge kdump-tools >/dev/null 2>&1; ! command -v kdump-config");
        Assert.Equal(ErrorIds.PackagesNotAvailable, Failure(Install(refresh: false), Lab.Storage).ErrorId);
        Assert.Equal("", await ShellAsync(Lab.Storage, "ls /var/lib/apt/lists | grep Packages; exit 0"));

        var done = One<KdumpInstallation>(Install(refresh: true), Lab.Storage);
        Assert.Equal((true, "apt-get", "kdump-tools"), (done.Changed, done.PackageManager, Assert.Single(done.Installed).Name));
        Assert.True(done is { Loaded: false, RebootRequired: true, ReservedBytes: 0 });
        Assert.Equal("enabled USE_KDUMP=1", await ShellAsync(Lab.Storage, "echo $(systemctl is-enabled kdump-tools) $(grep ^USE_KDUMP= /etc/default/kdump-tools)"));
        Assert.False(One<KdumpInstallation>(Install(refresh: false), Lab.Storage).Changed);

        var off = One<KdumpDisabling>(DisableAsync, Lab.Storage);
        Assert.True(off is { Changed: true, WasEnabled: true });
        Assert.Equal("disabled", await ShellAsync(Lab.Storage, "systemctl is-enabled kdump-tools; exit 0"));
        Assert.False(One<KdumpDisabling>(DisableAsync, Lab.Storage).Changed);

        // Now the lists are there, and what installing takes is said before it is done.
        await ShellAsync(Lab.Storage, "dpkg --purge kdump-tools >/dev/null 2>&1");
        var asked = Run(Install(refresh: false), answer: false, Lab.Storage);
        Assert.Empty(asked.Errors);
        Assert.Contains("installs kdump-tools 1:", Assert.Single(asked.Questions).Description, StringComparison.Ordinal);
        Assert.Equal("gone", await ShellAsync(Lab.Storage, "command -v kdump-config || echo gone"));
        Assert.True(One<KdumpInstallation>(Install(refresh: false), Lab.Storage).Changed);
        Assert.True(One<KdumpDisabling>(DisableAsync, Lab.Storage).Changed);
    }

    [SkippableFact, Step(31), Trait("Category", "Long")]
    public async Task An_image_that_cannot_be_built_leaves_the_old_one_loaded()
    {
        NeedLab();
        const string Hook = "/etc/initramfs-tools/hooks/lab-fails";
        await ShellAsync(Lab.Node1, $"printf '#!/bin/sh\\n[ \"$1\" != prereqs ] || exit 0\\necho lab: no >&2\\nexit 1\\n' >{Hook} && chmod 755 {Hook}");
        var image = await ShellAsync(Lab.Node1, "sha256sum /var/lib/kdump/initrd.img-*");
        var failure = Failure(UpdateAsync, Lab.Node1);
        await ShellAsync(Lab.Node1, $"rm {Hook}");
        Assert.Equal(ErrorIds.ChangeRolledBack, failure.ErrorId);
        Assert.Contains("lab: no", failure.HostSaid, StringComparison.Ordinal);
        Assert.Equal(image, await ShellAsync(Lab.Node1, "sha256sum /var/lib/kdump/initrd.img-*"));
        Assert.True(One<KdumpStatus>(StatusAsync, Lab.Node1).Loaded);
    }

    [SkippableFact, Step(45), Trait("Category", "Long")]
    public async Task An_nfs_server_is_installed_exports_and_ends_its_export()
    {
        NeedLab();
        var host = Lab.Node1;
        await ShellAsync(host, "dpkg --purge nfs-kernel-server >/dev/null 2>&1; rm -f /etc/exports; ! command -v exportfs");
        Func<SshHost, Fleet.HostContext, CancellationToken, Task> export = (h, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create("/srv/dumps", "192.168.122.0/24", null, "/var/crash", createDirectory: true, requireMount: false)) { Install = true, Refresh = true }.RunAsync(h, context, token);
        Func<SshHost, Fleet.HostContext, CancellationToken, Task> end = (h, context, token) => new DisableNfsExportOperation(Lab.Access, "/srv/dumps", "192.168.122.0/24").RunAsync(h, context, token);
        Func<SshHost, Fleet.HostContext, CancellationToken, Task> force = (h, context, token) => new DisableNfsExportOperation(Lab.Access, "/srv/dumps", "192.168.122.0/24") { Force = true }.RunAsync(h, context, token);
        try
        {
            var asked = Run(export, answer: false, host);
            Assert.Empty(asked.Errors);
            Assert.Contains("+/srv/dumps 192.168.122.0/24", Assert.Single(asked.Questions).Description, StringComparison.Ordinal);
            Assert.Equal("gone", await ShellAsync(host, "command -v exportfs || echo gone"));

            var done = One<NfsExportChange>(export, host);
            Assert.Equal("nfs-kernel-server", Assert.Single(done.Installed).Name);
            Assert.False(One<NfsExportChange>(export, host).Changed);

            // Who has it mounted is seen, and holds it.
            await ShellAsync(Lab.Storage, $"mkdir -p /mnt/lab && mount -t nfs -o soft,nolock,timeo=100,retry=0 192.168.122.101:/srv/dumps /mnt/lab && touch /mnt/lab/var/crash/dump");
            var held = Failure(end, host);
            Assert.Equal(ErrorIds.ExportInUse, held.ErrorId);
            Assert.Contains("192.168.122.1", held.Message, StringComparison.Ordinal);
            Assert.True(One<NfsExportRemoval>(force, host).MountedBy.Count > 0);
            Assert.Equal("dump", await ShellAsync(host, "ls /srv/dumps/var/crash"));
            await ShellAsync(Lab.Storage, "umount -f -l /mnt/lab; rmdir /mnt/lab; exit 0");

            // An export that another client has too, in a file with other lines.
            await ShellAsync(host, "printf '# ours\n/srv/dumps  192.168.122.9(ro) 192.168.122.0/24(rw,sync) # tail\n' >/etc/exports; exportfs -r 2>/dev/null");
            var removal = Run(force, true, host);
            Assert.Empty(removal.Errors);
            Assert.Equal("# ours\n/srv/dumps  192.168.122.9(ro) # tail", await ShellAsync(host, "cat /etc/exports"));
            Assert.Equal("1", await ShellAsync(host, "exportfs -s | grep -c /srv/dumps"));
            Assert.False(One<NfsExportRemoval>(end, host).Changed);
        }
        finally
        {
            await ShellAsync(Lab.Storage, "umount -f -l /mnt/lab 2>/dev/null; exit 0");
            await ShellAsync(host, "systemctl disable --now nfs-server >/dev/null 2>&1; rm -rf /srv/dumps /etc/exports /etc/exports.kdumpnfs-*; exit 0");
        }
    }

    /// <summary>The real grub-mkconfig; the lab's kernels are started by QEMU, so the host's word is taken for it.</summary>
    [SkippableFact, Step(50), Trait("Category", "Long")]
    public async Task Grub_gets_the_words_through_its_own_tools()
    {
        NeedLab();
        var host = Lab.Node1;
        await ShellAsync(host, "apt-get -q update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends install grub2-common >/dev/null 2>&1 && mkdir -p /boot/grub && update-grub >/dev/null 2>&1");
        try
        {
            var told = One<CrashKernelReservation>(ReservationAsync, host);
            Assert.Contains(told.Entries, e => e is { IsDefault: true } && e.CrashKernel.SequenceEqual(["crashkernel=384M-:128M"]));
            Assert.Equal(ErrorIds.NotOwnBootLoader, Failure(Reserve(CrashKernelRequest.Create(["256M"], false)), host).ErrorId);

            var change = One<CrashKernelChange>(Reserve(CrashKernelRequest.Create(["160M"], false), trust: true), host);
            Assert.True(change is { Changed: true, RebootRequired: true, Tool: "update-grub" });
            Assert.Equal("crashkernel=160M", await ShellAsync(host, "grep -o 'crashkernel=[^ ]*' /boot/grub/grub.cfg | sort -u"));
            Assert.False(One<CrashKernelChange>(Reserve(CrashKernelRequest.Create(["160M"], false), trust: true), host).Changed);

            await ShellAsync(host, "echo GRUB_CMDLINE_LINUX_DEFAULT=quiet >/etc/default/grub.d/zzz-lab.cfg; md5sum /etc/default/grub.d/kdump-tools.cfg >/run/before");
            Assert.Equal(ErrorIds.BootLoaderFailed, Failure(Reserve(CrashKernelRequest.Create(["128M"], false), trust: true), host).ErrorId);
            await ShellAsync(host, "md5sum -c --quiet /run/before && rm /etc/default/grub.d/zzz-lab.cfg && update-grub >/dev/null 2>&1");

            Assert.Equal(["crashkernel=384M-:128M"], One<CrashKernelChange>(Reserve(CrashKernelRequest.Recommended, trust: true), host).CrashKernel);
            Assert.Equal("crashkernel=384M-:128M", await ShellAsync(host, "grep -o 'crashkernel=[^ ]*' /boot/grub/grub.cfg | sort -u"));
        }
        finally
        {
            await ShellAsync(host, "rm -rf /boot/grub /etc/default/grub.d/*.bak; dpkg --purge grub2-common grub-common >/dev/null 2>&1; exit 0");
        }
    }
}
