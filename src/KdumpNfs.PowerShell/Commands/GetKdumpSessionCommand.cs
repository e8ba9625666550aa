using System.Globalization;
using System.Management.Automation;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>Get-KdumpSession: the sessions of this process.</summary>
/// <remarks>
/// <para>Lists the sessions that New-KdumpSession made in this process. State is Opened, Broken (the connection was lost; the next command connects
/// again) or Closed.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-KdumpSession
/// </code>
/// <para>All sessions.</para>
/// </example>
/// <example>
/// <code>
/// Get-KdumpSession web* -State Broken | Remove-KdumpSession
/// </code>
/// <para>Closes sessions whose host went away.</para>
/// </example>
/// <note>Sessions belong to the process: jobs of Start-Job do not see them.</note>
/// <seealso cref="NewKdumpSessionCommand"/>
/// <seealso cref="RemoveKdumpSessionCommand"/>
/// <seealso href="about_KdumpNfs_Transports"/>
[Cmdlet(VerbsCommon.Get, "KdumpSession", DefaultParameterSetName = "HostName")]
[OutputType(typeof(KdumpSession))]
public sealed class GetKdumpSessionCommand : PSCmdlet
{
    /// <summary>Only sessions to these hosts; wildcards are allowed.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "HostName")]
    [Alias("ComputerName", "Cn")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string[]? HostName { get; set; }

    /// <summary>Only sessions with these numbers.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Id")]
    [ArgumentCompleter(typeof(SessionIdCompleter))]
    public int[]? Id { get; set; }

    /// <summary>Only sessions in these states.</summary>
    [Parameter]
    public KdumpSessionState[]? State { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var session in SessionChoice.Find(HostName, Id, WriteError).Where(session => State is null || State.Contains(session.State)))
        {
            WriteObject(session);
        }
    }
}

/// <summary>Sessions by host or number, with an error for each that was named and is not there.</summary>
internal static class SessionChoice
{
    /// <summary>The sessions asked for; all where nothing was asked for.</summary>
    public static IReadOnlyList<KdumpSession> Find(string[]? hostNames, int[]? ids, Action<ErrorRecord> writeError)
    {
        var all = Sessions.Pool.All;
        var found = new List<KdumpSession>();
        foreach (var id in ids ?? [])
        {
            Add(Sessions.Pool.Find(id) is { } session ? [session] : [], id.ToString(CultureInfo.InvariantCulture), $"There is no session {id.ToString(CultureInfo.InvariantCulture)}.");
        }

        foreach (var name in hostNames ?? [])
        {
            var pattern = new WildcardPattern(name ?? "", WildcardOptions.IgnoreCase);
            var matches = all.Where(session => pattern.IsMatch(session.HostName)).ToList();
            if (matches.Count > 0 || !WildcardPattern.ContainsWildcardCharacters(name ?? ""))
            {
                Add(matches, name ?? "", "There is no session to this host.");
            }
        }

        return hostNames is null && ids is null ? all : [.. found.Distinct()];

        void Add(List<KdumpSession> matches, string target, string what)
        {
            found.AddRange(matches);
            if (matches.Count == 0)
            {
                writeError(ErrorRecords.From(new HostException(ErrorIds.SessionNotFound, target, what) { Remedy = "Get-KdumpSession lists those that are there." }));
            }
        }
    }
}
