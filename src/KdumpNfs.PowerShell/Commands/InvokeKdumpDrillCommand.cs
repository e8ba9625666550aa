using System.Collections;
using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>
/// Invoke-KdumpDrill: crashes hosts on purpose and proves for each, with its dump and its return, that a crash would be captured. Over SSH, or with
/// -ConsoleHost by a break over their serial consoles, whose words are in the result.
/// </summary>
/// <remarks>
/// <para>The whole proof, for a fleet: it looks at all hosts with every check of Test-KdumpReadiness -Probe, asks once with the list, crashes hosts in
/// batches with at most -MaxDown of them down, waits for each dump, reads it, waits for the host's return and looks whether it is armed again. The
/// verdict is Proven, or says where the chain broke. Proven is kept on the host: Get-KdumpStatus shows it until kernel, image or target change.</para>
/// <para>A journal holds each step, so that Resume-KdumpDrill can go on after a lost controller. While a file JOURNAL.pause exists no further host is
/// crashed. Leases on the store keep -MaxDown true across controllers.</para>
/// </remarks>
/// <example>
/// <code>
/// Invoke-KdumpDrill web01 -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash -WhatIf
/// </code>
/// <para>Shows what would be crashed. Nothing is written, not even the probe on the store.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Invoke-KdumpDrill -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash -MaxDown 2 -BatchSize 1, 5, 25% -Group Cluster -Verbose
/// </code>
/// <para>Drills a fleet: one host first, then five, then quarters; at most two down at once, and of each cluster at most one.</para>
/// </example>
/// <example>
/// <code>
/// Invoke-KdumpDrill web01 -StoreHost storage -ExportPath /data/nfs_share -ConsoleHost conman01 -PowerCycle { ipmi-power --cycle -h "bmc-$_" }
/// </code>
/// <para>Crashes over the serial console, whose words are in ConsoleText, and cycles the power if the host does not come back.</para>
/// </example>
/// <note>This crashes servers. Read about_KdumpNfs_Safety before the first one.</note>
/// <seealso cref="ResumeKdumpDrillCommand"/>
/// <seealso cref="TestKdumpReadinessCommand"/>
/// <seealso cref="InvokeSysrqCrashCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsLifecycle.Invoke, "KdumpDrill", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(KdumpDrill))]
public sealed class InvokeKdumpDrillCommand : ConsoleCmdlet
{
    private readonly CrashList _hosts = new();
    private readonly Dictionary<string, string?> _groups = new(StringComparer.OrdinalIgnoreCase);
    private readonly DrillSession _session = new();
    private DrillPlan _plan = null!;
    private SysrqDrillTrigger _trigger = null!;
    private DrillHooks _hooks = null!;

    /// <summary>The whole object that names the host: -Group may look at it.</summary>
    [Parameter(ValueFromPipeline = true)]
    [AllowNull]
    public PSObject? InputObject { get; set; }

    /// <summary>The storage server, or any host that sees the share as a path.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string StoreHost { get; set; } = "";

    /// <summary>The exported directory, as a path on the store.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(ExportCompleter))]
    public string ExportPath { get; set; } = "";

    /// <summary>Directory for dumps inside the export.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DumpPathCompleter))]
    public string? DumpPath { get; set; }

    /// <summary>Login name on the store, where it is another one than -UserName of the command line.</summary>
    [Parameter]
    public string? StoreUserName { get; set; }

    /// <summary>Port of the store's SSH server, where it is another one than -Port of the command line.</summary>
    [Parameter]
    [PortTransformation]
    public int? StorePort { get; set; }

    /// <summary>Private key file for the store, where it is another one than -KeyFilePath of the command line.</summary>
    [Parameter]
    public string? StoreKeyFilePath { get; set; }

    /// <summary>How many hosts may be down at once, of all controllers that use this store together.</summary>
    [Parameter]
    public int MaxDown { get; set; } = 1;

    /// <summary>Hosts in the first, the second and so on batch: numbers, or shares such as 25%. The next batch begins when the one before is over.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BatchSizeCompleter))]
    public string[]? BatchSize { get; set; }

    /// <summary>How many hosts may fail; one more and no further host is crashed.</summary>
    [Parameter]
    public int MaxFailure { get; set; }

    /// <summary>
    /// Of hosts in one group at most one is down, all controllers that share the leases together: a property of the objects in the pipeline, by its name; a hashtable of hosts and groups; or a
    /// script block that gets the object as $_.
    /// </summary>
    [Parameter]
    public object? Group { get; set; }

    /// <summary>The journal of this drill. Without it, a new file under XDG_STATE_HOME/kdumpnfs/drills.</summary>
    [Parameter]
    public string? JournalPath { get; set; }

    /// <summary>The directory of leases on the store; without it, one under the dump directory.</summary>
    [Parameter]
    public string? LeasePath { get; set; }

    /// <summary>Takes no leases on the store: hosts that other controllers drill may be down at the same time, whatever -MaxDown says.</summary>
    [Parameter]
    public SwitchParameter NoLease { get; set; }

    /// <summary>What cycles the power of a host that does not come back: a script block with the host as $_, or a command with it in KDUMPNFS_HOST.</summary>
    [Parameter]
    public object? PowerCycle { get; set; }

    /// <summary>What gives the text of a host's serial console: a script block with the host as $_, or a command with it in KDUMPNFS_HOST.</summary>
    [Parameter]
    public object? ConsoleText { get; set; }

    /// <summary>Seconds to listen to a console after the crash key; without it, until the host is back.</summary>
    [Parameter]
    public int? ConsoleListenSec { get; set; }

    /// <summary>Raises kernel.sysrq for the running boot where it would not let the crash key through the console, and puts it back if the host does not crash.</summary>
    [Parameter]
    public SwitchParameter RaiseSysrq { get; set; }

    /// <summary>Seconds to wait for each dump.</summary>
    [Parameter]
    public int CaptureTimeoutSec { get; set; } = 1800;

    /// <summary>Seconds that a host may be away; a dump that grows is waited for longer.</summary>
    [Parameter]
    public int TimeoutSec { get; set; } = 900;

    /// <summary>Seconds until a host that is back has to be ready again.</summary>
    [Parameter]
    public int RearmTimeoutSec { get; set; } = 300;

    /// <summary>Crashes hosts that are not ready, too: there will probably be no dump.</summary>
    [Parameter]
    public SwitchParameter AllowNotReady { get; set; }

    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        if (Group is not (null or string or Hashtable or ScriptBlock or PSObject { BaseObject: string or Hashtable or ScriptBlock }))
        {
            throw Refused("-Group is neither a property's name nor a hashtable nor a script block.", "Give -Group Rack, or @{ web01 = 'web'; web02 = 'web' }, or { $_.HostName -replace '\\d' }.");
        }

        var store = MakeHost(StoreHost, StoreUserName ?? UserName, StorePort ?? Port, StoreKeyFilePath ?? KeyFilePath);
        var plan = DrillPlan.For(store, ExportPath, DumpPath);
        _plan = (plan with
        {
            MaxDown = MaxDown,
            BatchSize = BatchSize ?? [],
            MaxFailure = MaxFailure,
            LeasePath = NoLease ? null : LeasePath ?? plan.LeasePath,
            CaptureTimeout = Seconds(CaptureTimeoutSec, nameof(CaptureTimeoutSec)),
            ReturnTimeout = Seconds(TimeoutSec, nameof(TimeoutSec)),
            RearmTimeout = Seconds(RearmTimeoutSec, nameof(RearmTimeoutSec)),
            RaiseSysrq = RaiseSysrq,
            ConsoleListen = ConsoleListenSec is { } listen ? Seconds(listen, nameof(ConsoleListenSec)) : null,
        }).Validated();
        _hooks = DrillScripts.Hooks(PowerCycle, ConsoleText);
        _trigger = SysrqDrillTrigger.For(Access, _plan, AllowNotReady);

        // What the command line says of a console is wrong for every host.
        foreach (var name in (HostName ?? []).Where(name => HostNameTransformationAttribute.Refusal(name) is null && HostNameTransformationAttribute.SessionOf(name) is null))
        {
            MakeConsole(name);
        }
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        _groups[host.HostName] = GroupOf(host.HostName);
        DrillLook look;
        try
        {
            // What only shows what it would do writes nothing, not even the probe on the store.
            look = new DrillLook(host, MakeConsole(host.HostName), machineId) { Quick = CrashAgreement.IsWhatIf(this) };
        }
        catch (HostException e)
        {
            return (_, _) => Task.FromException(e.For(host.HostName));
        }

        return async (context, token) => context.Output(await KdumpDrillOperation.LookAsync(_trigger, look, context, token));
    }

    /// <inheritdoc/>
    public override void Output(object value, SshHost host)
    {
        if (value is not CrashCandidate candidate)
        {
            base.Output(value, host);
        }
        else if (!_hosts.TryAdd(candidate, out var twin))
        {
            Warning(candidate.Host.HostName, $"{candidate.Host.HostName} is the same machine as {twin.Host.HostName}; it is crashed once.");
        }
    }

    /// <inheritdoc/>
    public override bool Confirm(ChangeQuestion question) => DrillScripts.TryAnswer(question) || base.Confirm(question);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        if (_hosts.Candidates.Count == 0 || IsStopping || !CrashAgreement.Given(this, Force, _hosts.Question(_plan.MaxDown), Ask))
        {
            return;
        }

        var entries = _hosts.Candidates.Select(c => new DrillEntry(c.Host, _groups.GetValueOrDefault(c.Host.HostName), c)).ToList();
        try
        {
            var path = JournalPath is { Length: > 0 } given ? ResolveFile(given, nameof(JournalPath)) : DrillJournal.NewPath();
            var journal = DrillJournal.Create(path, _plan, entries.Select(DrillHost.Of));
            WriteVerbose($"The journal of this drill is {journal.Path}; while {journal.PauseFile} exists no further host is crashed.");
            _session.Run(Access, _plan, journal, _trigger, _hooks, entries, this);
        }
        catch (HostException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        base.StopProcessing();
        _session.Cancel();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _session.Dispose();
        }

        base.Dispose(disposing);
    }

    private string? GroupOf(string hostName)
    {
        var value = Group is PSObject wrapped ? wrapped.BaseObject : Group;
        var group = value switch
        {
            Hashtable table => table.Keys.Cast<object>().FirstOrDefault(key => string.Equals(key.ToString(), hostName, StringComparison.OrdinalIgnoreCase)) is { } key ? table[key] : null,
            string property => InputObject is { } item ? item.Properties[property]?.Value : null,
            ScriptBlock script => script.InvokeWithContext(null, [new PSVariable("_", (object?)InputObject ?? hostName)], hostName).LastOrDefault(),
            _ => null,
        };
        return group?.ToString() is { Length: > 0 } name ? name : null;
    }
}
