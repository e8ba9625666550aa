using System.Globalization;
using System.Text;

namespace KdumpNfs;

/// <summary>Makes text that came from a host safe to show: escape sequences and other controls must not reach a terminal.</summary>
public static class Printable
{
    /// <summary>One line: every control character, line feeds included, becomes <c>\xNN</c> or <c>\uNNNN</c>.</summary>
    public static string Escape(string text) => Escape(text, keepLines: false);

    /// <summary>Several lines: line feeds and tabs stay, carriage returns before them go, other controls are escaped.</summary>
    public static string EscapeLines(string text) =>
        Escape(text.Replace("\r\n", "\n", StringComparison.Ordinal), keepLines: true);

    private static string Escape(string text, bool keepLines)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var result = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (!char.IsControl(c) || (keepLines && c is '\n' or '\t'))
            {
                result.Append(c);
            }
            else
            {
                result.Append(c < 0x100 ? "\\x" : "\\u").Append(((int)c).ToString(c < 0x100 ? "x2" : "x4", CultureInfo.InvariantCulture));
            }
        }

        return result.ToString();
    }
}
