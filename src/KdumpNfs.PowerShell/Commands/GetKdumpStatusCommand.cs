using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-KdumpStatus: whether each host would leave a vmcore, and what stands against it.</summary>
[Cmdlet(VerbsCommon.Get, "KdumpStatus")]
[OutputType(typeof(KdumpStatus))]
public sealed class GetKdumpStatusCommand : FleetCmdlet
{
    private KdumpStatusOperation _operation = null!;

    /// <summary>Where dumps should go: <c>server:/path</c>, or the Target of another status. Another target makes a host NotReady.</summary>
    [Parameter]
    public object? ExpectedTarget { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new KdumpStatusOperation(Access) { ExpectedTarget = Expected() };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) =>
        async (context, token) => context.Output(await _operation.RunAsync(host, context, token));

    /// <inheritdoc/>
    protected override object FailedObject(HostException failure) => KdumpStatus.Failed(failure);

    private KdumpTarget? Expected()
    {
        var value = ExpectedTarget is PSObject wrapped ? wrapped.BaseObject : ExpectedTarget;
        switch (value)
        {
            case null:
                return null;
            case KdumpTarget target:
                return target;
            case string text:
                return TargetInput.Parse(text).Target;
        }

        // A target that went through Export-Clixml or a remote session has its properties, but no longer its type.
        var properties = PSObject.AsPSObject(ExpectedTarget).Properties;
        return properties["Store"]?.Value?.ToString() is { } store && properties["Export"]?.Value?.ToString() is { } export
            ? TargetInput.Create(store, export, properties["DumpPath"]?.Value?.ToString()).Target
            : throw Refused("-ExpectedTarget is neither text nor a target.", "Give server:/path, or the Target of a host: (Get-KdumpStatus web01).Target");
    }
}
