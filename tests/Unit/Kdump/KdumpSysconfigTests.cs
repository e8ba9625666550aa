using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Kdump;

public class KdumpSysconfigTests
{
    private const string Shipped = """
        ## Path:        System/Kernel/Kdump
        ## Type:	string
        KDUMP_CRASHKERNEL="auto"
        ## Type:	string
        # Which directory should the dumps be saved in by the default dumper?
        KDUMP_SAVEDIR="/var/crash"
        KDUMP_DUMPLEVEL=31
        KDUMP_DUMPFORMAT="compressed"
        KDUMP_CONTINUE_ON_ERROR="true"
        KDUMP_SMTP_PASSWORD=""
        KDUMP_SSH_IDENTITY=""

        """;

    private static KdumpSysconfig Parse(string text) => KdumpSysconfig.Parse(Encoding.UTF8.GetBytes(text));



    private static string Content(string before, TargetRequest request)
    {
        var first = request.Content(new FactsOf(HostFamily.Suse, before).Make());
        Assert.Equal(first, request.Content(new FactsOf(HostFamily.Suse, Encoding.UTF8.GetString(first)).Make()));
        return Encoding.UTF8.GetString(first);
    }

    [Theory]
    [InlineData("/var/crash", KdumpTargetKind.Local, "/var/crash")]
    [InlineData("file:///dumps/", KdumpTargetKind.Local, "/dumps")]
    [InlineData("nfs://Storage/data/nfs_share/var/crash", KdumpTargetKind.Nfs, "storage:/data/nfs_share/var/crash")]
    [InlineData("nfs://[fd00::1]/data", KdumpTargetKind.Nfs, "[fd00::1]:/data")]
    [InlineData("ssh://kdump@storage/dumps", KdumpTargetKind.Ssh, "kdump@storage:/dumps")]
    [InlineData("SFTP://kdump:se:same@storage:2222/dumps", KdumpTargetKind.Ssh, "kdump@storage:/dumps")]
    [InlineData("ftp://u:p@storage/dumps", KdumpTargetKind.Ftp, "ftp://storage/dumps")]
    [InlineData("cifs://u:p@storage/share/dumps", KdumpTargetKind.Other, "cifs://u:***@storage/share/dumps")]
    public void A_directory_is_a_url(string directory, KdumpTargetKind kind, string location)
    {
        var target = Parse($"KDUMP_SAVEDIR=\"{directory}\"\n").Target;
        Assert.Equal((kind, location), (target.Kind, target.Location));
        Assert.DoesNotContain("same", target.ToString() + target.Text + System.Text.Json.JsonSerializer.Serialize(target), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_said_is_the_local_default()
    {
        var file = Parse("");
        Assert.Equal("/var/crash", file.Target.Location);
        Assert.Equal((DumpLevel.All, VmcoreCompression.Zlib, true), (file.CoreCollector.DumpLevel, file.CoreCollector.Compression, file.CoreCollector.Flattened));
    }

    [Theory]
    [InlineData("KDUMP_DUMPFORMAT=lzo\nKDUMP_DUMPLEVEL=17\n", 17, VmcoreCompression.Lzo)]
    [InlineData("KDUMP_DUMPFORMAT=ELF\n", 31, VmcoreCompression.None)]
    [InlineData("KDUMP_DUMPFORMAT=zstd\nMAKEDUMPFILE_OPTIONS=\"-d 1\"\n", 1, VmcoreCompression.Zstd)]
    [InlineData("KDUMP_DUMPFORMAT=odd\nKDUMP_DUMPLEVEL=99\n", 31, VmcoreCompression.Zlib)]
    public void The_command_is_put_together_as_kdump_save_does(string text, int level, VmcoreCompression compression) =>
        Assert.Equal(((DumpLevel)level, compression), (Parse(text).CoreCollector.DumpLevel, Parse(text).CoreCollector.Compression));

    [Theory]
    [InlineData("KDUMP_SAVEDIR=crash\n", ConfigProblemIds.InvalidValue, true)]
    [InlineData("KDUMP_DUMPFORMAT=none\n", ConfigProblemIds.InvalidValue, true)]
    [InlineData("KDUMP_SAVEDIR=\"nfs://a/b file:///c\"\n", ConfigProblemIds.SeveralTargets, false)]
    [InlineData("KDUMP_SAVEDIR=$(cat /x)\n", ConfigProblemIds.NotLiteral, false)]
    public void What_gives_no_dump_is_a_problem(string text, string id, bool refused) =>
        Assert.Contains(Parse(text).Problems, p => p.Id == id && p.Refused == refused);

    [Fact]
    public void A_target_is_one_line_of_the_shipped_file()
    {
        var nfs = Content(Shipped, NfsTargetRequest.Create("storage", "/data/nfs_share", "/var/crash", 17, VmcoreCompression.Lzo, false, 7, FailureAction.Shell));
        Assert.Equal(Shipped.Replace("\"/var/crash\"", "\"nfs://storage/data/nfs_share/var/crash\"", StringComparison.Ordinal).Replace("LEVEL=31", "LEVEL=17", StringComparison.Ordinal)
            .Replace("\"compressed\"", "\"lzo\"", StringComparison.Ordinal).Replace("ON_ERROR=\"true\"", "ON_ERROR=\"false\"", StringComparison.Ordinal) +
            "MAKEDUMPFILE_OPTIONS=\"--message-level 7\"\n", nfs);
        var ssh = Content(nfs, SshTargetRequest.Create("storage", "kdump", "/dumps", null, null, DumpKeyLimit.Commands, false, false, CaptureOptions.None));
        Assert.Contains("KDUMP_SAVEDIR=\"ssh://kdump@storage/dumps\"\n", ssh, StringComparison.Ordinal);
        Assert.Contains("KDUMP_SSH_IDENTITY=\"/root/.ssh/kdump_id_rsa\"\n", ssh, StringComparison.Ordinal);
        Assert.Contains("KDUMP_SAVEDIR=\"/dumps\"\n", Content(ssh, LocalTargetRequest.Create("/dumps", null, null, CaptureOptions.None, false)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_in_the_url_is_replaced_and_never_shown()
    {
        const string Before = "KDUMP_SAVEDIR=\"ssh://kdump:se@same@storage/dumps\"\nKDUMP_SMTP_PASSWORD='open up'\n";
        var facts = new FactsOf(HostFamily.Suse, Before).WithBackups(("20260101T000000Z", Before.Replace("same", "other", StringComparison.Ordinal))).Make();
        var plan = KdumpTargetPlan.Create(facts, SshTargetRequest.Create("storage", "kdump", "/dumps", "/root/.ssh/kdump_id_rsa", null, DumpKeyLimit.Commands, false, false, CaptureOptions.None));
        Assert.Matches("-KDUMP_SAVEDIR=\"ssh://kdump:\\*+@storage/dumps\"", plan.Diff);
        Assert.Contains("+KDUMP_SAVEDIR=\"ssh://kdump@storage/dumps\"", plan.Diff, StringComparison.Ordinal);
        Assert.DoesNotMatch("same|open up", plan.Diff + System.Text.Json.JsonSerializer.Serialize(plan) + System.Text.Json.JsonSerializer.Serialize(plan.Status));
        Assert.Matches("^ssh: \\*+ no$", plan.Mask.Hide("ssh: se@same no"));

        // A restore that changes nothing but the password still shows that it does.
        var restore = KdumpTargetPlan.Create(facts, RestoreRequest.Create(null, false));
        Assert.Matches("\\+KDUMP_SAVEDIR=\"ssh://kdump:\\*+@storage", restore.Diff);
        Assert.DoesNotContain("other", restore.Diff, StringComparison.Ordinal);
    }

    [Fact]
    public void What_this_family_cannot_say_is_refused()
    {
        string Id(TargetRequest request) => Assert.Throws<HostException>(() => Content("", request)).ErrorId;
        Assert.Equal(ErrorIds.NotExpressible, Id(NfsTargetRequest.Create("s", "/my data", null, null, null, false)));
        Assert.Equal(ErrorIds.NotExpressible, Id(NfsTargetRequest.Create("s", "/d", null, null, null, false, nfsRetrans: 3)));
        Assert.Equal(ErrorIds.NotExpressible, Id(NfsTargetRequest.Create("s", "/d", null, null, null, false, failureAction: FailureAction.PowerOff)));
        Assert.Equal(ErrorIds.NotExpressible, Id(LocalTargetRequest.Create("/d", "/dev/sdb1", "xfs", CaptureOptions.None, false)));
        Assert.Equal(ErrorIds.NotExpressible, Id(SshTargetRequest.Create("fd00::1", "kdump", "/d", null, null, DumpKeyLimit.Commands, false, false, CaptureOptions.None)));
    }

    [Fact]
    public void A_host_is_judged_by_its_service_and_its_image()
    {
        FactsOf Host(string directory) => new(HostFamily.Suse, $"KDUMP_SAVEDIR=\"{directory}\"\n");
        var good = KdumpStatus.From(Host("nfs://storage/data").Make(), null);
        Assert.Equal((KdumpState.Configured, "storage:/data"), (good.State, good.Target!.Location));
        Assert.Equal([NotReadyReason.TargetMissing], KdumpStatus.From(Host("/var/crash").Make(), null).NotReadyReason);
        Assert.Equal([NotReadyReason.ImageOlderThanConfiguration], KdumpStatus.From(Host("nfs://storage/data").With("image.time", "1795360000").Make(), null).NotReadyReason);
        Assert.Equal([NotReadyReason.CrashKernelNotLoaded], KdumpStatus.From(Host("nfs://storage/data").With("crash.loaded", "0").Make(), null).NotReadyReason);
        Assert.Equal([NotReadyReason.ConfigurationInvalid], KdumpStatus.From(new FactsOf(HostFamily.Suse, "KDUMP_SAVEDIR=nfs://storage/data\nKDUMP_DUMPFORMAT=none\n").Make(), null).NotReadyReason);
    }

    [Theory]
    [InlineData("nfs://storage/data/nfs_share/var/crash", "nfs")]
    [InlineData("ssh://kdump@storage/dumps", "ssh")]
    [InlineData("/dumps", "file")]
    public void Bash_reads_what_was_written(string url, string protocol)
    {
        TargetRequest request = protocol switch
        {
            "nfs" => NfsTargetRequest.Create("storage", "/data/nfs_share", "/var/crash", 1, VmcoreCompression.Zstd, false),
            "ssh" => SshTargetRequest.Create("storage", "kdump", "/dumps", null, null, DumpKeyLimit.Commands, false, false, CaptureOptions.Create(1, VmcoreCompression.Zstd, null, null)),
            _ => LocalTargetRequest.Create("/dumps", null, null, CaptureOptions.Create(1, VmcoreCompression.Zstd, null, null), false),
        };
        using var folder = Tool.Directory();
        var file = folder.Write("kdump", Encoding.UTF8.GetBytes(Content(Shipped, request)));
        var (status, output) = Tool.Run("bash", ["-c", ". \"$0\" && printf '%s|%s|%s' \"$KDUMP_SAVEDIR\" \"$KDUMP_DUMPLEVEL\" \"$KDUMP_DUMPFORMAT\"", file]);
        Assert.Equal((0, $"{url}|1|zstd"), (status, Encoding.UTF8.GetString(output)));
    }

    /// <summary>SUSE's own reader, where a copy of github.com/openSUSE/kdump is at hand (KDUMPNFS_SUSE_KDUMP is its directory).</summary>
    [SkippableTheory]
    [InlineData("nfs", "nfs://storage/data/nfs_share/var/crash")]
    [InlineData("ssh", "ssh://kdump@storage/dumps")]
    [InlineData("file", "/dumps")]
    public void Its_own_script_reads_what_was_written(string protocol, string url)
    {
        var sources = Environment.GetEnvironmentVariable("KDUMPNFS_SUSE_KDUMP");
        Skip.If(string.IsNullOrEmpty(sources), "KDUMPNFS_SUSE_KDUMP names no copy of openSUSE/kdump.");
        TargetRequest request = protocol switch
        {
            "nfs" => NfsTargetRequest.Create("storage", "/data/nfs_share", "/var/crash", 17, VmcoreCompression.Snappy, false, 31, FailureAction.Shell),
            "ssh" => SshTargetRequest.Create("storage", "kdump", "/dumps", null, null, DumpKeyLimit.Commands, false, false, CaptureOptions.Create(17, VmcoreCompression.Snappy, 31, FailureAction.Shell)),
            _ => LocalTargetRequest.Create("/dumps", null, null, CaptureOptions.Create(17, VmcoreCompression.Snappy, 31, FailureAction.Shell), false),
        };
        using var folder = Tool.Directory();
        var file = folder.Write("kdump", Encoding.UTF8.GetBytes(Content(Shipped, request)));
        var (status, output) = Tool.Run("bash", [System.IO.Path.Combine(sources, "kdump-read-config.sh"), "--print"], [], ("KDUMP_CONF", file));
        Assert.Equal(0, status);
        var lines = Encoding.UTF8.GetString(output).Split('\n');
        Assert.Contains($"KDUMP_PROTO={protocol}", lines);
        foreach (var line in new[] { $"KDUMP_SAVEDIR='{url}'", "KDUMP_DUMPLEVEL='17'", "KDUMP_DUMPFORMAT='snappy'", "KDUMP_CONTINUE_ON_ERROR='false'", "MAKEDUMPFILE_OPTIONS='--message-level 31'" })
        {
            Assert.Contains(line, lines);
        }

        if (protocol == "ssh")
        {
            Assert.Contains("KDUMP_SSH_IDENTITY='/root/.ssh/kdump_id_rsa'", lines);
        }
    }
}
