using System.Text;

namespace KdumpNfs.Nfs;

/// <summary>One word of an exports file.</summary>
/// <param name="Text">What it says, quotes and octal escapes resolved; document text.</param>
/// <param name="Start">Where it begins in the file.</param>
/// <param name="End">Where it ends.</param>
internal readonly record struct ExportsToken(string Text, int Start, int End);

/// <summary>Reads words as nfs-utils does (exports(5); support/nfs/xio.c): a backslash before a line feed is a blank, double quotes hold blanks
/// together wherever they stand, <c>\040</c> is a character, '#' begins a comment only where a word could begin.</summary>
internal sealed class ExportsTokens(string text)
{
    private int at;

    /// <summary>Whether the file is read to its end.</summary>
    public bool AtEnd => at >= text.Length;

    /// <summary>The next path, or null at the end of the file. An empty word stops nfs-utils; so does a stray carriage return.</summary>
    public ExportsToken? Path()
    {
        Skip(acrossLines: true);
        return at >= text.Length ? null : Word();
    }

    /// <summary>The next client or default options of the entry, or null at the end of its line.</summary>
    public ExportsToken? Client()
    {
        Skip(acrossLines: false);
        return at >= text.Length || text[at] == '\n' ? null : Word();
    }

    private void Skip(bool acrossLines)
    {
        while (at < text.Length)
        {
            if (text[at] == '#')
            {
                at = text.IndexOf('\n', at) is var end and >= 0 ? end : text.Length;
            }

            if (at < text.Length && (text[at] is ' ' or '\t' || (acrossLines && text[at] == '\n')))
            {
                at++;
            }
            else if (Continues())
            {
                at += 2;
            }
            else
            {
                return;
            }
        }
    }

    private bool Continues() => at + 1 < text.Length && text[at] == '\\' && text[at + 1] == '\n';

    private ExportsToken Word()
    {
        var start = at;
        var word = new StringBuilder();
        var quoted = false;
        for (; at < text.Length; at++)
        {
            var c = text[at];
            if (Continues())
            {
                if (!quoted)
                {
                    break;
                }

                for (at++; at + 1 < text.Length && text[at + 1] is ' ' or '\t';)
                {
                    at++;
                }

                c = ' ';
            }
            else if (c == '"')
            {
                quoted = !quoted;
                continue;
            }
            else if (!quoted && c is ' ' or '\t' or '\n' or '\v' or '\f' or '\r')
            {
                break;
            }

            word.Append(c);
            Unescape(word);
        }

        var token = new ExportsToken(word.ToString(), start, at);
        // The blank that ends a word is read with it; a carriage return before the line feed goes this way.
        at += at < text.Length && text[at] is '\v' or '\f' or '\r' ? 1 : 0;
        return token;
    }

    private static void Unescape(StringBuilder word)
    {
        var i = word.Length - 4;
        if (i >= 0 && word[i] == '\\' && word[i + 1] is >= '0' and <= '3' && word[i + 2] is >= '0' and <= '7' && word[i + 3] is >= '0' and <= '7')
        {
            var code = ((word[i + 1] - '0') * 64) + ((word[i + 2] - '0') * 8) + (word[i + 3] - '0');
            word.Length = i;
            word.Append((char)code);
        }
    }
}
