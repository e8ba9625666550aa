namespace KdumpNfs.Kdump;

/// <summary>What makedumpfile leaves out of a dump (<c>-d</c>), as the bits of its level.</summary>
/// <remarks>makedumpfile(8), "-d dump_level". <see cref="PrivateCache"/> alone leaves out the non-private cache as well: see
/// <see cref="DumpLevels.Excluded"/>.</remarks>
[Flags]
public enum DumpLevel
{
    /// <summary>Everything is dumped.</summary>
    None = 0,

    /// <summary>Pages filled with zero.</summary>
    Zero = 1,

    /// <summary>Cache pages without private flag.</summary>
    NonPrivateCache = 2,

    /// <summary>Cache pages with private flag, and with them those without.</summary>
    PrivateCache = 4,

    /// <summary>User process pages.</summary>
    User = 8,

    /// <summary>Free pages.</summary>
    Free = 16,

    /// <summary>All five kinds: what is left is the kernel's own data.</summary>
    All = 31,
}

/// <summary>What can be said of a dump level.</summary>
public static class DumpLevels
{
    /// <summary>The kinds of pages that a level really leaves out: 4 implies 2 (makedumpfile(8), the table under "-d").</summary>
    public static DumpLevel Excluded(DumpLevel level) =>
        level.HasFlag(DumpLevel.PrivateCache) ? level | DumpLevel.NonPrivateCache : level;

    /// <summary>Reads makedumpfile's number, or names of kinds separated by commas.</summary>
    /// <exception cref="HostException">InvalidInput: neither.</exception>
    public static DumpLevel Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return int.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var number) ? FromNumber(number)
            : Enum.TryParse<DumpLevel>(text, ignoreCase: true, out var level) ? level
            : throw new HostException(ErrorIds.InvalidInput, "", $"The dump level '{Printable.Escape(text)}' is not known.")
            {
                Remedy = "Give a number from 0 to 31, or the kinds of pages to leave out: Zero, NonPrivateCache, PrivateCache, User, Free; All is 31.",
            };
    }

    /// <summary>Checks a number from 0 to 31.</summary>
    /// <exception cref="HostException">InvalidInput: another number.</exception>
    public static DumpLevel FromNumber(int level) => level is >= 0 and <= 31
        ? (DumpLevel)level
        : throw new HostException(ErrorIds.InvalidInput, "", $"The dump level {level} is not between 0 and 31.")
        {
            Remedy = "give the sum of 1 (zero pages), 2 and 4 (cache), 8 (user data), 16 (free pages); 31 leaves out all of them.",
        };
}
