namespace KdumpNfs.Vmcore.Sources;

/// <summary>A piece of a file.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct ByteRange(long Offset, int Length);

/// <summary>A source that answers many reads at once: one round trip instead of many.</summary>
public interface IBatchByteSource : IByteSource
{
    /// <summary>Reads several pieces. The answer has one memory for each range, shorter only where the file ends.</summary>
    ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadManyAsync(IReadOnlyList<ByteRange> ranges, CancellationToken cancellationToken);
}

/// <summary>
/// Bytes of a dump, read without waiting on tasks: page tables and logs are walked with thousands of small reads. Safe for many threads.
/// </summary>
internal abstract class RandomSource : IByteSource, IDisposable
{
    /// <inheritdoc/>
    public abstract long Length { get; }

    /// <summary>Reads at an offset; short only at the end of the file or where a hole in the source is.</summary>
    public abstract int Read(long offset, Span<byte> buffer);

    /// <summary>Reads past any cache: for long runs that are read once, such as bitmaps.</summary>
    public virtual int ReadOnce(long offset, Span<byte> buffer) => Read(offset, buffer);

    /// <summary>Tells what will be read next, so that it comes in few round trips. Does nothing for local files.</summary>
    public virtual void Prefetch(List<ByteRange> ranges)
    {
    }

    /// <summary>Reads several short pieces past any cache; one round trip where the source can. A piece is short where the file ends.</summary>
    public virtual IReadOnlyList<ReadOnlyMemory<byte>> ReadMany(IReadOnlyList<ByteRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        return [.. ranges.Select(range =>
        {
            var bytes = new byte[range.Length];
            return (ReadOnlyMemory<byte>)bytes.AsMemory(0, Read(range.Offset, bytes));
        })];
    }

    /// <summary>Whether <see cref="Prefetch"/> does anything.</summary>
    public virtual bool IsRemote => false;

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(offset, buffer.Span));
    }

    /// <summary>Reads exactly.</summary>
    /// <exception cref="VmcoreFormatException">The file ends before.</exception>
    public byte[] ReadExactly(long offset, int count, string what)
    {
        if (offset < 0 || count < 0 || offset > Length - count)
        {
            throw new VmcoreFormatException($"The file is cut inside {what}: {count} bytes at offset {offset} are not there.");
        }

        var buffer = new byte[count];
        return Read(offset, buffer) == count ? buffer
            : throw new VmcoreFormatException($"The file is cut inside {what}: {count} bytes at offset {offset} are not there.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes what is open.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
