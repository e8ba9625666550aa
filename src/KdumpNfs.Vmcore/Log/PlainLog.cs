using System.Buffers.Text;
using KdumpNfs.Vmcore.Memory;

namespace KdumpNfs.Vmcore.Log;

/// <summary>The log before Linux 3.5: text in a ring, lines with a level and maybe a time.</summary>
/// <remarks>Source: the kernel's kernel/printk.c of those versions. log_end counts every character since boot.</remarks>
internal static class PlainLog
{
    public static KernelLog Read(VmcoreInfo info, AddressSpace space, ulong bufferSymbol, ulong lengthSymbol, ulong endSymbol)
    {
        var length = KernelLogReader.Length(space, lengthSymbol);
        if (!int.IsPow2(length))
        {
            throw new VmcoreFormatException($"The kernel log claims {length} bytes; the dump is damaged.");
        }

        var end = space.UInt32(endSymbol, "the end of the kernel log");
        var buffer = space.Word(bufferSymbol, "the address of the kernel log");
        byte[] text;
        long missing;
        if (end < (uint)length)
        {
            text = new byte[end];
            missing = space.ReadLenient(buffer, text);
        }
        else
        {
            var index = (int)(end & (uint)(length - 1));
            text = new byte[length];
            missing = space.ReadLenient(buffer + (ulong)index, text.AsSpan(0, length - index)) + space.ReadLenient(buffer, text.AsSpan(length - index));
        }

        return new KernelLog(KernelLogKind.Plain, text, [.. Lines(text)], missing, hasCaller: false, null);
    }

    private static List<LogEntry> Lines(byte[] text)
    {
        var lines = new List<LogEntry>();
        for (var at = 0; at < text.Length;)
        {
            var rest = text.AsSpan(at);
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            var skip = 0;
            var level = byte.MaxValue;
            if (line.Length > 2 && line[0] == '<' && line[2] == '>' && line[1] is >= (byte)'0' and <= (byte)'7')
            {
                level = (byte)(line[1] - '0');
                skip = 3;
            }

            var time = ulong.MaxValue;
            var stamp = line[skip..];
            if (stamp.Length > 3 && stamp[0] == '[' && stamp[..Math.Min(stamp.Length, 32)].IndexOf((byte)']') is > 0 and var close &&
                Utf8Parser.TryParse(stamp[1..close].TrimStart((byte)' '), out decimal seconds, out _) && seconds is >= 0 and < 10_000_000_000)
            {
                time = (ulong)(seconds * 1_000_000_000);
                skip += close + 1;
                skip += skip < line.Length && line[skip] == ' ' ? 1 : 0;
            }

            lines.Add(new LogEntry((ulong)lines.Count, time, at + skip, line.Length - skip, level, 0, false, 0));
            at += line.Length + 1;
        }

        return lines;
    }
}
