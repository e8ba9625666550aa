using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-KdumpStatus: whether each host would leave a vmcore, and what stands against it.</summary>
/// <remarks>
/// <para>Asks each host in one round trip, and changes nothing: is kdump installed, is memory reserved, is the crash kernel loaded, where would a dump
/// go, is the capture image newer than its configuration. State is NotSupported, NotReady, Configured, Probed or Proven; NotReadyReason lists everything
/// that stands against a dump.</para>
/// <para>Configured is what the host says of itself. Test-KdumpReadiness -Probe writes to the store from the host; only a drill proves that a dump
/// arrives.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-Content ./hosts.txt | Get-KdumpStatus
/// </code>
/// <para>A table with one line for each host.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-KdumpStatus -IncludeFailed | Export-Csv ./status.csv
/// </code>
/// <para>A list that loses nobody: a host that cannot be reached has a line with its ErrorId.</para>
/// </example>
/// <example>
/// <code>
/// Get-Content ./hosts.txt | Get-KdumpStatus -ExpectedTarget storage:/data/nfs_share | Where-Object State -eq NotReady | Select-Object HostName, NotReadyReason
/// </code>
/// <para>Hosts that are not ready, or that would dump somewhere else.</para>
/// </example>
/// <seealso cref="TestKdumpReadinessCommand"/>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
/// <seealso href="about_KdumpNfs"/>
[Cmdlet(VerbsCommon.Get, "KdumpStatus")]
[OutputType(typeof(KdumpStatus))]
public sealed class GetKdumpStatusCommand : FleetCmdlet
{
    private KdumpStatusOperation _operation = null!;

    /// <summary>Where dumps should go: <c>server:/path</c>, or the Target of another status. Another target makes a host NotReady.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TargetCompleter))]
    public object? ExpectedTarget { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new KdumpStatusOperation(Access) { ExpectedTarget = TargetParameter.Read(ExpectedTarget) };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) =>
        async (context, token) => context.Output(await _operation.RunAsync(host, context, token));

    /// <inheritdoc/>
    protected override object FailedObject(HostException failure) => KdumpStatus.Failed(failure);
}
