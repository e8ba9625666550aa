using KdumpNfs.Changes;
using KdumpNfs.Setup;

namespace KdumpNfs.Tests.Unit.Setup;

/// <summary>The real scripts against made-up hosts: facts, plan, job, and what the host looks like afterwards.</summary>
public class CrashKernelPlanTests
{
    private const string Iomem = "00001000-0009fbff : System RAM\n00100000-3fffffff : System RAM\n  2b000000-36ffffff : Crash kernel\n100000000-1ffffffff : System RAM\n  1f0000000-1ffffffff : Crash kernel\n";

    private static FakeHost Host(string os, string commandLine, string iomem = Iomem) => new FakeHost()
        .File("/etc/os-release", os).File("/etc/machine-id", "0123\n").File("/proc/cmdline", commandLine + "\n").File("/proc/meminfo", "MemTotal:        4194304 kB\n")
        .File("/proc/self/mounts", "/dev/vda1 / ext4 rw 0 0\n").File("/proc/iomem", iomem).File("/sys/kernel/kexec_crash_size", "201326592\n").File("/sys/kernel/kexec_crash_loaded", "1\n");

    private static FakeHost Debian(string commandLine = "BOOT_IMAGE=/boot/vmlinuz-6.1.0-56-amd64 root=UUID=ab ro quiet crashkernel=384M-:128M") => Host("ID=debian\nVERSION_ID=12\n", commandLine)
        .File("/boot/grub/grub.cfg", BootLoaderTests.GrubConfig.Replace("DEFAULT", "0"))
        .File("/etc/default/grub", "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n")
        .File("/etc/default/grub.d/kdump-tools.cfg", "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M\"\n")
        .File("/var/lib/dpkg/info/kdump-tools.postinst", "#! /bin/sh\n\tDEF_PRESET=\"384M-:128M\"\n")
        .Program("kdump-config", "exit 0")
        // As update-grub: the files are sourced, every kernel gets the words. A file "broken" makes it fail, "deaf" ignores the files.
        .Program("update-grub", """
            [ ! -f "$tree/broken" ] || { echo "grub-probe: error: cannot find a device" >&2; exit 1; }
            . "$tree/etc/default/grub"
            for file in "$tree"/etc/default/grub.d/*.cfg; do . "$file"; done
            [ ! -f "$tree/deaf" ] || GRUB_CMDLINE_LINUX_DEFAULT=quiet
            printf "menuentry 'Debian' {\n\tlinux\t/boot/vmlinuz-6.1.0-56-amd64 root=UUID=ab ro %s %s\n}\n" "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT" >"$tree/boot/grub/grub.cfg"
            """);

    // grubby over plain files: entries/N/kernel and entries/N/args.
    private static FakeHost RedHat(string commandLine, string kdumpctl) => Host("ID=rhel\nVERSION_ID=9.5\n", commandLine)
        .File("/entries/0/kernel", "/boot/vmlinuz-5.14.0-503.el9.x86_64").File("/entries/0/args", "ro crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M quiet")
        .File("/entries/1/kernel", "/boot/vmlinuz-0-rescue-ab").File("/entries/1/args", "ro quiet")
        .Program("grubby", """
            update= args= remove= info=
            for argument; do
              case $argument in
                --default-index) echo 0; exit 0 ;;
                --info=*) info=${argument#*=} ;;
                --update-kernel=*) update=${argument#*=} ;;
                --args=*) args=${argument#*=} ;;
                --remove-args=*) remove=${argument#*=} ;;
              esac
            done
            [ ! -f "$tree/broken" ] || [ -z "$args" ] || { echo "grubby: cannot write" >&2; exit 1; }
            for entry in 0 1; do
              if [ "$info" = ALL ] || [ "$info" = $entry ]; then
                printf 'index=%s\nkernel="%s"\nargs="%s"\ntitle="Entry %s"\n' $entry "$(cat "$tree/entries/$entry/kernel")" "$(cat "$tree/entries/$entry/args")" $entry
              fi
              if [ "$update" = ALL ] || [ "$update" = $entry ]; then
                [ -z "$remove" ] || sed -i "s/ *$remove=[^ ]*//g" "$tree/entries/$entry/args"
                [ -z "$args" ] || printf ' %s' "$args" >>"$tree/entries/$entry/args"
              fi
            done
            """)
        .Program("kdumpctl", kdumpctl);

    private const string NewKdumpctl = """
        case $1 in
          reset-crashkernel)
            grubby --update-kernel=ALL --remove-args=crashkernel
            grubby --update-kernel=ALL --args=crashkernel=2G-64G:256M,64G-:512M
            echo "kdump: Updated crashkernel" >&2 ;;
          get-default-crashkernel)
            printf '2G-64G:256M,64G-:512M' ;;
        esac
        """;

    private static async Task<CrashKernelFacts> FactsAsync(FakeHost host) => new("h", await host.FactsAsync("crashkernelfacts", ("estimate", "0")));

    private static CrashKernelRequest Size(params string[] size) => CrashKernelRequest.Create(size, false);

    [Fact]
    public async Task Both_regions_and_the_next_boot_are_told()
    {
        using var host = Debian("BOOT_IMAGE=/vmlinuz-6.1.0-56-amd64 ro crashkernel=512M,high");
        var told = GetCrashKernelOperation.Describe(await FactsAsync(host));
        Assert.Equal(["0x2b000000-0x36ffffff", "0x1f0000000-0x1ffffffff"], told.Ranges.Select(r => r.ToString()));
        Assert.Equal((448L << 20, true, false), (told.ReservedBytes, told.Ranges[0].IsLow, told.Ranges[1].IsLow));
        Assert.Equal(BootSource.OwnBootLoader, told.BootSource);
        Assert.Equal(["crashkernel=384M-:128M"], told.NextBoot!);
        Assert.Equal((128L << 20, true, 768L << 20), (told.NextBootBytes, told.RebootRequired, told.ExpectedBytes));
        Assert.Equal(("384M-:128M", 128L << 20), (told.Default, told.DefaultBytes));
        Assert.Contains(told.Findings, f => f.Contains("after a reboot", StringComparison.Ordinal));
        Assert.Contains(told.Findings, f => f.Contains("vmlinuz-6.1.0-50-amd64", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("root=/dev/vda rw crashkernel=192M", "/dev/vda / ext4 rw 0 0\n", "no BOOT_IMAGE")]
    [InlineData("BOOT_IMAGE=images/debian/linux ro", "/dev/vda1 / ext4 rw 0 0\n", "none of its 4")]
    [InlineData("BOOT_IMAGE=/boot/vmlinuz-6.1.0-56-amd64 ro", "/dev/vda1 /x ext4 rw 0 0\nstore:/roots/h / nfs4 rw 0 0\n", "is nfs4")]
    [InlineData("BOOT_IMAGE=/boot/vmlinuz-6.1.0-56-amd64 ro", "overlay / overlay rw 0 0\n", "is overlay")]
    public async Task A_host_that_boots_from_elsewhere_is_refused_and_told_the_argument(string commandLine, string mounts, string evidence)
    {
        using var host = Debian(commandLine).File("/proc/self/mounts", mounts);
        var facts = await FactsAsync(host);
        var told = GetCrashKernelOperation.Describe(facts);
        Assert.Equal((BootSource.Elsewhere, null, null), (told.BootSource, told.NextBoot, told.RebootRequired));
        Assert.Contains(evidence, told.BootEvidence, StringComparison.Ordinal);
        var e = Assert.Throws<HostException>(() => CrashKernelPlan.Create(facts, Size("512M,high", "128M,low"), force: false));
        Assert.Equal(ErrorIds.NotOwnBootLoader, e.ErrorId);
        Assert.Contains("crashkernel=512M,high crashkernel=128M,low", e.Remedy, StringComparison.Ordinal);
        Assert.False(CrashKernelPlan.Create(facts, Size("256M"), force: true).IsEmpty);
    }

    [Fact]
    public async Task What_the_boot_server_gives_already_is_no_change()
    {
        using var host = Debian("root=/dev/vda rw crashkernel=192M");
        Assert.True(CrashKernelPlan.Create(await FactsAsync(host), Size("192M"), force: false).IsEmpty);
    }

    [Fact]
    public async Task Debian_gets_its_file_and_its_menu_and_a_second_run_does_nothing()
    {
        using var host = Debian();
        var facts = await FactsAsync(host);
        var plan = CrashKernelPlan.Create(facts, Size("1G-4G:192M,4G-:256M"), force: false);
        Assert.Equal((BootTool.Grub, "update-grub", true), (plan.Tool, plan.ToolName, plan.RebootRequired));
        Assert.Contains("+GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=1G-4G:192M,4G-:256M\"", plan.Diff, StringComparison.Ordinal);
        var done = await host.JobAsync(plan.Compose());
        Assert.Null(HostJob.FailureOf(done, "h"));
        Assert.Single(done.All("backup"));
        Assert.Contains("quiet crashkernel=1G-4G:192M,4G-:256M\n", host.Read("/boot/grub/grub.cfg"), StringComparison.Ordinal);
        var after = await FactsAsync(host);
        Assert.True(CrashKernelPlan.Create(after, Size("1G-4G:192M,4G-:256M"), force: false).IsEmpty);
        Assert.True(GetCrashKernelOperation.Describe(after).RebootRequired);

        var none = CrashKernelPlan.Create(after, CrashKernelRequest.None, force: false);
        Assert.Null(HostJob.FailureOf(await host.JobAsync(none.Compose()), "h"));
        Assert.DoesNotContain("crashkernel", host.Read("/boot/grub/grub.cfg") + host.Read("/etc/default/grub.d/kdump-tools.cfg"), StringComparison.Ordinal);
        Assert.Null(HostJob.FailureOf(await host.JobAsync(CrashKernelPlan.Create(await FactsAsync(host), CrashKernelRequest.Recommended, force: false).Compose()), "h"));
        Assert.Contains("crashkernel=384M-:128M", host.Read("/boot/grub/grub.cfg"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("broken", "cannot find a device")]
    [InlineData("deaf", "something else sets the kernel's command line")]
    public async Task A_menu_that_does_not_follow_brings_the_files_back(string how, string words)
    {
        using var host = Debian().File("/" + how, "");
        var before = host.Read("/etc/default/grub.d/kdump-tools.cfg");
        var plan = CrashKernelPlan.Create(await FactsAsync(host), Size("256M"), force: false);
        var failure = HostJob.FailureOf(await host.JobAsync(plan.Compose()), "h")!;
        Assert.Equal(how == "deaf" ? ErrorIds.BootLoaderFailed : ErrorIds.RollbackFailed, failure.ErrorId);
        Assert.Contains(words, failure.HostSaid, StringComparison.Ordinal);
        Assert.Equal(before, host.Read("/etc/default/grub.d/kdump-tools.cfg"));
    }

    [Fact]
    public async Task Every_entry_of_grubby_gets_the_words()
    {
        using var host = RedHat("BOOT_IMAGE=(hd0,gpt2)/vmlinuz-5.14.0-503.el9.x86_64 ro crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M quiet", NewKdumpctl);
        host.File("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M rhgb\"\n");
        var facts = await FactsAsync(host);
        Assert.Equal("2G-64G:256M,64G-:512M", facts.Default);
        var plan = CrashKernelPlan.Create(facts, Size("512M,high", "128M,low"), force: false);
        Assert.Equal(BootTool.Grubby, plan.Tool);
        Assert.Null(HostJob.FailureOf(await host.JobAsync(plan.Compose()), "h"));
        Assert.Equal("ro quiet crashkernel=512M,high crashkernel=128M,low", host.Read("/entries/0/args"));
        Assert.Equal("GRUB_CMDLINE_LINUX=\"crashkernel=512M,high crashkernel=128M,low rhgb\"\n", host.Read("/etc/default/grub"));
        Assert.True(CrashKernelPlan.Create(await FactsAsync(host), Size("512M,high", "128M,low"), force: false).IsEmpty);

        var reset = CrashKernelPlan.Create(await FactsAsync(host), CrashKernelRequest.Recommended, force: false);
        Assert.Equal((BootTool.Reset, "kdumpctl reset-crashkernel"), (reset.Tool, reset.ToolName));
        Assert.Null(HostJob.FailureOf(await host.JobAsync(reset.Compose()), "h"));
        Assert.Equal("ro quiet crashkernel=2G-64G:256M,64G-:512M", host.Read("/entries/0/args"));
        Assert.True(CrashKernelPlan.Create(await FactsAsync(host), CrashKernelRequest.Recommended, force: false).IsEmpty);
    }

    [Fact]
    public async Task Grubby_that_fails_leaves_the_old_words()
    {
        using var host = RedHat("BOOT_IMAGE=(hd0,gpt2)/vmlinuz-5.14.0-503.el9.x86_64 ro", "");
        var plan = CrashKernelPlan.Create(await FactsAsync(host), Size("256M"), force: false);
        // It fails once the old words are gone, and works again for those.
        host.Program("grubby-real", host.Read("/fakebin/grubby"));
        host.Program("grubby", "case \"$*\" in *--args=crashkernel=256M*) echo 'grubby: no space left' >&2; exit 1 ;; esac\nexec grubby-real \"$@\"");
        var failure = HostJob.FailureOf(await host.JobAsync(plan.Compose()), "h")!;
        Assert.Equal(ErrorIds.BootLoaderFailed, failure.ErrorId);
        Assert.Contains("no space left", failure.HostSaid, StringComparison.Ordinal);
        Assert.Equal("ro quiet crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M", host.Read("/entries/0/args"));
    }

    [Theory]
    [InlineData("8.10", true)]
    [InlineData("9.5", false)]
    public async Task Auto_is_for_old_releases(string version, bool known)
    {
        using var host = RedHat("BOOT_IMAGE=(hd0,gpt2)/vmlinuz-5.14.0-503.el9.x86_64 ro", "").File("/etc/os-release", $"ID=rocky\nID_LIKE=\"rhel\"\nVERSION_ID=\"{version}\"\n");
        var facts = await FactsAsync(host);
        Assert.Equal(known ? "auto" : null, facts.Default);
        if (known)
        {
            Assert.Equal(["crashkernel=auto"], CrashKernelPlan.Create(facts, CrashKernelRequest.Recommended, force: false).Words);
        }
        else
        {
            Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => CrashKernelPlan.Create(facts, Size("auto"), force: false)).ErrorId);
            Assert.Equal(ErrorIds.NotSupported, Assert.Throws<HostException>(() => CrashKernelPlan.Create(facts, CrashKernelRequest.Recommended, force: false)).ErrorId);
        }
    }

    [Fact]
    public async Task More_than_the_memory_is_refused()
    {
        using var host = Debian();
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => { CrashKernelPlan.Create(FactsAsync(host).Result, Size("16G"), force: false); }).ErrorId);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Suse_sets_its_variable_and_shows_no_secret()
    {
        using var host = Host("ID=sles\nVERSION_ID=15.6\n", "BOOT_IMAGE=/boot/vmlinuz-6.4.0-default ro crashkernel=100M")
            .File("/boot/grub2/grub.cfg", "menuentry 'SLES' {\n\tlinux /boot/vmlinuz-6.4.0-default ro crashkernel=100M\n}\n")
            .File("/etc/sysconfig/kdump", "KDUMP_SAVEDIR=\"ftp://u:hunter2@h/x\"\nKDUMP_CRASHKERNEL=\"crashkernel=100M\"\nKDUMP_SMTP_PASSWORD=\"hunter2\"\n")
            .Program("kdumptool", """
                case $1 in
                  calibrate)
                    printf 'Total: 8192\nLow: 72\nHigh: 183\nMinLow: 72\nMaxLow: 3085\n' ;;
                  commandline)
                    . "$tree/etc/sysconfig/kdump"
                    printf "menuentry 'SLES' {\n\tlinux /boot/vmlinuz-6.4.0-default ro %s\n}\n" "$KDUMP_CRASHKERNEL" >"$tree/boot/grub2/grub.cfg" ;;
                esac
                """);
        var facts = await FactsAsync(host);
        Assert.Equal(("72M,low 183M,high", 255L << 20), (facts.Default, facts.RecommendedBytes));
        var plan = CrashKernelPlan.Create(facts, Size("256M"), force: false);
        Assert.Equal(BootTool.Kdumptool, plan.Tool);
        Assert.DoesNotContain("hunter2", plan.Diff, StringComparison.Ordinal);
        Assert.Null(HostJob.FailureOf(await host.JobAsync(plan.Compose()), "h"));
        Assert.Contains("\nKDUMP_CRASHKERNEL=\"crashkernel=256M\"\n", host.Read("/etc/sysconfig/kdump"), StringComparison.Ordinal);
        var auto = CrashKernelPlan.Create(await FactsAsync(host), CrashKernelRequest.Recommended, force: false);
        Assert.Null(HostJob.FailureOf(await host.JobAsync(auto.Compose()), "h"));
        Assert.Contains("\nKDUMP_CRASHKERNEL=\"auto\"\n", host.Read("/etc/sysconfig/kdump"), StringComparison.Ordinal);
    }
}
