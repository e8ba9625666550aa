using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>
/// Send-Sysrq: keys of sysrq over a host's serial console, and what the console says. Where the host answers over SSH, the console is proved to be
/// its own first: it has to show a word that only this host was told. Where it does not (a host that hangs), harmless keys are sent all the same.
/// </summary>
public sealed class SendSysrqOperation
{
    private readonly HostAccess _access;
    private readonly HostAccess _consoleAccess;
    private readonly IReadOnlyList<char> _keys;

    /// <summary>An operation for some keys.</summary>
    /// <param name="access">How hosts are reached.</param>
    /// <param name="consoleAccess">How console servers are reached.</param>
    /// <param name="keys">Letters and digits, each alone or separated by commas; not <c>c</c>, which Invoke-SysrqCrash sends.</param>
    /// <exception cref="HostException">InvalidInput.</exception>
    public SendSysrqOperation(HostAccess access, HostAccess consoleAccess, IEnumerable<string> keys)
    {
        _access = access;
        _consoleAccess = consoleAccess;
        _keys = SysrqKeys.Parse(keys);
    }

    /// <summary>How long to listen after each key.</summary>
    public ConsoleListen Listen { get; init; } = new();

    /// <summary>Shows what a quiet console would not: the console's level is raised for the time of the keys, if it can be put back.</summary>
    public bool RaiseConsoleLevel { get; init; } = true;

    /// <summary>Sends keys that are not harmless, too, where the console could not be proved to be the host's.</summary>
    public bool AllowUnproven { get; init; }

    /// <summary>Works on one host; gives one answer for each key.</summary>
    /// <exception cref="HostException">SysrqDisabled, SysrqNoAnswer, after the answers; ConsoleNotAvailable, ConsoleMismatch, and those of connecting.</exception>
    public async Task RunAsync(SshHost host, SerialConsole console, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(console);
        ArgumentNullException.ThrowIfNull(context);
        console.Validated();
        var dangers = _keys.Select(SysrqKeys.Danger).OfType<string>().ToList();
        var question = new ChangeQuestion(host.HostName, $"Send sysrq {string.Join(", ", _keys)} over {console}") { Danger = dangers.Count == 0 ? null : string.Join('\n', dangers) };
        if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        IHostConnection? connection = null;
        try
        {
            connection = await _access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e) when (IsAway(e) && (dangers.Count == 0 || AllowUnproven))
        {
            context.Warning($"{host.HostName} does not answer over SSH ({e.ErrorId}), so {console} is not proved to be its console.");
        }

        try
        {
            var seen = connection is null ? null : await HostProof.LookAsync(connection, cancellationToken).ConfigureAwait(false);
            var word = HostProof.NewWord();
            var proof = seen is null ? null : new ConsoleProof(word, token => HostProof.ShowAsync(connection!, seen.MachineId, seen.BootId, word, 0, token));
            var raise = RaiseConsoleLevel && seen is { ConsoleLevel: >= 0 and < SysrqKeys.Talkative, SysrqMask: { } mask } &&
                SysrqKeys.Allows(mask, SysrqKeys.LogLevelMask) && _keys.Any(SysrqKeys.IsChatty);
            char[] keys = raise
                ? [(char)('0' + SysrqKeys.Talkative), .. _keys, (char)('0' + seen!.ConsoleLevel!.Value)]
                : [.. _keys];
            var said = await new ConsoleOperation(_consoleAccess).SendAsync(console, keys, Listen, proof, context, cancellationToken).ConfigureAwait(false);
            if (raise && said.Count < keys.Length)
            {
                context.Warning($"The console level of {host.HostName} stays at {SysrqKeys.Talkative}; it was {seen!.ConsoleLevel}: dmesg -n {seen.ConsoleLevel} puts it back.");
            }

            Tell(host, console, seen, raise ? [.. said.Skip(1).Take(_keys.Count)] : said, context);
        }
        finally
        {
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Whether an error means that a host is not there, rather than that it refuses.</summary>
    internal static bool IsAway(HostException error) =>
        ErrorIds.IsAway(error.ErrorId) || error.ErrorId is ErrorIds.NoShell or ErrorIds.ProtocolError;

    /// <summary>The error for a key that the kernel did not take.</summary>
    internal static HostException Refusal(string hostName, SerialConsole console, SysrqAnswer answer, HostProof? seen)
    {
        if (answer.State == SysrqAnswerState.Disabled)
        {
            return new HostException(ErrorIds.SysrqDisabled, hostName, $"The kernel does not allow the sysrq key {answer.Key} on its console{Mask(seen)}.")
            {
                HostSaid = answer.Text,
                Remedy = "Enable-Sysrq, or a mask with the bit of that key (8 for t, m, w, l, p and c).",
                Details = answer,
            };
        }

        return new HostException(ErrorIds.SysrqNoAnswer, hostName, $"The kernel did not answer the sysrq key {answer.Key} over {console}{Mask(seen)}.")
        {
            HostSaid = answer.Text,
            Remedy = seen?.SysrqMask == 0 ? "kernel.sysrq is 0, so the kernel listens to no key: Enable-Sysrq."
                : seen is not null && seen.Consoles.Length > 0 && !HasSerial(seen.Consoles) ? $"The kernel's consoles are {seen.Consoles}: boot it with console=ttyS0,115200 or what the port is."
                : "kernel.sysrq may be 0, or the way of the console does not carry breaks (terminal server, BMC, console=).",
            Details = answer,
        };
    }

    private static bool HasSerial(string consoles) =>
        consoles.Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(c => !c.StartsWith("tty", StringComparison.Ordinal) || (c.Length > 3 && !char.IsAsciiDigit(c[3])));

    private static string Mask(HostProof? seen) => seen?.SysrqMask is { } mask ? string.Create(CultureInfo.InvariantCulture, $" (kernel.sysrq is {mask})") : "";

    private static void Tell(SshHost host, SerialConsole console, HostProof? seen, IReadOnlyList<ConsoleAnswer> said, HostContext context)
    {
        SysrqAnswer? refused = null;
        foreach (var answer in said)
        {
            var (state, action) = SysrqAnswer.Read(answer.Text);
            var result = new SysrqAnswer
            {
                HostName = host.HostName,
                Console = console.ToString(),
                Key = answer.Key,
                State = state,
                Action = action,
                Text = answer.Text,
                SentAt = answer.SentAt,
                Duration = answer.Duration,
                End = answer.End,
                Proven = seen is not null,
            };
            context.Output(result);
            refused ??= state == SysrqAnswerState.Answered ? null : result;
        }

        if (refused is not null)
        {
            throw Refusal(host.HostName, console, refused, seen);
        }
    }
}
