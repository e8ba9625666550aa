using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>Takes what <see cref="MarkerDecoder"/> finds in one stream of a host.</summary>
internal interface IMarkerSink
{
    /// <summary>Bytes between markers, in order; valid only during the call.</summary>
    void Data(ReadOnlySpan<byte> data);

    /// <summary>The text of a marker, after its nonce.</summary>
    void Marker(string text);
}

/// <summary>
/// Splits a byte stream at lines <c>\nNONCE text\n</c>. What is between them comes out unchanged, in whatever pieces it
/// arrived; the line feed before the nonce belongs to the marker.
/// </summary>
/// <remarks>
/// The nonce is 128 random bits in hexadecimal: nothing that a host prints by chance contains it. A line feed occurs in the prefix
/// only as its first byte, so a failed match can begin again only at a line feed and no byte is looked at twice.
/// </remarks>
internal sealed class MarkerDecoder(string nonce, IMarkerSink sink)
{
    /// <summary>Longest marker text, bytes; a longer one means that the stream is not ours.</summary>
    public const int MaxMarkerLength = 200;

    private readonly byte[] _prefix = Encoding.ASCII.GetBytes($"\n{nonce} ");
    private readonly byte[] _text = new byte[MaxMarkerLength];
    private int _matched;
    private int _textLength;

    /// <summary>Takes the next bytes.</summary>
    /// <exception cref="FormatException">A marker without an end.</exception>
    public void Feed(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            data = _matched == _prefix.Length ? InMarker(data) : _matched > 0 ? InPrefix(data) : InData(data);
        }
    }

    /// <summary>The stream has ended: a half prefix was data after all.</summary>
    public void Finish()
    {
        if (_matched > 0 && _matched < _prefix.Length)
        {
            sink.Data(_prefix.AsSpan(0, _matched));
        }

        _matched = 0;
    }

    private ReadOnlySpan<byte> InData(ReadOnlySpan<byte> data)
    {
        // Whole prefixes are searched vectorized; only the tail can hold the start of one.
        var at = data.IndexOf(_prefix);
        if (at < 0)
        {
            var tail = Math.Max(0, data.Length - _prefix.Length + 1);
            at = data[tail..].LastIndexOf((byte)'\n');
            at = at < 0 || !_prefix.AsSpan().StartsWith(data[(tail + at)..]) ? data.Length : tail + at;
        }

        if (at > 0)
        {
            sink.Data(data[..at]);
        }

        _matched = Math.Min(_prefix.Length, data.Length - at);
        return data[(at + _matched)..];
    }

    private ReadOnlySpan<byte> InPrefix(ReadOnlySpan<byte> data)
    {
        var count = Math.Min(data.Length, _prefix.Length - _matched);
        var common = data[..count].CommonPrefixLength(_prefix.AsSpan(_matched, count));
        if (common == count)
        {
            _matched += count;
            return data[count..];
        }

        var matched = _matched + common;
        _matched = 0;
        sink.Data(_prefix.AsSpan(0, matched));
        return data[common..];
    }

    private ReadOnlySpan<byte> InMarker(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOf((byte)'\n');
        var count = end < 0 ? data.Length : end;
        if (_textLength + count > MaxMarkerLength)
        {
            throw new FormatException("A marker has no end.");
        }

        data[..count].CopyTo(_text.AsSpan(_textLength));
        _textLength += count;
        if (end < 0)
        {
            return [];
        }

        var text = Encoding.ASCII.GetString(_text, 0, _textLength);
        _matched = _textLength = 0;
        sink.Marker(text);
        return data[(end + 1)..];
    }
}
