using KdumpNfs.Ssh;

namespace KdumpNfs.Fleet;

/// <summary>What a worker tells the front end. Only the thread that takes messages ever writes, asks or shows.</summary>
/// <param name="HostName">The host that it is about.</param>
public abstract record FleetMessage(string HostName);

/// <summary>A result; an operation may give several for one host.</summary>
public sealed record HostOutput(string HostName, object Value) : FleetMessage(HostName)
{
    /// <summary>How the host was reached, so that a front end can hand it on with the result; null where the fleet was not told.</summary>
    public SshHost? Host { get; init; }
}

/// <summary>The host failed; others go on.</summary>
public sealed record HostFailed(string HostName, HostException Error) : FleetMessage(HostName);

/// <summary>The story of a host, for -Verbose.</summary>
public sealed record HostVerbose(string HostName, string Text) : FleetMessage(HostName);

/// <summary>Something the admin should know although the operation goes on.</summary>
public sealed record HostWarning(string HostName, string Text) : FleetMessage(HostName);

/// <summary>How far a wait is.</summary>
/// <param name="HostName">The host.</param>
/// <param name="Activity">What is going on.</param>
/// <param name="Status">Where it stands, for a person.</param>
/// <param name="Fraction">0 to 1, or null when unknown.</param>
/// <param name="Done">True when the wait is over.</param>
public sealed record HostProgress(string HostName, string Activity, string Status, double? Fraction = null, bool Done = false)
    : FleetMessage(HostName)
{
    /// <summary>How long it will take, where the work knows; without it a front end may tell from the fraction.</summary>
    public TimeSpan? Left { get; init; }
}

/// <summary>A change is about to be made; the worker waits for the answer.</summary>
public sealed record HostQuestion(string HostName, ChangeQuestion Question) : FleetMessage(HostName)
{
    private readonly TaskCompletionSource<bool> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<bool> AnswerAsync => _answer.Task;

    /// <summary>Lets the worker go on: true to make the change.</summary>
    public void Answer(bool proceed) => _answer.TrySetResult(proceed);

    internal void Abandon() => _answer.TrySetCanceled();
}

/// <summary>The worker is done with the host, whatever came of it. Always the last message of a host.</summary>
internal sealed record HostDone(string HostName) : FleetMessage(HostName);

/// <summary>A change, as ShouldProcess and ShouldContinue describe it.</summary>
/// <param name="Target">What is changed.</param>
/// <param name="Action">What is done to it.</param>
public record ChangeQuestion(string Target, string Action)
{
    /// <summary>What would change, for -WhatIf: usually a unified diff. Null when one line says it all.</summary>
    public string? Description { get; init; }

    /// <summary>Set where even -Confirm:$false is not enough and a second question is asked (-Force answers it).</summary>
    public string? Danger { get; init; }
}
