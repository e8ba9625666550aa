using System.Buffers.Binary;

namespace KdumpNfs.Vmcore;

/// <summary>What the program headers of an ELF core say.</summary>
/// <param name="End">Offset behind the last byte that a segment has in the file; null when not all program headers could be read.</param>
internal sealed record ElfLayout(long? End);

/// <summary>The header of an ELF core.</summary>
/// <remarks>
/// Sources: elf(5); the kernel's fs/proc/vmcore.c (notes of all CPUs merged into one PT_NOTE, VMCOREINFO last); makedumpfile's
/// write_elf_header() (PN_XNUM) and DUMP_ELF_INCOMPLETE (bit 0 of e_flags).
/// </remarks>
internal static class ElfCore
{
    private const int TypeCore = 4;
    private const uint SegmentLoad = 1, SegmentNote = 4;
    private const int ManyHeaders = 0xffff;

    // The kernel gives a handful; makedumpfile one for each gap that it left.
    private const int MaximumHeaders = 2_000_000;
    private const int HeadersAtOnce = 4096;
    private const int MaximumNotes = 4 << 20;

    public static async ValueTask<VmcoreHeader> ReadAsync(IByteSource source, CancellationToken cancellationToken)
    {
        var start = await source.ReadExactlyAsync(0, 52, "the ELF header", cancellationToken).ConfigureAwait(false);
        if (start[4] is not (1 or 2) || start[5] is not (1 or 2))
        {
            throw new VmcoreFormatException($"The ELF header has class {start[4]} and data {start[5]}; neither 32 nor 64 bits.");
        }

        var wide = start[4] == 2;
        var elf = new Reader(wide ? await source.ReadExactlyAsync(0, 64, "the ELF header", cancellationToken).ConfigureAwait(false) : start, start[5] == 2);
        if (elf.Int16(16) != TypeCore)
        {
            throw new VmcoreFormatException($"The ELF file is of type {elf.Int16(16)}, not a core.");
        }

        var tableOffset = wide ? elf.Int64(32) : elf.UInt32(28);
        var entrySize = elf.Int16(wide ? 54 : 42);
        var count = (long)elf.Int16(wide ? 56 : 44);
        if (count == ManyHeaders)
        {
            count = await ManyAsync(source, wide ? elf.Int64(40) : elf.UInt32(32), wide, elf.BigEndian, cancellationToken).ConfigureAwait(false);
        }

        if (tableOffset < 0 || entrySize != (wide ? 56 : 32) || count is <= 0 or > MaximumHeaders)
        {
            throw new VmcoreFormatException($"The ELF header claims {count} program headers of {entrySize} bytes at {tableOffset}; the file is damaged.");
        }

        var (end, note) = await SegmentsAsync(source, tableOffset, (int)count, wide, elf.BigEndian, cancellationToken).ConfigureAwait(false);
        var info = note is null ? null : await NotesAsync(source, note.Value.Offset, note.Value.Size, elf.BigEndian, cancellationToken).ConfigureAwait(false);
        return new VmcoreHeader
        {
            Format = VmcoreFormat.Elf,
            InnerFormat = VmcoreFormat.Elf,
            Machine = MachineName(elf.Int16(18)),
            MarkedIncomplete = (elf.UInt32(wide ? 48 : 36) & 1) != 0,
            Release = info?.Release,
            CrashTime = info?.CrashTime,
            Elf = new ElfLayout(end),
        };
    }

    // With 65,535 or more program headers their number is in sh_info of the first section header.
    private static async ValueTask<long> ManyAsync(IByteSource source, long sections, bool wide, bool bigEndian, CancellationToken cancellationToken)
    {
        var size = wide ? 64 : 40;
        var bytes = await source.ReadExactlyAsync(sections, size, "the ELF section header", cancellationToken).ConfigureAwait(false);
        return new Reader(bytes, bigEndian).UInt32(wide ? 44 : 28);
    }

    private static async ValueTask<(long? End, (long Offset, long Size)? Note)> SegmentsAsync(
        IByteSource source, long offset, int count, bool wide, bool bigEndian, CancellationToken cancellationToken)
    {
        var size = wide ? 56 : 32;
        if (offset > source.Length - ((long)count * size))
        {
            throw new VmcoreFormatException("The file is cut inside the ELF program headers.");
        }

        long end = 0;
        (long, long)? note = null;
        for (var first = 0; first < count; first += HeadersAtOnce)
        {
            var part = Math.Min(HeadersAtOnce, count - first) * size;
            var table = await source.ReadUpToAsync(offset + ((long)first * size), part, cancellationToken).ConfigureAwait(false);
            var elf = new Reader(table, bigEndian);
            for (var at = 0; at + size <= table.Length; at += size)
            {
                var type = elf.UInt32(at);
                var start = wide ? elf.Int64(at + 8) : elf.UInt32(at + 4);
                var length = wide ? elf.Int64(at + 32) : elf.UInt32(at + 16);
                if (type is not (SegmentLoad or SegmentNote))
                {
                    continue;
                }

                if (start < 0 || length < 0 || start > long.MaxValue - length)
                {
                    throw new VmcoreFormatException($"An ELF program header claims {length} bytes at {start}; the file is damaged.");
                }

                end = Math.Max(end, start + length);
                note ??= type == SegmentNote ? (start, length) : null;
            }

            if (table.Length < part)
            {
                return (null, note);
            }
        }

        return (end, note);
    }

    // Notes: name size, description size, type, then name and description, each padded to 4 bytes.
    private static async ValueTask<VmcoreInfo?> NotesAsync(IByteSource source, long offset, long size, bool bigEndian, CancellationToken cancellationToken)
    {
        var bytes = await source.ReadUpToAsync(offset, (int)Math.Min(size, MaximumNotes), cancellationToken).ConfigureAwait(false);
        var elf = new Reader(bytes, bigEndian);
        for (long at = 0; at + 12 <= bytes.Length;)
        {
            var nameSize = elf.UInt32((int)at);
            var descriptionSize = elf.UInt32((int)at + 4);
            var name = at + 12;
            var description = name + ((nameSize + 3) & ~3L);
            var next = description + ((descriptionSize + 3) & ~3L);
            if (description + descriptionSize > bytes.Length)
            {
                break;
            }

            if (nameSize is 10 or 11 && bytes.AsSpan((int)name, 10).SequenceEqual("VMCOREINFO"u8))
            {
                return VmcoreInfo.Parse(bytes.AsSpan((int)description, (int)descriptionSize));
            }

            at = next;
        }

        return null;
    }

    private static string MachineName(int machine) => machine switch
    {
        3 => "i386",
        20 => "ppc",
        21 => "ppc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv",
        258 => "loongarch64",
        _ => $"ELF machine {machine}",
    };

    private readonly record struct Reader(byte[] Bytes, bool BigEndian)
    {
        public int Int16(int at) => BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(at)) : BinaryPrimitives.ReadUInt16LittleEndian(Bytes.AsSpan(at));

        public long UInt32(int at) => BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(at)) : BinaryPrimitives.ReadUInt32LittleEndian(Bytes.AsSpan(at));

        public long Int64(int at) => BigEndian ? BinaryPrimitives.ReadInt64BigEndian(Bytes.AsSpan(at)) : BinaryPrimitives.ReadInt64LittleEndian(Bytes.AsSpan(at));
    }
}
