using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>
/// Sends sysrq keys over a serial console: a break, the key, and what the console says from the break on. One session with the console
/// for all keys; it is left in good order, and taken from nobody. Nothing is sent twice.
/// </summary>
/// <remarks>conman(1), ESCAPE CHARACTERS; ipmitool(1), sol activate. Both want a terminal, which script(1) gives them.</remarks>
public sealed class ConsoleOperation(HostAccess access)
{
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(30);

    /// <summary>How long the host may take to write the word that proves the console.</summary>
    public TimeSpan ProofLimit { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Told whenever there is more of what the console says; must not wait.</summary>
    internal Action<ConsoleTranscript>? Heard { get; init; }

    /// <summary>Ends the listening when enough was heard; the answers are those until then.</summary>
    internal CancellationToken Enough { get; init; }

    /// <summary>Sends keys, one after the other.</summary>
    /// <param name="console">The console.</param>
    /// <param name="keys">Letters and digits.</param>
    /// <param name="listen">How long to listen after each.</param>
    /// <param name="proof">What has to be seen before anything is sent; null to send at once.</param>
    /// <param name="context">Where to tell.</param>
    /// <param name="cancellationToken">Leaves the console; what was sent stays sent.</param>
    /// <returns>One answer for each key that was sent; fewer than keys if the console was lost in between.</returns>
    /// <exception cref="HostException">ConsoleNotAvailable (in use, unknown, not connected), ConsoleMismatch (the proof was not seen), and those
    /// of connecting to the console server and of the proof. None after the first break.</exception>
    public async Task<IReadOnlyList<ConsoleAnswer>> SendAsync(
        SerialConsole console, IReadOnlyList<char> keys, ConsoleListen listen, ConsoleProof? proof, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(console);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(listen);
        ArgumentNullException.ThrowIfNull(context);
        console.Validated();
        if (keys.Count == 0 || keys.Any(key => !char.IsAsciiLetterOrDigit(key)))
        {
            throw new HostException(ErrorIds.InvalidInput, "", "Sysrq keys are letters and digits.") { Remedy = "h lists what the kernel knows." };
        }

        var way = console.Sudo ? access with { Options = access.Options with { Sudo = true } } : access;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Enough);
        var connection = await way.ConnectAsync(console.Server, context, ends.Token).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var transcript = new ConsoleTranscript();
            var script = HostScript.Load("console",
                ("kind", console.Kind == ConsoleKind.Conman ? "conman" : "ipmitool"), ("command", console.Command()), ("password_file", console.BmcPasswordFile ?? ""),
                ("keys", string.Join(' ', keys)), ("proof", proof?.Word ?? ""), ("proof_limit", Tenths(ProofLimit)), ("open_limit", Tenths(OpenLimit)),
                ("first_word", Tenths(listen.FirstWord)), ("quiet", Tenths(listen.Quiet)), ("limit", Tenths(listen.Limit)), ("until", listen.Until ?? ""),
                ("maximum", listen.MaximumBytes.ToString(CultureInfo.InvariantCulture)));
            var told = "";
            var run = connection.RunAsync(script with
            {
                OnOutput = bytes =>
                {
                    transcript.Add(bytes.Span);
                    Heard?.Invoke(transcript);
                    var line = transcript.LastLine;
                    if (line.Length > 0 && line != told)
                    {
                        told = line;
                        context.Progress($"Listening to {console}", line);
                    }
                },
                // The loops of the script count their own time; a busy server makes them longer.
                Timeout = OpenLimit + ProofLimit + ((listen.Limit + listen.FirstWord) * keys.Count * 2) + TimeSpan.FromMinutes(1),
            }, ends.Token);

            HostException? failure = null;
            await Task.WhenAny(run, transcript.Opened).ConfigureAwait(false);
            if (transcript.Opened.IsCompleted && proof is not null)
            {
                try
                {
                    await proof.ShowAsync(ends.Token).ConfigureAwait(false);
                }
                catch (HostException e)
                {
                    // The console is left without a break when its time for the proof is up.
                    failure = e;
                }
            }

            var end = ConsoleEnd.Lost;
            try
            {
                var ended = await run.ConfigureAwait(false);
                if (ended.ExitStatus != 0)
                {
                    failure ??= new HostException(ErrorIds.ConsoleNotAvailable, console.Server.HostName, $"The script for the console ended with exit status {ended.ExitStatus}.")
                    {
                        HostSaid = ended.ErrorText,
                        Remedy = "Look at /tmp and the shell of the console server.",
                    };
                }
            }
            catch (HostException e)
            {
                failure ??= e;
            }
            catch (OperationCanceledException) when (transcript.AnySent && !cancellationToken.IsCancellationRequested)
            {
                end = ConsoleEnd.Stopped;
            }

            context.Progress($"Listening to {console}", "done", 1, done: true);
            if (transcript.AnySent)
            {
                if (failure is not null)
                {
                    context.Warning($"The console server {console.Server.HostName} was lost while {console} was listened to: {failure.What}");
                }

                return transcript.Answers(end);
            }

            throw failure ?? Explain(console, transcript);
        }
    }

    private static string Tenths(TimeSpan time) => Math.Max(1, (long)(time.TotalSeconds * 10)).ToString(CultureInfo.InvariantCulture);

    private static HostException Explain(SerialConsole console, ConsoleTranscript transcript)
    {
        var said = transcript.Before;
        var (id, what, remedy) = transcript.State switch
        {
            "no-tool" => (ErrorIds.ConsoleNotAvailable, $"The console server has no {transcript.Tool}.", transcript.Tool == "script" ? "Install util-linux (bsdutils on Debian)." : $"Install {transcript.Tool} there, or name the server that has the consoles."),
            "no-password" => (ErrorIds.ConsoleNotAvailable, "There is no password for the BMC on the console server.",
                "Give -BmcPasswordFile a file that the account there can read, or set IPMI_PASSWORD in its environment. It is never taken from a command line."),
            "disconnected" => (ErrorIds.ConsoleNotAvailable, $"conmand has no connection to the device of {console.Name}.", "Look at the terminal server, the BMC or the cable behind it."),
            "unproven" => (ErrorIds.ConsoleMismatch, $"{console} does not show what the host writes to its console. Nothing was sent.",
                "It is another machine's console, or the kernel has no console= on that port, or nobody reads it at that speed: compare /sys/class/tty/console/active on the host."),
            "failed" when said.Contains("already in use", StringComparison.Ordinal) || said.Contains("already active", StringComparison.Ordinal) => (
                ErrorIds.ConsoleNotAvailable, $"Somebody else holds {console}.", "Ask them to leave. With conman, -Join shares the console; it is never taken away here."),
            "failed" => (ErrorIds.ConsoleNotAvailable, $"{console} could not be opened.", "Read what the console server said; conman -q lists its consoles."),
            _ => (ErrorIds.ConsoleNotAvailable, $"{console} was lost before anything was sent.", "Look at the console server, then run the command again."),
        };
        return new HostException(id, console.Server.HostName, what) { HostSaid = said.Trim(), Remedy = remedy };
    }
}
