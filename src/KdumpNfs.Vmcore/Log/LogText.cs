using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace KdumpNfs.Vmcore.Log;

/// <summary>Text of a log for people.</summary>
internal static class LogText
{
    /// <summary>Replaces control characters, so that a hostile message cannot steer a terminal.</summary>
    public static string Safe(string text)
    {
        if (!text.Any(c => char.IsControl(c) && c != '\t'))
        {
            return text;
        }

        var safe = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            _ = char.IsControl(c) && c != '\t' ? safe.Append(c == '\n' ? "\n" : $"\\x{(int)c:x2}") : safe.Append(c);
        }

        return safe.ToString();
    }
}

/// <summary>Writes messages in makedumpfile's form.</summary>
internal sealed class LogWriter(Stream stream)
{
    private const int FlushAt = 64 << 10;

    // What the C library's isprint and isspace accept in the C locale, but for the line end, which is followed by an indent.
    private static readonly SearchValues<byte> Plain = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x5f).Select(b => (byte)b), (byte)'\t', 0x0b, 0x0c, 0x0d]);

    private byte[] _buffer = new byte[FlushAt + 4096];
    private int _length;

    /// <summary>Writes a message.</summary>
    public void Record(ulong nanoseconds, ReadOnlySpan<byte> caller, ReadOnlySpan<byte> text)
    {
        Room(64);
        var start = _length;
        _buffer[_length++] = (byte)'[';
        Number(nanoseconds / 1_000_000_000, 5, (byte)' ');
        _buffer[_length++] = (byte)'.';
        Number(nanoseconds % 1_000_000_000 / 1000, 6, (byte)'0');
        "] "u8.CopyTo(_buffer.AsSpan(_length));
        _length += 2;
        caller.CopyTo(_buffer.AsSpan(_length));
        _length += caller.Length;
        var indent = _length - start;
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAnyExcept(Plain);
            plain = plain < 0 ? text.Length : plain;
            Room(plain + indent + 8);
            text[..plain].CopyTo(_buffer.AsSpan(_length));
            _length += plain;
            if (plain == text.Length)
            {
                break;
            }

            var b = text[plain];
            text = text[(plain + 1)..];
            if (b == '\n')
            {
                _buffer[_length++] = b;
                _buffer.AsSpan(_length, indent).Fill((byte)' ');
                _length += indent;
            }
            else
            {
                "\\x"u8.CopyTo(_buffer.AsSpan(_length));
                _buffer[_length + 2] = "0123456789abcdef"u8[b >> 4];
                _buffer[_length + 3] = "0123456789abcdef"u8[b & 15];
                _length += 4;
            }
        }

        Room(1);
        _buffer[_length++] = (byte)'\n';
        if (_length >= FlushAt)
        {
            Flush();
        }
    }

    /// <summary>Hands everything to the stream.</summary>
    public void Flush()
    {
        stream.Write(_buffer, 0, _length);
        _length = 0;
    }

    private void Number(ulong value, int width, byte pad)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, digits, out var count);
        for (var i = count; i < width; i++)
        {
            _buffer[_length++] = pad;
        }

        digits[..count].CopyTo(_buffer.AsSpan(_length));
        _length += count;
    }

    private void Room(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }
    }
}
