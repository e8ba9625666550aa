using System.Text;

namespace KdumpNfs.Text;

/// <summary>Follows the quoting of POSIX sh (Shell Command Language, 2.2 and 2.6) through a text.</summary>
internal static class ShellLexer
{
    /// <summary>Reads one word.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Where the word begins; afterwards its end.</param>
    /// <param name="asArgument">Whether the word is an argument (<c>export X=…</c>): some shells expand patterns in those.</param>
    /// <param name="literal">The word's value, or null where only a running shell could tell it.</param>
    /// <returns>False when a quote or an expansion does not end.</returns>
    public static bool Word(string text, ref int at, bool asArgument, out string? literal)
    {
        var value = new StringBuilder();
        var known = true;
        literal = null;
        // A tilde counts at the beginning of an assignment's value and after each colon (2.6.1).
        for (var start = true; at < text.Length && !(text[at] is ' ' or '\t' or '\n' or ';' or '&' or '|' or '<' or '>' or '(' or ')');)
        {
            var c = text[at];
            switch (c)
            {
                case '\\' when at + 1 >= text.Length:
                    return false;
                case '\\':
                    value.Append(text[at + 1] == '\n' ? "" : text[at + 1]);
                    at += 2;
                    break;
                case '\'':
                    var end = text.IndexOf('\'', at + 1);
                    if (end < 0)
                    {
                        return false;
                    }

                    value.Append(text, at + 1, end - at - 1);
                    at = end + 1;
                    break;
                case '"':
                    if (!DoubleQuoted(text, ref at, value, ref known))
                    {
                        return false;
                    }

                    break;
                case '$' or '`':
                    known = false;
                    if (!Expansion(text, ref at))
                    {
                        return false;
                    }

                    break;
                default:
                    known &= !(c == '~' && start) && !(asArgument && c is '*' or '?' or '[' or '{');
                    value.Append(c);
                    at++;
                    start = c is ':' or '=';
                    continue;
            }

            start = false;
        }

        literal = known ? value.ToString() : null;
        return true;
    }

    /// <summary>Moves to the line feed that ends a command; false when a quote or an expansion does not end before the text does.</summary>
    public static bool ToLineEnd(string text, ref int at)
    {
        var blankBefore = true;
        while (at < text.Length && text[at] != '\n')
        {
            if (text[at] == '#' && blankBefore)
            {
                at = text.IndexOf('\n', at) is var end and >= 0 ? end : text.Length;
                return true;
            }

            blankBefore = text[at] is ' ' or '\t' or ';' or '&' or '|' or '<' or '>' or '(' or ')';
            if (blankBefore)
            {
                at++;
            }
            else if (!Word(text, ref at, false, out _))
            {
                return false;
            }
        }

        return true;
    }

    private static bool DoubleQuoted(string text, ref int at, StringBuilder value, ref bool known)
    {
        for (at++; at < text.Length;)
        {
            var c = text[at];
            if (c == '"')
            {
                at++;
                return true;
            }

            if (c is '$' or '`')
            {
                known = false;
                if (!Expansion(text, ref at))
                {
                    return false;
                }
            }
            else if (c == '\\' && at + 1 < text.Length)
            {
                var next = text[at + 1];
                value.Append(next == '\n' ? "" : next is '$' or '`' or '"' or '\\' ? next.ToString() : "\\" + next);
                at += 2;
            }
            else
            {
                value.Append(c);
                at++;
            }
        }

        return false;
    }

    // Passes over $x, ${…}, $(…), $((…)) and `…`; what is in them is not read, only where they end.
    private static bool Expansion(string text, ref int at)
    {
        if (text[at] == '`')
        {
            for (at++; at < text.Length && text[at] != '`'; at++)
            {
                at += text[at] == '\\' ? 1 : 0;
            }

            return ++at <= text.Length;
        }

        at++;
        if (at >= text.Length || text[at] is not ('(' or '{'))
        {
            return true;
        }

        var close = text[at] == '(' ? ')' : '}';
        var ignored = new StringBuilder();
        var known = true;
        for (at++; at < text.Length;)
        {
            switch (text[at])
            {
                case var c when c == close:
                    at++;
                    return true;
                case '(' when close == ')':
                    // A subshell, or the second parenthesis of arithmetic.
                    at--;
                    if (!Expansion(text, ref at))
                    {
                        return false;
                    }

                    break;
                case '$' or '`':
                    if (!Expansion(text, ref at))
                    {
                        return false;
                    }

                    break;
                case '"':
                    if (!DoubleQuoted(text, ref at, ignored, ref known))
                    {
                        return false;
                    }

                    break;
                case '\'':
                    var end = text.IndexOf('\'', at + 1);
                    if (end < 0)
                    {
                        return false;
                    }

                    at = end + 1;
                    break;
                case '\\':
                    at += 2;
                    break;
                default:
                    at++;
                    break;
            }
        }

        return false;
    }
}
