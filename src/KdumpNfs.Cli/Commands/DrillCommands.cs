using System.CommandLine;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs drill</c> and <c>kdumpnfs drill-resume</c>: Invoke-KdumpDrill and Resume-KdumpDrill.</summary>
internal static class DrillCommands
{
    /// <summary>Begins a drill.</summary>
    public static Command Drill()
    {
        var hosts = Shared.Hosts();
        var store = new Option<string>("--store") { Description = "The storage server, or any host that sees the share as a path", Required = true };
        var export = new Option<string>("--export") { Description = "The exported directory, as a path on the store", Required = true };
        var dumpPath = new Option<string?>("--dump-path") { Description = "Directory for dumps inside the export" };
        var maxDown = new Option<int>("--max-down") { Description = "Hosts that may be down at once, of all controllers on this store together", DefaultValueFactory = _ => 1 };
        var batchSize = new Option<string[]>("--batch-size") { Description = "Hosts in the first, second and so on batch: 1,5,25%", AllowMultipleArgumentsPerToken = true };
        var maxFailure = new Option<int>("--max-failure") { Description = "Hosts that may fail before no further one is crashed", DefaultValueFactory = _ => 0 };
        var groups = new Option<string[]>("--group") { Description = "HOST=GROUP: of hosts in one group at most one is down, all controllers together; may be repeated" };
        var journalPath = new Option<string?>("--journal") { Description = "File for the journal of this drill; without it a new one under XDG_STATE_HOME/kdumpnfs/drills" };
        var leasePath = new Option<string?>("--lease-path") { Description = "Directory of leases on the store; without it one under the dump directory" };
        var noLease = new Option<bool>("--no-lease") { Description = "Do not look at other controllers" };
        var captureTimeout = new Option<int>("--capture-timeout") { Description = "Seconds to wait for each dump", DefaultValueFactory = _ => 1800 };
        var returnTimeout = new Option<int>("--return-timeout") { Description = "Seconds that a host may be away", DefaultValueFactory = _ => 900 };
        var rearmTimeout = new Option<int>("--rearm-timeout") { Description = "Seconds until a host that is back has to be ready again", DefaultValueFactory = _ => 300 };
        var consoleListen = new Option<int?>("--console-listen") { Description = "Seconds to listen to a console after the crash key; without it until the host is back" };
        var raiseSysrq = new Option<bool>("--raise-sysrq") { Description = "Raise kernel.sysrq for the running boot where it would not let the crash key through the console" };
        var hooks = new HookOptions();
        var command = new Command("drill", """
            Crash hosts on purpose and prove for each, with its dump and its return, that a crash would be captured: over SSH, or with --console-host over
            their serial consoles.

            Looks at all hosts first and asks once. The journal tells what was done; while JOURNAL.pause exists no further host is crashed, and
            drill-resume goes on after an interruption.
            """)
        {
            hosts, store, export, dumpPath, maxDown, batchSize, maxFailure, groups, journalPath, leasePath, noLease, captureTimeout, returnTimeout, rearmTimeout, consoleListen, raiseSysrq,
        };
        hooks.AddTo(command);
        var consoles = new ConsoleOptions(command);
        var connection = new ConnectionOptions(command, changes: true, batches: false);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var plan = DrillPlan.For(connection.Host(parsed, parsed.GetValue(store)!), parsed.GetValue(export)!, parsed.GetValue(dumpPath));
            plan = (plan with
            {
                MaxDown = parsed.GetValue(maxDown),
                BatchSize = parsed.GetValue(batchSize) ?? [],
                MaxFailure = parsed.GetValue(maxFailure),
                LeasePath = parsed.GetValue(noLease) ? null : parsed.GetValue(leasePath) ?? plan.LeasePath,
                CaptureTimeout = ConnectionOptions.Seconds(parsed.GetValue(captureTimeout), "--capture-timeout"),
                ReturnTimeout = ConnectionOptions.Seconds(parsed.GetValue(returnTimeout), "--return-timeout"),
                RearmTimeout = ConnectionOptions.Seconds(parsed.GetValue(rearmTimeout), "--rearm-timeout"),
                RaiseSysrq = parsed.GetValue(raiseSysrq),
                ConsoleListen = parsed.GetValue(consoleListen) is { } listen ? ConnectionOptions.Seconds(listen, "--console-listen") : null,
            }).Validated();
            var groupOf = Groups(parsed.GetValue(groups) ?? []);
            var access = connection.Access(parsed);
            var trigger = hooks.Trigger(parsed, access, plan);
            var list = Look(session, () => session.ForEach(parsed.GetValue(hosts)!,
                name =>
                {
                    consoles.Make(parsed, name);
                    return connection.Host(parsed, name);
                },
                async (host, context, token) => context.Output(await KdumpDrillOperation.LookAsync(trigger, new DrillLook(host, consoles.Make(parsed, host.HostName)) { Quick = session.IsWhatIf }, context, token))));
            if (list.Candidates.Count == 0 || session.IsInterrupted || !session.Ask(list.Question(plan.MaxDown)))
            {
                return;
            }

            var entries = list.Candidates.Select(c => new DrillEntry(c.Host, groupOf.GetValueOrDefault(c.Host.HostName), c)).ToList();
            var path = parsed.GetValue(journalPath) is { } given ? Path.GetFullPath(given) : DrillJournal.NewPath();
            using var journal = DrillJournal.Create(path, plan, entries.Select(DrillHost.Of));
            Console.Error.WriteLine($"journal: {Printable.Escape(journal.Path)}");
            Run(session, access, plan, journal, trigger, hooks.Make(parsed), entries);
        }));
        return command;
    }

    /// <summary>Goes on with a drill.</summary>
    public static Command Resume()
    {
        var journalPath = new Argument<string>("JOURNAL") { Description = "The journal of the drill" };
        var noCrash = new Option<bool>("--no-crash") { Description = "Find out what became of the hosts that were triggered, and crash nobody else" };
        var hooks = new HookOptions();
        var command = new Command("drill-resume", "Go on with a drill whose controller was lost; hosts that were triggered are looked at and never triggered again") { journalPath, noCrash };
        hooks.AddTo(command);
        var connection = new ConnectionOptions(command, changes: true, batches: false);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var access = connection.Access(parsed);
            var path = Path.GetFullPath(parsed.GetValue(journalPath)!);

            // What only shows what it would do is no line of the journal.
            using var journal = session.IsWhatIf ? null : DrillJournal.Resume(path);
            var left = journal is null ? DrillResumption.From(DrillJournal.Look(path)) : DrillResumption.From(journal);
            foreach (var drill in left.Finished)
            {
                session.Verbose(drill.HostName, $"Ended before with {drill.Verdict}.");
            }

            var trigger = hooks.Trigger(parsed, access, left.Plan);
            var entries = left.InFlight.ToList();
            if (journal is null)
            {
                Show(session, entries.Select(DrillResumption.Observes));
            }

            var list = parsed.GetValue(noCrash) ? new CrashList() : Look(session, () =>
            {
                foreach (var host in left.Untouched)
                {
                    session.Fleet.Add(session, host.Host, async (context, token) => context.Output(await KdumpDrillOperation.LookAsync(trigger, new DrillLook(host.Host, host.Console) { Quick = session.IsWhatIf }, context, token)));
                }
            });
            if (journal is null)
            {
                Show(session, list.Candidates.Select(DrillResumption.Crashes));
                return;
            }

            if (list.Candidates.Count > 0 && !session.IsInterrupted && session.Ask(list.Question(left.Plan.MaxDown)))
            {
                entries.AddRange(list.Candidates.Select(c => new DrillEntry(c.Host, left.Untouched.First(u => u.Host.HostName == c.Host.HostName).Group, c)));
            }

            if (entries.Count > 0 && !session.IsInterrupted)
            {
                Run(session, access, left.Plan, journal, trigger, hooks.Make(parsed), entries);
            }
        }));
        return command;
    }

    // With --what-if a question is said and answered with no.
    private static void Show(Session session, IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            session.Ask(text);
        }
    }

    private static CrashList Look(Session session, Action look)
    {
        var list = new CrashList();
        session.Filter = value =>
        {
            if (value is not CrashCandidate candidate)
            {
                return true;
            }

            if (!list.TryAdd(candidate, out var twin))
            {
                session.Warning(candidate.Host.HostName, $"{candidate.Host.HostName} is the same machine as {twin.Host.HostName}; it is crashed once.");
            }

            return false;
        };
        look();
        session.Fleet.Finish(session);
        session.Filter = null;
        return list;
    }

    private static void Run(Session session, HostAccess access, DrillPlan plan, DrillJournal journal, SysrqDrillTrigger trigger, DrillHooks hooks, List<DrillEntry> entries)
    {
        var operation = new KdumpDrillOperation(access, plan, journal) { Trigger = trigger, Hooks = hooks };
        using (var campaign = new DrillCampaign(operation, entries))
        {
            session.OnCancel(campaign.Cancel);
            if (!session.IsInterrupted)
            {
                campaign.Run(session);
            }
        }

        operation.DisposeAsync().AsTask().Wait(Shared.CloseLimit);
    }

    private static Dictionary<string, string> Groups(string[] texts)
    {
        var groups = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var text in texts)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals == text.Length - 1)
            {
                throw ConnectionOptions.Refused($"'{Printable.Escape(text)}' is not HOST=GROUP.", "Give each host its group: --group web01=web --group web02=web");
            }

            groups[text[..equals]] = text[(equals + 1)..];
        }

        return groups;
    }

    /// <summary>Options that a new drill and a resumed one share.</summary>
    private sealed class HookOptions
    {
        private readonly Option<string?> _powerCycle = new("--power-cycle") { Description = "Command that cycles the power of a host that does not come back; the host is in KDUMPNFS_HOST" };
        private readonly Option<string?> _console = new("--console-text") { Description = "Command that prints the text of a host's serial console; the host is in KDUMPNFS_HOST" };
        private readonly Option<bool> _notReady = new("--allow-not-ready") { Description = "Crash hosts that are not ready, too: there will probably be no dump" };

        public void AddTo(Command command)
        {
            command.Options.Add(_powerCycle);
            command.Options.Add(_console);
            command.Options.Add(_notReady);
        }

        public DrillHooks Make(ParseResult parsed) => new()
        {
            PowerCycle = parsed.GetValue(_powerCycle) is { } cycle ? (host, context, token) => ExternalCommand.RunAsync(cycle, host, context, token) : null,
            Console = parsed.GetValue(_console) is { } console ? async (host, context, token) => await ExternalCommand.RunAsync(console, host, context, token) : null,
        };

        public SysrqDrillTrigger Trigger(ParseResult parsed, HostAccess access, DrillPlan plan) => SysrqDrillTrigger.For(access, plan, parsed.GetValue(_notReady));
    }
}
