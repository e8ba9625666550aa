using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Find-UncapturedCrash: finds boots of hosts that did not end in good order (crashes, resets, power cuts) and have no dump on the store.</summary>
/// <remarks>
/// <para>Reads the history of each host (the journal, wtmp, pstore) for boots that ended without a shutdown, and looks on the store whether there is a
/// dump for each. What comes out are crashes that nobody captured, with the evidence: panics, resets and power cuts. A power cut looks like a crash that
/// left nothing.</para>
/// </remarks>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Find-UncapturedCrash -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash -Since (Get-Date).AddDays(-7)
/// </code>
/// <para>The crashes of the last week that left no dump.</para>
/// </example>
/// <example>
/// <code>
/// Find-UncapturedCrash web01 -LiteralPath /mnt/dumps -IncludeCaptured | Format-Table EndedAt, Verdict, PanicReason
/// </code>
/// <para>All unclean ends of one host that its history knows, with those whose dump is on a share that is mounted here.</para>
/// </example>
/// <seealso cref="GetVmcoreCommand"/>
/// <seealso cref="TestKdumpReadinessCommand"/>
/// <seealso cref="GetVmcoreReportCommand"/>
[Cmdlet(VerbsCommon.Find, "UncapturedCrash", DefaultParameterSetName = StoreSet)]
[OutputType(typeof(UncleanBoot))]
public sealed class FindUncapturedCrashCommand : FleetCmdlet
{
    private const string StoreSet = "Store";
    private const string PathSet = "Path";
    private IVmcoreStore? _store;
    private FindUncapturedCrashOperation? _operation;

    /// <summary>The storage server, or any host that sees the share as a path.</summary>
    /// <value>StoreHost of Get-KdumpPreference</value>
    [Parameter(ParameterSetName = StoreSet)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string StoreHost { get; set; } = "";

    /// <summary>The exported directory, as a path on the store.</summary>
    /// <value>ExportPath of Get-KdumpPreference</value>
    [Parameter(ParameterSetName = StoreSet)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(ExportCompleter))]
    public string ExportPath { get; set; } = "";

    /// <summary>Directory for dumps inside the export.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    [ArgumentCompleter(typeof(DumpPathCompleter))]
    public string? DumpPath { get; set; }

    /// <summary>Login name on the store.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    public string? StoreUserName { get; set; }

    /// <summary>Port of the store's SSH server.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    [PortTransformation]
    public int? StorePort { get; set; }

    /// <summary>Private key file for the store.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    public string? StoreKeyFilePath { get; set; }

    /// <summary>A directory of this machine that holds crash directories, such as a mounted share.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [Alias("PSPath")]
    [AllowEmptyString]
    public string LiteralPath { get; set; } = "";

    /// <summary>Only boots that ended since then.</summary>
    [Parameter]
    public DateTimeOffset? Since { get; set; }

    /// <summary>Gives boots, too, whose dump is there.</summary>
    [Parameter]
    public SwitchParameter IncludeCaptured { get; set; }

    /// <summary>Looks at no more than so many boots of a host, the newest.</summary>
    [Parameter]
    public int Maximum { get; set; } = 20;

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        if (ParameterSetName == StoreSet)
        {
            (StoreHost, ExportPath, DumpPath) = PreferredStore(IsGiven(nameof(StoreHost)) ? StoreHost : null, IsGiven(nameof(ExportPath)) ? ExportPath : null, DumpPath);
        }

        _store = ParameterSetName == StoreSet
            ? new RemoteVmcores(Access, MakeHost(StoreHost, StoreUserName, StorePort, StoreKeyFilePath), ExportPath, DumpPath)
            : new LocalVmcores(LiteralPath.Length == 0 ? "" : ResolveFile(LiteralPath, nameof(LiteralPath)));
        _operation = new FindUncapturedCrashOperation(Access, _store) { Since = Since, IncludeCaptured = IncludeCaptured, Maximum = Maximum };
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation!.RunAsync(host, context, token);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _operation?.Dispose();
            _store?.DisposeAsync().AsTask().Wait(CloseLimit);
        }
    }

}
