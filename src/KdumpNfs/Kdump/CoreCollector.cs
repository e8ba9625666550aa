using System.Globalization;

namespace KdumpNfs.Kdump;

/// <summary>The command that writes a dump: what it leaves out and how it compresses. An edit changes those words and no others.</summary>
/// <remarks>Both families split the text at blanks and know no quotes in it (an unquoted expansion in kdump.sh and in kdump-config).
/// The options are those of makedumpfile's getopt string (makedumpfile.c): single letters may be joined, the last of several compressions
/// counts, and so does the last -d.</remarks>
public sealed partial class CoreCollector
{
    /// <summary>What kdump runs when kdump.conf names nothing (kdump.conf(5), core_collector).</summary>
    public const string RhelDefault = "makedumpfile -l --message-level 7 -d 31";

    /// <summary>What kdump-config passes when MAKEDUMP_ARGS is unset or empty.</summary>
    public const string DebianDefaultArguments = "-F -c -d 31";

    // getopt strings: a letter with a colon takes a value. L is newer than the rest.
    private const string WithValue = "bdgiLx";
    private const string Letters = "bcDdeEFfghilLpRvXxz";
    private static readonly string[] LongWithValue =
    [
        "xen-syms", "xen-vmcoreinfo", "xen_phys_start", "message-level", "vtop", "config", "diskset", "cyclic-buffer", "eppic",
        "splitblock-size", "work-dir", "num-threads", "extension",
    ];

    private static readonly string[] LongWithout =
    [
        "split", "reassemble", "dump-dmesg", "partial-dmesg", "help", "non-mmap", "mem-usage", "check-params", "dry-run", "show-stats",
    ];

    private readonly CollectorWords words;
    private readonly List<Option> options = [];

    // The word with the message level in force: the option's own (--message-level=7) or the one behind it.
    private int? messageWord;

    private CoreCollector(CollectorWords words, bool withProgram)
    {
        this.words = words;
        WithProgram = withProgram;
        Program = withProgram ? words.Count > 0 ? words[0] : "" : "makedumpfile";
        IsMakedumpfile = Program == "makedumpfile" || Program.EndsWith("/makedumpfile", StringComparison.Ordinal);
        if (IsMakedumpfile)
        {
            Scan();
        }
    }

    /// <summary>The program, as it is named.</summary>
    public string Program { get; }

    /// <summary>False for cp, scp and the like: nothing is known of their dumps.</summary>
    public bool IsMakedumpfile { get; }

    /// <summary>The level; of a list (<c>-d 1,31</c>: tried one after the other while space is short) the first. Null where the command is not
    /// makedumpfile or its value is not a level, which makes it fail.</summary>
    public DumpLevel? DumpLevel { get; private set; }

    /// <summary>Every level of the list; one as a rule.</summary>
    public IReadOnlyList<DumpLevel> DumpLevels { get; private set; } = [];

    /// <summary>The compression of the pages; null where the command is not makedumpfile.</summary>
    public VmcoreCompression? Compression { get; private set; }

    /// <summary>Whether the dump is a stream for a pipe (<c>-F</c>), to be put together by <c>makedumpfile -R</c>.</summary>
    public bool Flattened { get; private set; }

    /// <summary>Whether an ELF file is asked for (<c>-E</c>), which has no compression.</summary>
    public bool Elf { get; private set; }

    /// <summary>The sum of what is printed (<c>--message-level</c>); null where it is not given.</summary>
    public int? MessageLevel { get; private set; }

    /// <summary>What makedumpfile would refuse; null when it runs.</summary>
    public string? Problem { get; private set; }

    private bool WithProgram { get; }

    /// <summary>Reads a command with its program, as kdump.conf has it.</summary>
    public static CoreCollector ParseCommand(string text) => new(CollectorWords.Split(text), true);

    /// <summary>Reads makedumpfile's arguments alone, as MAKEDUMP_ARGS has them.</summary>
    public static CoreCollector ParseArguments(string text) => new(CollectorWords.Split(text), false);

    /// <summary>The text, as it was where nothing was changed.</summary>
    public override string ToString() => words.ToString();

    /// <summary>The same command with another level, compression or form. What already is as asked for stays as it is written.</summary>
    /// <param name="level">The only level, or null to leave it.</param>
    /// <param name="compression">The compression, or null to leave it.</param>
    /// <param name="flattened">False takes <c>-F</c> out, true adds it, null leaves it.</param>
    /// <param name="messageLevel">What is printed, or null to leave it.</param>
    /// <exception cref="HostException">NotExpressible: the command is not makedumpfile; ConfigurationInvalid: makedumpfile would refuse the command as it is.</exception>
    public CoreCollector With(DumpLevel? level = null, VmcoreCompression? compression = null, bool? flattened = null, int? messageLevel = null)
    {
        if (!IsMakedumpfile)
        {
            if (level is null && compression is null && messageLevel is null)
            {
                return this;
            }

            throw new HostException(ErrorIds.NotExpressible, "", $"The core collector '{Printable.Escape(ToString())}' is not makedumpfile and has no dump level, compression or message level.")
            {
                Remedy = "set core_collector to makedumpfile on the host, or leave these out.",
            };
        }

        var result = this;
        if (compression is { } wanted && wanted != result.Compression || compression is not (null or VmcoreCompression.None) && Elf)
        {
            result = result.Compressed(compression.Value);
        }

        if (flattened is { } flat && flat != result.Flattened)
        {
            result = flat ? result.Edited(w => w.Insert(WithProgram ? 1 : 0, "-F")) : result.Without("F");
        }

        if (level is { } one && !(result.DumpLevels.Count == 1 && result.DumpLevels[0] == one))
        {
            result = result.Leveled(one);
        }

        if (messageLevel is { } messages && messages != result.MessageLevel)
        {
            result = result.WithMessages(messages);
        }

        // An option without its value would take one of ours.
        var fits = (messageLevel is null || result.MessageLevel == messageLevel) && (level is null || (result.DumpLevels.Count == 1 && result.DumpLevel == level)) &&
            (compression is null || result.Compression == compression) && (flattened is null || result.Flattened == flattened);
        if (result.Problem is not null || !fits)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, "", $"makedumpfile refuses '{Printable.Escape(ToString())}': {result.Problem ?? Problem}")
            {
                Remedy = "correct the core collector on the host.",
            };
        }

        return result;
    }

    private CoreCollector Edited(Func<CollectorWords, CollectorWords> edit) => new(edit(words), WithProgram);

    private CoreCollector Compressed(VmcoreCompression compression)
    {
        var first = options.FindIndex(o => o.Letter is { } c && (VmcoreCompressions.FromFlag(c) is not null));
        if (VmcoreCompressions.Flag(compression) is not { } flag)
        {
            return Without("clpz");
        }

        if (first < 0)
        {
            // Before the other options, as the distributions write it; Debian looks whether -F comes first.
            var at = WithProgram ? 1 : 0;
            return Without("E").Edited(w => w.Insert(at < w.Count && w[at] == "-F" ? at + 1 : at, "-" + flag));
        }

        var place = options[first];
        var replaced = Edited(w => w.Replace(place.Word, string.Concat(w[place.Word].AsSpan(0, place.At), flag.ToString(), w[place.Word].AsSpan(place.At + 1))));
        return replaced.Without("clpzE", keep: place);
    }

    private CoreCollector Without(string letters, Option? keep = null)
    {
        var changed = words;
        // From the last to the first, so that the places before stay where they are.
        foreach (var option in options.Where(o => o.Letter is { } c && letters.Contains(c, StringComparison.Ordinal)).Reverse())
        {
            if (keep is { } k && k.Word == option.Word && k.At == option.At)
            {
                continue;
            }

            var word = changed[option.Word].Remove(option.At, 1);
            changed = word == "-" ? changed.Remove(option.Word) : changed.Replace(option.Word, word);
        }

        return new CoreCollector(changed, WithProgram);
    }

    private CoreCollector WithMessages(int level)
    {
        var number = level.ToString(CultureInfo.InvariantCulture);
        if (messageWord is not { } place)
        {
            var at = words.IndexOf("-d") is var d and >= 0 ? d : words.IndexOf("--") is var end and >= 0 ? end : words.Count;
            return Edited(w => w.Insert(at, "--message-level").Insert(at + 1, number));
        }

        var equals = words[place].IndexOf('=', StringComparison.Ordinal);
        return words[place].StartsWith("--", StringComparison.Ordinal)
            ? Edited(w => w.Replace(place, w[place][..(equals + 1)] + number))
            : Edited(w => w.Replace(place, number));
    }

    private CoreCollector Leveled(DumpLevel level)
    {
        var number = ((int)level).ToString(CultureInfo.InvariantCulture);
        var last = options.FindLastIndex(o => o.Letter == 'd');
        if (last < 0)
        {
            var at = words.IndexOf("--") is var end and >= 0 ? end : words.Count;
            return Edited(w => w.Insert(at, "-d").Insert(at + 1, number));
        }

        var option = options[last];
        return option.ValueWord < 0
            ? Edited(w => w.Insert(w.Count, number))
            : option.ValueWord == option.Word
                ? Edited(w => w.Replace(option.Word, w[option.Word][..(option.At + 1)] + number))
                : Edited(w => w.Replace(option.ValueWord, number));
    }

    private readonly record struct Option(int Word, int At, char? Letter, int ValueWord);
}
