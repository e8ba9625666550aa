using System.Diagnostics;
using System.Text;
using KdumpNfs.Crash;
using KdumpNfs.Hosts;
using KdumpNfs.Tests.Unit.Collection;

namespace KdumpNfs.Tests.Unit.Crash;

/// <summary>Plans against a tree that looks like a host, and the real job run on it by this machine's sh.</summary>
public sealed class PanicPolicyTests : IDisposable
{
    private const string DropIn = "etc/sysctl.d/kernel_debug.conf";
    private readonly string _root = Directory.CreateTempSubdirectory("kdumpnfs-sysctl-").FullName;

    public PanicPolicyTests()
    {
        Directory.CreateDirectory(PathOf("etc/sysctl.d"));
        Directory.CreateDirectory(PathOf("proc/sys/kernel"));
        foreach (var (name, value) in new[] { ("panic", "0"), ("softlockup_panic", "0"), ("panic_on_oops", "0"), ("panic_on_warn", "0"), ("sysrq", "438") })
        {
            File.WriteAllText(PathOf($"proc/sys/kernel/{name}"), value + "\n");
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string PathOf(string path) => Path.Combine(_root, path);

    private string Value(string name) => File.ReadAllText(PathOf($"proc/sys/kernel/{name}")).Trim();

    private string? Content() => File.Exists(PathOf(DropIn)) ? File.ReadAllText(PathOf(DropIn)) : null;

    private Task<SysctlFacts> FactsAsync(string record = KernelPanicPolicyOperation.Record) => SysctlFacts.ReadAsync(new ShellConnection(),
        record == SysrqMask.Record ? [SysrqMask.Key] : KernelPanicPolicyOperation.Keys, record, default, _root);

    private static KeyValuePair<string, string>[] Wanted(params (PanicSetting Setting, int Value)[] settings) =>
        [.. settings.Select(s => new KeyValuePair<string, string>(s.Setting.Key(), s.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)))];

    // The job as the host would run it, with its records on descriptor 3.
    private HostReply Apply(SysctlPlan plan, string record = KernelPanicPolicyOperation.Record)
    {
        var work = Directory.CreateDirectory(PathOf("job")).FullName;
        File.WriteAllText(work + "/script", SysctlJob.Compose(plan, record, _root).Replace("job=/run/kdumpnfs/job", $"job={work}", StringComparison.Ordinal));
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"sh {work}/script 3>{work}/result >{work}/log 2>&1"]))!;
        process.WaitForExit();
        var reply = HostReply.Parse("host", File.ReadAllBytes(work + "/result"));
        Assert.True((process.ExitCode == 0) == (reply.Text("fail.id") is null), File.ReadAllText(work + "/log"));
        return reply;
    }

    private async Task<SysctlPlan> SetAsync(SettingScope scope, params (PanicSetting Setting, int Value)[] settings)
    {
        var plan = SysctlPlan.Set(await FactsAsync(), Wanted(settings), scope);
        if (plan.Changes)
        {
            Assert.Null(Apply(plan).Text("fail.said"));
        }

        return plan;
    }

    private async Task<SysctlPlan> RestoreAsync(string record = KernelPanicPolicyOperation.Record, SettingScope scope = SettingScope.Persistent)
    {
        var plan = SysctlPlan.Restore(await FactsAsync(record), scope);
        if (plan.Changes)
        {
            Assert.Null(Apply(plan, record).Text("fail.said"));
        }

        return plan;
    }

    private async Task SysrqAsync(int mask)
    {
        var plan = SysctlPlan.Set(await FactsAsync(SysrqMask.Record), [new(SysrqMask.Key, mask.ToString(System.Globalization.CultureInfo.InvariantCulture))], SettingScope.Persistent);
        Assert.Null(Apply(plan, SysrqMask.Record).Text("fail.said"));
    }

    [Theory]
    [InlineData("/dev/vda1 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n", null)]
    [InlineData("rootfs / rootfs rw 0 0\n/dev/vda1 / xfs rw 0 0\n", null)]
    [InlineData("overlay / overlay rw 0 0\n", "The root file system of")]
    public async Task A_host_without_a_disk_of_its_own_is_told_that_the_drop_in_does_not_stay(string mounts, string? warning)
    {
        Directory.CreateDirectory(PathOf("proc/self"));
        await File.WriteAllTextAsync(PathOf("proc/self/mounts"), mounts);
        var lost = (await FactsAsync()).LostAtReboot;
        Assert.Equal(warning is null, lost is null);
        Assert.StartsWith(warning ?? "", lost ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_set_is_in_force_and_in_the_file_and_setting_it_again_changes_nothing()
    {
        var plan = await SetAsync(SettingScope.Persistent, (PanicSetting.SoftlockupPanic, 1), (PanicSetting.PanicTimeout, 60), (PanicSetting.HardlockupPanic, 1));
        Assert.Equal(["kernel.hardlockup_panic"], plan.Unknown);
        Assert.Equal(("1", "60"), (Value("softlockup_panic"), Value("panic")));
        Assert.Equal("kernel.softlockup_panic = 1\nkernel.panic = 60\n", Content());
        Assert.Contains("+kernel.panic = 60", plan.Diff, StringComparison.Ordinal);
        var written = File.GetLastWriteTimeUtc(PathOf(DropIn));
        Assert.False((await SetAsync(SettingScope.Persistent, (PanicSetting.SoftlockupPanic, 1), (PanicSetting.PanicTimeout, 60))).Changes);
        Assert.Equal(written, File.GetLastWriteTimeUtc(PathOf(DropIn)));
        var policy = KernelPanicPolicyOperation.From(await FactsAsync());
        Assert.Equal((true, 60, (bool?)null), (policy.SoftlockupPanic, policy.PanicTimeout, policy.HardlockupPanic));
        Assert.Equal("/" + DropIn, policy.Settings.Single(s => s.Setting == PanicSetting.PanicTimeout).BootFile);
        Assert.Equal(0, policy.Settings.Single(s => s.Setting == PanicSetting.PanicTimeout).Before);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("# theirs\r\nkernel.panic=10\nkernel.sysrq = 1\nkernel/panic = 20")]
    public async Task Restore_brings_back_exact_bytes_and_values(string? before)
    {
        if (before is not null)
        {
            File.WriteAllText(PathOf(DropIn), before);
        }

        await SetAsync(SettingScope.Persistent, (PanicSetting.PanicTimeout, 60));
        await SetAsync(SettingScope.Persistent, (PanicSetting.PanicTimeout, 90), (PanicSetting.PanicOnOops, 1));
        await SetAsync(SettingScope.Boot, (PanicSetting.PanicOnOops, 0), (PanicSetting.SoftlockupPanic, 1));
        Assert.Equal(("90", "0", "1"), (Value("panic"), Value("panic_on_oops"), Value("softlockup_panic")));
        var plan = await RestoreAsync();
        Assert.Empty(plan.Foreign);
        Assert.Equal(before, Content());
        Assert.Equal(("0", "0", "0"), (Value("panic"), Value("panic_on_oops"), Value("softlockup_panic")));
        Assert.False((await RestoreAsync()).Changes);
        Assert.False(Directory.Exists(PathOf("var/lib/kdumpnfs")));
    }

    [Fact]
    public async Task Sysrq_and_panic_settings_do_not_lose_each_others_lines_in_any_order()
    {
        const string Sysrq = "kernel.sysrq = 1\n", Panic = "kernel.panic = 60\n";
        await SetAsync(SettingScope.Persistent, (PanicSetting.PanicTimeout, 60));
        await SysrqAsync(1);
        Assert.Equal(Panic + Sysrq, Content());
        await RestoreAsync();
        Assert.Equal(Sysrq, Content());
        await SetAsync(SettingScope.Persistent, (PanicSetting.PanicTimeout, 60));
        Assert.Equal(Sysrq + Panic, Content());
        await RestoreAsync(SysrqMask.Record);
        Assert.Equal(Panic, Content());
        Assert.Equal(("438", "60"), (Value("sysrq"), Value("panic")));
        await RestoreAsync();
        Assert.Null(Content());
        Assert.False(Directory.Exists(PathOf("var/lib/kdumpnfs")));
    }

    [Fact]
    public async Task What_others_changed_since_is_left_and_told()
    {
        await SetAsync(SettingScope.Persistent, (PanicSetting.PanicTimeout, 60), (PanicSetting.PanicOnOops, 1), (PanicSetting.SoftlockupPanic, 1));
        File.WriteAllText(PathOf(DropIn), "# mine\n" + Content()!.Replace("kernel.panic = 60", "kernel.panic = 30", StringComparison.Ordinal));
        File.WriteAllText(PathOf("proc/sys/kernel/softlockup_panic"), "0\n");
        File.WriteAllText(PathOf("proc/sys/kernel/panic"), "30\n");

        // A second change on top of the foreign edit must not make it ours.
        await SetAsync(SettingScope.Persistent, (PanicSetting.PanicOnWarn, 1));
        var plan = await RestoreAsync();
        Assert.Equal(["kernel.panic"], plan.Foreign);
        Assert.Equal("# mine\nkernel.panic = 30\n", Content());
        Assert.Equal(("30", "0", "0", "0"), (Value("panic"), Value("panic_on_oops"), Value("softlockup_panic"), Value("panic_on_warn")));
    }

    [Fact]
    public async Task A_value_for_this_boot_alone_leaves_files_and_is_gone_after_the_boot()
    {
        await SetAsync(SettingScope.Boot, (PanicSetting.PanicTimeout, 60));
        Assert.Null(Content());
        File.WriteAllText(PathOf("proc/sys/kernel/panic"), "0\n");
        var plan = await RestoreAsync();
        Assert.Empty(plan.Values);
        Assert.Empty(plan.Foreign);
        Assert.Null((await FactsAsync()).Record);
    }

    [Fact]
    public async Task Back_for_this_boot_alone_keeps_the_drop_in_and_the_memory()
    {
        await SysrqAsync(1);
        await RestoreAsync(SysrqMask.Record, SettingScope.Boot);
        Assert.Equal(("438", "kernel.sysrq = 1\n"), (Value("sysrq"), Content()));
        Assert.NotNull((await FactsAsync(SysrqMask.Record)).Record);
        await RestoreAsync(SysrqMask.Record);
        Assert.Null(Content());
    }

    [Fact]
    public async Task A_value_that_the_kernel_refuses_undoes_the_others()
    {
        // A file of the real kernel that nobody can write.
        File.CreateSymbolicLink(PathOf("proc/sys/kernel/nmi_watchdog"), "/proc/sys/kernel/ngroups_max");
        var plan = SysctlPlan.Set(await FactsAsync(), Wanted((PanicSetting.PanicTimeout, 60), (PanicSetting.NmiWatchdog, 1)), SettingScope.Persistent);
        var reply = Apply(plan);
        Assert.Equal(ErrorIds.KernelSettingRefused, reply.Text("fail.id"));
        Assert.Contains("nmi_watchdog does not take 1", reply.Text("fail.said"), StringComparison.Ordinal);
        Assert.Null(reply.Text("undo.failed"));
        Assert.Equal("0", Value("panic"));
        Assert.Null(Content());
        Assert.False(Directory.Exists(PathOf("var/lib/kdumpnfs")));
    }

    [Fact]
    public async Task A_file_that_changed_since_the_plan_undoes_the_values()
    {
        var plan = SysctlPlan.Set(await FactsAsync(), Wanted((PanicSetting.PanicTimeout, 60)), SettingScope.Persistent);
        File.WriteAllText(PathOf(DropIn), "kernel.sysrq = 1\n");
        Assert.Equal(ErrorIds.FileChanged, Apply(plan).Text("fail.id"));
        Assert.Equal(("0", "kernel.sysrq = 1\n"), (Value("panic"), Content()));
        Assert.Null((await FactsAsync()).Record);
    }

    [Fact]
    public async Task Only_root_may_read_what_was_before()
    {
        await SetAsync(SettingScope.Persistent, (PanicSetting.PanicTimeout, 60));
        using var process = Process.Start(new ProcessStartInfo("stat", ["-c", "%a", PathOf("var/lib/kdumpnfs"), PathOf("var/lib/kdumpnfs/panic.before")]) { RedirectStandardOutput = true })!;
        Assert.Equal("700\n600\n", await process.StandardOutput.ReadToEndAsync());
    }

    [Fact]
    public async Task A_later_file_that_wins_is_named()
    {
        File.WriteAllText(PathOf("etc/sysctl.d/zz.conf"), "kernel.panic = 5\n");
        var plan = SysctlPlan.Set(await FactsAsync(), Wanted((PanicSetting.PanicTimeout, 60)), SettingScope.Persistent);
        Assert.Equal(new SysctlWinner("kernel.panic", "/etc/sysctl.d/zz.conf", "5"), plan.Facts.OverriddenBy("kernel.panic", plan.NewContent!));
    }

    [Theory]
    [InlineData(PanicSetting.PanicTimeout, -2)]
    [InlineData(PanicSetting.PanicTimeout, 86401)]
    [InlineData(PanicSetting.PanicOnOops, 2)]
    public void What_no_kernel_takes_is_refused(PanicSetting setting, int value) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new SetKernelPanicPolicyOperation(null!, new Dictionary<PanicSetting, int> { [setting] = value })).ErrorId);

    [Fact]
    public void Nothing_to_set_is_refused() =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new SetKernelPanicPolicyOperation(null!, new Dictionary<PanicSetting, int>())).ErrorId);

    [Fact]
    public void A_record_of_another_version_is_refused() =>
        Assert.Equal(ErrorIds.UnexpectedReply, Assert.Throws<HostException>(() => SysctlRecord.Parse("h", Encoding.ASCII.GetString("version 1\n9\n"u8))).ErrorId);

    [Fact]
    public async Task An_image_gets_the_drop_in_and_nothing_that_runs_is_touched()
    {
        await File.WriteAllTextAsync(PathOf("etc/sysctl.d/zz-site.conf"), "kernel.panic = 5\n");
        var wanted = Wanted((PanicSetting.PanicTimeout, 60), (PanicSetting.NmiWatchdog, 1));
        var plan = SysctlPlan.Image(await SysctlFacts.ReadImageAsync(new ShellConnection(), _root, default), wanted);
        Assert.Empty(plan.Values);
        Assert.Equal("/etc/sysctl.d/zz-site.conf", plan.Facts.OverriddenBy("kernel.panic", plan.NewContent!)?.Path);
        Assert.Null(Apply(plan).Text("fail.said"));
        // The kernel that runs here does not know the watchdog; the image's may.
        Assert.Contains("kernel.nmi_watchdog = 1", Content(), StringComparison.Ordinal);
        Assert.Equal("0", Value("panic"));
        Assert.False(Directory.Exists(PathOf("var/lib/kdumpnfs")));

        var again = SysctlPlan.Image(await SysctlFacts.ReadImageAsync(new ShellConnection(), _root, default), wanted);
        Assert.False(again.Changes);
        var sysrq = SysctlPlan.Image(again.Facts, [new(SysrqMask.Key, "8")]);
        Assert.NotNull(Apply(sysrq).Text("backup"));
        Assert.Contains("kernel.panic = 60", Content(), StringComparison.Ordinal);
        // Made from the file as it was before: not written over what is there now.
        Assert.Equal(ErrorIds.FileChanged, Apply(sysrq).Text("fail.id"));
    }

    [Fact]
    public async Task A_drop_in_that_leads_out_of_the_image_is_not_followed()
    {
        var outside = PathOf("outside.conf");
        var tree = Directory.CreateDirectory(PathOf("tree/etc/sysctl.d")).Parent!.Parent!.FullName;
        File.CreateSymbolicLink(tree + "/etc/sysctl.d/kernel_debug.conf", outside);
        var plan = SysctlPlan.Image(await SysctlFacts.ReadImageAsync(new ShellConnection(), tree, default), Wanted((PanicSetting.PanicTimeout, 60)));
        Assert.Contains("outside of the tree", Apply(plan).Text("fail.said"), StringComparison.Ordinal);
        Assert.False(File.Exists(outside));
    }

    [Fact]
    public async Task What_is_no_image_is_refused()
    {
        Assert.Equal(ErrorIds.ImageRootMissing, (await Assert.ThrowsAsync<HostException>(() => SysctlFacts.ReadImageAsync(new ShellConnection(), PathOf("proc"), default))).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => SysctlImage.Check("/", SettingScope.Persistent)).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => SysctlImage.Check("images/x", SettingScope.Persistent)).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => SysctlImage.Check("/images/x", SettingScope.Boot)).ErrorId);
        Assert.Equal("/images/x", SysctlImage.Check("/images//x/", SettingScope.Persistent));
        Assert.Null(SysctlImage.Check(null, SettingScope.Boot));
    }
}
