using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace KdumpNfs.Vmcores;

/// <summary>One file that goes into a bundle.</summary>
/// <param name="Name">Its name below the archive's directory.</param>
/// <param name="Open">Opens its bytes: a stream of known length that is read once from its beginning.</param>
internal sealed record BundleFile(string Name, Func<Stream> Open)
{
    public BundleFile(string name, byte[] bytes)
        : this(name, () => new MemoryStream(bytes, writable: false))
    {
    }
}

/// <summary>
/// Writes a tar.gz: files in the order of their names, SHA256SUMS last, all with one time and mode 0600, so that the same files give the same archive. It grows under a
/// temporary name for its owner alone; what does not come to its end leaves nothing.
/// </summary>
internal static class BundleArchive
{
    // What the plain format of 1988 can say; only a dump can be larger.
    private const long UstarLimit = 1L << 33;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="directory">Its one directory.</param>
    /// <param name="time">Time of all files.</param>
    /// <param name="files">What goes in.</param>
    /// <param name="force">Replaces a file that is there.</param>
    /// <param name="cancellationToken">Cancels; nothing is left.</param>
    /// <returns>Length and SHA-256 of the archive, and what is in it.</returns>
    /// <exception cref="IOException">The file is there already, or it cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">No permission.</exception>
    public static async Task<(long Bytes, string Sha256, IReadOnlyList<VmcoreBundleEntry> Entries)> WriteAsync(
        string path, string directory, DateTimeOffset time, IEnumerable<BundleFile> files, bool force, CancellationToken cancellationToken)
    {
        var temporary = $"{path}.{Convert.ToHexString(RandomNumberGenerator.GetBytes(4)).ToLowerInvariant()}.incomplete";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read, Options = FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }

            IReadOnlyList<VmcoreBundleEntry> entries;
            long length;
            string hash;
            var file = new FileStream(temporary, options);
            await using (file.ConfigureAwait(false))
            {
                var gzip = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true);
                await using (gzip.ConfigureAwait(false))
                {
                    entries = await PackAsync(gzip, directory, time, files, cancellationToken).ConfigureAwait(false);
                }

                file.Flush(flushToDisk: true);
                length = file.Length;
                file.Position = 0;
                hash = Hex(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
            }

            cancellationToken.ThrowIfCancellationRequested();
            File.Move(temporary, path, overwrite: force);
            return (length, hash, entries);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static async Task<IReadOnlyList<VmcoreBundleEntry>> PackAsync(
        Stream output, string directory, DateTimeOffset time, IEnumerable<BundleFile> files, CancellationToken cancellationToken)
    {
        var entries = new List<VmcoreBundleEntry>();
        var tar = new TarWriter(output, TarEntryFormat.Ustar, leaveOpen: true);
        await using (tar.ConfigureAwait(false))
        {
            foreach (var file in files.OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                await AddAsync(file).ConfigureAwait(false);
            }

            var sums = string.Concat(entries.Select(e => $"{e.Sha256}  {e.Name}\n"));
            await AddAsync(new BundleFile("SHA256SUMS", Encoding.UTF8.GetBytes(sums))).ConfigureAwait(false);
        }

        return entries;

        async Task AddAsync(BundleFile file)
        {
            var data = new HashedStream(file.Open());
            await using (data.ConfigureAwait(false))
            {
                var name = $"{directory}/{file.Name}";
                var size = data.Length;
                TarEntry entry = size < UstarLimit ? new UstarTarEntry(TarEntryType.RegularFile, name) : new PaxTarEntry(TarEntryType.RegularFile, name);
                entry.Mode = OwnerOnly;
                entry.ModificationTime = time;
                entry.DataStream = data;
                await tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
                entries.Add(new VmcoreBundleEntry(file.Name, size, data.Hash()));
            }
        }
    }

    private static string Hex(byte[] hash) => Convert.ToHexString(hash).ToLowerInvariant();

    // What is read through it once, from the beginning, is hashed.
    private sealed class HashedStream(Stream inner) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => throw new NotSupportedException();
        }

        public string Hash() => inner.Position == inner.Length ? Hex(_hash.GetHashAndReset())
            : throw new InvalidOperationException($"{inner.Position} of {inner.Length} bytes were packed.");

        public override int Read(byte[] buffer, int offset, int count) => Hashed(inner.Read(buffer, offset, count), buffer.AsSpan(offset));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Hashed(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false), buffer.Span);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
                _hash.Dispose();
            }

            base.Dispose(disposing);
        }

        private int Hashed(int read, ReadOnlySpan<byte> buffer)
        {
            _hash.AppendData(buffer[..read]);
            return read;
        }
    }
}
