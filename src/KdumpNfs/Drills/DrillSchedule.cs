namespace KdumpNfs.Drills;

/// <summary>Whose turn it is: at most so many down, at most one of each group, batch after batch, nobody more once too many have failed.</summary>
/// <remarks>Safe to call from several threads. It decides; who waits asks again.</remarks>
internal sealed class DrillSchedule
{
    private enum State
    {
        Waiting,
        Down,
        Over,
    }

    private readonly object _gate = new();
    private readonly IReadOnlyList<string?> _groups;
    private readonly State[] _states;
    private readonly int _maxDown;
    private readonly int _maxFailure;
    private readonly Func<int, int> _sizeOf;
    private int _batch;
    private int _batchEnd;
    private int _failures;

    /// <param name="groups">The group of each host; null for none.</param>
    /// <param name="maxDown">How many may be down at once.</param>
    /// <param name="maxFailure">How many may fail before the rest stays up.</param>
    /// <param name="sizeOf">The size of a batch by its number from 0; int.MaxValue for all.</param>
    public DrillSchedule(IReadOnlyList<string?> groups, int maxDown, int maxFailure, Func<int, int> sizeOf)
    {
        (_groups, _maxDown, _maxFailure, _sizeOf) = (groups, maxDown, maxFailure, sizeOf);
        _states = new State[groups.Count];
        _batchEnd = End(0, sizeOf(0));
    }

    /// <summary>Too many failed: nobody else gets a turn.</summary>
    public bool IsStopped
    {
        get
        {
            lock (_gate)
            {
                return _failures > _maxFailure;
            }
        }
    }

    /// <summary>Takes the turn of a host, if it is its turn. A host that is down already (its drill is resumed) has it whatever the limits say.</summary>
    public bool TryBegin(int host, bool downAlready = false)
    {
        lock (_gate)
        {
            if (_states[host] != State.Waiting || (!downAlready && !MayBegin(host)))
            {
                return false;
            }

            _states[host] = State.Down;
            return true;
        }
    }

    /// <summary>A host is over, whether or not it had its turn.</summary>
    public void End(int host, bool failed)
    {
        lock (_gate)
        {
            _states[host] = State.Over;
            _failures += failed ? 1 : 0;
            while (_batchEnd < _states.Length && _states.Take(_batchEnd).All(s => s == State.Over))
            {
                _batchEnd = End(_batchEnd, _sizeOf(++_batch));
            }
        }
    }

    private bool MayBegin(int host) =>
        host < _batchEnd && _failures <= _maxFailure && _states.Count(s => s == State.Down) < _maxDown &&
        (_groups[host] is not { } group || !Enumerable.Range(0, _states.Length).Any(i => _states[i] == State.Down && string.Equals(_groups[i], group, StringComparison.OrdinalIgnoreCase)));

    private int End(int start, int size) => size >= _states.Length - start ? _states.Length : start + Math.Max(1, size);
}
