using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Fleet;

namespace KdumpNfs.Collection;

/// <summary>How far a transfer is, how fast, and how long it will take: told once in a while.</summary>
internal sealed class TransferMeter(HostContext context, string activity, TimeSpan pause)
{
    private readonly Stopwatch _watch = new();
    private long _toldAt;
    private long _done;

    /// <summary>All bytes of the transfer.</summary>
    public long Total { get; set; }

    /// <summary>Bytes that came over the network.</summary>
    public long Fetched { get; private set; }

    /// <summary>Bytes that need not come.</summary>
    public void Skip(long bytes) => _done += bytes;

    /// <summary>Bytes that came.</summary>
    public void Add(string file, int bytes)
    {
        _watch.Start();
        _done += bytes;
        Fetched += bytes;
        if (!IsTime())
        {
            return;
        }

        var rate = Fetched / Math.Max(0.001, _watch.Elapsed.TotalSeconds);
        var left = TimeSpan.FromSeconds(Math.Max(0, Total - _done) / Math.Max(1, rate));
        context.Progress(activity, string.Create(CultureInfo.InvariantCulture,
            $"{Printable.Escape(file)}: {MiB(_done):0.0} of {MiB(Total):0.0} MiB, {MiB((long)rate):0.0} MiB/s, {ProgressClock.Text(left)} left"),
            Total > 0 ? Math.Min(1, (double)_done / Total) : null, left: left);
    }

    /// <summary>What is here already is being looked at.</summary>
    public void Hashing(string file, long bytes)
    {
        if (IsTime())
        {
            Say(string.Create(CultureInfo.InvariantCulture, $"{Printable.Escape(file)}: reading the {MiB(bytes):0.0} MiB that are here"));
        }
    }

    /// <summary>Something else that takes a while.</summary>
    public void Say(string status) => context.Progress(activity, status, Total > 0 ? Math.Min(1, (double)_done / Total) : null);

    private bool IsTime()
    {
        if (_toldAt != 0 && Stopwatch.GetElapsedTime(_toldAt) < pause)
        {
            return false;
        }

        _toldAt = Stopwatch.GetTimestamp();
        return true;
    }

    private static double MiB(long bytes) => bytes / 1048576.0;
}
