using System.Management.Automation;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>What a drill asks of the world around the hosts, as script blocks or commands. Script blocks run on the pipeline's thread, where their variables are.</summary>
internal static class DrillScripts
{
    /// <summary>A script that waits for the pipeline's thread.</summary>
    private sealed record ScriptRequest(string Target, string Action, ScriptBlock Script, SshHost Host) : ChangeQuestion(Target, Action)
    {
        public string? Text { get; set; }

        public Exception? Failure { get; set; }
    }

    /// <summary>The hooks of two parameters.</summary>
    /// <exception cref="HostException">InvalidInput: neither a script block nor a command.</exception>
    public static DrillHooks Hooks(object? powerCycle, object? console)
    {
        var cycle = Make(powerCycle, "PowerCycle", "Cycle the power");
        return new DrillHooks { PowerCycle = cycle is null ? null : (host, context, token) => cycle(host, context, token), Console = Make(console, "ConsoleText", "Read the console") };
    }

    /// <summary>Runs a script that waits, if this is one.</summary>
    public static bool TryAnswer(ChangeQuestion question)
    {
        if (question is not ScriptRequest request)
        {
            return false;
        }

        try
        {
            var output = request.Script.InvokeWithContext(null, [new PSVariable("_", request.Host.HostName)], request.Host.HostName);
            request.Text = string.Join('\n', output.Select(o => o?.ToString()));
        }
        catch (Exception e) when (e is RuntimeException or FlowControlException)
        {
            request.Failure = e;
        }

        return true;
    }

    private static Func<SshHost, HostContext, CancellationToken, Task<string?>>? Make(object? value, string parameter, string action)
    {
        switch (value is PSObject wrapped ? wrapped.BaseObject : value)
        {
            case null:
                return null;
            case ScriptBlock script:
                return async (host, context, token) =>
                {
                    var request = new ScriptRequest(host.HostName, action, script, host);
                    await context.ConfirmAsync(request, token).ConfigureAwait(false);
                    return request.Failure is null ? request.Text
                        : throw new HostException(ErrorIds.CommandFailed, host.HostName, $"The script of -{parameter} failed: {request.Failure.Message}", request.Failure) { Remedy = "It gets the host's name as $_ and as its first argument." };
                };
            case string { Length: > 0 } command:
                return async (host, context, token) => await ExternalCommand.RunAsync(command, host, context, token).ConfigureAwait(false);
            default:
                throw new HostException(ErrorIds.InvalidInput, "", $"-{parameter} is neither a script block nor a command.") { Remedy = $"Give -{parameter} {{ … $_ … }}, or a command that finds the host in KDUMPNFS_HOST." };
        }
    }
}

/// <summary>The drill that a cmdlet runs.</summary>
internal sealed class DrillSession : IDisposable
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromMilliseconds(300);
    private KdumpDrillOperation? _operation;
    private DrillJournal? _journal;
    private DrillCampaign? _campaign;
    private volatile bool _stopped;

    /// <summary>Drills hosts; owns the journal from now on.</summary>
    public void Run(HostAccess access, DrillPlan plan, DrillJournal journal, IDrillTrigger trigger, DrillHooks hooks, IReadOnlyList<DrillEntry> entries, IFleetFront front)
    {
        _journal = journal;
        _operation = new KdumpDrillOperation(access, plan, journal) { Trigger = trigger, Hooks = hooks };
        _campaign = new DrillCampaign(_operation, entries);
        if (!_stopped)
        {
            _campaign.Run(front);
        }
    }

    public void Cancel()
    {
        _stopped = true;
        _campaign?.Cancel();
    }

    public void Dispose()
    {
        _campaign?.Dispose();
        _operation?.DisposeAsync().AsTask().Wait(CloseLimit);
        _journal?.Dispose();
    }
}
