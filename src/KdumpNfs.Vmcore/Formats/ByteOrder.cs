using System.Buffers.Binary;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>How the crashed machine lays out numbers.</summary>
/// <param name="BigEndian">Its byte order.</param>
/// <param name="Wide">Whether its words (long, pointers) have 64 bits.</param>
internal readonly record struct ByteOrder(bool BigEndian, bool Wide)
{
    /// <summary>Bytes of a long or a pointer.</summary>
    public int WordSize => Wide ? 8 : 4;

    public ushort UInt16(ReadOnlySpan<byte> bytes) => BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    public uint UInt32(ReadOnlySpan<byte> bytes) => BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    public ulong UInt64(ReadOnlySpan<byte> bytes) => BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    public ulong Word(ReadOnlySpan<byte> bytes) => Wide ? UInt64(bytes) : UInt32(bytes);
}
