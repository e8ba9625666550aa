using System.Collections.Concurrent;
using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Sources;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Collection;

/// <summary>How the dumps of a place are opened.</summary>
/// <param name="Open">Opens a file of a length.</param>
/// <param name="Index">Walks the chain of a flattened one.</param>
/// <param name="AtOnce">How many are read at a time.</param>
/// <param name="ChainFactor">How much cheaper a record is here than on a store, where it may cost a process.</param>
internal sealed record DumpOpening(
    Func<string, long, CancellationToken, RandomSource> Open, Func<string, RandomSource, CancellationToken, FlattenedReader> Index, int AtOnce, int ChainFactor) : IDisposable
{
    /// <summary>Files of this machine.</summary>
    public static DumpOpening Local { get; } = new((path, _, _) => new FileSource(path), (_, source, token) => FlattenedReader.Open(source, token), 2, 25);

    /// <summary>Files of a store; all that are read at a time share their round trips.</summary>
    public static DumpOpening Remote(IHostConnection connection)
    {
        var reads = new StoreReads(connection);
        return new((path, length, token) => new CachedSource(reads.Open(path, length), ownsSource: false, token),
            (path, source, token) => FlattenedIndex.Make(connection, path, source, token), 32, 1) { Owned = reads };
    }

    private StoreReads? Owned { get; init; }

    /// <inheritdoc/>
    public void Dispose() => Owned?.Dispose();
}

/// <summary>
/// The second look at dumps: what is whole by its ends is opened with the reader. A dump that was read stays known by path, length and time, so that a store that
/// is listed again and again is read once.
/// </summary>
internal sealed class DumpReading
{
    private const int MaximumKnown = 20_000;
    private const int ProgressFrom = 20;

    private readonly ConcurrentDictionary<(string Path, long Bytes, DateTimeOffset Modified), DumpFinding> _known = [];

    /// <summary>Dumps that were opened so far.</summary>
    public int Opened => _opened;

    private int _opened;

    /// <summary>The listing with what the reader says of each dump that is whole by its ends and has its final name.</summary>
    /// <param name="listing">What is there; the newest first.</param>
    /// <param name="root">Where.</param>
    /// <param name="chainRecords">How many records of flattened dumps may be walked in all; dumps for which that is not enough keep what their ends gave.</param>
    /// <param name="opening">How dumps are opened.</param>
    /// <param name="context">The front end.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="HostException">The connection broke.</exception>
    public async Task<StoreListing> ReadAsync(
        StoreListing listing, string root, int chainRecords, DumpOpening opening, HostContext context, CancellationToken cancellationToken)
    {
        var budget = (long)chainRecords * opening.ChainFactor;
        var work = new List<(VmcoreFile File, string Path, DumpFinding Finding, bool Walk)>();
        foreach (var directory in listing.Directories)
        {
            foreach (var finding in directory.Dumps.Where(IsWanted))
            {
                if (directory.Files.FirstOrDefault(f => f.Name == finding.FileName) is not { } file)
                {
                    continue;
                }

                var need = finding.Check!.Header!.Format == VmcoreFormat.Flattened ? (file.Bytes / FlattenedIndex.RecordBytes) + 1 : 0;
                var path = $"{root.TrimEnd('/')}/{directory.Name}/{file.Name}";
                var walk = need <= Math.Min(budget, (long)FlattenedIndex.MaximumRecords * opening.ChainFactor);
                if (!_known.ContainsKey((path, file.Bytes, file.Modified)))
                {
                    budget -= walk ? need : 0;
                    work.Add((file, path, finding, walk));
                }
            }
        }

        if (_known.Count > MaximumKnown)
        {
            _known.Clear();
        }

        // Readers wait for their bytes, so each gets a thread of its own; the pool's are needed to bring them.
        using var places = new SemaphoreSlim(opening.AtOnce);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (done, fresh) = (0, new ConcurrentDictionary<string, DumpFinding>());
        var tasks = new List<Task>();
        try
        {
            foreach (var item in work)
            {
                await places.WaitAsync(failed.Token).ConfigureAwait(false);
                tasks.Add(Task.Factory.StartNew(
                    () =>
                    {
                        try
                        {
                            fresh[item.Path] = Known(item, opening, failed.Token);
                            Tell(context, Interlocked.Increment(ref done), work.Count);
                        }
                        catch (Exception)
                        {
                            failed.Cancel();
                            throw;
                        }
                        finally
                        {
                            places.Release();
                        }
                    },
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // One of them has failed: WhenAll throws what it says.
        }
        finally
        {
            foreach (var task in tasks)
            {
                await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (work.Count >= ProgressFrom)
            {
                context.Progress(Activity, "", done: true);
            }
        }

        if (tasks.Find(t => t.Exception?.InnerException is { } e and not OperationCanceledException) is { } broken)
        {
            await broken.ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return listing with { Directories = [.. listing.Directories.Select(d => d with { Dumps = [.. d.Dumps.Select(f => Best(d, f))] })] };

        DumpFinding Best(CrashDirectory directory, DumpFinding finding)
        {
            var path = $"{root.TrimEnd('/')}/{directory.Name}/{finding.FileName}";
            var file = directory.Files.FirstOrDefault(f => f.Name == finding.FileName);
            return !IsWanted(finding) || file is null ? finding
                : fresh.TryGetValue(path, out var now) ? now
                : _known.TryGetValue((path, file.Bytes, file.Modified), out var before) ? before : finding;
        }
    }

    private const string Activity = "Reading dumps";

    private static void Tell(HostContext context, int done, int all)
    {
        if (all >= ProgressFrom)
        {
            context.Progress(Activity, string.Create(CultureInfo.InvariantCulture, $"{done} of {all}"), (double)done / all);
        }
    }

    // What the ends could not tell (a store of another byte order, a host of 32 bits, very many segments) the reader can.
    private static bool IsWanted(DumpFinding finding) => CrashFile.RoleOf(finding.FileName) == CrashFileRole.Dump &&
        finding.Check is { Integrity: VmcoreIntegrity.Whole or VmcoreIntegrity.NotChecked, Header.Format: VmcoreFormat.KdumpCompressed or VmcoreFormat.Elf or VmcoreFormat.Flattened };

    private DumpFinding Known((VmcoreFile File, string Path, DumpFinding Finding, bool Walk) item, DumpOpening opening, CancellationToken cancellationToken)
    {
        var check = item.Finding.Check!;
        try
        {
            Interlocked.Increment(ref _opened);
            using var source = opening.Open(item.Path, item.File.Bytes, cancellationToken);
            if (check.Integrity == VmcoreIntegrity.NotChecked)
            {
                check = VmcoreCheck.ReadAsync(source, cancellationToken).AsTask().GetAwaiter().GetResult();
            }

            if (check.Integrity == VmcoreIntegrity.Whole && !item.Walk)
            {
                // Not kept: another listing may have more room.
                return item.Finding with { Check = check, Depth = VmcoreCheckDepth.Ends };
            }

            return _known[(item.Path, item.File.Bytes, item.File.Modified)] = check.Integrity == VmcoreIntegrity.Whole
                ? Structure(item, check, source, opening, cancellationToken) : item.Finding with { Check = check, Depth = VmcoreCheckDepth.Ends };
        }
        catch (HostException e) when (e.ErrorId == ErrorIds.FlattenedNotIndexed)
        {
            return item.Finding with { Check = check, Depth = VmcoreCheckDepth.Ends };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HostException { ErrorId: ErrorIds.FileNotReadable })
        {
            return item.Finding with { Check = check with { Integrity = VmcoreIntegrity.NotChecked, Reason = $"The dump could not be read: {e.Message}" } };
        }
    }

    private static DumpFinding Structure(
        (VmcoreFile File, string Path, DumpFinding Finding, bool Walk) item, VmcoreCheckResult check, RandomSource source, DumpOpening opening, CancellationToken cancellationToken)
    {
        string? problem;
        try
        {
            using var image = check.Header!.Format == VmcoreFormat.Flattened
                ? VmcoreImage.Open(opening.Index(item.Path, source, cancellationToken), cancellationToken)
                : VmcoreImage.Open(source, cancellationToken);
            problem = image.CheckStructure();
        }
        catch (VmcoreFormatException e)
        {
            problem = e.Message;
        }

        return item.Finding with
        {
            Check = problem is null ? check : check with { Integrity = VmcoreIntegrity.Damaged, Reason = problem },
            Depth = VmcoreCheckDepth.Structure,
        };
    }
}
