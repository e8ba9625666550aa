using System.Text;

namespace KdumpNfs.Text;

/// <summary>One line of a file: its text and how it ended.</summary>
/// <param name="Text">The bytes before the line feed as characters U+0000 to U+00FF; a carriage return stays in it.</param>
/// <param name="Ended">False for a last line without a line feed.</param>
internal readonly record struct TextLine(string Text, bool Ended = true)
{
    /// <summary>The text without a carriage return at its end.</summary>
    public string Body => Text.EndsWith('\r') ? Text[..^1] : Text;
}

/// <summary>A file as its lines, byte for byte. Immutable; an edit gives a new document that shares the lines left alone.</summary>
internal sealed class LineDocument
{
    private readonly IReadOnlyList<TextLine> lines;

    private LineDocument(IReadOnlyList<TextLine> lines) => this.lines = lines;

    /// <summary>The lines in order. Only the last one can be without a line feed.</summary>
    public IReadOnlyList<TextLine> Lines => lines;

    /// <summary>Splits bytes at line feeds; nothing is dropped.</summary>
    public static LineDocument Parse(ReadOnlySpan<byte> content) => Parse(ByteText.FromBytes(content));

    /// <summary>Splits a text (of bytes, as <see cref="ByteText"/> makes it) at line feeds; nothing is dropped.</summary>
    public static LineDocument Parse(string text)
    {
        var result = new List<TextLine>();
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start);
            result.Add(end < 0 ? new TextLine(text[start..], false) : new TextLine(text[start..end]));
            start = end < 0 ? text.Length : end + 1;
        }

        return new LineDocument(result);
    }

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(line.Text);
            if (line.Ended)
            {
                text.Append('\n');
            }
        }

        return ByteText.ToBytes(text.ToString());
    }

    /// <summary>The document with other lines. A line that is no longer the last one gets its line feed.</summary>
    public static LineDocument Of(IEnumerable<TextLine> newLines)
    {
        var list = newLines.ToList();
        for (var i = 0; i + 1 < list.Count; i++)
        {
            if (!list[i].Ended)
            {
                list[i] = list[i] with { Ended = true };
            }
        }

        return new LineDocument(list);
    }
}
