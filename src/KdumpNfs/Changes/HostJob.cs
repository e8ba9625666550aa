using System.Diagnostics;
using System.Globalization;
using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Changes;

/// <summary>
/// A change that runs detached on the host (a transient systemd unit, or setsid): a connection that dies, or Ctrl-C, does not stop it,
/// and its result waits in a tmpfs until it was read. See detach.sh for the protocol on the host.
/// </summary>
internal sealed class HostJob(HostAccess access, SshHost host, HostContext context)
{
    private static readonly TimeSpan FollowFor = TimeSpan.FromSeconds(10);

    // By then the admin should know, rather than wait for the whole operation's limit.
    private static readonly TimeSpan ReconnectFor = TimeSpan.FromMinutes(2);

    // A host that takes connections and loses each of them before it answers will not answer the next one either.
    private const int MostBreaks = 5;

    /// <summary>Starts the job on an open connection and follows it to its end, through reconnects if need be.</summary>
    /// <param name="connection">The connection of the probe; replaced here when it breaks.</param>
    /// <param name="activity">What the job is, for progress.</param>
    /// <param name="script">The job: composed with common.sh and change.sh.</param>
    /// <param name="cancellationToken">Stops following, not the job.</param>
    /// <returns>The job's records. A job that failed has <c>fail.id</c> and <c>fail.said</c>.</returns>
    /// <exception cref="HostException">NotRoot, ApplyInProgress, ApplyUnfinished; HostRebooted: since the change was begun.</exception>
    public async Task<HostReply> RunAsync(IHostConnection connection, string activity, string script, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString("N")[..12];
        var deadline = DateTime.UtcNow + access.Options.OperationTimeout;
        var begun = Stopwatch.GetTimestamp();
        var step = "";
        string? boot = null;
        var started = false;
        var resent = false;
        IHostConnection? own = null;
        Outage? outage = null;
        try
        {
            while (true)
            {
                HostReply reply;
                try
                {
                    var request = HostScript.Load("detach",
                        ("job_id", id), ("job_new", started ? "0" : "1"), ("job_step", step),
                        ("job_wait", ((int)FollowFor.TotalSeconds).ToString(CultureInfo.InvariantCulture)));
                    var input = started ? null : new MemoryStream(Encoding.UTF8.GetBytes($"{script}\n# end of job {id}\n"));
                    // Past this line the host may have started it; from here on we only ask.
                    started = true;
                    reply = await HostReply.RunAsync(own ?? connection, request with { Input = input, Timeout = FollowFor + TimeSpan.FromSeconds(60) }, cancellationToken)
                        .ConfigureAwait(false);
                }
                catch (HostException e) when (ErrorIds.IsLost(e.ErrorId) || e.ErrorId is ErrorIds.Timeout)
                {
                    context.Verbose($"The connection broke during the change ({e.What}); reconnecting, the change goes on by itself on the host.");
                    outage ??= new Outage(deadline);
                    own = await ReconnectAsync(own, outage, e, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                outage = null;
                boot ??= reply.Text("job.boot");

                switch (reply.Text("job.state"))
                {
                    case "done":
                        context.Progress(activity, "Done", 1, done: true);
                        await AcknowledgeAsync(own ?? connection, id, context, cancellationToken).ConfigureAwait(false);
                        return reply;
                    case "running":
                        var now = reply.Text("job.step") ?? "";
                        if (now != step)
                        {
                            context.Verbose(now + ".");
                        }

                        step = now;
                        context.Progress(activity, $"{step}, {ProgressClock.Text(Stopwatch.GetElapsedTime(begun))}");
                        break;
                    case "lost" when resent:
                        throw SshErrors.Lost(host.HostName, "The connection broke again while the change was sent; nothing was begun.");
                    case "lost":
                        resent = true;
                        context.Verbose("The connection broke before the change was begun; it is sent again.");
                        started = false;
                        break;
                    case "not-root":
                        throw HostRequirement.NotRoot(host.HostName);
                    case "busy":
                        throw new HostException(ErrorIds.ApplyInProgress, host.HostName, $"Another change is being made on the host: {reply.Text("job.step")}.")
                        {
                            Remedy = "Wait until it has ended, then run the command again.",
                        };
                    case "gone" when boot is not null && boot != reply.Text("job.boot"):
                        throw Rebooted(step);
                    default:
                        throw Unfinished(reply.Text("job.step") ?? step, reply.Text("job.log"));
                }

                if (DateTime.UtcNow > deadline)
                {
                    throw Unfinished(step, null);
                }
            }
        }
        finally
        {
            if (own is not null)
            {
                await own.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>The failure that a job reported, or null.</summary>
    public static HostException? FailureOf(HostReply reply, string hostName)
    {
        if (reply.Text("fail.id") is { } id)
        {
            var said = reply.Text("fail.said");
            return new HostException(id == ErrorIds.WriteFailed ? WriteFailure.IdOf(said) : id, hostName, reply.Text("job.step") ?? "The change failed.") { HostSaid = said };
        }

        return reply.Text("job.exit") == "0"
            ? null
            : new HostException(ErrorIds.UnexpectedReply, hostName, $"The change ended with exit status {reply.Text("job.exit")}.") { HostSaid = reply.Text("job.log") };
    }

    /// <summary>A job's script: the common functions, those of changes, the values, then the job.</summary>
    public static string Compose(string name, params ReadOnlySpan<(string Name, string Value)> values)
    {
        var text = new StringBuilder(HostScript.Read("common")).Append(HostScript.Read("change"));
        foreach (var (variable, value) in values)
        {
            text.Append(ShellQuote.Assignment(variable, value));
        }

        return text.Append(HostScript.Read(name)).ToString();
    }

    private HostException Unfinished(string step, string? log) =>
        new(ErrorIds.ApplyUnfinished, host.HostName, $"How the change ended is not known; the last step seen was: {(step.Length == 0 ? "start" : step)}.")
        {
            HostSaid = log,
            Remedy = "Run the same command again: it reports or finishes what was begun. Get-KdumpStatus tells whether the host is armed.",
        };

    private HostException Rebooted(string step) =>
        new(ErrorIds.HostRebooted, host.HostName, $"The host has rebooted since the change was begun; the last step seen was: {(step.Length == 0 ? "start" : step)}.")
        {
            Remedy = "Run the same command again: it finishes what was begun, or finds that nothing is left to do. Get-KdumpStatus tells whether the host is armed.",
        };

    private async Task<IHostConnection> ReconnectAsync(IHostConnection? broken, Outage outage, HostException cause, CancellationToken cancellationToken)
    {
        if (broken is not null)
        {
            await broken.DisposeAsync().ConfigureAwait(false);
        }

        if (++outage.Breaks > MostBreaks)
        {
            throw Unfinished($"the connection was lost, and {MostBreaks} others before they had an answer ({cause.What})", null);
        }

        while (true)
        {
            await Task.Delay(outage.NextPause(), cancellationToken).ConfigureAwait(false);
            try
            {
                return await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
            }
            catch (HostException e) when (ErrorIds.IsAway(e.ErrorId))
            {
                if (outage.IsOver)
                {
                    throw Unfinished($"the connection was lost ({cause.What})", null);
                }
            }
        }
    }

    /// <summary>The time in which a host gives no answer, over however many connections.</summary>
    private sealed class Outage(DateTime deadline)
    {
        private readonly DateTime _giveUp = DateTime.UtcNow + ReconnectFor;
        private int _pause = 1;

        /// <summary>Connections that broke in it.</summary>
        public int Breaks { get; set; }

        public bool IsOver => DateTime.UtcNow > deadline || DateTime.UtcNow > _giveUp;

        public TimeSpan NextPause()
        {
            var pause = TimeSpan.FromSeconds(_pause);
            _pause = Math.Min(_pause * 2, 15);
            return pause;
        }
    }

    /// <summary>Clears the result of a job that ended: it was read and told.</summary>
    public static async Task AcknowledgeAsync(IHostConnection connection, string id, HostContext context, CancellationToken cancellationToken)
    {
        try
        {
            await connection.RunAsync(HostScript.Load("jobdone", ("job_id", id)), cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e)
        {
            // The change is made and reported; what stays is a directory in a tmpfs, which the next change clears.
            context.Verbose($"The result of the change stays in /run/kdumpnfs until the next change: {e.What}");
        }
    }
}
