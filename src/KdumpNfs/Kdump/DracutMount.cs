namespace KdumpNfs.Kdump;

/// <summary>The dump target that can hide in <c>dracut_args --mount "source directory type options"</c>.</summary>
internal static class DracutMount
{
    private const string Option = "--mount";

    /// <summary>How often the option occurs, as kdumpctl counts (any place of the text).</summary>
    public static int Count(string value)
    {
        var count = 0;
        for (var at = 0; (at = value.IndexOf(Option, at, StringComparison.Ordinal)) >= 0; at += Option.Length)
        {
            count++;
        }

        return count;
    }

    /// <summary>Source and type as get_dracut_args_target and get_dracut_args_fstype see them (kdump-lib-initramfs.sh): what follows the last
    /// <c>--mount </c>, its quote skipped unseen, cut at single spaces. A type at the very end keeps its closing quote, for them too.</summary>
    public static (string Source, string Type) Read(string value)
    {
        var at = value.LastIndexOf(Option + " ", StringComparison.Ordinal);
        if (at < 0 || at + Option.Length + 2 > value.Length)
        {
            return ("", "");
        }

        // cut gives the whole line where there is no delimiter.
        var fields = value[(at + Option.Length + 2)..].Split(' ');
        return fields.Length == 1 ? (fields[0], fields[0]) : (fields[0], fields.Length > 2 ? fields[2] : "");
    }

    /// <summary>The arguments without any <c>--mount</c> and its value; null where the quotes do not close, so that nothing can be cut.</summary>
    public static string? Remove(string value)
    {
        while (true)
        {
            var at = value.IndexOf(Option, StringComparison.Ordinal);
            if (at < 0)
            {
                return value;
            }

            var end = at + Option.Length;
            if (end < value.Length && value[end] is ' ' or '\t')
            {
                while (end < value.Length && value[end] is ' ' or '\t')
                {
                    end++;
                }
            }

            if (WordEnd(value, end) is not { } wordEnd)
            {
                return null;
            }

            var before = value[..at].TrimEnd(' ', '\t');
            var after = value[wordEnd..].TrimStart(' ', '\t');
            value = before.Length == 0 ? after : after.Length == 0 ? before : before + value[before.Length..at] + after;
        }
    }

    // mkdumprd splits with xargs: quotes of both kinds and backslashes hold words together.
    private static int? WordEnd(string value, int at)
    {
        for (; at < value.Length && value[at] is not (' ' or '\t'); at++)
        {
            if (value[at] is '"' or '\'')
            {
                at = value.IndexOf(value[at], at + 1);
                if (at < 0)
                {
                    return null;
                }
            }
            else if (value[at] == '\\')
            {
                at++;
            }
        }

        return Math.Min(at, value.Length);
    }
}
