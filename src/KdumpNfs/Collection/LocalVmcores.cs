using System.IO.Compression;
using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Collection;

/// <summary>The crash directories under a path of this machine: a mounted share, an unpacked archive. Needs no shell, so it works on Windows too.</summary>
/// <remarks>The "store's clock" is this machine's. On a mounted share the file times are the server's: keep both in step, or name the server as -StoreHost.</remarks>
public sealed class LocalVmcores : IVmcoreStore
{
    private const int MaximumLog = 1 << 20;
    private const int MaximumDmesg = 32 << 20;
    private const int MaximumReadme = 2048;
    private const int MaximumHold = 400;

    /// <summary>The file whose being there keeps a crash directory from being removed.</summary>
    internal const string HoldMarker = ".hold";

    private readonly DumpReading _reading = new();

    /// <summary>A local store.</summary>
    /// <param name="literalPath">The directory that the crash directories are in.</param>
    public LocalVmcores(string literalPath)
    {
        if (string.IsNullOrWhiteSpace(literalPath))
        {
            throw new HostException(ErrorIds.InvalidInput, "", "The path is empty.");
        }

        Root = Path.GetFullPath(literalPath);
    }

    /// <inheritdoc/>
    public string? StoreHost => null;

    /// <inheritdoc/>
    public string Root { get; }

    /// <inheritdoc/>
    public async Task<StoreListing> ListAsync(StoreQuery query, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var now = DateTimeOffset.UtcNow;
        var (found, ignored) = Find(query);
        var directories = new List<CrashDirectory>();
        foreach (var directory in found.Take(query.Maximum))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await ReadAsync(directory, query, cancellationToken).ConfigureAwait(false) is { } read)
            {
                directories.Add(read);
            }
        }

        var listing = new StoreListing(now, directories)
        {
            Truncated = found.Count > query.Maximum,
            Ignored = [.. ignored.Take(20).Select(Printable.Escape)],
            IgnoredCount = ignored.Count,
        };
        return await _reading.ReadAsync(listing, Root, query.ChainRecords, DumpOpening.Local, context, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private (List<DirectoryInfo> Found, List<string> Ignored) Find(StoreQuery query)
    {
        try
        {
            var all = new DirectoryInfo(Root).EnumerateDirectories("*", new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false })
                .Where(d => d.Name[0] != '.').ToList();

            // A link could lead anywhere on this machine, and the hosts can make links on the share.
            var crashes = all.Where(d => d.LinkTarget is null && CrashDirectoryName.Parse(d.Name) is not null && (query.Only is null || d.Name == query.Only)).ToList();
            return ([.. crashes.Where(d => query.ChangedSince is not { } since || d.LastWriteTimeUtc >= since.UtcDateTime).OrderByDescending(d => d.LastWriteTimeUtc)],
                [.. all.Except(crashes).Select(d => d.Name)]);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new HostException(ErrorIds.VmcoreDirectoryMissing, "", $"The directory {Printable.Escape(Root)} does not exist.", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new HostException(File.Exists(Root) ? ErrorIds.VmcoreDirectoryMissing : ErrorIds.NotRoot, "", $"The directory {Printable.Escape(Root)} cannot be read: {e.Message}", e)
            {
                Remedy = "Dumps are root's: run as an account that may read them.",
            };
        }
    }

    // null: it was removed meanwhile.
    private static async Task<CrashDirectory?> ReadAsync(DirectoryInfo directory, StoreQuery query, CancellationToken cancellationToken)
    {
        try
        {
            var files = directory.EnumerateFiles().Where(IsThere).Take(1000).ToList();
            var result = new CrashDirectory(directory.Name, directory.LastWriteTimeUtc,
                [.. files.Select(f => new VmcoreFile(Printable.Escape(f.Name), f.Length, f.LastWriteTimeUtc))]);
            return query.Content ? await WithContentAsync(result, files, directory.Name == query.Unpack, cancellationToken).ConfigureAwait(false) : result;
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return new CrashDirectory(directory.Name, directory.LastWriteTimeUtc, []);
        }
    }

    private static async Task<CrashDirectory> WithContentAsync(CrashDirectory directory, List<FileInfo> files, bool unpack, CancellationToken cancellationToken)
    {
        var dumps = new List<DumpFinding>();
        foreach (var file in files.Where(f => CrashFile.RoleOf(f.Name) is CrashFileRole.Dump or CrashFileRole.TemporaryDump).Take(4))
        {
            dumps.Add(new DumpFinding(file.Name, await CheckAsync(file, unpack, cancellationToken).ConfigureAwait(false)));
        }

        var dmesg = files.Find(f => CrashFile.RoleOf(f.Name) == CrashFileRole.Dmesg) ?? files.Find(f => CrashFile.RoleOf(f.Name) == CrashFileRole.TemporaryDmesg);
        var log = files.Find(f => CrashFile.RoleOf(f.Name) == CrashFileRole.CaptureLog);
        var readme = files.Find(f => CrashFile.RoleOf(f.Name) == CrashFileRole.Readme);
        var hold = files.Find(f => f.Name == HoldMarker);
        return directory with
        {
            Dumps = dumps,
            DmesgLines = await TextAsync(dmesg, MaximumDmesg, fromEnd: false, cancellationToken).ConfigureAwait(false),
            HasCaptureLog = log is not null,
            CaptureLogLines = await TextAsync(log, MaximumLog, fromEnd: true, cancellationToken).ConfigureAwait(false),
            Readme = await TextAsync(readme, MaximumReadme, fromEnd: false, cancellationToken).ConfigureAwait(false),
            Hold = hold is null ? null : await TextAsync(hold, MaximumHold, fromEnd: false, cancellationToken).ConfigureAwait(false) ?? "",
        };
    }

    private static async Task<VmcoreCheckResult?> CheckAsync(FileInfo file, bool unpack, CancellationToken cancellationToken)
    {
        if (!CanOpen(file))
        {
            return await VmcoreCheck.ReadAsync(new ExcerptByteSource(0), cancellationToken).ConfigureAwait(false);
        }

        try
        {
            var stream = Open(file);
            await using (stream.ConfigureAwait(false))
            {
                var check = await VmcoreCheck.ReadAsync(new StreamByteSource(stream), cancellationToken).ConfigureAwait(false);
                return unpack && check.Header?.Format == VmcoreFormat.Gzip
                    ? await UnpackAsync(check, stream, cancellationToken).ConfigureAwait(false) : check;
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return null;
        }
    }

    private static async Task<VmcoreCheckResult> UnpackAsync(VmcoreCheckResult outside, FileStream stream, CancellationToken cancellationToken)
    {
        stream.Position = 0;
        var head = Array.Empty<byte>();
        var tail = Array.Empty<byte>();
        var buffer = new byte[1 << 16];
        try
        {
            var inflate = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
            await using (inflate.ConfigureAwait(false))
            {
                for (int read; (read = await inflate.ReadAtLeastAsync(buffer, buffer.Length, false, cancellationToken).ConfigureAwait(false)) > 0;)
                {
                    head = head.Length == 0 ? buffer[..read] : head;
                    byte[] joined = [.. tail, .. buffer.AsSpan(Math.Max(0, read - VmcoreCheck.TailSize), Math.Min(read, VmcoreCheck.TailSize))];
                    tail = joined[Math.Max(0, joined.Length - VmcoreCheck.TailSize)..];
                }
            }
        }
        catch (InvalidDataException e)
        {
            return new VmcoreCheckResult(VmcoreIntegrity.Cut, outside.Header, $"The gzip file is damaged or cut: {e.Message}");
        }

        return await UnpackedDump.JudgeAsync(outside, head, tail, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string?> TextAsync(FileInfo? file, int limit, bool fromEnd, CancellationToken cancellationToken)
    {
        if (file is null || !CanOpen(file))
        {
            return file is null ? null : "";
        }

        try
        {
            var stream = Open(file);
            await using (stream.ConfigureAwait(false))
            {
                stream.Position = fromEnd ? Math.Max(0, stream.Length - limit) : 0;
                var bytes = new byte[Math.Min(limit, stream.Length - stream.Position)];
                var read = await stream.ReadAtLeastAsync(bytes, bytes.Length, false, cancellationToken).ConfigureAwait(false);
                return Encoding.UTF8.GetString(bytes, 0, read);
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return null;
        }
    }

    // Others may be writing, renaming and deleting it meanwhile.
    private static FileStream Open(FileInfo file) =>
        new(file.FullName, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.Asynchronous });

    // A file may be renamed between the listing and the look at it, and one whose name is not UTF-8 cannot be reached from .NET at all.
    private static bool IsThere(FileInfo file)
    {
        try
        {
            return file.LinkTarget is null && file.Length >= 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    // Opening a pipe that a hostile host left on the share would wait for ever. .NET does not tell pipes from files, but a pipe has no length.
    private static bool CanOpen(FileInfo file) => file.Length > 0;
}
