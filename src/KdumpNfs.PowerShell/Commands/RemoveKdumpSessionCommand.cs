using System.Management.Automation;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>Remove-KdumpSession: closes kept connections. What runs through one at that moment ends with SessionClosed.</summary>
/// <remarks>
/// <para>Closes sessions of New-KdumpSession. Commands that run through one at that moment end with SessionClosed.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-KdumpSession | Remove-KdumpSession
/// </code>
/// <para>Closes all of them.</para>
/// </example>
/// <example>
/// <code>
/// Remove-KdumpSession -HostName web*
/// </code>
/// <para>Closes those to some hosts.</para>
/// </example>
/// <seealso cref="NewKdumpSessionCommand"/>
/// <seealso cref="GetKdumpSessionCommand"/>
[Cmdlet(VerbsCommon.Remove, "KdumpSession", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low, DefaultParameterSetName = "Session")]
[OutputType(typeof(void))]
public sealed class RemoveKdumpSessionCommand : PSCmdlet
{
    /// <summary>The sessions.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = "Session")]
    public KdumpSession[]? Session { get; set; }

    /// <summary>Sessions to these hosts; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "HostName")]
    [Alias("ComputerName", "Cn")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string[]? HostName { get; set; }

    /// <summary>Sessions with these numbers.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Id")]
    [ArgumentCompleter(typeof(SessionIdCompleter))]
    public int[]? Id { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var session in Session ?? SessionChoice.Find(HostName, Id, WriteError))
        {
            if (ShouldProcess(session.ToString(), "Close"))
            {
                Sessions.Close(session);
            }
        }
    }
}
