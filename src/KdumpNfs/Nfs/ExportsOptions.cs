namespace KdumpNfs.Nfs;

/// <summary>Options of an export, compared by what they mean.</summary>
/// <remarks>Names and defaults: exports(5), "General Options" and "User ID Mapping"; parseopts of support/nfs/exports.c.</remarks>
internal static class ExportsOptions
{
    // The first of each pair is the default.
    private static readonly (string Default, string Other)[] Pairs =
    [
        ("ro", "rw"), ("sync", "async"), ("wdelay", "no_wdelay"), ("hide", "nohide"), ("nocrossmnt", "crossmnt"), ("no_subtree_check", "subtree_check"),
        ("auth_nlm", "no_auth_nlm"), ("root_squash", "no_root_squash"), ("no_all_squash", "all_squash"), ("secure", "insecure"), ("acl", "no_acl"), ("no_pnfs", "pnfs"),
    ];

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["secure_locks"] = "auth_nlm", ["insecure_locks"] = "no_auth_nlm", ["mp"] = "mountpoint",
    };

    private static readonly string[] Others = ["nordirplus", "security_label", "mountpoint", "fsid", "anonuid", "anongid", "sec", "xprtsec", "refer", "replicas", "reexport"];

    /// <summary>Splits a list at its commas.</summary>
    public static IReadOnlyList<string> Split(string list) => [.. list.Split(',').Where(o => o.Length > 0)];

    /// <summary>Whether both lists export alike, defaults filled in and repetitions resolved.</summary>
    public static bool Same(IEnumerable<string> one, IEnumerable<string> other)
    {
        var a = one.ToList();
        var b = other.ToList();
        // What follows a sec= holds for its flavors only; such lists are the same when they are written the same.
        return a.Concat(b).Any(o => o.StartsWith("sec=", StringComparison.Ordinal))
            ? a.SequenceEqual(b, StringComparer.Ordinal)
            : Meaning(a).OrderBy(p => p.Key, StringComparer.Ordinal).SequenceEqual(Meaning(b).OrderBy(p => p.Key, StringComparer.Ordinal));
    }

    /// <summary>The wanted options, and what takes back the line's default options that were not asked for; null where one cannot be taken back.</summary>
    public static IReadOnlyList<string>? Over(IReadOnlyList<string> defaults, IReadOnlyList<string> wanted)
    {
        var result = wanted.ToList();
        var asked = Meaning(wanted);
        foreach (var (key, value) in Meaning(defaults))
        {
            if (asked.TryGetValue(key, out var mine) && mine == value || wanted.Any(o => Family(o) == key))
            {
                continue;
            }

            if (Pairs.FirstOrDefault(p => p.Default == key) is not { Default: not null } pair)
            {
                return null;
            }

            result.Add(pair.Default);
        }

        return Same(defaults.Concat(result), wanted) ? result : null;
    }

    /// <summary>Checks options that a caller wants.</summary>
    /// <exception cref="HostException">InvalidInput: no option of exports(5), or characters that the file would read otherwise.</exception>
    public static void Check(IReadOnlyList<string> options)
    {
        foreach (var option in options)
        {
            var name = option.Split('=')[0];
            var known = Pairs.Any(p => p.Default == name || p.Other == name) || Others.Contains(name) || Aliases.ContainsKey(name);
            if (!known || option.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '(' or ')' or ',' or '"' or '\'' or '\\' or '#' || c > '~'))
            {
                throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(option)}' is not an export option.")
                {
                    Remedy = "give options of exports(5), such as rw, sync, no_root_squash, no_subtree_check, one by one.",
                };
            }
        }
    }

    /// <summary>What the options switch on, without what is the default anyway.</summary>
    private static Dictionary<string, string> Meaning(IEnumerable<string> options)
    {
        var meaning = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in options)
        {
            var family = Family(option);
            var name = Aliases.GetValueOrDefault(option, option);
            if (name == family)
            {
                // The default of a pair, or an option that has no value.
                if (Pairs.Any(p => p.Default == name))
                {
                    meaning.Remove(family);
                    continue;
                }
            }

            meaning[family] = name;
        }

        return meaning;
    }

    // Options that exclude each other share a family: the default's name, or the name before the '='.
    private static string Family(string option)
    {
        var name = option.Split('=')[0];
        name = Aliases.GetValueOrDefault(name, name);
        return Pairs.FirstOrDefault(p => p.Other == name) is { Default: { } family } ? family : name;
    }
}
