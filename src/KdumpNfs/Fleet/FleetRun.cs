using System.Collections.Concurrent;
using System.Diagnostics;
using KdumpNfs.Ssh;

namespace KdumpNfs.Fleet;

/// <summary>
/// Many hosts at once: at most <c>throttleLimit</c> in work, messages in the order they come, nothing kept about hosts that are done.
/// The owner is a single thread: it starts hosts, takes messages and stops. Workers are tasks of the pool, not threads of ours.
/// </summary>
public sealed class FleetRun : IDisposable
{
    private readonly MessageQueue _messages = new();
    private readonly CancellationTokenSource _cancel = new();
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _throttleLimit;
    private int _inWork;
    private int _leaving;
    private long _cancelledAt;

    /// <summary>A run that works on at most <paramref name="throttleLimit"/> hosts at once.</summary>
    public FleetRun(int throttleLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(throttleLimit, 1);
        _throttleLimit = throttleLimit;
    }

    /// <summary>The stories of hosts (<see cref="HostVerbose"/>) are not told: each message wakes the thread that takes it, also for nothing.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>Whether another host may start. Take messages until it is (<see cref="TryTakeUntilRoom"/>).</summary>
    public bool HasRoom => _inWork < _throttleLimit;

    /// <summary>Whether every host that was started has been answered for and its messages were taken.</summary>
    public bool IsIdle => _inWork == 0;

    /// <summary>Hosts begun, those that are done included.</summary>
    public int Started { get; private set; }

    /// <summary>Hosts in work.</summary>
    public int InWork => _inWork;

    /// <summary>Cancelled by <see cref="Cancel"/>.</summary>
    public CancellationToken CancellationToken => _cancel.Token;

    /// <summary>Starts work on a host. Call only while <see cref="HasRoom"/>.</summary>
    public void Start<T>(string hostName, Func<HostContext, CancellationToken, Task<T>> work)
        where T : class =>
        Start(hostName, async (context, token) =>
        {
            context.Output(await work(context, token).ConfigureAwait(false));
        });

    /// <summary>Starts work that gives its results through the context.</summary>
    public void Start(string hostName, Func<HostContext, CancellationToken, Task> work) => Start(hostName, work, null);

    /// <summary>Starts work whose results carry the way to the host.</summary>
    public void Start(string hostName, Func<HostContext, CancellationToken, Task> work, SshHost? host)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!HasRoom)
        {
            throw new InvalidOperationException("The fleet is full: take messages until there is room.");
        }

        _inWork++;
        var turn = Started++;
        var task = Task.Run(() => RunAsync(hostName, work, host, turn));
        _running[task] = 0;
        task.ContinueWith(done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (task.IsCompleted)
        {
            _running.TryRemove(task, out _);
        }
    }

    /// <summary>The next message; waits for one. False when all started hosts are done, or when the run was cancelled and the time for cleaning up is over.</summary>
    public bool TryTake(out FleetMessage message)
    {
        while (_inWork > 0 && TryWait(out var next))
        {
            if (Visible(next, out message))
            {
                return true;
            }
        }

        return TryTakeReady(out message);
    }

    /// <summary>The next message, as long as no other host may start; waits for one. False when there is room, or when the run was cancelled and the time for cleaning up is over.</summary>
    public bool TryTakeUntilRoom(out FleetMessage message)
    {
        while (!HasRoom && TryWait(out var next))
        {
            if (Visible(next, out message))
            {
                return true;
            }
        }

        message = null!;
        return false;
    }

    /// <summary>The next message that is already there; never waits.</summary>
    public bool TryTakeReady(out FleetMessage message)
    {
        while (_messages.TryTake(out var next))
        {
            if (Visible(next, out message))
            {
                return true;
            }
        }

        message = null!;
        return false;
    }

    /// <summary>Ends all work: connections close, waiting questions are abandoned. Safe to call from any thread, and twice.</summary>
    public void Cancel()
    {
        Interlocked.CompareExchange(ref _cancelledAt, Stopwatch.GetTimestamp(), 0);
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Ctrl-C can arrive while the cmdlet is already being disposed; there is nothing left to cancel.
        }

        _messages.Wake();
    }

    /// <summary>Cancels and waits until workers have cleaned up, for at most <see cref="CleanUpLimit"/>.</summary>
    public void Dispose()
    {
        Cancel();
        foreach (var question in _messages.TakeAll().OfType<HostQuestion>())
        {
            question.Abandon();
        }

        // A worker that does not end in time is past its own deadlines; it holds only itself.
        Task.WaitAny(Task.WhenAll(_running.Keys), Task.Delay(CleanUpLeft));
        if (_running.IsEmpty)
        {
            _cancel.Dispose();
        }
    }

    /// <summary>How long disposal waits for workers: Ctrl-C must give the prompt back within a second.</summary>
    public static readonly TimeSpan CleanUpLimit = TimeSpan.FromMilliseconds(900);

    // Until a host has answered, twice as many are begun each time that this is over, and all of them after so many times: where no host has answered by then it is the
    // network that takes long, and not the cores that are busy.
    private static readonly TimeSpan Doubling = TimeSpan.FromMilliseconds(20);
    private const int Doublings = 3;

    // One limit for the pump and for disposal together, counted from the cancellation.
    private TimeSpan CleanUpLeft
    {
        get
        {
            var left = CleanUpLimit - Stopwatch.GetElapsedTime(Interlocked.Read(ref _cancelledAt));
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    // Workers still tell how they ended when the run was cancelled; one that does not end in time must not hold the prompt.
    private bool TryWait(out FleetMessage message) => _messages.TryTake(() => _cancel.IsCancellationRequested ? CleanUpLeft : null, out message);

    private bool Visible(FleetMessage next, out FleetMessage message)
    {
        message = next;
        if (next is not HostDone)
        {
            return true;
        }

        _inWork--;
        return false;
    }

    private async Task RunAsync(string hostName, Func<HostContext, CancellationToken, Task> work, SshHost? host, int turn)
    {
        var context = new HostContext(hostName, Post, host, IsQuiet);
        try
        {
            await TurnAsync(turn).ConfigureAwait(false);
            await work(context, _cancel.Token).ConfigureAwait(false);
        }
        catch (HostException e)
        {
            Post(new HostFailed(hostName, e.For(hostName)));
        }
        catch (OperationCanceledException e) when (_cancel.IsCancellationRequested)
        {
            Post(new HostFailed(hostName, new HostException(ErrorIds.Cancelled, hostName, "Cancelled before the host answered.", e)));
        }
#pragma warning disable CA1031 // Every host gets an answer: what nobody foresaw is an error of this host, not of the fleet.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Post(new HostFailed(hostName, new HostException(ErrorIds.Unexpected, hostName, $"{e.GetType().Name}: {e.Message}", e)
            {
                Remedy = "This is a defect of KdumpNfs; please report it with the output of -Verbose.",
            }));
        }
        finally
        {
            await LeaveAsync(hostName, context).ConfigureAwait(false);
        }
    }

    // Were all handshakes begun at once they would share the cores, and the first answer would come as late as the last one. What waits here waits for one host's answer at most.
    private async Task TurnAsync(int turn)
    {
        if (turn > 0 && !_answered.Task.IsCompleted)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(_cancel.Token);
            await Task.WhenAny(_answered.Task, Task.Delay(Doubling * Math.Min(Doublings, Math.Log2(1 + turn)), end.Token)).ConfigureAwait(false);
            await end.CancelAsync().ConfigureAwait(false);
            _cancel.Token.ThrowIfCancellationRequested();
        }
    }

    // The host's place is free while its connection ends, but only as many end as may be in work: where the machine is busy they would pile up, each with its buffers.
    private async Task LeaveAsync(string hostName, HostContext context)
    {
        var left = context.LeftAsync();
        var beside = Interlocked.Increment(ref _leaving) <= _throttleLimit;
        if (beside)
        {
            Post(new HostDone(hostName));
        }

        await left.ConfigureAwait(false);
        Interlocked.Decrement(ref _leaving);
        if (!beside)
        {
            Post(new HostDone(hostName));
        }
    }

    private void Post(FleetMessage message)
    {
        if (message is HostOutput or HostFailed or HostDone)
        {
            _answered.TrySetResult();
        }

        _messages.Add(message);
    }
}
