using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Collection;
using KdumpNfs.Tests.Unit.Setup;

namespace KdumpNfs.Tests.Unit.Crash;

/// <summary>Disable-Sysrq after Enable-Sysrq: the operations and their scripts, on a tree that looks like a host, run by this machine's sh.</summary>
public sealed class DisableSysrqTests : IDisposable
{
    private const string DropIn = "/etc/sysctl.d/kernel_debug.conf", InForce = "/proc/sys/kernel/sysrq", Record = "/var/lib/kdumpnfs/sysrq.before";

    private readonly FakeHost _host = new FakeHost().File(InForce, "438\n").File("/etc/sysctl.d/10-vendor.conf", "kernel.sysrq = 438\n");
    private readonly List<string> _warnings = [];
    private int _jobs;

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("# theirs\r\nkernel.panic=10\nkernel/sysrq = 16")]
    public async Task What_was_there_before_comes_back_to_the_byte_and_then_nothing_is_left_to_do(string? before)
    {
        if (before is not null)
        {
            _host.File(DropIn, before);
        }

        Assert.Equal((true, 1, 438), Of(await EnableAsync()));
        Assert.Contains("sysrq = 1", _host.Read(DropIn), StringComparison.Ordinal);
        Assert.True(_host.Exists(Record));

        var change = await DisableAsync();
        Assert.Equal((true, 438, 1), Of(change));
        Assert.Equal(before, Content());
        Assert.Equal("438", _host.Read(InForce).Trim());
        Assert.False(Directory.Exists(_host.Root + "/var/lib/kdumpnfs"));
        Assert.NotEmpty(change!.Diff);

        var jobs = _jobs;
        Assert.Equal((false, 438, 438), Of(await DisableAsync()));
        Assert.Equal((jobs, before), (_jobs, Content()));

        // A line that was theirs before and is again is none that we could take back.
        Assert.Equal(before?.Contains("sysrq", StringComparison.Ordinal) == true ? 1 : 0, _warnings.Count);
    }

    [Fact]
    public async Task For_this_boot_alone_the_drop_in_stays()
    {
        await EnableAsync();
        Assert.Equal((true, 438, 1), Of(await DisableAsync(scope: SettingScope.Boot)));
        Assert.Equal("kernel.sysrq = 1\n", Content());
        Assert.True(_host.Exists(Record));
        await DisableAsync();
        Assert.Null(Content());
    }

    [Fact]
    public async Task A_mask_that_is_given_is_set_and_what_was_there_before_is_still_known()
    {
        await EnableAsync();
        Assert.Equal((true, 16, 1), Of(await DisableAsync(mask: 16)));
        Assert.Equal(("kernel.sysrq = 16\n", "16"), (Content(), _host.Read(InForce).Trim()));
        Assert.Equal((true, 438, 16), Of(await DisableAsync()));
        Assert.Null(Content());
    }

    [Fact]
    public async Task What_somebody_else_set_since_is_left_with_a_warning()
    {
        await EnableAsync();
        _host.File(InForce, "0\n").File(DropIn, "kernel.sysrq = 0\n");
        await DisableAsync();
        Assert.Equal(("kernel.sysrq = 0\n", "0"), (Content(), _host.Read(InForce).Trim()));
        Assert.Contains("changed by somebody else", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drop_in_that_nobody_remembers_is_left_with_a_warning()
    {
        _host.File(InForce, "1\n").File(DropIn, "kernel.sysrq = 1\n");
        Assert.Equal((false, 1, 1), Of(await DisableAsync()));
        Assert.Equal("kernel.sysrq = 1\n", Content());
        Assert.Contains("give -Mask", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_agreement_nothing_is_done()
    {
        await EnableAsync();
        var jobs = _jobs;
        Assert.Null(await DisableAsync(agree: false));
        Assert.Equal((jobs, "kernel.sysrq = 1\n", "1"), (_jobs, Content(), _host.Read(InForce).Trim()));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    public void A_mask_that_no_kernel_takes_is_refused(int mask) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new DisableSysrqOperation(null!) { Mask = mask }).ErrorId);

    private static (bool, int, int)? Of(SysrqChange? change) => change is null ? null : (change.Changed, change.Mask, change.PreviousMask!.Value);

    private string? Content() => _host.Exists(DropIn) ? _host.Read(DropIn) : null;

    private Task<SysrqChange?> EnableAsync() => RunAsync(new EnableSysrqOperation(Access).RunAsync, true);

    private Task<SysrqChange?> DisableAsync(int? mask = null, SettingScope scope = SettingScope.Persistent, bool agree = true) =>
        RunAsync(new DisableSysrqOperation(Access) { Mask = mask, Scope = scope }.RunAsync, agree);

    private HostAccess Access => new(new Connector(this), new SshOptions());

    private async Task<SysrqChange?> RunAsync(Func<SshHost, HostContext, CancellationToken, Task> work, bool agree)
    {
        SysrqChange? change = null;
        await work(new SshHost("web01"), new HostContext("web01", message =>
        {
            switch (message)
            {
                case HostQuestion question:
                    question.Answer(agree);
                    break;
                case HostOutput output:
                    change = (SysrqChange)output.Value;
                    break;
                case HostWarning warning:
                    _warnings.Add(warning.Text);
                    break;
            }
        }), default);
        return change;
    }

    // The tree instead of the root, and an account that takes itself for root. A job runs at once instead of detached.
    private async Task<ScriptResult> AnswerAsync(RemoteScript script, CancellationToken cancellationToken)
    {
        if (script.Text.Contains("\njob_new=", StringComparison.Ordinal))
        {
            _jobs++;
            using var reader = new StreamReader(script.Input!);
            var job = $"{_host.Root}/job";
            var text = OnTree(await reader.ReadToEndAsync(cancellationToken)).Replace("job=/run/kdumpnfs/job", $"job='{job}'", StringComparison.Ordinal);
            await File.WriteAllTextAsync(job + "/script", text, cancellationToken);
            script = new RemoteScript($"sh '{job}/script' >'{job}/log' 2>&1 3>'{job}/result'\nrc=$?\nprintf 'job.state 4\\ndone\\njob.exit %d\\n%s\\n' ${{#rc}} $rc\ncat '{job}/result'\n");
        }
        else
        {
            script = new RemoteScript(script.Text.Contains("\njob_id=", StringComparison.Ordinal) ? ":" : "id() { echo 0; }\n" + OnTree(script.Text));
        }

        await using var shell = new ShellConnection();
        return await shell.RunAsync(script, cancellationToken);
    }

    private string OnTree(string script)
    {
        Assert.Contains("\nroot=''\n", script, StringComparison.Ordinal);
        return script.Replace("\nroot=''\n", $"\nroot='{_host.Root}'\n", StringComparison.Ordinal);
    }

    private sealed class Connector(DisableSysrqTests test) : IHostConnector
    {
        public SshTransport Transport => SshTransport.OpenSsh;

        public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken) => Task.FromResult<IHostConnection>(new Connection(test, host));
    }

    private sealed class Connection(DisableSysrqTests test, SshHost host) : IHostConnection
    {
        public SshHost Host => host;

        public SshTransport Transport => SshTransport.OpenSsh;

        public Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default) => test.AnswerAsync(script, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
