using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Collection;

/// <summary>Receive-Vmcore: fetches crash directories from a store to this machine. A file that was begun is continued, also by a later run.</summary>
public sealed class ReceiveVmcoreOperation(HostAccess access)
{
    // So many connections in a row may break without a byte in between.
    private const int Patience = 4;

    // A store under load may be silent for a while; one that says nothing for so long is gone.
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(2);

    /// <summary>The directory on this machine that crash directories are put into.</summary>
    public required string Destination { get; init; }

    /// <summary>Fetches the dump alone, without kernel log and capture log.</summary>
    public bool DumpOnly { get; init; }

    /// <summary>Replaces local files that are something else; without it they are refused.</summary>
    public bool Force { get; init; }

    // How often progress is told at most.
    internal TimeSpan TellEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Fetches one crash directory.</summary>
    /// <param name="store">The store, or any host that sees the share as a path.</param>
    /// <param name="path">Path of the crash directory on it, or of a file in one: then that file alone.</param>
    /// <param name="context">Where progress goes.</param>
    /// <param name="cancellationToken">Stops; what has come stays for the next run.</param>
    /// <exception cref="HostException">
    /// InvalidInput: no path of a crash directory. VmcoreMissing, VmcoreWriting: it is not there, it is not finished. LocalFileExists, LocalWriteFailed:
    /// this machine. ReceiveFailed: it changed on the way, or the hashes differ. And what a connection can throw.
    /// </exception>
    public async Task<ReceivedVmcore> RunAsync(SshHost store, string path, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(context);
        var place = StorePath.Parse(store.HostName, path);
        var run = new Run(this, access, store, place, context);
        try
        {
            return await run.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException(ErrorIds.LocalWriteFailed, store.HostName, $"The copy cannot be written to {Printable.Escape(Destination)}: {e.Message}", e)
            {
                Remedy = "Mend that and run the command again: it continues where this one stopped.",
            };
        }
        finally
        {
            context.Progress(Run.Activity, "", done: true);
            await run.CloseAsync().ConfigureAwait(false);
        }
    }

    private sealed class Run(ReceiveVmcoreOperation operation, HostAccess access, SshHost store, StorePath place, HostContext context)
    {
        public const string Activity = "Receiving";

        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private readonly TransferMeter _meter = new(context, Activity, operation.TellEvery);
        private IHostConnection? _connection;

        public async Task<ReceivedVmcore> RunAsync(CancellationToken cancellationToken)
        {
            var dump = await JudgeAsync(cancellationToken).ConfigureAwait(false);
            var directory = await ListAsync(cancellationToken).ConfigureAwait(false);
            var entries = Choose(directory, dump);
            var folder = Path.Combine(operation.Destination, LocalName.Encode(place.Name));
            LocalCopy.MakeFolder(operation.Destination);
            LocalCopy.MakeFolder(folder);
            CheckNames(entries, folder);
            CheckRoom(entries, folder);
            _meter.Total = entries.Sum(e => e.Bytes);
            var files = new List<ReceivedFile>();
            foreach (var entry in entries)
            {
                files.Add(await FetchAsync(directory, entry, folder, cancellationToken).ConfigureAwait(false));
            }

            var dumpName = dump.DumpFile is { } file ? file[(file.LastIndexOf('/') + 1)..] : null;
            return new ReceivedVmcore
            {
                CrashedHost = dump.CrashedHost,
                StoreHost = store.HostName,
                StorePath = place.Directory,
                LocalPath = folder,
                DumpFile = files.Find(f => f.Name == dumpName)?.Path,
                State = dump.State,
                Changed = files.Exists(f => f.Outcome != ReceiveOutcome.AlreadyHere),
                BytesReceived = _meter.Fetched,
                Duration = _watch.Elapsed,
                Files = files,
            };
        }

        public async ValueTask CloseAsync()
        {
            if (_connection is not null)
            {
                await _connection.DisposeAsync().ConfigureAwait(false);
                _connection = null;
            }
        }

        private async Task<IHostConnection> ConnectAsync(CancellationToken cancellationToken) =>
            _connection ??= await access.ConnectAsync(store, context, cancellationToken).ConfigureAwait(false);

        private async Task<VmcoreDump> JudgeAsync(CancellationToken cancellationToken)
        {
            var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
            var query = new StoreQuery { Only = place.Name, ChainRecords = Vmcores.FlattenedIndex.MaximumRecords };
            var listing = await RemoteVmcores.ListAsync(connection, query, place.Root, new DumpReading(), context, cancellationToken).ConfigureAwait(false);
            var dump = listing.Directories.Count == 0 ? null : VmcoreAssessment.Assess(listing.Directories[0], listing.Now, store.HostName, place.Root);
            return dump is null ? throw Missing()
                : dump.State != VmcoreState.Writing ? dump
                : throw new HostException(ErrorIds.VmcoreWriting, store.HostName, $"The dump in {Printable.Escape(place.Directory)} is still being written.")
                {
                    Remedy = "Wait-Vmcore waits until it is whole; then run this again.",
                };
        }

        private async Task<StoreDirectory> ListAsync(CancellationToken cancellationToken)
        {
            var found = await StoreDirectory.ListAsync(await ConnectAsync(cancellationToken).ConfigureAwait(false), place.Root, [place.Name], cancellationToken).ConfigureAwait(false);
            var directory = found.Count == 1 ? found[0] : throw Missing();
            return directory.Error switch
            {
                null => directory,
                "missing" => throw Missing(),
                _ => throw new HostException(ErrorIds.VmcoreMissing, store.HostName, $"{Printable.Escape(place.Directory)} is no plain directory with some files.")
                {
                    Remedy = "Links are not followed: crashed hosts can make them on the share. Give the path that the directory really has.",
                },
            };
        }

        private List<StoreEntry> Choose(StoreDirectory directory, VmcoreDump dump)
        {
            var hidden = directory.Entries.Where(e => e.Name?.StartsWith('.') == true).ToList();
            var plain = directory.Entries.Where(e => e is { IsFile: true, Name: not null }).Except(hidden).ToList();
            foreach (var other in directory.Entries.Except(hidden).Except(plain))
            {
                context.Warning($"{Printable.Escape(place.Directory)}/{Printable.Escape(other.Name ?? "(a name that is not UTF-8)")} is left out: it is no regular file with a readable name.");
            }

            var only = place.File ?? (operation.DumpOnly
                ? dump.DumpFile?[(dump.DumpFile.LastIndexOf('/') + 1)..] ?? throw Missing("It has no dump; fetch the directory for its logs.")
                : null);
            var chosen = only is null ? plain : plain.FindAll(e => e.Name == only);
            if (only is not null && chosen.Count == 0)
            {
                throw Missing($"It has no regular file {Printable.Escape(only)}.");
            }

            // What is read first is there first; the dump may take hours.
            return [.. chosen.OrderBy(e => CrashFile.RoleOf(e.Name!) is CrashFileRole.Dump or CrashFileRole.TemporaryDump).ThenBy(e => e.Bytes)];
        }

        private void CheckNames(List<StoreEntry> entries, string folder)
        {
            if (entries.GroupBy(e => LocalName.Encode(e.Name!), StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twins)
            {
                throw new HostException(ErrorIds.LocalFileExists, store.HostName, $"Two files differ by upper and lower case alone: {Printable.Escape(twins.Key)}.")
                {
                    Remedy = "Not every file system can hold both; fetch them one by one by their paths.",
                };
            }

            var taken = operation.Force ? null : entries.Select(e => new LocalCopy(folder, e)).FirstOrDefault(c => c.IsTaken);
            if (taken is not null)
            {
                throw new HostException(ErrorIds.LocalFileExists, store.HostName, $"{Printable.Escape(taken.Path)} exists and is not the store's file.")
                {
                    Remedy = "Nothing was fetched. Choose another -Destination, or replace it with -Force.",
                };
            }
        }

        private void CheckRoom(List<StoreEntry> entries, string folder)
        {
            var needed = entries.Where(e => !new LocalCopy(folder, e).IsHere).Sum(e => e.Bytes);
            var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
            if (free < needed && !Directory.EnumerateFiles(folder, "*.kdumpnfs-part-*").Any())
            {
                throw new HostException(ErrorIds.LocalWriteFailed, store.HostName, $"{needed} bytes are to come, and {Printable.Escape(folder)} has room for {free}.")
                {
                    Remedy = "Nothing was fetched. Choose another -Destination, or fetch less with -DumpOnly.",
                };
            }
        }

        private async Task<ReceivedFile> FetchAsync(StoreDirectory directory, StoreEntry entry, string folder, CancellationToken cancellationToken)
        {
            using var copy = new LocalCopy(folder, entry);
            if (copy.IsHere)
            {
                _meter.Skip(entry.Bytes);
                return new ReceivedFile(entry.Name!, copy.Path, entry.Bytes, null, ReceiveOutcome.AlreadyHere);
            }

            await copy.OpenAsync(length => _meter.Hashing(entry.Name!, length), cancellationToken).ConfigureAwait(false);
            var begun = copy.Length;
            if (begun > 0)
            {
                context.Verbose($"{Printable.Escape(entry.Name!)}: {begun} of {entry.Bytes} bytes are here already.");
            }

            _meter.Skip(begun);
            await StreamAsync(directory, entry, copy, cancellationToken).ConfigureAwait(false);
            var here = copy.Hash();
            var there = await HashAsync(directory, entry, cancellationToken).ConfigureAwait(false);
            if (here != there)
            {
                copy.Discard();
                throw new HostException(ErrorIds.ReceiveFailed, store.HostName, $"{Printable.Escape(entry.Name!)} arrived damaged: SHA-256 {here} here, {there} on the store.")
                {
                    Remedy = "The copy was thrown away. Run the command again; if it happens again, check the disks and memory of both machines.",
                };
            }

            copy.Finish(operation.Force);
            return new ReceivedFile(entry.Name!, copy.Path, entry.Bytes, here, begun > 0 ? ReceiveOutcome.Resumed : ReceiveOutcome.Received);
        }

        // Reading can be repeated: a connection that breaks is opened again as long as something comes through.
        private async Task StreamAsync(StoreDirectory directory, StoreEntry entry, LocalCopy copy, CancellationToken cancellationToken)
        {
            for (var broken = 0; copy.Length < entry.Bytes;)
            {
                var from = copy.Length;
                try
                {
                    await PieceAsync(directory, entry, copy, cancellationToken).ConfigureAwait(false);
                }
                catch (HostException e) when (ErrorIds.IsAway(e.ErrorId))
                {
                    broken = copy.Length > from ? 1 : broken + 1;
                    if (broken > Patience)
                    {
                        throw;
                    }

                    context.Verbose($"The connection broke after {copy.Length} of {entry.Bytes} bytes; connecting again: {e.What}");
                    await CloseAsync().ConfigureAwait(false);
                    await Task.Delay(TimeSpan.FromSeconds(broken), cancellationToken).ConfigureAwait(false);
                }
            }
        }

        private async Task PieceAsync(StoreDirectory directory, StoreEntry entry, LocalCopy copy, CancellationToken cancellationToken)
        {
            var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
            using var silent = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            silent.CancelAfter(Silence);
            Exception? local = null;
            var gate = new object();
            var over = false;
            var script = Script(directory, entry, copy.Length, (entry.Bytes - copy.Length).ToString(CultureInfo.InvariantCulture)) with
            {
                Timeout = Timeout.InfiniteTimeSpan,
                OnOutput = bytes =>
                {
                    lock (gate)
                    {
                        // A connection that broke may still hand over what it has while the next one begins.
                        if (over)
                        {
                            return;
                        }

                        silent.CancelAfter(Silence);
                        try
                        {
                            copy.Append(bytes.Span);
                        }
                        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                        {
                            local = e;
                            throw;
                        }
                    }

                    _meter.Add(entry.Name!, bytes.Length);
                },
            };
            try
            {
                var result = await connection.RunAsync(script, silent.Token).ConfigureAwait(false);
                Refuse(entry, result);
            }
            catch (HostException) when (local is not null)
            {
                throw new IOException(local.Message, local);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new HostException(ErrorIds.Timeout, store.HostName, $"The store sent nothing for {Silence.TotalMinutes:0} minutes.", e);
            }
            finally
            {
                lock (gate)
                {
                    over = true;
                }
            }

            if (copy.Length < entry.Bytes)
            {
                throw Changed(entry);
            }
        }

        private async Task<string> HashAsync(StoreDirectory directory, StoreEntry entry, CancellationToken cancellationToken)
        {
            // Even a slow disk reads 20 MB a second.
            var limit = access.Options.OperationTimeout + TimeSpan.FromSeconds(entry.Bytes / 20e6);
            for (var broken = 1; ; broken++)
            {
                var giveUp = DateTime.UtcNow + limit;
                try
                {
                    _meter.Say($"{Printable.Escape(entry.Name!)}: the store computes its SHA-256");
                    var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
                    var result = await connection.RunAsync(Script(directory, entry, 0, "hash") with { Timeout = limit }, cancellationToken).ConfigureAwait(false);
                    Refuse(entry, result);
                    return result.OutputText.Trim();
                }
                catch (HostException e) when (ErrorIds.IsAway(e.ErrorId) && (e.ErrorId is not ErrorIds.Timeout || DateTime.UtcNow < giveUp) && broken <= Patience)
                {
                    // A store that fell silent may be asked again; one that took all its time not.
                    context.Verbose($"The connection broke while the store computed a hash; connecting again: {e.What}");
                    await CloseAsync().ConfigureAwait(false);
                    await Task.Delay(TimeSpan.FromSeconds(broken), cancellationToken).ConfigureAwait(false);
                }
            }
        }

        private RemoteScript Script(StoreDirectory directory, StoreEntry entry, long offset, string count) => StoreDirectory.Script("fetchdump", place.Root,
            ("NAME", place.Name), ("DIRECTORY_ID", directory.Id), ("FILE", entry.Name!), ("FILE_STAT", entry.Stat),
            ("OFFSET", offset.ToString(CultureInfo.InvariantCulture)), ("COUNT", count));

        private void Refuse(StoreEntry entry, ScriptResult result)
        {
            if (result.ExitStatus == 0)
            {
                return;
            }

            throw result.ExitStatus switch
            {
                65 => Changed(entry),
                66 => Missing(),
                _ => new HostException(ErrorIds.FileNotReadable, store.HostName, $"{Printable.Escape(place.Directory)}/{Printable.Escape(entry.Name!)} could not be read.")
                {
                    HostSaid = result.ErrorText,
                    Remedy = "Dumps are root's: connect as root, or use -Sudo.",
                },
            };
        }

        private HostException Changed(StoreEntry entry) =>
            new(ErrorIds.ReceiveFailed, store.HostName, $"{Printable.Escape(place.Directory)}/{Printable.Escape(entry.Name!)} changed while it was fetched.")
            {
                Remedy = "Look with Get-Vmcore who writes there; then run the command again.",
            };

        private HostException Missing(string? why = null) =>
            new(ErrorIds.VmcoreMissing, store.HostName, $"There is no such dump on the store: {Printable.Escape(place.Directory)}.{(why is null ? "" : " " + why)}")
            {
                Remedy = "Get-Vmcore lists what there is.",
            };
    }
}
