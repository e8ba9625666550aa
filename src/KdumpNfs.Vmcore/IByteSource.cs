using System.Buffers;

namespace KdumpNfs.Vmcore;

/// <summary>Where the bytes of a dump come from: a local file, excerpts that a store sent, a decompressed view. Reads may come in any order.</summary>
public interface IByteSource
{
    /// <summary>Bytes in the whole file.</summary>
    long Length { get; }

    /// <summary>Reads at an offset.</summary>
    /// <returns>
    /// The bytes read. Fewer than asked for only at the end of the file, or where the source does not hold the bytes (excerpts):
    /// a reader takes a short answer inside <see cref="Length"/> as "not known", never as "the file ends here".
    /// </returns>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>A seekable stream as a source. The stream stays the caller's; one read at a time.</summary>
public sealed class StreamByteSource(Stream stream) : IByteSource
{
    /// <inheritdoc/>
    public long Length { get; } = stream.Length;

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (offset >= Length)
        {
            return 0;
        }

        stream.Position = offset;
        return await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Pieces of a file of known length: what a store sends of a dump instead of the whole. Later pieces win where they overlap.</summary>
public sealed class ExcerptByteSource : IByteSource
{
    private readonly List<(long Offset, ReadOnlyMemory<byte> Bytes)> _pieces = [];

    /// <summary>A source without any bytes yet.</summary>
    /// <param name="length">Bytes in the whole file.</param>
    public ExcerptByteSource(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <summary>Adds bytes that are known. What would lie outside the file is dropped: the file may have changed while it was read.</summary>
    public ExcerptByteSource Add(long offset, ReadOnlyMemory<byte> bytes)
    {
        if (offset >= 0 && offset < Length && !bytes.IsEmpty)
        {
            _pieces.Insert(0, (offset, bytes[..(int)Math.Min(bytes.Length, Length - offset)]));
        }

        return this;
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var done = 0;
        while (done < buffer.Length)
        {
            var at = offset + done;
            var piece = _pieces.FirstOrDefault(p => p.Offset <= at && at - p.Offset < p.Bytes.Length);
            if (piece.Bytes.IsEmpty)
            {
                break;
            }

            var known = piece.Bytes[(int)(at - piece.Offset)..];
            var count = Math.Min(known.Length, buffer.Length - done);
            known[..count].CopyTo(buffer[done..]);
            done += count;
        }

        return ValueTask.FromResult(done);
    }
}

/// <summary>Reads that either give all the bytes or say why not.</summary>
internal static class ByteSourceReads
{
    /// <summary>Reads exactly; null where the file is shorter or the source does not hold the bytes.</summary>
    public static async ValueTask<byte[]?> TryReadAsync(this IByteSource source, long offset, int count, CancellationToken cancellationToken)
    {
        if (offset < 0 || count < 0 || offset > source.Length - count)
        {
            return null;
        }

        var buffer = new byte[count];
        return await source.ReadAsync(offset, buffer, cancellationToken).ConfigureAwait(false) == count ? buffer : null;
    }

    /// <summary>Reads exactly.</summary>
    /// <exception cref="VmcoreFormatException">The file ends before.</exception>
    public static async ValueTask<byte[]> ReadExactlyAsync(this IByteSource source, long offset, int count, string what, CancellationToken cancellationToken) =>
        await source.TryReadAsync(offset, count, cancellationToken).ConfigureAwait(false)
            ?? throw new VmcoreFormatException($"The file is cut inside {what}: {count} bytes at offset {offset} are not there.");

    /// <summary>As many bytes from the offset as there are, up to a limit.</summary>
    public static async ValueTask<byte[]> ReadUpToAsync(this IByteSource source, long offset, int limit, CancellationToken cancellationToken)
    {
        var count = (int)Math.Clamp(source.Length - offset, 0, limit);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(count, 1));
        try
        {
            var read = count == 0 ? 0 : await source.ReadAsync(offset, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            return buffer.AsSpan(0, read).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
