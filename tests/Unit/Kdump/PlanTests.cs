using System.Text.Json;
using System.Text.Json.Serialization;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Kdump;

public sealed class PlanTests
{
    private const string Before = "# ours\npath /var/crash\ncore_collector makedumpfile -l --message-level 1 -d 31\n";

    private static readonly JsonSerializerOptions ByName = new() { Converters = { new JsonStringEnumConverter() } };
    private static readonly JsonSerializerOptions ByNumber = new() { WriteIndented = true };

    private static readonly SshHost Host = new("web01", "admin", 2222, null);

    private static readonly NfsTargetRequest Asked = NfsTargetRequest.Create("storage", "/data/nfs_share", "/var/crash", 17, VmcoreCompression.Lzo, createPath: true, messageLevel: 7, FailureAction.Halt);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_plan_comes_back_from_JSON_as_it_was(bool byName)
    {
        // Like the command line, or like ConvertTo-Json: enums by number, indented.
        var options = byName ? ByName : ByNumber;
        var plan = Make(Asked);
        var text = JsonSerializer.Serialize(plan, options);
        Assert.Equal(plan, Assert.Single(KdumpPlanReader.ReadJson(text)));
        Assert.Equal([plan, plan], KdumpPlanReader.ReadJson(text + "\n" + text));
        Assert.Equal([plan, plan], KdumpPlanReader.ReadJson($"[{text},{text}]"));
        Assert.Equal(Asked, plan.Request.ToRequest(plan.Kind));
        Assert.Equal(Host, plan.ToHost());
    }

    [Fact]
    public void A_plan_tells_who_made_it_when_and_what_changes()
    {
        var plan = Make(Asked);
        Assert.StartsWith("KdumpNfs ", plan.CreatedBy, StringComparison.Ordinal);
        Assert.InRange(plan.CreatedAt, DateTimeOffset.Now.AddMinutes(-5), DateTimeOffset.Now.AddMinutes(1));
        Assert.Equal((KdumpPlanKind.Nfs, HostFamily.RedHat, "/etc/kdump.conf", true, false), (plan.Kind, plan.Family, plan.Path, plan.WritesFile, plan.IsEmpty));
        Assert.Contains("+nfs", plan.Diff, StringComparison.Ordinal);
        Assert.NotEqual(plan.OldSha256, plan.NewSha256);
    }

    [Fact]
    public void Each_kind_asks_for_the_same_again()
    {
        foreach (var request in new TargetRequest[]
        {
            LocalTargetRequest.Create("/var/crash", "UUID=1234", "xfs", CaptureOptions.Create(31, null, null, null), false),
            NfsTargetRequest.Create("fd00::1", "/x", null, null, null, false),
        })
        {
            var plan = Make(request);
            Assert.Equal(request, plan.Request.ToRequest(plan.Kind));
        }

        var facts = new FactsOf(HostFamily.RedHat, "nfs storage:/now\npath /var/crash\n").WithBackups(("20260101T000000Z", Before)).Make();
        var restore = KdumpPlan.From(KdumpTargetPlan.Create(facts, RestoreRequest.Create(null, false)), Host);

        // The newest backup may be another one by the time the plan is applied.
        Assert.Equal("/etc/kdump.conf.kdumpnfs-20260101T000000Z.bak", Assert.IsType<RestoreRequest>(restore.Request.ToRequest(restore.Kind)).Backup);
    }

    [Fact]
    public void A_host_that_is_as_it_was_or_as_it_will_be_is_taken()
    {
        var plan = Make(Asked);
        var facts = Facts(Before);
        plan.CheckHost(facts);
        var made = KdumpTargetPlan.Create(facts, Asked);
        plan.CheckResult(made);

        var after = Facts(System.Text.Encoding.UTF8.GetString(made.NewContent.Span));
        plan.CheckHost(after);
        var again = KdumpTargetPlan.Create(after, Asked);
        plan.CheckResult(again);
        Assert.True(again.IsEmpty);
    }

    [Theory]
    [InlineData(HostFamily.RedHat, Before + "# somebody was here\n")]
    [InlineData(HostFamily.Debian, "USE_KDUMP=1\n")]
    public void A_host_that_drifted_is_refused(HostFamily family, string now)
    {
        var error = Assert.Throws<HostException>(() => Make(Asked).CheckHost(new FactsOf(family, now).Make()));
        Assert.Equal((ErrorIds.PlanDrifted, "web01"), (error.ErrorId, error.HostName));
        Assert.Contains("-PassPlan", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_that_was_changed_is_refused()
    {
        var plan = Make(Asked);
        var changed = plan with { Request = plan.Request with { Export = "/elsewhere" } };
        var made = KdumpTargetPlan.Create(Facts(Before), changed.Request.ToRequest(changed.Kind));
        Assert.Equal(ErrorIds.PlanInvalid, Assert.Throws<HostException>(() => changed.CheckResult(made)).ErrorId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("[1, \"x\", null]")]
    [InlineData("<Objs Version=\"1.1.0.1\">")]
    [InlineData("{\"SchemaVersion\":2,\"NewSha256\":\"x\"}")]
    [InlineData("{\"SchemaVersion\":1,\"NewSha256\":\"x\",\"HostName\":\"h\",\"Path\":\"/x\",\"Family\":\"Plan9\",\"Kind\":\"Nfs\"}")]
    [InlineData("{\"SchemaVersion\":1,\"NewSha256\":\"x\",\"HostName\":\"h\",\"Path\":\"/x\",\"Family\":1,\"Kind\":0,\"Port\":\"many\"}")]
    [InlineData("{\"SchemaVersion\":1,\"NewSha256\":\"x\",\"HostName\":\"h\",\"Path\":\"/x\",\"Family\":1,\"Kind\":0,\"Port\":1e99}")]
    public void What_is_no_plan_is_refused(string text) =>
        Assert.Equal(ErrorIds.PlanInvalid, Assert.Throws<HostException>(() => KdumpPlanReader.ReadJson(text)).ErrorId);

    [Fact]
    public void Values_of_a_plan_are_checked_like_those_of_a_command_line()
    {
        var plan = Make(Asked);
        foreach (var (request, id) in new[]
        {
            (plan.Request with { Export = "/x\nshell evil" }, ErrorIds.InvalidInput),
            (plan.Request with { NfsServer = "a b" }, ErrorIds.InvalidInput),
            (plan.Request with { DumpLevel = 99 }, ErrorIds.InvalidInput),
        })
        {
            Assert.Equal(id, Assert.Throws<HostException>(() => request.ToRequest(plan.Kind)).ErrorId);
        }
    }

    [Fact]
    public void A_plan_of_an_ssh_target_names_the_store_and_what_is_done_besides()
    {
        var request = SshTargetRequest.Create("Store.example", "kdump", "/data/dumps", null, ["192.0.2.0/24", "2001:db8::/64"], DumpKeyLimit.Address, createUser: true, createPath: true,
            CaptureOptions.Create(31, VmcoreCompression.Lzo, 7, null));
        var besides = new ChangeBesides { Sentences = ["Make the dump key.", "Let it in."], Diffs = ["--- known_hosts\n"] };
        var store = new SshHost("store-admin", "root", 2200, typeof(PlanTests).Assembly.Location);
        var plan = KdumpPlan.From(KdumpTargetPlan.Create(Facts(Before), request), Host, store, besides);
        Assert.Equal((KdumpPlanKind.Ssh, "Make the dump key.\nLet it in."), (plan.Kind, plan.AlsoChanges));
        Assert.StartsWith("--- known_hosts\n", plan.Diff, StringComparison.Ordinal);
        Assert.Contains("+ssh kdump@store.example", plan.Diff, StringComparison.Ordinal);
        Assert.False((plan with { WritesFile = false }).IsEmpty);

        var read = Assert.Single(KdumpPlanReader.ReadJson(JsonSerializer.Serialize(plan, ByName)));
        Assert.Equal(plan, read);
        Assert.Equal(store, read.Request.ToStore());
        Assert.Equivalent(request, read.Request.ToRequest(read.Kind), strict: true);

        // What was done meanwhile need not be done again; what nobody agreed to is not done.
        plan.CheckBesides(ChangeBesides.Nothing);
        plan.CheckBesides(besides with { Sentences = ["Let it in."] });
        var error = Assert.Throws<HostException>(() => plan.CheckBesides(besides with { Sentences = ["Let it in.", "Make the account kdump on store."] }));
        Assert.Equal(ErrorIds.PlanDrifted, error.ErrorId);
        Assert.Contains("Make the account kdump", error.Message, StringComparison.Ordinal);
    }

    private static HostFacts Facts(string configuration) => new FactsOf(HostFamily.RedHat, configuration).Make();

    private static KdumpPlan Make(TargetRequest request) => KdumpPlan.From(KdumpTargetPlan.Create(Facts(Before), request), Host);
}
