using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using KdumpNfs.Ssh.Sessions;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Kept connections, sudo with a password and plans on guests that are as the main job left them.</summary>
[Collection("2 Sessions and plans")]
public sealed class SessionScenarios(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(1)]
    public async Task One_session_serves_reads_and_a_change_with_one_login()
    {
        NeedLab();
        await using var pool = new SessionPool();
        var access = Kept();
        var before = await LoginsAsync(Lab.Node2);
        var session = One<KdumpSession>(async (host, context, token) => context.Output(await pool.OpenAsync(access, host, context, token)), Lab.Node2);
        var host = session.ToHost();
        var status = One<KdumpStatus>(async (h, context, token) => context.Output(await new KdumpStatusOperation(access).RunAsync(h, context, token)), host);
        Assert.Equal(session.BootId, status.BootId);
        var change = One<KdumpTargetChange>((h, context, token) => Target(access).RunAsync(h, status.MachineId, context, token), host);
        Assert.Equal("/data/nfs_share", change.Target?.Export);
        var again = One<KdumpTargetChange>((h, context, token) => Target(access).RunAsync(h, status.MachineId, context, token), host);
        Assert.False(again.Changed);
        Assert.Equal((1, KdumpSessionState.Opened), (session.ConnectionCount, session.State));
        Assert.Equal(before + 1, await LoginsAsync(Lab.Node2));
    }

    [SkippableFact, Step(2), Trait("Category", "Long")]
    public async Task Sudo_of_a_real_host_gets_its_password_once()
    {
        NeedLab();
        const string Give = "mkdir -p -m 700 ~pw/.ssh && cp /root/.ssh/authorized_keys ~pw/.ssh/ && chown -R pw: ~pw/.ssh && " +
            "printf 'pw ALL=(ALL:ALL) ALL\\n' >/etc/sudoers.d/kdumpnfs-test && chmod 440 /etc/sudoers.d/kdumpnfs-test";
        await ShellAsync(Lab.Node1, Give);
        try
        {
            var host = Lab.Node1 with { UserName = "pw" };
            HostAccess With(string? password) => Lab.FreshAccess with { Options = Lab.FreshAccess.Options with { Sudo = true, SudoPassword = password is null ? null : Secret.From(password) } };
            await using (var connection = await With("kdump-lab").Connector.ConnectAsync(host, With("kdump-lab").Options, default))
            {
                Assert.Equal("0 pw\n", (await connection.RunAsync(new RemoteScript("echo $(id -u) $SUDO_USER"))).OutputText);
            }

            Assert.Equal(ErrorIds.SudoPasswordWrong, Failure((h, context, token) => new KdumpStatusOperation(With("guess")).RunAsync(h, context, token), host).ErrorId);
            Assert.Equal(ErrorIds.SudoRefused, Failure((h, context, token) => new KdumpStatusOperation(With(null)).RunAsync(h, context, token), host).ErrorId);
        }
        finally
        {
            await ShellAsync(Lab.Node1, "rm -rf ~pw/.ssh /etc/sudoers.d/kdumpnfs-test");
        }
    }

    [SkippableFact, Step(3), Trait("Category", "Long")]
    public async Task A_plan_is_applied_later_and_not_to_a_host_that_drifted()
    {
        NeedLab();
        var file = "/etc/kdump.conf";
        var original = await ShellAsync(Lab.Node2, $"base64 -w0 {file}");
        try
        {
            var request = NfsTargetRequest.Create(Lab.StoreAddress, "/data/nfs_share", "/var/crash", 17, null, createPath: true);
            var made = One<KdumpPlan>((h, context, token) => new SetNfsTargetOperation(Lab.Access, request) { PassPlan = true }.RunAsync(h, null, context, token), Lab.Node2);
            var plan = Assert.Single(KdumpPlanReader.ReadJson(System.Text.Json.JsonSerializer.Serialize(made)));

            await ShellAsync(Lab.Node2, $"echo '# drift' >>{file}");
            Assert.Equal(ErrorIds.PlanDrifted, Failure((h, context, token) => new ApplyPlanOperation(Lab.Access).RunAsync(plan, h, context, token), Lab.Node2).ErrorId);
            Assert.Equal(ErrorIds.MachineIdMismatch, Failure((h, context, token) => new ApplyPlanOperation(Lab.Access).RunAsync(plan, h, context, token), Lab.Node1).ErrorId);
            await ShellAsync(Lab.Node2, $"echo {original} | base64 -d >{file}");

            var change = One<KdumpTargetChange>((h, context, token) => new ApplyPlanOperation(Lab.Access).RunAsync(plan, h, context, token), Lab.Node2);
            Assert.Equal((true, (DumpLevel)17), (change.Changed, change.DumpLevel));
            Assert.Equal(plan.NewSha256, await ShellAsync(Lab.Node2, $"sha256sum <{file} | cut -d ' ' -f 1"));
            Assert.False(One<KdumpTargetChange>((h, context, token) => new ApplyPlanOperation(Lab.Access).RunAsync(plan, h, context, token), Lab.Node2).Changed);
        }
        finally
        {
            await ShellAsync(Lab.Node2, $"echo {original} | base64 -d >{file}; touch {file}; kdumpctl rebuild && systemctl restart kdump");
        }
    }

    private HostAccess Kept() => new(new SessionConnector(new OpenSshConnector()), Lab.FreshAccess.Options);

    // What the main job set, so that nothing is to be written.
    private SetNfsTargetOperation Target(HostAccess access) =>
        new(access, NfsTargetRequest.Create(Lab.StoreAddress, "/data/nfs_share", "/var/crash", null, null, createPath: true));

    private async Task<int> LoginsAsync(SshHost host) => int.Parse(await ShellAsync(host, "journalctl -b -o cat --no-pager | grep -c 'Accepted publickey' || true"), System.Globalization.CultureInfo.InvariantCulture);
}
