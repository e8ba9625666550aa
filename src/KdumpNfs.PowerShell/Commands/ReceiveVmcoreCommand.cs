using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.PowerShell;

/// <summary>Receive-Vmcore: fetches crash directories from a store, verifies them, and continues what was begun.</summary>
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
