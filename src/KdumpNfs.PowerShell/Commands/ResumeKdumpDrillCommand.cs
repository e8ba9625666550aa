using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>
/// Resume-KdumpDrill: goes on with a drill whose controller was lost. Hosts that were triggered are looked at and never triggered again; the others are
/// crashed as they were to be, over the consoles that the journal names.
/// </summary>
/// <remarks>
/// <para>Goes on with a drill whose controller was lost or stopped, from its journal. Hosts that were triggered are followed to their true verdict and
/// are never triggered again. The others are looked at, asked for and crashed as they were to be, unless -NoCrash leaves them.</para>
/// <para>-WhatIf says for each host what would be done. The journal stays as it is, hosts that were triggered are not contacted, and the others are only
/// looked at.</para>
/// </remarks>
/// <example>
/// <code>
/// Resume-KdumpDrill ./drill.jsonl -NoCrash
/// </code>
/// <para>Finds out what became of the hosts that were down, and crashes nobody.</para>
/// </example>
/// <example>
/// <code>
/// Resume-KdumpDrill ./drill.jsonl -WhatIf
/// </code>
/// <para>Says which hosts would be followed and which would be crashed.</para>
/// </example>
/// <example>
/// <code>
/// Get-ChildItem ~/.local/state/kdumpnfs/drills | Sort-Object LastWriteTime | Select-Object -Last 1 | ForEach-Object { Resume-KdumpDrill $_.FullName -Verbose }
/// </code>
/// <para>Goes on with the newest drill of this account.</para>
/// </example>
/// <seealso cref="InvokeKdumpDrillCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsLifecycle.Resume, "KdumpDrill", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(KdumpDrill))]
public sealed class ResumeKdumpDrillCommand : ConnectingCmdlet
{
    private readonly CrashList _hosts = new();
    private readonly DrillSession _session = new();
    private DrillHooks _hooks = null!;
    private string _path = "";

    /// <summary>The journal of the drill.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Journal")]
    [ArgumentCompleter(typeof(JournalCompleter))]
    public string JournalPath { get; set; } = "";

    /// <summary>Finds out what became of the hosts that were triggered, and crashes nobody else.</summary>
    [Parameter]
    public SwitchParameter NoCrash { get; set; }

    /// <summary>What cycles the power of a host that does not come back: a script block with the host as $_, or a command with it in KDUMPNFS_HOST.</summary>
    [Parameter]
    public object? PowerCycle { get; set; }

    /// <summary>What gives the text of a host's serial console: a script block with the host as $_, or a command with it in KDUMPNFS_HOST.</summary>
    [Parameter]
    public object? ConsoleText { get; set; }

    /// <summary>Crashes hosts that are not ready, too.</summary>
    [Parameter]
    public SwitchParameter AllowNotReady { get; set; }

    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void Prepare() => _hooks = DrillScripts.Hooks(PowerCycle, ConsoleText);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (_path.Length > 0)
        {
            Failed(Refused("Drills are resumed one at a time.", "Give one journal."));
            return;
        }

        try
        {
            _path = ResolveFile(JournalPath, nameof(JournalPath));
        }
        catch (HostException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
        }
    }

    /// <inheritdoc/>
    public override void Output(object value, SshHost host)
    {
        if (value is not CrashCandidate candidate || !_hosts.TryAdd(candidate, out _))
        {
            base.Output(value, host);
        }
    }

    /// <inheritdoc/>
    public override bool Confirm(ChangeQuestion question) => DrillScripts.TryAnswer(question) || base.Confirm(question);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        DrillJournal? journal = null;
        try
        {
            // What only shows what it would do is no line of the journal.
            var whatIf = CrashAgreement.IsWhatIf(this);
            journal = whatIf ? null : DrillJournal.Resume(_path);
            var left = journal is null ? DrillResumption.From(DrillJournal.Look(_path)) : DrillResumption.From(journal);
            foreach (var drill in left.Finished)
            {
                WriteVerbose($"[{Printable.Escape(drill.HostName)}] Ended before with {drill.Verdict}.");
            }

            var trigger = SysrqDrillTrigger.For(Access, left.Plan, AllowNotReady);
            var entries = left.InFlight.ToList();
            if (journal is null)
            {
                Show(left.InFlight.Select(DrillResumption.Observes));
            }

            if (!NoCrash)
            {
                foreach (var host in left.Untouched)
                {
                    Fleet.Add(this, host.Host, async (context, token) => context.Output(await KdumpDrillOperation.LookAsync(trigger, new DrillLook(host.Host, host.Console) { Quick = whatIf }, context, token)));
                }

                base.EndProcessing();
                if (journal is not null && _hosts.Candidates.Count > 0 && !IsStopping && CrashAgreement.Given(this, Force, _hosts.Question(left.Plan.MaxDown), Ask))
                {
                    entries.AddRange(_hosts.Candidates.Select(c => new DrillEntry(c.Host, left.Untouched.First(u => u.Host.HostName == c.Host.HostName).Group, c)));
                }
            }

            if (journal is null)
            {
                Show(_hosts.Candidates.Select(DrillResumption.Crashes));
            }
            else if (entries.Count > 0 && !IsStopping)
            {
                _session.Run(Access, left.Plan, journal, trigger, _hooks, entries, this);
            }
        }
        catch (HostException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
        }
        finally
        {
            journal?.Dispose();
        }
    }

    // With -WhatIf ShouldProcess says its text and answers no.
    private void Show(IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            ShouldProcess(text, text, "Resume the drill");
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
}
