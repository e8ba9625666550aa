namespace KdumpNfs.Text;

/// <content>Edits.</content>
public sealed partial class ShellVariables
{
    /// <summary>The file with a variable set to a value that sh and systemd both read. The assignment in force is edited in its place, with its
    /// quotes; a comment behind it moves to a line of its own, because systemd would take it into the value. A new assignment comes after the
    /// commented-out one of the shipped file, else at the end. A file that says so already is returned unchanged.</summary>
    /// <param name="name">The variable.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="HostException">NotExpressible: no spelling that both read alike; ConfigurationInvalid: <see cref="Unreadable"/>.</exception>
    public ShellVariables With(string name, string value)
    {
        var wanted = ByteText.FromValue(value);
        if (value.Any(c => char.IsControl(c) || c is '"' or '\'' or '\\' or '$' or '`'))
        {
            throw new HostException(ErrorIds.NotExpressible, "",
                $"{name}='{Printable.Escape(value)}' has a quote, backslash, dollar sign, backtick or control character, which sh and systemd read differently.")
            {
                Remedy = "use a value without these characters.",
            };
        }

        RefuseUnreadable();
        if (Read(name) is { Kind: ShellReadingKind.Literal } now && now.Value == value)
        {
            return this;
        }

        return Best(Candidates(name, wanted), name, c => c.Says(name, wanted));
    }

    /// <summary>The file without a variable: its assignments become comments. Where code or several assignments on a line stand in the way, it is
    /// set to nothing at the end, which the kdump scripts take for the same.</summary>
    /// <param name="name">The variable.</param>
    /// <exception cref="HostException">NotExpressible: it cannot be done; ConfigurationInvalid: <see cref="Unreadable"/>.</exception>
    public ShellVariables Without(string name)
    {
        if (Unreadable is null && IsEmpty(name))
        {
            return this;
        }

        RefuseUnreadable();
        var commented = text;
        foreach (var item in items.Where(i => i.Assignments is [{ } only] && only.Name == name).Reverse())
        {
            var lines = text[item.Start..item.End].Split('\n').Select(l => "#" + l);
            commented = commented[..item.Start] + string.Join('\n', lines) + commented[item.End..];
        }

        return Best([commented, Appended($"{name}=\"\"", false), Appended($"{name}=\"\"", true)], name, c => c.Unreadable is null && c.IsEmpty(name));
    }

    // The first spelling that says what it should and leaves what either program reads of all others: a backslash before a line feed joins
    // lines for one of them only, so an edit can uncover or swallow a neighbour.
    private ShellVariables Best(IEnumerable<string> candidates, string name, Func<ShellVariables, bool> says)
    {
        ShellVariables? otherwise = null;
        foreach (var candidate in candidates.Select(c => Known.Of(ByteText.ToBytes(c))).Where(says))
        {
            if (candidate.Others(name).SetEquals(Others(name)))
            {
                return candidate;
            }

            otherwise ??= candidate;
        }

        return otherwise ?? throw Refused(name);
    }

    private HashSet<(string Name, ShellReadingKind Kind, string? Value, string? Systemd, string? OldSystemd)> Others(string name) =>
    [
        .. items.SelectMany(i => i.Assignments).Select(a => a.Name).Concat(systemd.Keys).Concat(oldSystemd.Keys)
            // What systemd reads before a '=' can be "export NAME", which is a variable for nobody.
            .Where(n => n != name && n.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')).Distinct()
            .Select(n => (n, Read(n), systemd.GetValueOrDefault(n), oldSystemd.GetValueOrDefault(n)))
            .Where(r => r.Item2.Kind != ShellReadingKind.Unset)
            .Select(r => (r.n, r.Item2.Kind, r.Item2.Value, r.Item3, r.Item4)),
    ];

    /// <summary>Whether both programs see nothing, or an empty value.</summary>
    private bool IsEmpty(string name) =>
        Read(name) is { Kind: not ShellReadingKind.NotLiteral, Value: null or "" } && string.IsNullOrEmpty(systemd.GetValueOrDefault(name)) &&
        string.IsNullOrEmpty(oldSystemd.GetValueOrDefault(name));

    private bool Says(string name, string wanted) =>
        Unreadable is null && Read(name).Kind == ShellReadingKind.Literal && ReadSh(name, out _) == wanted;

    // From the least change to the most; the first one that both read is taken.
    private IEnumerable<string> Candidates(string name, string value)
    {
        var last = items.FindLastIndex(i => i.Assignments is [{ } only] && only.Name == name);
        if (last >= 0)
        {
            yield return InPlace(items[last], value, keepExport: true, blankBefore: false);
            yield return InPlace(items[last], value, keepExport: false, blankBefore: false);
            yield return InPlace(items[last], value, keepExport: false, blankBefore: true);
        }

        var line = $"{name}=\"{value}\"";
        var template = items.FindLastIndex(i => i.Kind == ShellItemKind.Nothing && IsTemplate(text[i.Start..i.End], name));
        if (last < 0 && template >= 0)
        {
            var end = items[template].End;
            yield return end < text.Length ? text[..(end + 1)] + line + "\n" + text[(end + 1)..] : text + "\n" + line + "\n";
        }

        yield return Appended(line, false);
        yield return Appended(line, true);
    }

    private string InPlace(ShellItem item, string value, bool keepExport, bool blankBefore)
    {
        var assignment = item.Assignments[0];
        var nameStart = assignment.ValueStart - 1 - assignment.Name.Length;
        var head = text[item.Start..nameStart];
        var indent = head[..^head.TrimStart(' ', '\t').Length];
        var comment = text[item.CommentStart..item.End];
        var old = text[assignment.ValueStart..assignment.ValueEnd];
        // A word of letters, digits and the signs of names and paths needs no quotes for either.
        var bare = value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || "_./:@%+,-[]".Contains(c, StringComparison.Ordinal)) &&
            old.Length > 0 && old[0] is not ('"' or '\'');
        var quote = bare ? "" : old.Length > 0 && old[0] == '\'' ? "'" : "\"";
        return text[..item.Start] + (comment.Length > 0 ? indent + comment + "\n" : "") + (blankBefore ? "\n" : "") +
            (keepExport ? head : indent) + assignment.Name + "=" + quote + value + quote + text[item.End..];
    }

    private string Appended(string line, bool blankBefore) =>
        text + (text.Length > 0 && text[^1] != '\n' ? "\n" : "") + (blankBefore ? "\n" : "") + line + "\n";

    private static bool IsTemplate(string line, string name)
    {
        var rest = line.TrimStart(' ', '\t');
        return rest.StartsWith('#') && rest[1..].TrimStart(' ', '\t').StartsWith(name + "=", StringComparison.Ordinal);
    }

    private void RefuseUnreadable()
    {
        if (Unreadable is not null)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, "", $"The file of shell variables cannot be edited safely: {Unreadable}.")
            {
                Remedy = "correct the file on the host.",
            };
        }
    }

    private static HostException Refused(string name) => new(ErrorIds.NotExpressible, "",
        $"{name} cannot be set so that sh and systemd both read it: the file has code that changes it.")
    {
        Remedy = "make the file plain assignments on the host.",
    };
}
