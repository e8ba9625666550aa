using KdumpNfs.Crash;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Image trees: each node is the build host, and the tree is its own system seen through an overlay: a real Debian with its kdump-tools, and
/// one with the kdumpctl stand-in. What is written lands in the overlay's upper layer alone.</summary>
[Collection("2 Images")]
public sealed class ImageTests(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
{
    private const string Tree = "/run/lab-image/tree";

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Set(VmcoreCompression? compression = null)
    {
        // A store that nobody here reaches: an image is not checked from its build host.
        var request = NfsTargetRequest.Create("192.0.2.9", "/golden", null, null, compression, false);
        var operation = new SetNfsTargetOperation(Lab.Access, request) { ImageRoot = TargetChangeOperation.CheckImageRoot(Tree, request) };
        return (host, context, token) => operation.RunAsync(host, null, context, token);
    }

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Restore()
    {
        var operation = new RestoreConfigurationOperation(Lab.Access, RestoreRequest.Create(null, false)) { ImageRoot = Tree };
        return (host, context, token) => operation.RunAsync(host, null, context, token);
    }

    // The build host itself: content, times, the services' start, what is loaded.
    private Task<string> BuildHostAsync(SshHost host) => ShellAsync(host, """
        for f in /etc/kdump.conf /etc/default/kdump-tools; do [ -f $f ] && sha256sum $f && stat -c '%n %Y %i' $f; done
        ls -la --time-style=full-iso /var/lib/kdump /var/lib/kdumpnfs /etc/sysctl.d /etc/*.bak /etc/default/*.bak 2>/dev/null
        systemctl show -p ActiveEnterTimestampMonotonic -p ActiveState kdump.service kdump-tools.service
        cat /sys/kernel/kexec_crash_loaded
        """);

    [SkippableFact, Step(10), Trait("Category", "Long")]
    public async Task An_image_tree_is_changed_by_its_own_tools_word_and_its_build_host_is_not()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            var before = await BuildHostAsync(host);
            await ShellAsync(host, $"mkdir -p /run/lab-image && mount -t tmpfs lab-image /run/lab-image && cd /run/lab-image && mkdir up work tree && mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work {Tree}");
            try
            {
                Task<string> WrittenAsync() => ShellAsync(host, "cd /run/lab-image/up && find . -type f | sort | xargs -r sha256sum");
                var asked = Run(Set(), answer: false, host);
                Assert.Empty(asked.Errors);
                Assert.Contains("192.0.2.9", Assert.Single(asked.Questions).Description, StringComparison.Ordinal);
                Assert.Contains(asked.Warnings, w => w.Contains("machine-id", StringComparison.Ordinal));
                Assert.Equal("", await WrittenAsync());

                var change = One<KdumpTargetChange>(Set(), host);
                Assert.Equal((true, Tree, "192.0.2.9:/golden"), (change.Changed, change.ImageRoot, change.Target!.Store + ":" + change.Target.Export));
                var file = change.Family == HostFamily.Debian ? "/etc/default/kdump-tools" : "/etc/kdump.conf";
                Assert.Contains("192.0.2.9:/golden", await ShellAsync(host, $"grep 192.0.2.9 {Tree}{file}"), StringComparison.Ordinal);
                var written = await WrittenAsync();
                Assert.Equal(2, written.Split('\n').Length);
                Assert.False(One<KdumpTargetChange>(Set(), host).Changed);
                Assert.Equal(written, await WrittenAsync());

                // The image's own makedumpfile was asked.
                Assert.Equal(ErrorIds.CompressionNotSupported, Failure(Set(VmcoreCompression.Zstd), host).ErrorId);
                Assert.True(One<KdumpTargetChange>(Restore(), host).Changed);

                // Kernel parameters: the tree's drop-in; what runs here keeps its values.
                var sysrq = new EnableSysrqOperation(Lab.Access) { Mask = 9, ImageRoot = SysctlImage.Check(Tree, SettingScope.Persistent) };
                var mask = await ShellAsync(host, "cat /proc/sys/kernel/sysrq");
                Assert.True(One<SysrqChange>(sysrq.RunAsync, host).Changed);
                Assert.False(One<SysrqChange>(sysrq.RunAsync, host).Changed);
                Assert.Equal("kernel.sysrq = 9", await ShellAsync(host, $"grep sysrq {Tree}{EnableSysrqOperation.DropInPath}"));
                Assert.Equal(mask, await ShellAsync(host, "cat /proc/sys/kernel/sysrq"));
                Assert.Equal("", await ShellAsync(host, $"cmp {file} {Tree}{file}"));

                // The reservation: an entry of the boot loader that the image's kernels will have, and what their menu will be made from.
                await ShellAsync(host, $"mkdir -p {Tree}/boot/loader/entries {Tree}/etc/default && touch {Tree}/etc/default/grub && printf 'title Lab\\nlinux /vmlinuz-1\\noptions ro quiet\\n' >{Tree}/boot/loader/entries/lab.conf");
                var reserve = new SetCrashKernelOperation(Lab.Access, CrashKernelRequest.Create(["1G-4G:192M,4G-:256M"], false)) { ImageRoot = Tree };
                var reserved = One<CrashKernelChange>((h, context, token) => reserve.RunAsync(h, null, context, token), host);
                Assert.Equal((true, Tree), (reserved.Changed, reserved.ImageRoot));
                Assert.Equal("options ro quiet crashkernel=1G-4G:192M,4G-:256M", await ShellAsync(host, $"grep ^options {Tree}/boot/loader/entries/lab.conf"));
                Assert.NotEqual("0", await ShellAsync(host, $"cat {Tree}/etc/default/grub {Tree}/etc/default/grub.d/*.cfg 2>/dev/null | grep -c 'crashkernel=1G-4G:192M,4G-:256M' || :"));
                Assert.False(One<CrashKernelChange>((h, context, token) => reserve.RunAsync(h, null, context, token), host).Changed);
            }
            finally
            {
                await ShellAsync(host, $"umount {Tree}; umount /run/lab-image && rmdir /run/lab-image");
            }

            Assert.Equal(before, await BuildHostAsync(host));
        });
    }
}
