using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>New-KdumpSession: connects to hosts and keeps the connections, for the -Session of other cmdlets.</summary>
[Cmdlet(VerbsCommon.New, "KdumpSession")]
[OutputType(typeof(KdumpSession))]
public sealed class NewKdumpSessionCommand : HostsCmdlet
{
    private HostAccess _access = null!;

    /// <inheritdoc/>
    public override void Output(object value, SshHost host) => WriteObject(value);

    /// <inheritdoc/>
    protected override void PrepareOperation() => _access = Access;

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        // A session that comes through the pipeline is asked for again: with what it was made with.
        var plain = host with { Session = null };
        return async (context, token) => context.Output(await Sessions.Pool.OpenAsync(_access, plain, context, token));
    }
}
