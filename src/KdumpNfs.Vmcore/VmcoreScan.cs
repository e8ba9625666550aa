using KdumpNfs.Vmcore.Compression;
using KdumpNfs.Vmcore.Formats;

namespace KdumpNfs.Vmcore;

/// <summary>What a full scan found.</summary>
/// <param name="Pages">Pages that are there and could be unpacked.</param>
/// <param name="Missing">Pages that should be there and are not.</param>
/// <param name="Damaged">Pages that cannot be unpacked.</param>
/// <param name="Bytes">Bytes of memory that came out.</param>
/// <param name="FirstProblem">The first problem met, one sentence; null when there is none. With several threads the first in time, not in place.</param>
public sealed record VmcoreScanResult(long Pages, long Missing, long Damaged, long Bytes, string? FirstProblem);

/// <summary>Reads and unpacks every page of a dump, on all cores.</summary>
public static class VmcoreScan
{
    /// <summary>Scans.</summary>
    /// <param name="image">The dump.</param>
    /// <param name="threads">How many threads; 0 for one for each core.</param>
    /// <param name="progress">Called with the part that is done, 0 to 1, some times a second at most, on any thread.</param>
    /// <param name="cancellationToken">Cancels between pieces of a few MB.</param>
    /// <exception cref="VmcoreFormatException">The dump is cut before its pages begin.</exception>
    public static VmcoreScanResult Run(VmcoreImage image, int threads = 0, Action<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        var pages = image.Pages;
        var units = pages.ScanUnits;
        var total = new ScanCounts();
        long next = -1, done = 0, reported = 0;
        Exception? failure = null;

        void Work()
        {
            var own = new ScanCounts();
            try
            {
                using var decoder = new PageDecoder();
                for (long unit; !cancellationToken.IsCancellationRequested && Volatile.Read(ref failure) is null && (unit = Interlocked.Increment(ref next)) < units;)
                {
                    pages.Scan(unit, decoder, own);
                    var finished = Interlocked.Increment(ref done);
                    var now = Environment.TickCount64;
                    var before = Interlocked.Read(ref reported);
                    if (progress is not null && now - before > 200 && Interlocked.CompareExchange(ref reported, now, before) == before)
                    {
                        progress((double)finished / units);
                    }
                }
            }
            catch (Exception e) when (e is VmcoreFormatException or IOException or UnauthorizedAccessException)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }

            total.Add(own);
        }

        var count = (int)Math.Min(threads == 0 ? Environment.ProcessorCount : threads, Math.Max(1, units));
        var workers = new Thread[count - 1];
        for (var i = 0; i < workers.Length; i++)
        {
            workers[i] = new Thread(Work) { IsBackground = true, Name = "vmcore scan" };
            workers[i].Start();
        }

        Work();
        foreach (var worker in workers)
        {
            worker.Join();
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }

        return new VmcoreScanResult(total.Pages, total.Missing, total.Damaged, total.Bytes, total.FirstProblem);
    }
}
