using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.PowerShell;

/// <summary>Receive-Vmcore: fetches crash directories from a store, verifies them, and continues what was begun.</summary>
/// <remarks>
/// <para>Copies crash directories from a store into directories of their own below -Destination, readable for their owner alone. What was fetched before
/// is not fetched again; what was begun is continued. Size and SHA-256 of each file are compared with the store's.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash -Since (Get-Date).AddDays(-1) | Receive-Vmcore -Destination ./dumps
/// </code>
/// <para>Fetches the dumps of the last day.</para>
/// </example>
/// <example>
/// <code>
/// Receive-Vmcore /data/nfs_share/var/crash/10.0.0.7-2026-11-22-10:05:50 -StoreHost storage -DumpOnly
/// </code>
/// <para>Fetches one dump, without its logs, into the current directory.</para>
/// </example>
/// <note>Four dumps are fetched at once, unless -ThrottleLimit says otherwise.</note>
/// <note>What Windows refuses in a name is percent-encoded: 10%3A05%3A50 for 10:05:50. Get-Vmcore -LiteralPath reads such directories as they are.</note>
/// <seealso cref="GetVmcoreCommand"/>
/// <seealso cref="TestVmcoreCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsCommunications.Receive, "Vmcore", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(ReceivedVmcore))]
public sealed class ReceiveVmcoreCommand : StoreObjectCmdlet
{
    // One store serves them all; more at once would only make each slower.
    private const int DefaultThrottle = 4;

    private ReceiveVmcoreOperation _operation = null!;

    /// <summary>What to fetch: objects of Get-Vmcore or Wait-Vmcore, or paths of crash directories on the store.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, Position = 0)]
    [Alias("Path")]
    [AllowNull]
    [ArgumentCompleter(typeof(VmcoreCompleter))]
    public object[] InputObject { get; set; } = null!;

    /// <summary>The directory of this machine that crash directories are put into; it is made if it is missing.</summary>
    [Parameter(Position = 1)]
    public string Destination { get; set; } = ".";

    /// <summary>Fetches the dump alone, without kernel log and capture log.</summary>
    [Parameter]
    public SwitchParameter DumpOnly { get; set; }

    /// <summary>Replaces local files that are something else.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        if (!MyInvocation.BoundParameters.ContainsKey(nameof(ThrottleLimit)))
        {
            ThrottleLimit = DefaultThrottle;
        }

        _operation = new ReceiveVmcoreOperation(Access) { Destination = ResolveFile(Destination, nameof(Destination)), DumpOnly = DumpOnly, Force = Force };
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var input in InputObject ?? [null!])
        {
            if (IsStopping)
            {
                return;
            }

            try
            {
                var dump = DumpReference.From(input);
                var host = StoreOf(dump.StoreHost) ??
                    throw Refused($"It is not clear where {Printable.Escape(dump.Path)} is.", "Name the store: -StoreHost storage. A dump of -LiteralPath is on this machine already.");
                if (Ask(() => ShouldProcess($"{host.HostName}:{dump.Path}", $"Fetch to {_operation.Destination}")))
                {
                    Fleet.Add(this, host.HostName, async (context, token) => context.Output(await _operation.RunAsync(host, dump.Path, context, token)));
                }
            }
            catch (HostException e)
            {
                Failed(e);
            }
        }
    }
}
