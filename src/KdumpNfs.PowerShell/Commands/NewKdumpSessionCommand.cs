using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Recorded;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>New-KdumpSession: connects to hosts and keeps the connections, for the -Session of other cmdlets.</summary>
/// <remarks>
/// <para>Connects to hosts and keeps the connections open, so that many cmdlets cost one handshake for each host. Give them to -Session, or pipe them. A
/// session whose connection was lost connects again before the next command begins, and refuses another machine behind the same name.</para>
/// </remarks>
/// <example>
/// <code>
/// $s = Get-Content ./hosts.txt | New-KdumpSession -UserName admin -SudoPassword (Read-Host -AsSecureString)
/// Get-KdumpStatus -Session $s
/// $s | Remove-KdumpSession
/// </code>
/// <para>Asks for the password of sudo once, works, and closes the connections.</para>
/// </example>
/// <example>
/// <code>
/// New-KdumpSession storage -KeyFilePath ~/.ssh/storage_ed25519 | Get-NfsExport
/// </code>
/// <para>A session from the pipeline is used as it is.</para>
/// </example>
/// <example>
/// <code>
/// $s = Get-Content ./hosts.txt | New-KdumpSession -RecordPath ./rack7.recording
/// Get-KdumpStatus -Session $s
/// $s | Remove-KdumpSession
/// $replayed = New-KdumpSession -ReplayPath ./rack7.recording
/// Get-KdumpStatus -Session $replayed
/// </code>
/// <para>Writes down what the hosts answer, and gives the same answers later without any host: for tests of runbooks.</para>
/// </example>
/// <note>Sessions end with the module, or with the process.</note>
/// <seealso cref="GetKdumpSessionCommand"/>
/// <seealso cref="RemoveKdumpSessionCommand"/>
/// <seealso href="about_KdumpNfs_Transports"/>
[Cmdlet(VerbsCommon.New, "KdumpSession")]
[OutputType(typeof(KdumpSession))]
public sealed class NewKdumpSessionCommand : HostsCmdlet
{
    private HostAccess _access = null!;
    private Recording? _replayed;

    /// <summary>A new file into which everything is written that the hosts answer, for -ReplayPath. No password gets into it, those of configurations included; what hosts say of themselves does.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? RecordPath { get; set; }

    /// <summary>A recording that answers instead of the hosts: nobody is connected to. Without -HostName there is a session for each host in it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ReplayPath { get; set; }

    /// <inheritdoc/>
    public override void Output(object value, SshHost host) => WriteObject(value);

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        if (RecordPath is not null && _replayed is not null)
        {
            throw Refused("-RecordPath and -ReplayPath are one too many.", "Record what hosts say, or replay it.");
        }

        _access = _replayed is not null ? Access with { Connector = new ReplayConnector(_replayed) }
            : RecordPath is not null ? Access with { Connector = new RecordingConnector(Access.Connector, Recording.Create(ResolveFile(RecordPath, nameof(RecordPath)))) }
            : Access;
    }

    /// <inheritdoc/>
    protected override void CheckParameters() => _replayed = ReplayPath is null ? null : Recording.Load(ResolveFile(ReplayPath, nameof(ReplayPath)));

    /// <inheritdoc/>
    protected override IEnumerable<SshHost> HostsWithoutName() => MyInvocation.ExpectingInput ? [] : (_replayed?.Hosts ?? []).Select(name => MakeHost(name, UserName, Port, KeyFilePath));

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        // A session that comes through the pipeline is asked for again: with what it was made with.
        var plain = host with { Session = null };
        return async (context, token) => context.Output(await Sessions.Pool.OpenAsync(_access, plain, context, token));
    }
}
