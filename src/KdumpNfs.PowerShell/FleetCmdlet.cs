using System.Management.Automation;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>A cmdlet that works on hosts as they arrive from the pipeline, many at once, through connections of its own or kept ones.</summary>
public abstract class FleetCmdlet : HostsCmdlet
{
    /// <summary>
    /// Sessions to use instead of new connections (New-KdumpSession). Without -HostName all of them are worked on; names from the pipeline find
    /// theirs among them.
    /// </summary>
    [Parameter]
    [AllowNull]
    [AllowEmptyCollection]
    public KdumpSession[]? Session { get; set; }

    /// <inheritdoc/>
    protected override void CheckParameters()
    {
        if (Session is null)
        {
            return;
        }

        RefuseConnectionParameters();
        if (Session.Length == 0 || Array.Exists(Session, session => session is null))
        {
            throw Refused("-Session holds no session.", "Make sessions with New-KdumpSession, or leave -Session out.");
        }
    }

    /// <inheritdoc/>
    protected override IEnumerable<SshHost> HostsWithoutName() => (Session ?? []).Select(session => session.ToHost());

    /// <inheritdoc/>
    protected override SshHost Resolve(string name)
    {
        // A session from the pipeline, or something that is no host: not looked up by name.
        if (Session is null || HostNameTransformationAttribute.Refusal(name) is not null || HostNameTransformationAttribute.SessionOf(name) is not null)
        {
            return base.Resolve(name);
        }

        // Two sessions to one name differ by what an earlier cmdlet's object brings, if by anything.
        return Session.Where(session => string.Equals(session.HostName, name, StringComparison.OrdinalIgnoreCase))
            .OrderBy(session => (Port is null || session.Port == Port ? 0 : 2) + (string.IsNullOrEmpty(UserName) || session.UserName == UserName ? 0 : 1))
            .FirstOrDefault()?.ToHost() ??
            throw new HostException(ErrorIds.SessionNotFound, name, "None of the sessions given is one to this host.")
            {
                Remedy = "Make one with New-KdumpSession, or leave -Session out to connect anew.",
            };
    }
}
