using System.Text;

namespace KdumpNfs.Text;

/// <summary>Reads a file as systemd reads an EnvironmentFile=.</summary>
/// <remarks>systemd.exec(5), EnvironmentFile=, and where the page is silent the behaviour of src/basic/env-file.c: carriage returns end lines;
/// '#' and ';' begin a comment at the start of a line only; quotes count at the beginning of a value and after one another, so that what follows
/// a closing quote, a comment included, belongs to the value; nothing is expanded and <c>export</c> is part of a name that is then dropped.
/// Texts are document text (a character a byte).</remarks>
internal static class SystemdEnvironment
{
    private static readonly char[] Blanks = [' ', '\t', '\n', '\r'];
    private const string Escapable = "\"\\`$";

    private enum State
    {
        BeforeKey, Key, BeforeValue, Value, ValueEscape, Single, Double, DoubleEscape, Comment, CommentEscape,
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\r';

    /// <summary>The variables with their last values.</summary>
    /// <param name="text">The file.</param>
    /// <param name="commentsContinue">True for systemd before 254, where a backslash at the end of a comment takes in the next line.</param>
    /// <param name="refused">Whether any assignment, also one that a later one replaces, is not UTF-8: systemd then takes nothing of the file.</param>
    public static Dictionary<string, string> Read(string text, bool commentsContinue, out bool refused)
    {
        var invalid = false;
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        var key = new StringBuilder();
        var value = new StringBuilder();
        var state = State.BeforeKey;
        var valueLength = -1;

        void Push()
        {
            var name = key.ToString().TrimEnd(Blanks);
            found[name] = state == State.Value && valueLength >= 0 ? value.ToString(0, valueLength) : value.ToString();
            invalid |= !ByteText.IsUtf8(name) || !ByteText.IsUtf8(found[name]);
            key.Clear();
            value.Clear();
            valueLength = -1;
        }

        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            var newline = c is '\n' or '\r';
            switch (state)
            {
                case State.BeforeKey when c is '#' or ';':
                    state = State.Comment;

                    // Most of such a file is comments: on to where one may end.
                    var rest = text.AsSpan(i + 1).IndexOfAny('\\', '\n', '\r');
                    i = rest < 0 ? text.Length : i + rest;
                    break;
                case State.BeforeKey when !IsBlank(c):
                    state = State.Key;
                    key.Append(c);
                    break;
                case State.Key when newline:
                    state = State.BeforeKey;
                    key.Clear();
                    break;
                case State.Key when c == '=':
                    state = State.BeforeValue;
                    valueLength = -1;
                    break;
                case State.Key:
                    key.Append(c);
                    break;
                case State.BeforeValue or State.Value when newline:
                    Push();
                    state = State.BeforeKey;
                    break;
                case State.BeforeValue when c == '\'':
                    state = State.Single;
                    break;
                case State.BeforeValue when c == '"':
                    state = State.Double;
                    break;
                case State.BeforeValue or State.Value when c == '\\':
                    state = State.ValueEscape;
                    valueLength = -1;
                    break;
                case State.BeforeValue when IsBlank(c):
                    break;
                case State.BeforeValue or State.Value:
                    // Blanks at the end of an unquoted value do not count.
                    valueLength = !IsBlank(c) ? -1 : valueLength < 0 ? value.Length : valueLength;
                    state = State.Value;
                    value.Append(c);
                    break;
                case State.ValueEscape:
                    state = State.Value;
                    if (!newline)
                    {
                        value.Append(c);
                    }

                    break;
                case State.Single when c == '\'':
                case State.Double when c == '"':
                    state = State.BeforeValue;
                    break;
                case State.Double when c == '\\':
                    state = State.DoubleEscape;
                    break;
                case State.Single or State.Double:
                    value.Append(c);
                    break;
                case State.DoubleEscape:
                    state = State.Double;
                    if (c != '\n')
                    {
                        value.Append(Escapable.Contains(c, StringComparison.Ordinal) ? "" : "\\").Append(c);
                    }

                    break;
                case State.Comment when c == '\\':
                    state = State.CommentEscape;
                    break;
                case State.Comment when newline:
                case State.CommentEscape when newline && !commentsContinue:
                    state = State.BeforeKey;
                    break;
                case State.CommentEscape:
                    state = State.Comment;
                    break;
            }
        }

        if (state is State.BeforeValue or State.Value or State.ValueEscape or State.Single or State.Double or State.DoubleEscape)
        {
            Push();
        }

        refused = invalid;
        return found;
    }
}
