using KdumpNfs.Setup;

namespace KdumpNfs.Tests.Unit.Setup;

/// <summary>Reservations of image trees: the real scripts on made-up trees. What an image runs by itself is made up too; the lab has real trees.</summary>
public class CrashKernelImageTests
{
    private static readonly string[] Ranges = ["crashkernel=1G-4G:192M,4G-:256M"];

    // chroot without a tree of programs: what is asked for lies in the tree as a script of this test.
    private static FakeHost Tree(string os) => new FakeHost().File("/etc/os-release", os)
        .Program("unshare", "shift 2; exec \"$@\"").Program("mount", "exit 0")
        .Program("chroot", "root=$1; shift; [ \"$1\" != /usr/bin/env ] || shift 2; name=$1; shift; case $name in /*) exec \"$root$name\" \"$@\" ;; *) exec \"$root/usr/sbin/$name\" \"$@\" ;; esac");

    private static FakeHost Debian() => Tree("ID=debian\nVERSION_ID=12\n")
        .File("/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n").Executable("/usr/sbin/kdump-config", "exit 0")
        .File("/var/lib/dpkg/info/kdump-tools.postinst", "#! /bin/sh\n\tDEF_PRESET=\"384M-:128M\"\n");

    private static FakeHost RedHat(string version) => Tree($"ID=rhel\nID_LIKE=fedora\nVERSION_ID={version}\n")
        .Executable("/usr/bin/kdumpctl", "case $1 in\nget-default-crashkernel)\nprintf 1G-2G:192M,2G-:256M ;;\nesac");

    private static async Task<CrashKernelImage> ImageAsync(FakeHost host) => new("build", host.Root, await host.FactsAsync("crashkernelimage", ("root", host.Root)));

    private static CrashKernelRequest Size(params string[] size) => CrashKernelRequest.Create(size, false);

    private static async Task<KdumpNfs.Hosts.HostReply> ApplyAsync(FakeHost host, CrashKernelRequest request)
    {
        var image = await ImageAsync(host);
        var words = image.WordsFor(request);
        return await host.JobAsync(CrashKernelPlan.ComposeImage(host.Root, words, image.NeedsMaker(words) ? image.Maker : null, image.GrubConfig, image.FilesFor(words)));
    }

    [Fact]
    public async Task A_Debian_without_a_boot_loader_gets_a_file_that_update_grub_will_read()
    {
        using var host = Debian();
        var reply = await ApplyAsync(host, CrashKernelRequest.Recommended);
        Assert.Null(reply.Text("fail.said"));
        Assert.Equal("GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M\"\n", host.Read("/etc/default/grub.d/zz-kdumpnfs.cfg"));
        var again = await ImageAsync(host);
        Assert.Empty(again.FilesFor(["crashkernel=384M-:128M"]));
        Assert.False(again.NeedsMaker(["crashkernel=384M-:128M"]));
        Assert.Equal(["crashkernel=384M-:128M"], again.Previous);

        Assert.Null((await ApplyAsync(host, Size("256M"))).Text("fail.said"));
        Assert.Contains("crashkernel=256M\"", host.Read("/etc/default/grub.d/zz-kdumpnfs.cfg"), StringComparison.Ordinal);
        Assert.DoesNotContain("384M", host.Read("/etc/default/grub.d/zz-kdumpnfs.cfg"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_menu_that_is_there_is_made_anew_by_the_image_and_stays_when_that_fails()
    {
        using var host = Debian().File("/boot/grub/grub.cfg", "menuentry 'Debian' {\n\tlinux\t/boot/vmlinuz-6.1.0 root=UUID=ab ro quiet\n}\n")
            .Executable("/usr/sbin/update-grub", """
                [ ! -f "$tree/broken" ] || { echo "grub-probe: error: cannot find a device" >&2; exit 1; }
                . "$tree/etc/default/grub"
                for file in "$tree"/etc/default/grub.d/*.cfg; do . "$file"; done
                printf "menuentry 'Debian' {\n\tlinux\t/boot/vmlinuz-6.1.0 root=UUID=ab ro %s\n}\n" "$GRUB_CMDLINE_LINUX_DEFAULT" >"$tree/boot/grub/grub.cfg"
                """).File("/broken", "");
        var refused = await ApplyAsync(host, Size("256M"));
        Assert.Equal(ErrorIds.RollbackFailed, refused.Text("fail.id"));
        Assert.False(host.Exists("/etc/default/grub.d/zz-kdumpnfs.cfg"));
        Assert.DoesNotContain("crashkernel", host.Read("/boot/grub/grub.cfg"), StringComparison.Ordinal);

        File.Delete(host.Root + "/broken");
        var done = await ApplyAsync(host, Size("256M"));
        Assert.Equal((null, "crashkernel=256M"), (done.Text("fail.said"), done.Text("words")));
        Assert.Contains("ro quiet crashkernel=256M", host.Read("/boot/grub/grub.cfg"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_RHEL_has_it_in_its_entries_its_defaults_and_for_kernels_to_come()
    {
        using var host = RedHat("9.5").File("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"crashkernel=1G-4G:192M console=ttyS0\"\n").File("/etc/kernel/cmdline", "root=UUID=ab ro crashkernel=128M console=ttyS0\n")
            .File("/boot/loader/entries/ab-5.14.0.conf", "title RHEL\nversion 5.14.0\nlinux /vmlinuz-5.14.0\noptions root=UUID=ab ro crashkernel=128M crashkernel=64M,low console=ttyS0\n")
            .File("/boot/loader/entries/ab-0-rescue.conf", "title Rescue\nlinux /vmlinuz-0-rescue-ab\noptions root=UUID=ab ro\n");
        Assert.Equal(["crashkernel=128M", "crashkernel=64M,low"], (await ImageAsync(host)).Previous);
        Assert.Null((await ApplyAsync(host, Size("1G-4G:192M,4G-:256M"))).Text("fail.said"));
        Assert.Equal("GRUB_CMDLINE_LINUX=\"crashkernel=1G-4G:192M,4G-:256M console=ttyS0\"\n", host.Read("/etc/default/grub"));
        Assert.Equal("root=UUID=ab ro crashkernel=1G-4G:192M,4G-:256M console=ttyS0\n", host.Read("/etc/kernel/cmdline"));
        Assert.Contains("\noptions root=UUID=ab ro crashkernel=1G-4G:192M,4G-:256M console=ttyS0\n", host.Read("/boot/loader/entries/ab-5.14.0.conf"), StringComparison.Ordinal);
        Assert.DoesNotContain("crashkernel", host.Read("/boot/loader/entries/ab-0-rescue.conf"), StringComparison.Ordinal);
        Assert.Empty((await ImageAsync(host)).FilesFor(Ranges));

        // Its own tool's default; then none at all.
        Assert.Equal(["crashkernel=1G-2G:192M,2G-:256M"], (await ImageAsync(host)).WordsFor(CrashKernelRequest.Recommended));
        Assert.Null((await ApplyAsync(host, CrashKernelRequest.None)).Text("fail.said"));
        Assert.Equal("root=UUID=ab ro console=ttyS0\n", host.Read("/etc/kernel/cmdline"));
        Assert.Equal("GRUB_CMDLINE_LINUX=\"console=ttyS0\"\n", host.Read("/etc/default/grub"));
    }

    [Fact]
    public async Task Entries_of_EL8_take_it_from_the_environment_block_whose_size_stays()
    {
        var block = "# GRUB Environment Block\nsaved_entry=ab-4.18.0\nkernelopts=root=UUID=ab ro crashkernel=auto quiet\n".PadRight(1024, '#');
        using var host = RedHat("8.10").File("/boot/grub2/grubenv", block)
            .File("/boot/loader/entries/ab-4.18.0.conf", "title RHEL\nlinux /vmlinuz-4.18.0\noptions $kernelopts $tuned_params\n");
        Assert.Equal(["crashkernel=auto"], (await ImageAsync(host)).Previous);
        Assert.Null((await ApplyAsync(host, Size("1G-4G:192M,4G-:256M"))).Text("fail.said"));
        var after = host.Read("/boot/grub2/grubenv");
        Assert.Equal(1024, after.Length);
        Assert.Contains("\nkernelopts=root=UUID=ab ro crashkernel=1G-4G:192M,4G-:256M quiet\n#", after, StringComparison.Ordinal);
        Assert.EndsWith("options $kernelopts $tuned_params\n", host.Read("/boot/loader/entries/ab-4.18.0.conf"), StringComparison.Ordinal);
        Assert.Equal(["crashkernel=auto"], (await ImageAsync(host)).WordsFor(CrashKernelRequest.Create(["auto"], false)));
    }

    [Fact]
    public async Task What_an_image_cannot_have_is_refused()
    {
        async Task<HostException> RefusedAsync(FakeHost host, CrashKernelRequest request)
        {
            using (host)
            {
                return await Assert.ThrowsAsync<HostException>(() => ApplyAsync(host, request));
            }
        }

        using var none = new FakeHost();
        Assert.Equal(ErrorIds.ImageRootMissing, (await Assert.ThrowsAsync<HostException>(() => ImageAsync(none))).ErrorId);
        var diskless = await RefusedAsync(Tree("ID=debian\n"), Size("256M"));
        Assert.Equal(ErrorIds.NotOwnBootLoader, diskless.ErrorId);
        Assert.Contains("crashkernel=256M", diskless.Remedy, StringComparison.Ordinal);
        Assert.Equal(ErrorIds.NotExpressible, (await RefusedAsync(RedHat("9.5"), Size("auto"))).ErrorId);
        Assert.Equal(ErrorIds.NotSupported, (await RefusedAsync(Tree("ID=sles\n").Executable("/usr/sbin/kdumptool", "exit 0"), CrashKernelRequest.Recommended)).ErrorId);
        Assert.Equal(ErrorIds.NotSupported, (await RefusedAsync(RedHat("9.5").File("/ostree/x", "").File("/etc/default/grub", ""), Size("256M"))).ErrorId);
        Assert.Equal(ErrorIds.NotSupported, (await RefusedAsync(Debian().File("/boot/grub/grub.cfg", "menuentry 'Debian' {\n\tlinux\t/vmlinuz ro\n}\n"), Size("256M"))).ErrorId);
    }

    [Fact]
    public async Task A_file_that_leads_out_of_the_tree_is_not_followed()
    {
        using var host = Debian();
        using var outside = new FakeHost().File("/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"crashkernel=1M\"\n");
        File.Delete(host.Root + "/etc/default/grub");
        File.CreateSymbolicLink(host.Root + "/etc/default/grub", outside.Root + "/grub");
        var reply = await ApplyAsync(host, Size("256M"));
        Assert.Contains("outside of the tree", reply.Text("fail.said"), StringComparison.Ordinal);
        Assert.Contains("crashkernel=1M", outside.Read("/grub"), StringComparison.Ordinal);
    }
}
