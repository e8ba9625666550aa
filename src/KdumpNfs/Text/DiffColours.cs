using System.Text;

namespace KdumpNfs.Text;

/// <summary>What a terminal gets around the lines of a diff; all empty for plain text.</summary>
/// <param name="Added">Before a line that comes.</param>
/// <param name="Removed">Before a line that goes.</param>
/// <param name="Place">Before a line that says where.</param>
/// <param name="Reset">After each of them.</param>
public sealed record DiffColours(string Added, string Removed, string Place, string Reset)
{
    /// <summary>The usual colours of a terminal: green, red, cyan.</summary>
    public static DiffColours Ansi { get; } = new("\u001b[32m", "\u001b[31m", "\u001b[36m", "\u001b[0m");

    /// <summary>A text with the lines of its unified diffs in colour. Anything else stays as it is; control characters must be out of it already.</summary>
    public string Apply(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var result = new StringBuilder(text.Length + 200);
        var inDiff = false;
        var first = true;
        foreach (var line in text.Split('\n'))
        {
            if (!first)
            {
                result.Append('\n');
            }

            first = false;

            // A diff begins with its two names; a line of prose that begins with a dash is none.
            inDiff |= line.StartsWith("--- ", StringComparison.Ordinal);
            var colour = !inDiff || line.Length == 0 ? ""
                : line.StartsWith("--- ", StringComparison.Ordinal) || line.StartsWith("+++ ", StringComparison.Ordinal) || line.StartsWith("@@", StringComparison.Ordinal) ? Place
                : line[0] == '+' ? Added
                : line[0] == '-' ? Removed : "";
            if (colour.Length == 0)
            {
                result.Append(line);
            }
            else
            {
                result.Append(colour).Append(line).Append(Reset);
            }
        }

        return result.ToString();
    }
}
