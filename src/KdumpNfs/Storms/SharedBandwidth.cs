namespace KdumpNfs.Storms;

/// <summary>Writers that share a store: each gets the same, but no more than it can write, and what one leaves goes to the others (max-min fairness, which is what
/// TCP connections over one bottleneck come near to).</summary>
/// <remarks>Writers with the same cap go at the same speed, so a class of them has one clock: what a writer of it has been served since the beginning. A writer is done when the
/// clock reaches its own mark, whatever the speeds were in between; nothing is counted writer by writer.</remarks>
internal sealed class SharedBandwidth
{
    private readonly double _capacity;
    private readonly SortedDictionary<double, Class> _classes = [];

    public SharedBandwidth(double capacity) => _capacity = capacity;

    /// <summary>Writers at work.</summary>
    public int Writers { get; private set; }

    /// <summary>What all of them write in a second.</summary>
    public double Rate { get; private set; }

    /// <summary>Whether somebody could write faster than the store takes it.</summary>
    public bool IsLimiting { get; private set; }

    /// <summary>Begins a writer.</summary>
    /// <param name="id">Who it is.</param>
    /// <param name="bytes">What it has to write.</param>
    /// <param name="cap">What it can write in a second; infinite for as much as there is.</param>
    public void Add(int id, double bytes, double cap)
    {
        if (!_classes.TryGetValue(cap, out var entered))
        {
            _classes.Add(cap, entered = new Class(cap));
        }

        entered.Writers.Enqueue((id, bytes), entered.Clock + bytes);
        Writers++;
        Share();
    }

    /// <summary>Seconds until the next writer is done; infinite when there is none.</summary>
    public double UntilNext()
    {
        var next = double.PositiveInfinity;
        foreach (var each in _classes.Values)
        {
            if (each.Writers.TryPeek(out _, out var mark))
            {
                next = Math.Min(next, Math.Max(0, mark - each.Clock) / each.Speed);
            }
        }

        return next;
    }

    /// <summary>Lets time pass, at most until the next writer is done, and takes out who is done.</summary>
    /// <param name="seconds">How long.</param>
    /// <param name="done">Called with each that is done.</param>
    public void Advance(double seconds, Action<int> done)
    {
        var ended = 0;
        foreach (var each in _classes.Values)
        {
            if (each.Writers.Count == 0)
            {
                continue;
            }

            each.Clock += each.Speed * seconds;
            // Rounding: a writer whose rest would be written in less than a microsecond is done.
            var reached = each.Clock + (each.Speed * 1e-6);
            while (each.Writers.TryPeek(out var first, out var mark) && mark <= reached)
            {
                each.Writers.Dequeue();
                ended++;
                done(first.Id);
            }
        }

        if (ended > 0)
        {
            Writers -= ended;
            Share();
        }
    }

    /// <summary>Ends all writers where they are, because nothing more fits.</summary>
    /// <param name="cut">Called with each and the bytes that it has written.</param>
    public void CutAll(Action<int, double> cut)
    {
        foreach (var each in _classes.Values)
        {
            while (each.Writers.TryDequeue(out var writer, out var mark))
            {
                cut(writer.Id, Math.Clamp(writer.Bytes - (mark - each.Clock), 0, writer.Bytes));
            }
        }

        Writers = 0;
        Share();
    }

    // From the slowest class up: who can write less than an equal share leaves the rest to the others.
    private void Share()
    {
        double left = _capacity, rate = 0;
        var waiting = Writers;
        IsLimiting = false;
        foreach (var each in _classes.Values)
        {
            if (each.Writers.Count == 0)
            {
                continue;
            }

            var share = left / waiting;
            each.Speed = Math.Min(each.Cap, share);
            IsLimiting |= each.Cap > share;
            rate += each.Speed * each.Writers.Count;
            left -= each.Speed * each.Writers.Count;
            waiting -= each.Writers.Count;
        }

        Rate = rate;
    }

    private sealed class Class(double cap)
    {
        public double Cap { get; } = cap;

        public double Clock { get; set; }

        public double Speed { get; set; }

        public PriorityQueue<(int Id, double Bytes), double> Writers { get; } = new();
    }
}
