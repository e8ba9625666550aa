using System.Text;
using FsCheck.Fluent;
using KdumpNfs.Setup;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Setup;

public class BootLoaderTests
{
    internal const string Grubby = """
        index=0
        kernel="/boot/vmlinuz-5.14.0-503.el9.x86_64"
        args="ro crashkernel=1G-2G:192M,2G-64G:256M,64G-:512M rhgb quiet $tuned_params"
        root="/dev/mapper/rhel-root"
        initrd="/boot/initramfs-5.14.0-503.el9.x86_64.img $tuned_initrd"
        title="Red Hat Enterprise Linux (5.14.0-503.el9.x86_64) 9.5"
        id="ffffffffffffffffffffffffffffffff-5.14.0-503.el9.x86_64"
        index=1
        kernel="/boot/vmlinuz-0-rescue-ffffffffffffffffffffffffffffffff"
        args="ro rhgb quiet"
        title="Red Hat Enterprise Linux (0-rescue)"
        """;

    private const string OldGrubby = """
        index=0
        kernel=/boot/vmlinuz-3.10.0-1160.el7.x86_64
        args="ro crashkernel=auto rd.lvm.lv=centos/root rhgb quiet LANG=en_US.UTF-8"
        root=/dev/mapper/centos-root
        initrd=/boot/initramfs-3.10.0-1160.el7.x86_64.img
        title=CentOS Linux (3.10.0-1160.el7.x86_64) 7 (Core)
        index=1
        non linux entry
        """;

    internal const string GrubConfig = """
        if [ "${next_entry}" ] ; then
           set default="${next_entry}"
        else
           set default="DEFAULT"
        fi
        menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'gnulinux-simple-ab' {
        	load_video
        	if [ "${grub_platform}" = xen ]; then
        		insmod xzio
        	fi
        	linux	/boot/vmlinuz-6.1.0-56-amd64 root=UUID=ab ro  quiet crashkernel=384M-:128M
        	initrd	/boot/initrd.img-6.1.0-56-amd64
        }
        submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-ab' {
        	menuentry 'Debian GNU/Linux, with Linux 6.1.0-56-amd64' --class debian $menuentry_id_option 'gnulinux-6.1.0-56-amd64-advanced-ab' {
        		linux	/boot/vmlinuz-6.1.0-56-amd64 root=UUID=ab ro  quiet crashkernel=384M-:128M
        	}
        	menuentry 'Debian GNU/Linux, with Linux 6.1.0-56-amd64 (recovery mode)' --class debian $menuentry_id_option 'gnulinux-6.1.0-56-amd64-recovery-ab' {
        		linux	/boot/vmlinuz-6.1.0-56-amd64 root=UUID=ab ro single
        	}
        	menuentry 'Debian GNU/Linux, with Linux 6.1.0-50-amd64' --class debian $menuentry_id_option 'gnulinux-6.1.0-50-amd64-advanced-ab' {
        		linux	/boot/vmlinuz-6.1.0-50-amd64 root=UUID=ab ro  quiet
        	}
        }
        menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {
        	fwsetup
        }
        """;

    [Fact]
    public void Listings_of_grubby_are_read()
    {
        var entries = BootEntries.FromGrubby(Grubby, 0);
        Assert.Equal(2, entries.Count);
        Assert.Equal(["crashkernel=1G-2G:192M,2G-64G:256M,64G-:512M"], entries[0].CrashKernel);
        Assert.True(entries[0] is { IsDefault: true, IsRecovery: false, Index: 0, Kernel: "/boot/vmlinuz-5.14.0-503.el9.x86_64" });
        Assert.True(entries[1] is { IsDefault: false, IsRecovery: true, Index: 1 });
        var old = Assert.Single(BootEntries.FromGrubby(OldGrubby.Replace("\n", "\r\n"), 0));
        Assert.Equal(("/boot/vmlinuz-3.10.0-1160.el7.x86_64", "crashkernel=auto"), (old.Kernel, Assert.Single(old.CrashKernel)));
        Assert.Equal("CentOS Linux (3.10.0-1160.el7.x86_64) 7 (Core)", old.Title);
    }

    [Theory]
    [InlineData("0", "", 0)]
    [InlineData("1", "", 1)]
    [InlineData("1>2", "", 3)]
    [InlineData("gnulinux-advanced-ab>gnulinux-6.1.0-50-amd64-advanced-ab", "", 3)]
    [InlineData("Debian GNU/Linux, with Linux 6.1.0-56-amd64", "", 1)]
    [InlineData("${saved_entry}", "saved_entry=gnulinux-6.1.0-50-amd64-advanced-ab\n#####", 3)]
    [InlineData("${saved_entry}", "", 0)]
    [InlineData("0", "next_entry=1>2\nsaved_entry=0\n", 3)]
    public void The_default_of_a_menu_is_found(string name, string environment, int index)
    {
        var entries = BootEntries.FromGrub(GrubConfig.Replace("DEFAULT", name), BootEntries.Environment(environment));
        Assert.Equal(4, entries.Count);
        Assert.Equal(index, entries.ToList().FindIndex(e => e.IsDefault));
        Assert.True(entries[2].IsRecovery);
        Assert.Equal(["crashkernel=384M-:128M"], entries[0].CrashKernel);
        Assert.Empty(entries[3].CrashKernel);
    }

    [Fact]
    public void Entries_of_the_specification_take_variables_of_the_environment_block()
    {
        var environment = BootEntries.Environment("# GRUB Environment Block\nkernelopts=root=/dev/sda1 ro crashkernel=auto\nsaved_entry=ab-4.18.0-9.el8\n####");
        var entries = BootEntries.FromSpecification(
            [("ab-4.18.0-9.el8.conf", "title Old\nlinux /vmlinuz-4.18.0-9.el8\noptions $kernelopts quiet\n"), ("ab-4.18.0-80.el8.conf", "title New\nlinux /vmlinuz-4.18.0-80.el8\noptions ro\n")], environment);
        Assert.Equal(["New", "Old"], entries.Select(e => e.Title));
        Assert.Equal((true, "root=/dev/sda1 ro crashkernel=auto quiet"), (entries[1].IsDefault, entries[1].Arguments));
    }

    private const string Package = "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M\"\n";

    private static string Edit(string grub, string? package, params string[] words)
    {
        var files = new List<(string, byte[])> { ("grub", Encoding.UTF8.GetBytes(grub)) };
        if (package is not null)
        {
            files.Add(("package", Encoding.UTF8.GetBytes(package)));
        }

        return string.Join("", GrubDefaults.With(files, words, "package").Select(c => $"[{c.Path}]{Encoding.UTF8.GetString(c.Content)}"));
    }

    [Theory]
    [InlineData("X=1\n", Package, "256M", "[package]GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=256M\"\n")]
    [InlineData("X=1\n", Package, "384M-:128M", "")]
    [InlineData("X=1\n", null, "256M", "[package]GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=256M\"\n")]
    [InlineData("X=1\n", Package, "", "[package]GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT\"\n")]
    [InlineData("GRUB_CMDLINE_LINUX='a crashkernel=auto b' # c\n", null, "256M", "[grub]GRUB_CMDLINE_LINUX='a crashkernel=256M b' # c\n")]
    [InlineData("GRUB_CMDLINE_LINUX=\"crashkernel=auto b\"\n", null, "", "[grub]GRUB_CMDLINE_LINUX=\"b\"\n")]
    [InlineData("GRUB_CMDLINE_LINUX=crashkernel=auto\n", null, "", "[grub]GRUB_CMDLINE_LINUX=\n")]
    [InlineData("GRUB_CMDLINE_LINUX=\"a crashkernel=128M\"\n", Package, "256M", "[grub]GRUB_CMDLINE_LINUX=\"a\"\n[package]GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=256M\"\n")]
    [InlineData("GRUB_CMDLINE_LINUX=\"a \\\n crashkernel=128M\"\n# crashkernel=1M\n", null, "256M", "[grub]GRUB_CMDLINE_LINUX=\"a \\\n crashkernel=256M\"\n# crashkernel=1M\n")]
    [InlineData("GRUB_CMDLINE_LINUX+=\" crashkernel=128M\"\n", null, "512M,high 128M,low", "[grub]GRUB_CMDLINE_LINUX+=\" crashkernel=512M,high crashkernel=128M,low\"\n")]
    public void Only_the_words_change(string grub, string? package, string values, string changed) =>
        Assert.Equal(changed, Edit(grub, package, [.. values.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => "crashkernel=" + v)]));

    [Theory]
    [InlineData("if true; then GRUB_CMDLINE_LINUX=\"crashkernel=1M\"; fi\n")]
    [InlineData("sed -i s/crashkernel=1M// /x\n")]
    public void What_code_sets_is_not_edited(string grub) =>
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => Edit(grub, null, "crashkernel=256M")).ErrorId);

    private static readonly string[] Pieces =
    [
        "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet splash\"", "GRUB_CMDLINE_LINUX=\"crashkernel=auto rd.x=1\"", "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M\"",
        "# GRUB_CMDLINE_LINUX=\"crashkernel=1G\"", "GRUB_CMDLINE_LINUX=crashkernel=64M", "GRUB_TIMEOUT=5", "", "GRUB_CMDLINE_LINUX='a\tcrashkernel=5M,high  crashkernel=1M,low'", "export GRUB_CMDLINE_LINUX=\"x\"",
        "GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`", "GRUB_CMDLINE_LINUX_DEFAULT=\"caf\u00e9 crashkernel=1M\" # c", "GRUB_CMDLINE_LINUX=\"unended crashkernel=2M",
    ];

    [Fact]
    public void Setting_twice_is_setting_once_and_leaves_other_bytes() =>
        DocumentGen.Check(from one in DocumentGen.Any(Pieces) from two in DocumentGen.Any(Pieces)
                          from words in Gen.Elements<string[]>([], ["crashkernel=256M"], ["crashkernel=512M,high", "crashkernel=128M,low"]) select (one, two, words), c =>
        {
            try
            {
                List<(string, byte[])> files = [("a", c.one), ("b", c.two)];
                var changed = GrubDefaults.With(files, c.words, "b");
                List<(string Path, byte[] Content)> after = [.. files.Select(f => changed.FirstOrDefault(x => x.Path == f.Item1) is { Path: not null } n ? n : f)];
                static string Rest(IEnumerable<byte[]> contents) => new([.. string.Join('\n', contents.Select(Encoding.Latin1.GetString))
                    .Split("crashkernel=").SelectMany((part, i) => i == 0 ? part : part.SkipWhile(ch => !char.IsWhiteSpace(ch) && ch is not ('"' or '\'' or '\\' or '$' or '`'))).Where(ch => !char.IsWhiteSpace(ch))]);
                var added = GrubDefaults.Words(files.Select(f => f.Item2)).Count == 0 && c.words.Length > 0;
                return GrubDefaults.Words(after.Select(f => f.Content)).SequenceEqual(c.words) && GrubDefaults.With(after, c.words, "b").Count == 0 &&
                    (added || Rest(after.Select(f => f.Content)) == Rest(files.Select(f => f.Item2)));
            }
            catch (HostException e)
            {
                return e.ErrorId == ErrorIds.NotExpressible;
            }
        }, 3000);
}
