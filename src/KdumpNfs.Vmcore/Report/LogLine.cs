using System.Globalization;
using System.Text;

namespace KdumpNfs.Vmcore.Report;

/// <summary>A line of a kernel log without what tools put before it.</summary>
/// <param name="Text">The message.</param>
/// <param name="Seconds">Time since boot; null where the line has none.</param>
internal readonly record struct LogLine(string Text, double? Seconds)
{
    // What is longer is no line that says why a kernel went down, and patterns shall have an end.
    private const int MaximumLength = 4096;

    /// <summary>Splits a text (dmesg, a console's log, the journal) into messages.</summary>
    public static List<LogLine> Split(string text)
    {
        var lines = new List<LogLine>();
        foreach (var range in new LineRanges(text))
        {
            lines.Add(Parse(text.AsSpan(range)));
        }

        return lines;
    }

    /// <summary>Takes level, host, time and caller off a line.</summary>
    public static LogLine Parse(ReadOnlySpan<char> line)
    {
        line = line.TrimEnd();
        if (line.Length > MaximumLength)
        {
            line = line[..MaximumLength];
        }

        double? seconds = null;
        var rest = line;
        if (rest.Length > 2 && rest[0] == '<' && rest[..Math.Min(5, rest.Length)].IndexOf('>') is > 1 and var level)
        {
            rest = rest[(level + 1)..];
        }

        // "Nov 22 10:00:00 host kernel: text", the journal's and syslog's form.
        var kernel = rest[..Math.Min(rest.Length, 160)].IndexOf("kernel: ", StringComparison.Ordinal);
        if (kernel > 0 && rest[kernel - 1] == ' ' && HasClock(rest[..kernel]))
        {
            rest = rest[(kernel + "kernel: ".Length)..];
        }

        if (Stamp(ref rest, out var stamp))
        {
            seconds = stamp;
            Caller(ref rest);
        }

        return new LogLine(rest.ToString(), seconds);
    }

    private static bool HasClock(ReadOnlySpan<char> text)
    {
        for (var i = 2; i < text.Length - 2; i++)
        {
            if (text[i] == ':' && char.IsAsciiDigit(text[i - 1]) && char.IsAsciiDigit(text[i + 1]) && char.IsAsciiDigit(text[i + 2]))
            {
                return true;
            }
        }

        return false;
    }

    // "[   12.345678] ", also "[  +0.000005] " (dmesg -d) and "[Mon Nov 22 10:00:00 2026] " (dmesg -T), maybe not at the very beginning of a console's line.
    private static bool Stamp(ref ReadOnlySpan<char> text, out double? seconds)
    {
        seconds = null;
        var open = text[..Math.Min(text.Length, 48)].IndexOf('[');
        if (open < 0)
        {
            return false;
        }

        var close = text[open..].IndexOf(']');
        if (close is < 2 or > 40)
        {
            return false;
        }

        var inside = text.Slice(open + 1, close - 1).Trim();
        if (double.TryParse(inside, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && inside.Contains('.'))
        {
            seconds = inside[0] == '+' ? null : value;
        }
        else if (open > 0 || inside.Length < 15 || !inside.Contains(':'))
        {
            return false;
        }

        text = text[(open + close + 1)..];
        text = text.Length > 0 && text[0] == ' ' ? text[1..] : text;
        return true;
    }

    // "[  T453] " or "[    C0] ".
    private static void Caller(ref ReadOnlySpan<char> text)
    {
        if (text.Length > 4 && text[0] == '[' && text[..Math.Min(text.Length, 24)].IndexOf(']') is > 2 and var close)
        {
            var inside = text[1..close].Trim();
            if (inside.Length > 1 && inside[0] is 'T' or 'C' && inside[1..].IndexOfAnyExceptInRange('0', '9') < 0)
            {
                text = text[(close + 1)..];
                text = text.Length > 0 && text[0] == ' ' ? text[1..] : text;
            }
        }
    }

    private ref struct LineRanges(string text)
    {
        private int _next;

        public Range Current { get; private set; }

        public readonly LineRanges GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_next >= text.Length)
            {
                return false;
            }

            var end = text.IndexOf('\n', _next);
            end = end < 0 ? text.Length : end;
            Current = _next..end;
            _next = end + 1;
            return true;
        }
    }
}

/// <summary>Makes texts of a log safe to show.</summary>
internal static class SafeText
{
    /// <summary>Escapes control characters and shortens.</summary>
    public static string Of(string text, int limit = 400)
    {
        var safe = new StringBuilder(Math.Min(text.Length, limit));
        foreach (var c in text)
        {
            if (safe.Length >= limit)
            {
                safe.Append('…');
                break;
            }

            _ = char.IsControl(c) ? safe.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}") : safe.Append(c);
        }

        return safe.ToString();
    }
}
