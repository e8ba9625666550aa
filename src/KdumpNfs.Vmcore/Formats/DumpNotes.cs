using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>The ELF notes of a dump: one PRSTATUS for each CPU, and VMCOREINFO.</summary>
internal sealed record DumpNotes(IReadOnlyList<byte[]> PrStatus, byte[]? VmcoreInfo)
{
    private const int MaximumBytes = 16 << 20;
    private const int MaximumCpus = 16384;
    private const int MaximumPrStatus = 4096;

    /// <summary>Reads notes; what cannot be one ends the walk.</summary>
    public static DumpNotes Read(RandomSource source, ByteOrder order, IEnumerable<(long Offset, long Size)> areas)
    {
        var cpus = new List<byte[]>();
        byte[]? info = null;
        foreach (var (offset, size) in areas)
        {
            if (offset <= 0 || size <= 0 || offset >= source.Length)
            {
                continue;
            }

            var bytes = new byte[(int)Math.Min(Math.Min(size, MaximumBytes), source.Length - offset)];
            var known = source.Read(offset, bytes);
            Walk(bytes.AsSpan(0, known), order, cpus, ref info);
        }

        return new DumpNotes(cpus, info);
    }

    // Name size, description size, type; then name and description, each padded to 4 bytes.
    private static void Walk(ReadOnlySpan<byte> bytes, ByteOrder order, List<byte[]> cpus, ref byte[]? info)
    {
        while (bytes.Length >= 12)
        {
            long nameSize = order.UInt32(bytes);
            long size = order.UInt32(bytes[4..]);
            var type = order.UInt32(bytes[8..]);
            var at = 12 + ((nameSize + 3) & ~3L);
            var next = at + ((size + 3) & ~3L);
            if (at + size > bytes.Length)
            {
                return;
            }

            var name = bytes.Slice(12, (int)nameSize);
            var description = bytes.Slice((int)at, (int)size);
            if (name.StartsWith("VMCOREINFO"u8) && nameSize <= 11)
            {
                info ??= description.ToArray();
            }
            else if (type == 1 && name.StartsWith("CORE"u8) && size <= MaximumPrStatus && cpus.Count < MaximumCpus)
            {
                cpus.Add(description.ToArray());
            }

            bytes = bytes[(int)Math.Min(next, bytes.Length)..];
        }
    }
}
