using System.Management.Automation;
using KdumpNfs.Collection;

namespace KdumpNfs.PowerShell;

/// <summary>Get-Vmcore: the dumps of a store, one object for each crash.</summary>
/// <remarks>
/// <para>Lists the crash directories below a store's dump directory and judges each: Writing, Complete (it was opened and read, CheckDepth says how far),
/// Incomplete with the reason, or NotChecked. The store is a server, a session to one, or a directory of this machine.</para>
/// <para>Objects of hosts or crashes from the pipeline choose whose dumps are given.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash
/// </code>
/// <para>All dumps of the store.</para>
/// </example>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash -State Incomplete -Since (Get-Date).AddDays(-30) | Select-Object CrashedHost, CrashTime, Reason
/// </code>
/// <para>Dumps of the last month that did not end well, and why.</para>
/// </example>
/// <example>
/// <code>
/// Get-KdumpStatus web01 | Get-Vmcore -LiteralPath /mnt/dumps/var/crash
/// </code>
/// <para>Dumps of one host, by all its names and addresses, on a share that is mounted here.</para>
/// </example>
/// <seealso cref="WaitVmcoreCommand"/>
/// <seealso cref="GetVmcoreReportCommand"/>
/// <seealso cref="ReceiveVmcoreCommand"/>
/// <seealso cref="RemoveVmcoreCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsCommon.Get, "Vmcore", DefaultParameterSetName = StoreSet)]
[OutputType(typeof(VmcoreDump))]
public sealed class GetVmcoreCommand : StoreCmdlet
{
    private readonly List<string> _identities = [];
    private IVmcoreStore _store = null!;
    private bool _filtered;

    /// <summary>Only dumps of these hosts: names, addresses, or objects of hosts and crashes.</summary>
    [Parameter(ValueFromPipeline = true)]
    [Alias("CrashedHost")]
    [AllowNull]
    public object[]? InputObject { get; set; }

    /// <summary>Only dumps in these states.</summary>
    [Parameter]
    public VmcoreState[]? State { get; set; }

    /// <summary>Only crashes since then.</summary>
    [Parameter]
    public DateTimeOffset? Since { get; set; }

    /// <summary>Looks into at most so many directories, those that changed last.</summary>
    [Parameter]
    public int Maximum { get; set; } = new VmcoreFilter().Maximum;

    /// <inheritdoc/>
    protected override void Prepare()
    {
        if (Maximum < 1)
        {
            throw Refused("-Maximum is less than 1.", "Give the number of directories to look into.");
        }

        _store = MakeStore();
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var input in InputObject ?? [])
        {
            _filtered = true;
            if (CrashReference.From(input) is { } crash)
            {
                _identities.AddRange(crash.Identities);
            }
            else
            {
                Failed(CrashReference.Refusal(input));
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // Where hosts were asked for and none of them has a name, "all" would be the wrong answer.
        if (!_filtered || _identities.Count > 0)
        {
            var filter = new VmcoreFilter { Hosts = _identities, States = State ?? [], Since = Since, Maximum = Maximum };
            Fleet.Start(StoreName, async (context, token) =>
            {
                foreach (var dump in await GetVmcoreOperation.RunAsync(_store, filter, context, token))
                {
                    context.Output(dump);
                }
            });
        }

        base.EndProcessing();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && _store is not null)
        {
            CleanUp(_store);
        }
    }
}
