using System.Buffers.Binary;

namespace KdumpNfs.Vmcore;

/// <summary>What a look at the head and the end of a dump says about whether it is all there.</summary>
public enum VmcoreIntegrity
{
    /// <summary>The end could not be looked at: inside a compression, or the source does not hold the bytes. Not a pass.</summary>
    NotChecked,

    /// <summary>Everything that the head announces is there.</summary>
    Whole,

    /// <summary>The file ends too early, or has a hole near its beginning.</summary>
    Cut,

    /// <summary>makedumpfile itself marked it: the target was full.</summary>
    MarkedIncomplete,

    /// <summary>Not a dump, or damaged in its header.</summary>
    NotADump,

    /// <summary>Head and end are there, and the reader cannot read what lies between (<see cref="VmcoreImage.CheckStructure"/>).</summary>
    Damaged,
}

/// <summary>The outcome of a check.</summary>
/// <param name="Integrity">The verdict.</param>
/// <param name="Header">What the head says; null where it is no dump's.</param>
/// <param name="Reason">Why it is not whole, one sentence; null when it is.</param>
public sealed record VmcoreCheckResult(VmcoreIntegrity Integrity, VmcoreHeader? Header, string? Reason);

/// <summary>Tells whole dumps from cut ones by reading a few KB, however large the file is.</summary>
/// <remarks>
/// <para>What is checked, by format:</para>
/// <para>Flattened: the first block, the first records, the header inside, and that the last 16 bytes are the end record (offset and size -1), which
/// makedumpfile writes last of all. Bitmaps are full of such bytes too, so a cut file can end like that: the file must also be longer than what the header
/// inside announces (bitmaps; ELF segments), and of a kdump-compressed dump the bytes before the end record must be a page descriptor, or
/// text (erase information), which are what makedumpfile writes before it.</para>
/// <para>Kdump-compressed: the header, that makedumpfile did not mark it, that the file reaches behind bitmaps and page descriptors, and
/// that it holds the data of the last descriptors. makedumpfile stores pages in the order of their descriptors, and the first descriptor tells where the
/// table ends, so this is the end of the file but for erase information. Descriptors point at one shared zero page for pages of zeros; when all that are
/// looked at do, only the end of the table is known to be there.</para>
/// <para>ELF: that every segment lies inside the file.</para>
/// <para>What is not checked: the pages themselves, the middle of the file (holes that a failing disk or a lost NFS write left), and that
/// the bitmaps agree with the descriptors. <c>makedumpfile -R</c> or crash(8) read all of it.</para>
/// </remarks>
public static class VmcoreCheck
{
    /// <summary>Bytes at the end of a file that a source of excerpts should hold.</summary>
    public const int TailSize = 64;

    /// <summary>Bytes of one page descriptor: 64-bit offset, 32-bit size, 32-bit flags, 64-bit page flags (diskdump_mod.h, page_desc).</summary>
    public const int DescriptorSize = 24;

    /// <summary>Descriptors at the end of their table that are looked at, at most.</summary>
    public const int LastDescriptors = 40;

    /// <summary>Looks at a dump. Never throws for what the file holds.</summary>
    public static async ValueTask<VmcoreCheckResult> ReadAsync(IByteSource source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        VmcoreHeader header;
        try
        {
            header = await VmcoreHeader.ReadAsync(source, cancellationToken).ConfigureAwait(false);
        }
        catch (VmcoreFormatException e)
        {
            return new VmcoreCheckResult(VmcoreIntegrity.NotADump, null, e.Message);
        }

        if (header.MarkedIncomplete)
        {
            return new VmcoreCheckResult(VmcoreIntegrity.MarkedIncomplete, header, "makedumpfile marked the dump as incomplete: the target was full.");
        }

        return header.Format switch
        {
            VmcoreFormat.Flattened => await FlattenedAsync(source, header, cancellationToken).ConfigureAwait(false),
            VmcoreFormat.KdumpCompressed => await DiskDumpAsync(source, header, header.DiskDump!, cancellationToken).ConfigureAwait(false),
            VmcoreFormat.Elf => Elf(source, header, header.Elf!),
            _ => new VmcoreCheckResult(VmcoreIntegrity.NotChecked, header,
                $"The dump is inside {header.Format}; whether it is whole shows only when all of it is unpacked."),
        };
    }

    private static async ValueTask<VmcoreCheckResult> FlattenedAsync(IByteSource source, VmcoreHeader header, CancellationToken cancellationToken)
    {
        if (header.Damage is { } damage)
        {
            return Cut(header, damage);
        }

        var tail = await source.TryReadAsync(
            source.Length - FlattenedSource.RecordSize - DescriptorSize, FlattenedSource.RecordSize + DescriptorSize, cancellationToken).ConfigureAwait(false);
        if (tail is null)
        {
            return NotRead(header);
        }

        if (tail.AsSpan(DescriptorSize).ContainsAnyExcept((byte)0xff))
        {
            return Cut(header, "The flattened dump has no end record: makedumpfile did not finish, or the file was cut later.");
        }

        // Every byte of the dump is in some record, so the stream is never shorter than what it carries.
        var announced = header.DiskDump?.FirstDescriptor ?? header.Elf?.End ?? 0;
        var last = tail.AsSpan(0, DescriptorSize);
        return source.Length < announced || (header.DiskDump is { } layout && !IsLastDescriptor(last, layout) && last.ContainsAnyExceptInRange((byte)'\t', (byte)'~'))
            ? Cut(header, "The flattened dump only looks as if it had its end record: it ends inside its bitmaps or pages.")
            : Whole(header);
    }

    private static bool IsLastDescriptor(ReadOnlySpan<byte> bytes, DiskDumpLayout layout)
    {
        var (offset, size) = Descriptor(bytes, layout.BigEndian);
        return offset > layout.FirstDescriptor && size > 0 && size <= layout.BlockSize && !bytes[16..].ContainsAnyExcept((byte)0);
    }

    private static async ValueTask<VmcoreCheckResult> DiskDumpAsync(IByteSource source, VmcoreHeader header, DiskDumpLayout layout, CancellationToken cancellationToken)
    {
        if (layout.FirstDescriptor > source.Length - DescriptorSize)
        {
            return Cut(header, $"The dump ends inside its bitmaps: {source.Length} bytes are there, page descriptors start at {layout.FirstDescriptor}.");
        }

        if (await source.TryReadAsync(layout.FirstDescriptor, DescriptorSize, cancellationToken).ConfigureAwait(false) is not { } first)
        {
            return NotRead(header);
        }

        // The data start right behind the table. The first descriptor points there, or one page further where the shared zero page comes first;
        // a page is no multiple of a descriptor, so only one of the two can be.
        var data = Descriptor(first, layout.BigEndian).Offset;
        if (data < layout.FirstDescriptor + DescriptorSize || data > source.Length)
        {
            return Cut(header, $"The first page descriptor points at {data}, outside the {source.Length} bytes of the file.");
        }

        var end = await EndOfDataAsync(source, layout, data, cancellationToken).ConfigureAwait(false)
            ?? await EndOfDataAsync(source, layout, data - layout.BlockSize, cancellationToken).ConfigureAwait(false);
        return end switch
        {
            null => NotRead(header),
            { } known when known > source.Length => Cut(header, $"The last page descriptors need {known} bytes, and the file has {source.Length}."),
            _ => Whole(header),
        };
    }

    // The end of the data that the last descriptors of a table ending here point at; null where no descriptors are, or nobody knows.
    private static async ValueTask<long?> EndOfDataAsync(IByteSource source, DiskDumpLayout layout, long tableEnd, CancellationToken cancellationToken)
    {
        var room = tableEnd - layout.FirstDescriptor;
        if (room < DescriptorSize || room % DescriptorSize != 0)
        {
            return null;
        }

        var count = (int)Math.Min(room / DescriptorSize, LastDescriptors);
        if (await source.TryReadAsync(tableEnd - (count * DescriptorSize), count * DescriptorSize, cancellationToken).ConfigureAwait(false) is not { } table)
        {
            return null;
        }

        long end = 0;
        for (var at = 0; at < table.Length; at += DescriptorSize)
        {
            var (offset, size) = Descriptor(table.AsSpan(at), layout.BigEndian);
            if (offset < tableEnd || size == 0 || size > layout.BlockSize || offset > long.MaxValue - size)
            {
                // Zeros of the shared zero page, or page data: the table ends elsewhere.
                return null;
            }

            end = Math.Max(end, offset + size);
        }

        return end;
    }

    private static VmcoreCheckResult Elf(IByteSource source, VmcoreHeader header, ElfLayout layout) => layout.End switch
    {
        null => NotRead(header),
        { } end when end > source.Length => Cut(header, $"The ELF core's segments need {end} bytes, and the file has {source.Length}."),
        _ => Whole(header),
    };

    private static (long Offset, uint Size) Descriptor(ReadOnlySpan<byte> bytes, bool bigEndian) => bigEndian
        ? (BinaryPrimitives.ReadInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]))
        : (BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]));

    private static VmcoreCheckResult Whole(VmcoreHeader header) => new(VmcoreIntegrity.Whole, header, null);

    private static VmcoreCheckResult Cut(VmcoreHeader header, string reason) => new(VmcoreIntegrity.Cut, header, reason);

    private static VmcoreCheckResult NotRead(VmcoreHeader header) =>
        new(VmcoreIntegrity.NotChecked, header, "The end of the dump could not be looked at.");
}
