namespace KdumpNfs.Crash;

/// <summary>
/// A crash over a console that is listened to further: when the kernel took the key, and what the console has said so far. Without one, a crash is
/// told when the listening is over.
/// </summary>
public sealed class CrashListening : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<SysrqCrash> _triggered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Func<string?> _heard = () => null;

    /// <summary>Ends when the kernel has said that it takes the crash key; the console's text is not in it yet. Never ends where it does not say so.</summary>
    public Task<SysrqCrash> Triggered => _triggered.Task;

    /// <summary>What the console has said from the break on, until now; null before the break and without a console.</summary>
    public string? Text => _heard();

    internal CancellationToken Stopped => _stop.Token;

    /// <summary>Ends the listening; the console is left.</summary>
    public void Stop() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    internal void Hear(Func<string?> text) => _heard = text;

    internal void Trigger(SysrqCrash crash) => _triggered.TrySetResult(crash);
}
