using System.Management.Automation;
using KdumpNfs.Collection;

namespace KdumpNfs.PowerShell;

/// <summary>Get-Vmcore: the dumps of a store, one object for each crash.</summary>
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
