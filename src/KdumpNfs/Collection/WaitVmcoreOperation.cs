using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Fleet;

namespace KdumpNfs.Collection;

/// <summary>Waits until the dump of a crashed host is complete, has failed, or the time is up.</summary>
public static class WaitVmcoreOperation
{
    private const string Activity = "Waiting for the vmcore";

    /// <summary>Waits.</summary>
    /// <param name="watch">The store, shared by all waits on it.</param>
    /// <param name="request">Which dump, how long.</param>
    /// <param name="context">Where progress goes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The complete dump.</returns>
    /// <exception cref="HostException">
    /// VmcoreFailed: a dump came and is not complete, with the reason. VmcoreTimeout: time is up, nothing came or it is still being written. Both carry the
    /// <see cref="VmcoreDump"/>, if there is one, in <see cref="HostException.Details"/>. Others: the store itself.
    /// </exception>
    public static async Task<VmcoreDump> RunAsync(VmcoreWatch watch, WaitVmcoreRequest request, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(watch);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        using var timeout = new CancellationTokenSource(request.Timeout);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var wait = new Wait(watch, request, context);
        try
        {
            return await wait.RunAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw wait.TimedOut();
        }
        finally
        {
            context.Progress(Activity, "", done: true);
        }
    }

    private sealed class Wait(VmcoreWatch watch, WaitVmcoreRequest request, HostContext context)
    {
        private readonly long _started = Stopwatch.GetTimestamp();
        private long _changed = Stopwatch.GetTimestamp();
        private (long Bytes, int Files, DateTimeOffset Change) _seen;
        private (long Bytes, int Files, DateTimeOffset Change)? _badNews;
        private VmcoreDump? _dump;
        private long? _firstBytes;
        private long _firstAt;
        private HostException? _lost;
        private string? _unpacked;

        public async Task<VmcoreDump> RunAsync(CancellationToken cancellationToken)
        {
            var first = request.Before ?? await FirstAsync(cancellationToken).ConfigureAwait(false);
            var match = VmcoreMatch.From(request, first);
            using var place = watch.Enter(match.Since);
            context.Verbose($"Waiting for a vmcore of {Printable.Escape(request.Host.ToString())} in {Printable.Escape(watch.Store.Root)}.");
            while (true)
            {
                var listing = await PollAsync(() => watch.ListAsync(request.Interval / 2, match.Since, context, cancellationToken), cancellationToken).ConfigureAwait(false);
                if (match.Find(listing, watch.Store) is { } found)
                {
                    _dump = found.Dump;
                    if (_dump.State == VmcoreState.NotChecked && _unpacked != found.Directory)
                    {
                        await UnpackAsync(match, found.Directory, cancellationToken).ConfigureAwait(false);
                    }

                    Look(_dump);
                    if (IsOver(_dump, listing.Now))
                    {
                        if (_dump.State == VmcoreState.Complete)
                        {
                            return _dump;
                        }

                        // A listing takes a moment in which files get their final names: bad news counts when it is the same twice. What was
                        // unpacked had its final name for longer than that.
                        if (_badNews == _seen || _unpacked == found.Directory)
                        {
                            throw Failed(_dump);
                        }

                        _badNews = _seen;
                    }
                }

                Report();
                await Task.Delay(Interval, cancellationToken).ConfigureAwait(false);
            }
        }

        public HostException TimedOut() => new(ErrorIds.VmcoreTimeout, context.HostName,
            _dump is null
                ? $"No vmcore came within {Readable(request.Timeout)}."
                : $"The vmcore is not complete after {Readable(request.Timeout)}: {_dump.Bytes} bytes are in {Printable.Escape(_dump.Path)}.", _lost)
        {
            Details = _dump,
            Remedy = _lost is not null ? "The store could not be asked in the end; see the inner error, then Get-Vmcore."
                : _dump is null ? "Look at the host's console; the directory may carry an address that is not known here: Get-Vmcore lists all."
                : "It may still be written: Get-Vmcore shows it, or wait longer with -Timeout.",
        };

        private TimeSpan Interval => Stopwatch.GetElapsedTime(_changed) > TimeSpan.FromMinutes(1) ? request.IdleInterval : request.Interval;

        // With a time only the store's clock is wanted here; with nothing, what is there already has to be judged.
        private async Task<StoreListing> FirstAsync(CancellationToken cancellationToken)
        {
            if (request.CrashedAfter is not null)
            {
                return await PollAsync(() => watch.BeforeAsync(context, cancellationToken), cancellationToken).ConfigureAwait(false);
            }

            using var all = watch.Enter(null);
            return await PollAsync(() => watch.ListAsync(request.Interval / 2, null, context, cancellationToken), cancellationToken).ConfigureAwait(false);
        }

        // A store that drops the connection may come back before the time is up; one that has no such directory will not.
        private async Task<StoreListing> PollAsync(Func<Task<StoreListing>> list, CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    var listing = await list().ConfigureAwait(false);
                    _lost = null;
                    return listing;
                }
                catch (HostException e) when (ErrorIds.IsAway(e.ErrorId))
                {
                    if (_lost is null)
                    {
                        context.Verbose($"The store does not answer, trying again: {e.Message}");
                    }

                    _lost = e;
                    Report();
                    await Task.Delay(request.IdleInterval, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        // Once for each directory: reading all of a compressed dump is not cheap, and its final name says that it will not change.
        private async Task UnpackAsync(VmcoreMatch match, string directory, CancellationToken cancellationToken)
        {
            _unpacked = directory;
            context.Progress(Activity, $"unpacking {Printable.Escape(_dump!.DumpFile ?? "")} to see its end");
            var listing = await PollAsync(() => watch.UnpackAsync(directory, match.Since, context, cancellationToken), cancellationToken).ConfigureAwait(false);
            _dump = match.Find(listing, watch.Store) is { } found && found.Directory == directory ? found.Dump : _dump;
        }

        /// <summary>Bytes a second since the dump was first seen; 0 before there are two looks at it.</summary>
        private double Rate() => _firstBytes is { } first && _dump is not null && Stopwatch.GetElapsedTime(_firstAt) is { TotalSeconds: > 0.5 } time
            ? Math.Max(0, _dump.Bytes - first) / time.TotalSeconds : 0;

        private void Look(VmcoreDump dump)
        {
            if (_firstBytes is null && dump.DumpFile is not null)
            {
                _firstBytes = dump.Bytes;
                _firstAt = Stopwatch.GetTimestamp();
            }

            var seen = (dump.Bytes, dump.Files.Count, dump.LastChange);
            if (seen != _seen)
            {
                _seen = seen;
                _changed = Stopwatch.GetTimestamp();
            }
        }

        private bool IsOver(VmcoreDump dump, DateTimeOffset now) => dump.State switch
        {
            VmcoreState.Complete or VmcoreState.NotChecked => true,
            VmcoreState.Incomplete => dump.CaptureOver ||
                (now - dump.LastChange > request.SilenceLimit && Stopwatch.GetElapsedTime(_changed) > VmcoreAssessment.Quiet),
            _ => false,
        };

        private HostException Failed(VmcoreDump dump) => new(ErrorIds.VmcoreFailed, context.HostName,
            dump.State == VmcoreState.NotChecked ? $"A vmcore came, and whether it is whole cannot be told: {Printable.Escape(dump.Path)}."
                : $"The vmcore is incomplete: {Printable.Escape(dump.Path)}.")
        {
            Details = dump,
            HostSaid = dump.Reason,
            Remedy = "Read the reason above; kexec-dmesg.log and the console have the whole story. Get-Vmcore shows what there is.",
        };

        private void Report()
        {
            var elapsed = Readable(Stopwatch.GetElapsedTime(_started));
            var status = _lost is not null ? $"the store does not answer, {elapsed}"
                : _dump is null ? $"nothing yet, {elapsed}"
                : _dump.DumpFile is null ? $"the directory is there, no dump yet, {elapsed}"
                : string.Create(CultureInfo.InvariantCulture, $"{_dump.Bytes / 1048576.0:0.0} MiB written{(Rate() is > 0 and var rate ? $", {rate / 1048576.0:0.0} MiB/s" : "")}, {elapsed}");
            double? fraction = request.EstimatedBytes is > 0 and var expected && _dump is { Bytes: > 0 } ? Math.Min(0.99, (double)_dump.Bytes / expected) : null;
            TimeSpan? left = fraction is not null && Rate() is > 0 and var speed ? TimeSpan.FromSeconds(Math.Max(0, request.EstimatedBytes!.Value - _dump!.Bytes) / speed) : null;
            if (left is { } time)
            {
                status += $", about {ProgressClock.Text(time)} left";
            }
            else if (_dump?.DumpFile is null && request.Timeout is var limit)
            {
                status += $", gives up in {ProgressClock.Text(limit > Stopwatch.GetElapsedTime(_started) ? limit - Stopwatch.GetElapsedTime(_started) : TimeSpan.Zero)}";
            }

            context.Progress(Activity, status, fraction, left: left);
        }

        private static string Readable(TimeSpan time) =>
            time.TotalMinutes >= 1 ? $"{(int)time.TotalMinutes} min {time.Seconds} s" : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");
    }
}
