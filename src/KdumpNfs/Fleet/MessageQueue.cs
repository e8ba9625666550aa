namespace KdumpNfs.Fleet;

/// <summary>What the workers of a fleet have to say, for the one thread that takes it.</summary>
/// <remarks>Not a BlockingCollection: that one's taker spins before it sleeps, for every message, on cores that the hosts' handshakes need.</remarks>
internal sealed class MessageQueue
{
    private readonly Queue<FleetMessage> _messages = new();

    /// <summary>Adds a message and wakes whoever waits for one.</summary>
    public void Add(FleetMessage message)
    {
        lock (_messages)
        {
            _messages.Enqueue(message);
            Monitor.Pulse(_messages);
        }
    }

    /// <summary>The next message that is there; never waits.</summary>
    public bool TryTake(out FleetMessage message)
    {
        lock (_messages)
        {
            return _messages.TryDequeue(out message!);
        }
    }

    /// <summary>The next message; waits for one.</summary>
    /// <param name="left">How long to wait still, asked before each wait and after <see cref="Wake"/>; null for as long as it takes.</param>
    /// <param name="message">The message.</param>
    public bool TryTake(Func<TimeSpan?> left, out FleetMessage message)
    {
        lock (_messages)
        {
            while (!_messages.TryDequeue(out message!))
            {
                if (left() is not { } limit)
                {
                    Monitor.Wait(_messages);
                }
                else if (limit <= TimeSpan.Zero || !Monitor.Wait(_messages, limit))
                {
                    return _messages.TryDequeue(out message!);
                }
            }

            return true;
        }
    }

    /// <summary>Has whoever waits look again how long it may.</summary>
    public void Wake()
    {
        lock (_messages)
        {
            Monitor.PulseAll(_messages);
        }
    }

    /// <summary>Takes all that is there.</summary>
    public IReadOnlyList<FleetMessage> TakeAll()
    {
        lock (_messages)
        {
            FleetMessage[] all = [.. _messages];
            _messages.Clear();
            return all;
        }
    }
}
