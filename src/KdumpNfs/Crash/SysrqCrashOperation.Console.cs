using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>The crash over the serial console: break, c. The same rules: looked at first, asked once, never repeated.</summary>
public sealed partial class SysrqCrashOperation
{
    // A kernel that takes the key says so at once; what else a console says is no reason to wait longer.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(20);

    /// <summary>How console servers are reached; null for the way of the hosts.</summary>
    public HostAccess? ConsoleAccess { get; init; }

    /// <summary>How long to listen to a console after the crash key: the panic, and what the capture kernel says.</summary>
    public ConsoleListen ConsoleListen { get; init; } = new() { Quiet = TimeSpan.FromSeconds(10), FirstWord = TimeSpan.FromSeconds(10), Limit = TimeSpan.FromMinutes(1) };

    /// <summary>Crashes a host over its console that does not answer over SSH: neither its state nor whose console it is can be checked then.</summary>
    public bool AllowUnreachable { get; init; }

    /// <summary>Looks at a host that is to be crashed over its console: as without one, and whether kernel.sysrq lets the key through.</summary>
    /// <param name="host">The host.</param>
    /// <param name="console">Its console; null to crash it over SSH.</param>
    /// <param name="machineId">The machine id that an earlier object of this pipeline saw; null to take what is there.</param>
    /// <param name="context">Where to tell.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="HostException">NotRoot, MachineIdMismatch, NotReady, SysrqDisabled, and those of connecting.</exception>
    public async Task<CrashCandidate> ProbeAsync(SshHost host, SerialConsole? console, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        if (console is null)
        {
            return await ProbeAsync(host, machineId, context, cancellationToken).ConfigureAwait(false);
        }

        console.Validated();
        CrashCandidate candidate;
        try
        {
            candidate = await ProbeAsync(host, machineId, context, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e) when (AllowUnreachable && machineId is null && SendSysrqOperation.IsAway(e))
        {
            context.Warning($"{host.HostName} does not answer over SSH ({e.ErrorId}): neither whether it is ready nor that {console} is its console is checked.");
            return new CrashCandidate(host, KdumpStatus.Failed(e), null) { Console = console };
        }

        return Masked(candidate.Status) is { } mask ? throw MaskRefusal(host.HostName, mask) : candidate with { Console = console };
    }

    /// <summary>The mask of a host that would not take the crash key over its console; null where it would.</summary>
    internal static int? Masked(KdumpStatus status) => status.Sysrq is { } mask && !SysrqKeys.Allows(mask, SysrqKeys.DumpMask) ? mask : null;

    /// <summary>The error for such a host.</summary>
    internal static HostException MaskRefusal(string hostName, int mask, object? details = null) => new(ErrorIds.SysrqDisabled, hostName, $"kernel.sysrq is {mask}: over a console the kernel would not take the crash key.")
    {
        Remedy = "Enable-Sysrq first (-Mask with 8 in it is enough), or crash it without -ConsoleHost: over SSH the mask does not count. A drill raises it with -RaiseSysrq.",
        Details = details,
    };

    private async Task<SysrqCrash> TriggerOverConsoleAsync(CrashCandidate candidate, SerialConsole console, CrashListening? listening, HostContext context, CancellationToken cancellationToken)
    {
        var host = candidate.Host;
        var known = candidate.Status.BootId.Length > 0;
        var word = HostProof.NewWord();
        bool? synced = null;
        IReadOnlyList<ConsoleAnswer> said;
        using var enough = listening is null ? new CancellationTokenSource() : CancellationTokenSource.CreateLinkedTokenSource(listening.Stopped);
        var once = access with { Options = access.Options with { MayReconnect = false } };
        var connection = known ? await once.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false) : null;
        try
        {
            context.Progress("Crashing", $"over {console}");
            var proof = connection is null ? null : new ConsoleProof(word, async token =>
                synced = await HostProof.ShowAsync(connection, candidate.Status.MachineId, candidate.Status.BootId, word, SyncLimitSeconds, token).ConfigureAwait(false));
            var operation = new ConsoleOperation(ConsoleAccess ?? access) 
            {
                ProofLimit = TimeSpan.FromSeconds(SyncLimitSeconds + 20),
                Heard = listening is null ? null : Tell(listening, enough, at => Crashed(candidate, at, synced == true) with { ConsoleProven = known }),
                Enough = enough.Token,
            };
            said = await operation.SendAsync(console, ['c'], ConsoleListen, proof, context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }

        var answer = said[0];
        var (state, action) = SysrqAnswer.Read(answer.Text);
        if (state == SysrqAnswerState.Disabled || (state == SysrqAnswerState.NoAnswer && await StillRunsAsync(candidate, context, cancellationToken).ConfigureAwait(false)))
        {
            throw SendSysrqOperation.Refusal(host.HostName, console, new SysrqAnswer
            {
                HostName = host.HostName,
                Console = console.ToString(),
                Key = 'c',
                State = state,
                Action = action,
                Text = answer.Text,
                SentAt = answer.SentAt,
                Duration = answer.Duration,
                End = answer.End,
                Proven = known,
            }, null);
        }

        if (state == SysrqAnswerState.NoAnswer)
        {
            context.Warning($"{console} said nothing of the crash of {host.HostName}, but the host does not answer any more.");
        }

        if (synced == false)
        {
            context.Warning($"sync did not end within {SyncLimitSeconds} s on {host.HostName}; the crash was triggered without it.");
        }

        context.Progress("Crashing", "triggered", 1, done: true);
        return Crashed(candidate, answer.SentAt, synced == true) with { ConsoleText = answer.Text, ConsoleEnd = answer.End, ConsoleProven = known };
    }

    // Somebody goes on as soon as the kernel has taken the key. One that refuses it, or says nothing of it, needs no listening.
    internal static Action<ConsoleTranscript> Tell(CrashListening listening, CancellationTokenSource enough, Func<DateTimeOffset, SysrqCrash> crash)
    {
        var sent = false;
        var decided = false;
        return transcript =>
        {
            if (decided || transcript.SentAt is not { } at || transcript.Current is not { } text)
            {
                return;
            }

            if (!sent)
            {
                sent = true;
                listening.Hear(() => transcript.Current);
                enough.CancelAfter(AnswerLimit);
            }

            // A line that is not whole may still become a refusal.
            var state = SysrqAnswer.Read(text[..(text.LastIndexOf('\n') + 1)]).State;
            decided = state != SysrqAnswerState.NoAnswer;
            if (state == SysrqAnswerState.Answered)
            {
                enough.CancelAfter(Timeout.InfiniteTimeSpan);
                listening.Trigger(crash(at));
            }
            else if (decided)
            {
                enough.CancelAfter(1);
            }
        };
    }

    // The console was silent: a host that still answers with its old boot was not crashed. Where it was never reached nobody can tell.
    private async Task<bool> StillRunsAsync(CrashCandidate candidate, HostContext context, CancellationToken cancellationToken)
    {
        if (candidate.Status.BootId.Length == 0)
        {
            return true;
        }

        try
        {
            var quick = access with { Options = access.Options with { ConnectTimeout = Min(access.Options.ConnectTimeout, TimeSpan.FromSeconds(10)) } };
            var connection = await quick.ConnectAsync(candidate.Host, context, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var reply = await HostReply.RunAsync(connection, HostScript.Load("bootid") with { Timeout = TimeSpan.FromSeconds(10) }, cancellationToken).ConfigureAwait(false);
                return reply.Text("boot.id")?.Trim() == candidate.Status.BootId;
            }
        }
        catch (HostException e)
        {
            context.Verbose($"After the crash key the host does not answer: {e.What}");
            return false;
        }
    }
}
