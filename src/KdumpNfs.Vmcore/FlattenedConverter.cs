using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore;

/// <summary>What a conversion wrote.</summary>
/// <param name="Records">Records of the flattened file.</param>
/// <param name="Bytes">Bytes of the rearranged dump.</param>
/// <param name="Damage">Why the flattened file ended early; null when it was whole. The dump then lacks what did not arrive.</param>
public sealed record ConvertedDump(long Records, long Bytes, string? Damage);

/// <summary>Rearranges a flattened dump, as makedumpfile -R does: one pass, no index, any number of records.</summary>
public static class FlattenedConverter
{
    private const int BufferSize = 1 << 20;

    /// <summary>Writes the dump inside a flattened file.</summary>
    /// <param name="path">The flattened file.</param>
    /// <param name="output">Where to; seekable and empty. What no record writes stays a hole.</param>
    /// <param name="progress">Called with the part of the file that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Cancels between pieces.</param>
    /// <exception cref="VmcoreFormatException">Not flattened, or without any record.</exception>
    /// <exception cref="IOException">Reading or writing failed.</exception>
    public static ConvertedDump Convert(string path, FileStream output, Action<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        using var file = new FileSource(path);
        var start = new byte[VmcoreSignature.Length];
        if (VmcoreSignature.Identify(start.AsSpan(0, file.Read(0, start))) != VmcoreFormat.Flattened)
        {
            throw new VmcoreFormatException("The file is not in the flattened format; there is nothing to rearrange.");
        }

        var chain = new FlattenedChain(file);
        var buffer = new byte[BufferSize];
        long records = 0, length = 0, reported = 0;
        foreach (var record in chain.Walk(cancellationToken))
        {
            // A record may claim any place; a file system refuses what it cannot hold, and a sparse file of exabytes helps nobody.
            if (record.Offset + record.Size > (1L << 50))
            {
                throw new VmcoreFormatException($"A flattened record claims bytes at {record.Offset}; the file is damaged.");
            }

            for (long done = 0; done < record.Size;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var read = file.ReadOnce(record.At + done, buffer.AsSpan(0, (int)Math.Min(buffer.Length, record.Size - done)));
                if (read == 0)
                {
                    throw new IOException("The flattened file got shorter while it was read.");
                }

                RandomAccess.Write(output.SafeFileHandle, buffer.AsSpan(0, read), record.Offset + done);
                done += read;
            }

            records++;
            length = Math.Max(length, record.Offset + record.Size);
            if (progress is not null && Environment.TickCount64 - reported > 200)
            {
                reported = Environment.TickCount64;
                progress((double)(record.At + record.Size) / file.Length);
            }
        }

        return records > 0 ? new ConvertedDump(records, length, chain.Damage)
            : throw new VmcoreFormatException(chain.Damage ?? "The flattened file has no record: makedumpfile wrote nothing after its first block.");
    }
}
