using System.Text;

namespace KdumpNfs.Text;

/// <summary>The difference of two files in the unified format that patch(1) reads (POSIX.1-2017, diff, "Diff -u Output Format").</summary>
public static class UnifiedDiff
{
    private const int Context = 3;

    // Configuration files are small; beyond this many lines in the part that differs, all of it is shown as replaced.
    private const int MaximalCells = 16_000_000;

    /// <summary>The diff; empty when the files are the same.</summary>
    /// <param name="before">The old file.</param>
    /// <param name="after">The new file.</param>
    /// <param name="oldName">What stands after <c>---</c>.</param>
    /// <param name="newName">What stands after <c>+++</c>.</param>
    /// <returns>The bytes that patch(1) takes.</returns>
    public static byte[] Create(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, string oldName, string newName)
    {
        var old = LineDocument.Parse(before).Lines;
        var @new = LineDocument.Parse(after).Lines;
        var edits = Compare(old, @new);
        if (edits.TrueForAll(e => e.Kind == ' '))
        {
            return [];
        }

        var text = new StringBuilder();
        text.Append("--- ").Append(ByteText.FromValue(Printable.Escape(oldName))).Append("\n+++ ").Append(ByteText.FromValue(Printable.Escape(newName))).Append('\n');
        foreach (var (from, to) in Hunks(edits))
        {
            Append(text, edits, from, to);
        }

        return ByteText.ToBytes(text.ToString());
    }

    /// <summary>The diff for a screen: text, with control characters escaped so that none reaches the terminal.</summary>
    /// <param name="before">The old file.</param>
    /// <param name="after">The new file.</param>
    /// <param name="oldName">What stands after <c>---</c>.</param>
    /// <param name="newName">What stands after <c>+++</c>.</param>
    public static string Show(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, string oldName, string newName) =>
        // Line by line, so that a line in another encoding does not spoil the others; a carriage return is a difference that must be seen.
        string.Join('\n', ByteText.FromBytes(Create(before, after, oldName, newName)).Split('\n').Select(line =>
            string.Join('\t', ByteText.ToValue(line).Split('\t').Select(Printable.Escape))));

    private static void Append(StringBuilder text, List<Edit> edits, int from, int to)
    {
        var oldStart = edits.Take(from).Count(e => e.Kind != '+');
        var newStart = edits.Take(from).Count(e => e.Kind != '-');
        var hunk = edits[from..to];
        text.Append("@@ -").Append(Range(oldStart, hunk.Count(e => e.Kind != '+'))).Append(" +").Append(Range(newStart, hunk.Count(e => e.Kind != '-'))).Append(" @@\n");
        foreach (var edit in hunk)
        {
            text.Append(edit.Kind).Append(edit.Line.Text).Append('\n').Append(edit.Line.Ended ? "" : "\\ No newline at end of file\n");
        }
    }

    // An empty range names the line before it; a range of one line has no count.
    private static string Range(int start, int count) => count == 0 ? $"{start},0" : count == 1 ? $"{start + 1}" : $"{start + 1},{count}";

    private static IEnumerable<(int From, int To)> Hunks(List<Edit> edits)
    {
        for (var i = 0; i < edits.Count;)
        {
            if (edits[i].Kind == ' ')
            {
                i++;
                continue;
            }

            var last = i;
            for (var j = i; j < edits.Count && j <= last + (2 * Context) + 1; j++)
            {
                last = edits[j].Kind == ' ' ? last : j;
            }

            yield return (Math.Max(0, i - Context), Math.Min(edits.Count, last + 1 + Context));
            i = last + 1;
        }
    }

    private static List<Edit> Compare(IReadOnlyList<TextLine> old, IReadOnlyList<TextLine> @new)
    {
        var start = 0;
        while (start < old.Count && start < @new.Count && old[start] == @new[start])
        {
            start++;
        }

        var end = 0;
        while (end < old.Count - start && end < @new.Count - start && old[^(end + 1)] == @new[^(end + 1)])
        {
            end++;
        }

        var edits = old.Take(start).Select(l => new Edit(' ', l)).ToList();
        int n = old.Count - start - end, m = @new.Count - start - end;
        var keep = (long)(n + 1) * (m + 1) > MaximalCells ? null : Longest(old, @new, start, n, m);
        int a = 0, b = 0;
        while (a < n || b < m)
        {
            if (keep is not null && a < n && b < m && old[start + a] == @new[start + b])
            {
                edits.Add(new Edit(' ', old[start + a]));
                a++;
                b++;
            }
            else if (a < n && (b == m || keep is null || keep[a + 1, b] >= keep[a, b + 1]))
            {
                edits.Add(new Edit('-', old[start + a++]));
            }
            else
            {
                edits.Add(new Edit('+', @new[start + b++]));
            }
        }

        edits.AddRange(old.Skip(old.Count - end).Select(l => new Edit(' ', l)));
        return edits;
    }

    // The length of the longest common subsequence from each pair of places on.
    private static int[,] Longest(IReadOnlyList<TextLine> old, IReadOnlyList<TextLine> @new, int start, int n, int m)
    {
        var length = new int[n + 1, m + 1];
        for (var a = n - 1; a >= 0; a--)
        {
            for (var b = m - 1; b >= 0; b--)
            {
                length[a, b] = old[start + a] == @new[start + b] ? length[a + 1, b + 1] + 1 : Math.Max(length[a + 1, b], length[a, b + 1]);
            }
        }

        return length;
    }

    private readonly record struct Edit(char Kind, TextLine Line);
}
