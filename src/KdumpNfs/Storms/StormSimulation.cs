namespace KdumpNfs.Storms;

/// <summary>Plays a storm: hosts crash, boot their capture kernel, share the store's bandwidth while they write, and come back.</summary>
/// <remarks>Seconds in double; an event at a time, so a million crashes take a second or two. A store that is full ends every dump that is being written, as makedumpfile ends
/// with "No space left on device": what was written stays.</remarks>
public sealed class StormSimulation
{
    private readonly IReadOnlyList<StormHost> _hosts;
    private readonly StormRequest _request;
    private readonly SharedBandwidth _store;
    private readonly PriorityQueue<(Event Kind, int Crash), (double At, int Order)> _events = new();
    private readonly List<Crash> _crashes = [];
    private readonly Random _random;
    private readonly bool[] _isDown;
    private double _now, _stored, _peakStored, _limited;
    private double? _fullAt;
    private int _down, _peakDown, _peakWriting, _order, _next;

    private StormSimulation(IReadOnlyList<StormHost> hosts, StormRequest request)
    {
        _hosts = hosts;
        _request = request;
        _store = new SharedBandwidth(request.StoreBandwidth);
        _random = new Random(request.Seed);
        _isDown = new bool[hosts.Count];
    }

    private enum Event
    {
        Crash,
        Write,
        Back,
        Remove,
    }

    /// <summary>Plays the storm.</summary>
    /// <param name="hosts">The fleet.</param>
    /// <param name="request">How it crashes and what it shares.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static KdumpStorm Run(IReadOnlyList<StormHost> hosts, StormRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Check(hosts);
        return new StormSimulation(hosts, request).Play(cancellationToken);
    }

    private KdumpStorm Play(CancellationToken cancellationToken)
    {
        Begin();
        for (var count = 0; ; count++)
        {
            if (count % 4096 == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            var ahead = _events.TryPeek(out _, out var due) ? due.At - _now : double.PositiveInfinity;
            var written = _store.UntilNext();
            var full = UntilFull();
            var step = Math.Min(Math.Min(ahead, written), full);
            if (double.IsPositiveInfinity(step))
            {
                return Result();
            }

            Pass(Math.Max(0, step));
            if (full <= written && full <= ahead && _store.Writers > 0)
            {
                Fill();
            }
            else if (ahead <= written)
            {
                var (kind, crash) = _events.Dequeue();
                Handle(kind, crash);
            }
        }
    }

    private void Begin()
    {
        switch (_request.Pattern)
        {
            case StormPattern.Rate:
                FollowingCrash();
                break;
            case StormPattern.MaxDown:
                for (; _next < Math.Min(_request.MaxDown!.Value, _hosts.Count); _next++)
                {
                    _events.Enqueue((Event.Crash, _next), At(0));
                }

                break;
            default:
                for (var host = 0; host < _hosts.Count; host++)
                {
                    _events.Enqueue((Event.Crash, host), At(_random.NextDouble() * _request.Within.TotalSeconds));
                }

                break;
        }
    }

    // The time passes for the store and all who write to it.
    private void Pass(double seconds)
    {
        if (_store.IsLimiting)
        {
            _limited += seconds;
        }

        _stored += _store.Rate * seconds;
        _peakStored = Math.Max(_peakStored, _stored);
        _now += seconds;
        _store.Advance(seconds, crash => Written(crash, _hosts[_crashes[crash].Host].DumpBytes, true));
    }

    private double UntilFull() => _request.FreeBytes is { } free && _store.Writers > 0 ? Math.Max(0, free - _stored) / _store.Rate : double.PositiveInfinity;

    private void Fill()
    {
        // Dumps that end at the very moment at which the store is full are whole: Pass has taken them out.
        _stored = _request.FreeBytes!.Value;
        _fullAt ??= _now;
        _store.CutAll((crash, bytes) => Written(crash, (long)bytes, false));
    }

    private void Handle(Event kind, int subject)
    {
        switch (kind)
        {
            case Event.Crash:
                BeginCrash(subject);
                break;
            case Event.Write:
                BeginWrite(subject);
                break;
            case Event.Back:
                EndCrash(subject);
                break;
            default:
                _stored = Math.Max(0, _stored - _crashes[subject].Bytes);
                break;
        }
    }

    private void BeginCrash(int host)
    {
        if (_request.Pattern == StormPattern.Rate)
        {
            FollowingCrash();

            // One that is down cannot crash.
            host = _random.Next(_hosts.Count);
            if (_isDown[host])
            {
                return;
            }
        }

        _isDown[host] = true;
        _peakDown = Math.Max(_peakDown, ++_down);
        _crashes.Add(new Crash { Host = host, CrashedAt = _now });
        _events.Enqueue((Event.Write, _crashes.Count - 1), At(_now + _request.CaptureBootTime.TotalSeconds));
    }

    private void BeginWrite(int crash)
    {
        var host = _hosts[_crashes[crash].Host];
        _crashes[crash].WritesAt = _now;
        if (host.DumpBytes == 0)
        {
            Written(crash, 0, true);
            return;
        }

        _store.Add(crash, host.DumpBytes, Cap(host));
        _peakWriting = Math.Max(_peakWriting, _store.Writers);
    }

    private void Written(int crash, long bytes, bool captured)
    {
        var entry = _crashes[crash];
        entry.WrittenAt = _now;
        entry.Bytes = bytes;
        entry.Captured = captured;
        _events.Enqueue((Event.Back, crash), At(_now + _request.RestartTime.TotalSeconds));
        if (_request.KeepFor is { } keep)
        {
            _events.Enqueue((Event.Remove, crash), At(_now + keep.TotalSeconds));
        }
    }

    private void EndCrash(int crash)
    {
        _crashes[crash].BackAt = _now;
        _isDown[_crashes[crash].Host] = false;
        _down--;
        if (_request.Pattern == StormPattern.MaxDown && _next < _hosts.Count)
        {
            _events.Enqueue((Event.Crash, _next++), At(_now));
        }
    }

    // Speeds are told apart by three digits, so that a fleet with a bandwidth for each host has few classes of writers.
    private double Cap(StormHost host)
    {
        var cap = host.Bandwidth ?? _request.HostBandwidth ?? double.PositiveInfinity;
        if (double.IsPositiveInfinity(cap))
        {
            return cap;
        }

        var unit = Math.Pow(10, Math.Floor(Math.Log10(cap)) - 2);
        return Math.Round(cap / unit) * unit;
    }

    // Crashes that know nothing of each other: the times between them are distributed exponentially.
    private void FollowingCrash()
    {
        var next = _now - (Math.Log(1 - _random.NextDouble()) / _request.CrashesPerDay!.Value * 86400);
        if (next <= _request.Length.TotalSeconds)
        {
            _events.Enqueue((Event.Crash, -1), At(next));
        }
    }

    private (double At, int Order) At(double at) => (at, _order++);

    private KdumpStorm Result()
    {
        var crashes = _crashes.Select(c => c.Told(_hosts[c.Host].HostName, _crashes.Count == 0 ? 0 : _crashes[0].CrashedAt)).ToList();
        var down = crashes.Select(c => c.Down).Order().ToList();
        return new KdumpStorm
        {
            HostCount = _hosts.Count,
            Pattern = _request.Pattern,
            CrashCount = crashes.Count,
            CapturedCount = crashes.Count(c => c.Captured),
            LostCount = crashes.Count(c => !c.Captured),
            Duration = crashes.Count == 0 ? TimeSpan.Zero : crashes.Max(c => c.BackAt),
            MedianDown = Share(down, 0.5),
            Percentile95Down = Share(down, 0.95),
            LongestDown = Share(down, 1),
            TotalDown = TimeSpan.FromSeconds(down.Sum(d => d.TotalSeconds)),
            PeakDown = _peakDown,
            PeakWriting = _peakWriting,
            StoreLimited = TimeSpan.FromSeconds(_limited),
            StoreBytes = (long)Math.Ceiling(_peakStored),
            FreeBytes = _request.FreeBytes,
            FullAfter = _fullAt is { } at ? TimeSpan.FromSeconds(at - _crashes[0].CrashedAt) : null,
            Assumptions = StormWords.Assumptions(_hosts, _request),
            Crashes = crashes,
        };
    }

    // The smallest time that this share of the crashes did not go beyond.
    private static TimeSpan Share(List<TimeSpan> sorted, double share) => sorted.Count == 0 ? TimeSpan.Zero : sorted[(int)Math.Ceiling(share * sorted.Count) - 1];

    private sealed class Crash
    {
        public int Host { get; init; }

        public double CrashedAt { get; init; }

        public double WritesAt { get; set; }

        public double WrittenAt { get; set; }

        public double BackAt { get; set; }

        public long Bytes { get; set; }

        public bool Captured { get; set; }

        public StormCrash Told(string name, double origin) =>
            new(name, Time(CrashedAt, origin), Time(WritesAt, origin), Time(WrittenAt, origin), Time(BackAt, origin), Bytes, Captured);

        private static TimeSpan Time(double at, double origin) => TimeSpan.FromSeconds(at - origin);
    }
}
