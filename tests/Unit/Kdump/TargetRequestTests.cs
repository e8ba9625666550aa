using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;

namespace KdumpNfs.Tests.Unit.Kdump;

public class TargetRequestTests
{
    private const string Nfs = "nfs storage:/data # dumps\npath /var/crash\ncore_collector makedumpfile -l --message-level 7 -d 31\n";

    private static string Rhel(string before, TargetRequest request, bool el7 = false)
    {
        var facts = new FactsOf(HostFamily.RedHat, before);
        facts.With("kdumpctl.failure_action", el7 ? "0" : "5");
        var first = request.Content(facts.Make());
        var again = new FactsOf(HostFamily.RedHat, Encoding.UTF8.GetString(first)).With("kdumpctl.failure_action", el7 ? "0" : "5").Make();
        // The second run changes nothing.
        Assert.Equal(first, request.Content(again));
        return Encoding.UTF8.GetString(first);
    }

    private static string Debian(string before, TargetRequest request)
    {
        var first = request.Content(new FactsOf(HostFamily.Debian, before).Make());
        Assert.Equal(first, request.Content(new FactsOf(HostFamily.Debian, Encoding.UTF8.GetString(first)).Make()));
        return Encoding.UTF8.GetString(first);
    }

    private static LocalTargetRequest Local(string? path, string? device = null, string? fileSystem = null, CaptureOptions? options = null) =>
        LocalTargetRequest.Create(path, device, fileSystem, options ?? CaptureOptions.None, false);

    private static NfsTargetRequest Export(int? messages = null, FailureAction? action = null, TimeSpan? timeout = null, int? retrans = null) =>
        NfsTargetRequest.Create("storage", "/data", null, null, null, false, messages, action, timeout, retrans);

    [Fact]
    public void A_local_directory_takes_the_target_out_and_leaves_the_rest() =>
        Assert.Equal("# dumps\npath /dumps\ncore_collector makedumpfile -l --message-level 7 -d 31\n", Rhel(Nfs, Local("/dumps")));

    [Fact]
    public void A_device_takes_the_place_of_the_target()
    {
        Assert.Equal(Nfs.Replace("nfs storage:/data", "xfs UUID=a-b", StringComparison.Ordinal), Rhel(Nfs, Local(null, "UUID=a-b", "xfs")));
        Assert.Equal("ext4 LABEL=x\npath /\n", Rhel("xfs /dev/sdb1\npath /var/crash\n", Local("/", "LABEL=x", "ext4")));
    }

    [Fact]
    public void A_stream_of_an_ssh_target_becomes_a_file() =>
        Assert.Equal("path /d\ncore_collector makedumpfile -l -d 31\n", Rhel("ssh u@s\npath /d\ncore_collector makedumpfile -F -l -d 31\n", Local(null)));

    [Fact]
    public void Debian_dumps_to_a_directory_and_mounts_no_device()
    {
        Assert.Equal("USE_KDUMP=1\nKDUMP_COREDIR=\"/dumps\"\n#NFS=\"s:/d\"\n#SSH=\"u@h\"\n", Debian("USE_KDUMP=1\nKDUMP_COREDIR=\"/var/crash\"\nNFS=\"s:/d\"\nSSH=\"u@h\"\n", Local("/dumps")));
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => Debian("", Local("/x", "/dev/sdb1", "xfs"))).ErrorId);
    }

    [Theory]
    [InlineData("/dev/sda 1", "xfs")]
    [InlineData("sda1", "xfs")]
    [InlineData("UUID=", "xfs")]
    [InlineData("/dev/sda1", "nfs")]
    [InlineData("/dev/sda1", null)]
    [InlineData(null, "xfs")]
    public void What_is_no_device_is_refused_before_any_host(string? device, string? fileSystem) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Local("/x", device, fileSystem)).ErrorId);

    [Theory]
    [InlineData("", "failure_action poweroff\n", false)]
    [InlineData("", "default poweroff\n", true)]
    [InlineData("#failure_action shell\n# x\n", "#failure_action shell\nfailure_action poweroff\n# x\n", false)]
    [InlineData("default shell # why\n", "failure_action poweroff # why\n", false)]
    [InlineData("failure_action poweroff\n", "failure_action poweroff\n", false)]
    public void The_failure_action_is_set_in_the_words_of_the_release(string before, string after, bool el7)
    {
        var text = Rhel("nfs storage:/data\n" + before, Export(action: FailureAction.PowerOff), el7);
        Assert.Equal("nfs storage:/data\n" + after, text);
        Assert.Equal("poweroff", KdumpConf.Parse(Encoding.UTF8.GetBytes(text)).FailureAction);
    }

    [Theory]
    [InlineData(FailureAction.Halt, "KDUMP_FAIL_CMD=\"halt -f\"")]
    [InlineData(FailureAction.PowerOff, "KDUMP_FAIL_CMD=\"poweroff -f\"")]
    public void Debian_runs_a_command_after_a_failure(FailureAction action, string line)
    {
        Assert.Contains(line, Debian("USE_KDUMP=1\n#KDUMP_FAIL_CMD=\"reboot -f\"\n", Export(action: action)), StringComparison.Ordinal);
        Assert.DoesNotContain("\nKDUMP_FAIL_CMD", Debian("USE_KDUMP=1\n#KDUMP_FAIL_CMD=\"reboot -f\"\n", Export(action: FailureAction.Reboot)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FailureAction.Shell)]
    [InlineData(FailureAction.DumpToRootFs)]
    public void Debian_has_neither_shell_nor_a_second_place(FailureAction action) =>
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => Debian("USE_KDUMP=1\n", Export(action: action))).ErrorId);

    [Theory]
    [InlineData("makedumpfile -l --message-level 7 -d 31", "makedumpfile -l --message-level 31 -d 31")]
    [InlineData("makedumpfile -l --message-level=7 -d 31", "makedumpfile -l --message-level=31 -d 31")]
    [InlineData("makedumpfile -l --mess 1  -d 31", "makedumpfile -l --mess 31  -d 31")]
    [InlineData("makedumpfile -c -d 31", "makedumpfile -c --message-level 31 -d 31")]
    [InlineData("makedumpfile -l --message-level 31 -d 31", "makedumpfile -l --message-level 31 -d 31")]
    public void The_message_level_is_one_word(string before, string after) =>
        Assert.Equal($"nfs storage:/data\ncore_collector {after}\n", Rhel($"nfs storage:/data\ncore_collector {before}\n", Export(messages: 31)));

    [Theory]
    [InlineData(-1)]
    [InlineData(32)]
    public void A_message_level_beyond_its_bits_is_refused(int level) => Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Export(messages: level)).ErrorId);

    [Fact]
    public void Nfs_timeouts_are_variables_on_Debian_and_a_line_of_fstab_elsewhere()
    {
        var text = Debian("USE_KDUMP=1\n#NFS_TIMEO=\"600\"\n", Export(timeout: TimeSpan.FromSeconds(30), retrans: 5));
        Assert.Contains("#NFS_TIMEO=\"600\"\nNFS_TIMEO=\"300\"\n", text, StringComparison.Ordinal);
        Assert.Contains("NFS_RETRANS=\"5\"\n", text, StringComparison.Ordinal);
        var refused = Assert.Throws<HostException>(() => Rhel(Nfs, Export(timeout: TimeSpan.FromSeconds(30), retrans: 5)));
        Assert.Equal(ErrorIds.NotExpressible, refused.ErrorId);
        Assert.EndsWith("storage:/data /mnt/kdump nfs defaults,noauto,timeo=300,retrans=5 0 0", refused.Remedy, StringComparison.Ordinal);
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Export(timeout: TimeSpan.FromMilliseconds(50))).ErrorId);
    }

    [Fact]
    public void A_local_target_is_reached_once()
    {
        var facts = new FactsOf(HostFamily.RedHat, "path /var/crash\n").Make();
        var plan = KdumpTargetPlan.Create(facts, Local("/var/crash"));
        // Not ready, because a network target is better; but there is nothing to activate.
        Assert.Equal(KdumpState.NotReady, plan.Status.State);
        Assert.True(plan.IsEmpty);
    }

    [Fact]
    public void Passwords_are_in_no_plan()
    {
        const string Before = "USE_KDUMP=1\nFTP=\"s\"\nFTP_PASSWORD=\"sesame and more\"\n";
        var plan = KdumpTargetPlan.Create(new FactsOf(HostFamily.Debian, Before).Make(), Export());
        Assert.Contains("-FTP=\"s\"", plan.Diff, StringComparison.Ordinal);
        Assert.Contains(" FTP_PASSWORD=***", plan.Diff, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", plan.Diff + System.Text.Json.JsonSerializer.Serialize(plan), StringComparison.Ordinal);
        Assert.Contains("sesame and more", Encoding.UTF8.GetString(plan.NewContent.Span), StringComparison.Ordinal);
        Assert.Equal("curl: no ***", plan.Mask.Hide("curl: no sesame and more"));
    }
}
