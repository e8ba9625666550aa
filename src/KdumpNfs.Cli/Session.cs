using System.Runtime.InteropServices;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Cli;

/// <summary>One run of a command: takes the fleet's messages, prints, asks, and ends everything at Ctrl-C.</summary>
internal sealed class Session : IFleetFront, IDisposable
{
    private readonly SessionOptions _options;
    private readonly Printer _printer;
    private readonly StatusLine _status = new();
    private readonly PosixSignalRegistration[] _signals;
    private readonly List<Action> _cancels = [];
    private readonly FleetRun _fleet;
    private int _interrupted;

    private Session(SessionOptions options)
    {
        _options = options;
        _printer = new Printer(options.Json);
        _fleet = new FleetRun(options.Throttle) { IsQuiet = !options.Verbose };
        OnCancel(_fleet.Cancel);
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt),
        ];
    }

    /// <summary>The hosts in work.</summary>
    public FleetRun Fleet => _fleet;

    /// <summary>What was asked for.</summary>
    public SessionOptions Options => _options;

    /// <summary>Whether a host failed so far, or gave a result that the command counts as a failure.</summary>
    public bool AnyFailed { get; set; }

    /// <summary>Whether Ctrl-C was pressed.</summary>
    public bool IsInterrupted => Volatile.Read(ref _interrupted) != 0;

    /// <summary>Where results go besides being printed; returns false to keep one from being printed.</summary>
    public Func<object, bool>? Filter { get; set; }

    /// <summary>Runs a command's body and gives its exit status.</summary>
    public static int Run(Func<SessionOptions> options, Action<Session> body)
    {
        try
        {
            var asked = options();
            if (asked is { Changes: true, Yes: false, WhatIf: false } && !CanAsk)
            {
                throw new HostException(ErrorIds.ConfirmationRequired, "", "This has to be confirmed, and there is nobody to ask here.")
                {
                    Remedy = "Answer beforehand with --yes, or look first with --what-if.",
                };
            }

            using var session = new Session(asked);
            body(session);
            session._fleet.Finish(session);
            session.OnFinished?.Invoke();
            session._status.Clear();
            session._printer.Flush();
            var interrupted = Volatile.Read(ref session._interrupted);
            return interrupted != 0 ? interrupted : session.AnyFailed ? ExitStatus.HostFailed : ExitStatus.Done;
        }
        catch (HostException e)
        {
            Printer.Error(e);
            return ExitStatus.Usage;
        }
    }

    /// <summary>Works on hosts: those of the command line, or with <c>-</c> those of stdin, a line each, as they come.</summary>
    /// <param name="names">The arguments.</param>
    /// <param name="host">Makes a host; throws InvalidInput.</param>
    /// <param name="work">What to do for it.</param>
    public void ForEach(IReadOnlyList<string> names, Func<string, SshHost> host, Func<SshHost, HostContext, CancellationToken, Task> work)
    {
        // What the command line says is checked before the first connection; a line of stdin is wrong for itself only.
        var known = names.Where(n => n != "-").Select(host).ToList();
        ForEach(begin =>
        {
            known.ForEach(begin);
            if (names.Contains("-"))
            {
                ReadHosts(host, begin);
            }
        }, work);
    }

    /// <summary>Works on hosts that come from elsewhere, in batches if asked.</summary>
    /// <param name="hosts">Calls its argument with each host.</param>
    /// <param name="work">What to do for it.</param>
    public void ForEach(Action<Action<SshHost>> hosts, Func<SshHost, HostContext, CancellationToken, Task> work)
    {
        var batches = _options.Batches is { } plan ? new BatchRun(plan, _fleet, this) : null;
        hosts(Begin);
        batches?.Finish();

        void Begin(SshHost one)
        {
            if (batches is null)
            {
                _fleet.Add(this, one, (context, token) => work(one, context, token));
            }
            else if (!IsInterrupted)
            {
                batches.Add(one, (context, token) => work(one, context, token));
            }
        }
    }

    private void ReadHosts(Func<string, SshHost> host, Action<SshHost> begin)
    {
        while (!IsInterrupted && Console.In.ReadLine() is { } line)
        {
            if (line.Trim() is not { Length: > 0 } name || name[0] == '#')
            {
                continue;
            }

            try
            {
                begin(host(name));
            }
            catch (HostException e)
            {
                Failed(e);
            }
        }
    }

    /// <summary>Runs something at Ctrl-C.</summary>
    public void OnCancel(Action cancel)
    {
        lock (_cancels)
        {
            _cancels.Add(cancel);
        }
    }

    /// <inheritdoc/>
    public void Output(object value)
    {
        if (Filter?.Invoke(value) != false)
        {
            _status.Clear();
            _printer.Add(value);
        }
    }

    /// <inheritdoc/>
    public void Failed(HostException failure)
    {
        if (failure.ErrorId == ErrorIds.Cancelled && IsInterrupted)
        {
            return;
        }

        AnyFailed = true;
        _status.Forget(failure.HostName);
        Printer.Error(failure);
        if (_options.IncludeFailed)
        {
            var given = FailedObject is { } make ? make(failure) : FailsAsStatus ? KdumpStatus.Failed(failure) : FailedHost.From(failure);
            if (given is not null)
            {
                _printer.Add(given);
            }
        }
    }

    /// <summary>Makes the object of a host that failed, or none; null for the usual one.</summary>
    public Func<HostException, object?>? FailedObject { get; set; }

    /// <summary>Runs when every host is done, before the exit status is made.</summary>
    public Action? OnFinished { get; set; }

    /// <summary>A host that failed is given as a status.</summary>
    public bool FailsAsStatus { get; set; }

    /// <inheritdoc/>
    public void Verbose(string hostName, string text)
    {
        if (_options.Verbose)
        {
            _status.Clear();
            Console.Error.WriteLine($"[{Printable.Escape(hostName)}] {Printable.EscapeLines(text)}");
        }
    }

    /// <inheritdoc/>
    public void Warning(string hostName, string text)
    {
        _status.Clear();
        Console.Error.WriteLine("warning: " + Printable.EscapeLines(hostName.Length == 0 || text.Contains(hostName, StringComparison.Ordinal) ? text : $"{hostName}: {text}"));
    }

    /// <inheritdoc/>
    public void Progress(HostProgress progress) => _status.Report(progress);

    /// <inheritdoc/>
    public bool Confirm(ChangeQuestion question)
    {
        var text = $"{question.Action} on {question.Target}" + (question.Description is { Length: > 0 } description ? "\n" + description.TrimEnd('\n') : "");
        return Ask(text) && (question.Danger is null || _options.Force || AskDanger(question));
    }

    /// <summary>Whether changes are only shown.</summary>
    public bool IsWhatIf => _options.WhatIf;

    /// <summary>Shows what would happen and asks, as --yes and --what-if say; a command that changes no host does not ask.</summary>
    public bool Ask(string text)
    {
        _status.Clear();
        if (_options.WhatIf)
        {
            // With --json stdout is for objects alone.
            (_options.Json ? Console.Error : Console.Out).WriteLine("What if: " + Shown(text, _options.Json));
            return false;
        }

        if (_options.Yes || !_options.Changes)
        {
            return true;
        }

        Console.Error.WriteLine(Shown(text, onError: true));
        return AskTerminal();
    }

    private static string Shown(string text, bool onError)
    {
        text = Printable.EscapeLines(text);
        return Terminal.HasColours(onError) ? DiffColours.Ansi.Apply(text) : text;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _status.Clear();
        _fleet.Dispose();
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    private static bool CanAsk => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    private bool AskDanger(ChangeQuestion question)
    {
        if (CanAsk)
        {
            Console.Error.WriteLine(Printable.EscapeLines(question.Danger!));
            return AskTerminal();
        }

        Failed(new HostException(ErrorIds.ConfirmationRequired, question.Target, question.Danger!) { Remedy = "Nothing was changed. If this is meant, add --force." });
        return false;
    }

    private static bool AskTerminal()
    {
        Console.Error.Write("Continue? [y/N] ");
        return Console.In.ReadLine()?.Trim() is "y" or "Y" or "yes" or "Yes";
    }

    private void Interrupt(PosixSignalContext context)
    {
        context.Cancel = true;
        Volatile.Write(ref _interrupted, context.Signal == PosixSignal.SIGINT ? ExitStatus.Interrupted : ExitStatus.Terminated);
        Action[] cancels;
        lock (_cancels)
        {
            cancels = [.. _cancels];
        }

        foreach (var cancel in cancels)
        {
            cancel();
        }

        // The main thread may sit in a read of stdin, which nothing ends: the prompt comes back all the same.
        _ = Task.Delay(FleetRun.CleanUpLimit).ContinueWith(_ => Environment.Exit(_interrupted), TaskScheduler.Default);
    }
}
