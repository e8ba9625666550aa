using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>What the scenarios share: running an operation on hosts, looking at guests by hand.</summary>
[TestCaseOrderer(StepOrderer.TypeName, StepOrderer.AssemblyName)]
public abstract class LabScenarios(LabFixture lab, ITestOutputHelper output)
{
    protected LabFixture Lab { get; } = lab;

    protected ITestOutputHelper Out { get; } = output;

    protected void NeedLab() => Skip.IfNot(Lab.IsUp, "The virtual lab is not up; ./build.sh test boots it around these tests.");

    /// <summary>Runs work on hosts through the real fleet engine and gives what came of it.</summary>
    protected RecordingFront Run(Func<SshHost, HostContext, CancellationToken, Task> work, bool answer, params SshHost[] hosts)
    {
        var front = new RecordingFront(Out, answer);
        using var fleet = new FleetRun(8);
        foreach (var host in hosts)
        {
            fleet.Add(front, host.HostName, (context, token) => work(host, context, token));
        }

        fleet.Finish(front);
        return front;
    }

    /// <summary>One result of one host; fails with the error that came instead.</summary>
    protected T One<T>(Func<SshHost, HostContext, CancellationToken, Task> work, SshHost host)
    {
        var front = Run(work, true, host);
        Assert.Empty(front.Errors.Select(e => e.Message));
        return Assert.IsType<T>(Assert.Single(front.Outputs));
    }

    /// <summary>The error of one host.</summary>
    protected HostException Failure(Func<SshHost, HostContext, CancellationToken, Task> work, SshHost host)
    {
        var front = Run(work, true, host);
        Assert.Empty(front.Outputs);
        return Assert.Single(front.Errors);
    }

    /// <summary>Looks at a guest by hand: stdout of a script that must succeed.</summary>
    protected async Task<string> ShellAsync(SshHost host, string script)
    {
        var result = await Lab.RunAsync(host, new RemoteScript(script));
        Assert.True(result.ExitStatus == 0, $"{script}: {result.ExitStatus} {result.ErrorText} {result.OutputText}");
        return result.OutputText.Trim();
    }

    /// <summary>Does the same on both nodes at once: each has a processor to itself.</summary>
    protected Task EachNodeAsync(Func<SshHost, Task> scenario) =>
        Task.WhenAll(Task.Run(() => scenario(Lab.Node1)), Task.Run(() => scenario(Lab.Node2)));
}
