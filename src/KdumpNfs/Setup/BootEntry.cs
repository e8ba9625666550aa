namespace KdumpNfs.Setup;

/// <summary>A kernel that the host's own boot loader can start.</summary>
/// <param name="Title">Its name in the menu.</param>
/// <param name="Kernel">The kernel image, as the boot loader names it.</param>
/// <param name="Arguments">The kernel's command line in it.</param>
public sealed record BootEntry(string Title, string Kernel, string Arguments)
{
    /// <summary>What starts it by default.</summary>
    public bool IsDefault { get; init; }

    /// <summary>A rescue or recovery entry, which distributions leave without a reservation.</summary>
    public bool IsRecovery { get; init; }

    /// <summary>Its <c>crashkernel=</c> words, in order; empty for none.</summary>
    public IReadOnlyList<string> CrashKernel => CrashKernelCommandLine.FindAll(Arguments);

    /// <summary>Its number for grubby; null where there is no grubby.</summary>
    public int? Index { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Kernel}: {(CrashKernel.Count == 0 ? "no crashkernel=" : string.Join(' ', CrashKernel))}";
}

/// <summary>Reads what a boot loader would start: grubby's listing, a grub.cfg, or files of the Boot Loader Specification.</summary>
internal static class BootEntries
{
    /// <summary>The listing of <c>grubby --info=ALL</c> (grubby(8)); values may stand in double quotes.</summary>
    public static IReadOnlyList<BootEntry> FromGrubby(string listing, int? defaultIndex)
    {
        var entries = new List<BootEntry>();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        void Add()
        {
            if (values.TryGetValue("kernel", out var kernel) && kernel.Length > 0)
            {
                int? index = int.TryParse(values.GetValueOrDefault("index"), out var number) ? number : null;
                var title = values.GetValueOrDefault("title", "");
                entries.Add(new BootEntry(title, kernel, values.GetValueOrDefault("args", ""))
                {
                    Index = index,
                    IsDefault = index is not null && index == defaultIndex,
                    IsRecovery = kernel.Contains("-rescue-", StringComparison.Ordinal),
                });
            }

            values.Clear();
        }

        foreach (var line in listing.Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                continue;
            }

            var name = line[..equals].Trim();
            if (name == "index")
            {
                Add();
            }

            var value = line[(equals + 1)..].Trim();
            values[name] = value.Length >= 2 && value[0] == '"' && value[^1] == '"' ? value[1..^1] : value;
        }

        Add();
        return entries;
    }

    /// <summary>The entries of a grub.cfg as grub-mkconfig writes it, with the default of its own text and of the environment block.</summary>
    public static IReadOnlyList<BootEntry> FromGrub(string config, IReadOnlyDictionary<string, string> environment)
    {
        var found = new List<(BootEntry Entry, string Id, string Path)>();
        var menus = new Stack<(string Kind, string Title, string Id, string Path)>();
        var counts = new List<int> { 0 };
        var defaultName = "0";
        foreach (var raw in config.Split('\n'))
        {
            var line = raw.Trim(' ', '\t', '\r');
            var words = line.Split([' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0][0] == '#')
            {
                continue;
            }

            if (words[0] is "menuentry" or "submenu" && line.EndsWith('{'))
            {
                var (title, id) = Names(words.ElementAtOrDefault(1) ?? "");
                var path = (menus.Count > 0 ? menus.Peek().Path + ">" : "") + counts[^1]++;
                menus.Push((words[0], title, id, path));
                counts.Add(0);
            }
            else if (line == "}" && menus.Count > 0)
            {
                menus.Pop();
                counts.RemoveAt(counts.Count - 1);
            }
            else if (line.EndsWith('{'))
            {
                // A function or the like inside a menu entry has a brace of its own.
                menus.Push(("", "", "", menus.Count > 0 ? menus.Peek().Path : ""));
                counts.Add(0);
            }
            else if (words[0] is "linux" or "linux16" or "linuxefi" && words.Length == 2 && menus.FirstOrDefault(m => m.Kind == "menuentry") is { Kind: "menuentry" } menu)
            {
                var parts = words[1].Trim().Split([' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries);
                var arguments = parts.ElementAtOrDefault(1) ?? "";
                var recovery = menu.Title.Contains("(recovery mode)", StringComparison.Ordinal) || $" {arguments} ".Contains(" single ", StringComparison.Ordinal);
                found.Add((new BootEntry(menu.Title, parts[0], arguments) { IsRecovery = recovery }, menu.Id, menu.Path));
            }
            else if (line.StartsWith("set default=", StringComparison.Ordinal) && !line.Contains("next_entry", StringComparison.Ordinal))
            {
                defaultName = line["set default=".Length..].Trim('"', '\'');
            }
        }

        if (defaultName is "${saved_entry}" or "$saved_entry")
        {
            defaultName = environment.GetValueOrDefault("saved_entry") is { Length: > 0 } saved ? saved : "0";
        }

        if (environment.GetValueOrDefault("next_entry") is { Length: > 0 } once)
        {
            defaultName = once;
        }

        var last = defaultName.Split('>')[^1];
        // A number names a place in the menu; one that leads to a submenu means its first entry.
        var chosen = found.FindIndex(f => f.Path == defaultName || f.Id == last || f.Entry.Title == last || f.Path.StartsWith(defaultName + ">", StringComparison.Ordinal));
        return [.. found.Select((f, i) => f.Entry with { IsDefault = i == chosen })];
    }

    /// <summary>Entries of the Boot Loader Specification, one text a file, newest first as GRUB sorts them; <c>$kernelopts</c> and the like
    /// come from the environment block.</summary>
    public static IReadOnlyList<BootEntry> FromSpecification(IEnumerable<(string Name, string Text)> files, IReadOnlyDictionary<string, string> environment)
    {
        var entries = new List<(string Id, BootEntry Entry)>();
        foreach (var (name, text) in files)
        {
            string Value(string key) => string.Join(' ', text.Split('\n').Where(l => l.StartsWith(key + " ", StringComparison.Ordinal) || l.StartsWith(key + "\t", StringComparison.Ordinal))
                .Select(l => l[key.Length..].Trim()));
            var arguments = string.Join(' ', Value("options").Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(w => w.StartsWith('$') ? environment.GetValueOrDefault(w[1..].Trim('{', '}'), "") : w));
            if (Value("linux") is { Length: > 0 } kernel)
            {
                var id = name.EndsWith(".conf", StringComparison.Ordinal) ? name[..^5] : name;
                entries.Add((id, new BootEntry(Value("title"), kernel, arguments) { IsRecovery = kernel.Contains("-rescue", StringComparison.Ordinal) }));
            }
        }

        var sorted = entries.OrderByDescending(e => e.Id, VersionOrder).ToList();
        var saved = environment.GetValueOrDefault("saved_entry", "");
        var chosen = sorted.FindIndex(e => e.Id == saved || e.Entry.Title == saved);
        chosen = chosen >= 0 ? chosen : int.TryParse(saved, out var number) && number < sorted.Count && number >= 0 ? number : 0;
        return [.. sorted.Select((e, i) => e.Entry with { IsDefault = i == chosen })];
    }

    /// <summary>GRUB's environment block: <c>name=value</c> lines, padded with '#'.</summary>
    public static IReadOnlyDictionary<string, string> Environment(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && line[0] != '#')
            {
                values[line[..equals]] = line[(equals + 1)..].Replace("\\\\", "\\", StringComparison.Ordinal);
            }
        }

        return values;
    }

    // As versions sort: runs of digits by their number.
    private static readonly Comparer<string> VersionOrder = Comparer<string>.Create(static (a, b) => string.CompareOrdinal(Padded(a), Padded(b)));

    private static string Padded(string text) => System.Text.RegularExpressions.Regex.Replace(text, "[0-9]+", m => m.Value.PadLeft(20, '0'));

    // 'Title' --class x $menuentry_id_option 'id' {
    private static (string Title, string Id) Names(string rest)
    {
        var quoted = new List<string>();
        var marked = "";
        for (var at = 0; at < rest.Length; at++)
        {
            if (rest[at] is '\'' or '"' && rest.IndexOf(rest[at], at + 1) is var end and > 0)
            {
                quoted.Add(rest[(at + 1)..end]);
                if (rest[..at].TrimEnd().EndsWith("menuentry_id_option", StringComparison.Ordinal) || rest[..at].TrimEnd().EndsWith("--id", StringComparison.Ordinal))
                {
                    marked = quoted[^1];
                }

                at = end;
            }
        }

        return (quoted.FirstOrDefault() ?? rest.Split(' ')[0], marked);
    }
}
