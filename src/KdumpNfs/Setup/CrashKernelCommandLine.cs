namespace KdumpNfs.Setup;

/// <summary>What a kernel makes of the <c>crashkernel=</c> words on its command line.</summary>
/// <param name="Words">All of them, in order.</param>
/// <param name="Effective">Those that count.</param>
/// <param name="Bytes">Bytes reserved on a host of the memory asked about, both regions together and without CMA; 0 for none; null where the
/// kernel decides (auto).</param>
/// <param name="LowBytes">The part below 4 GiB that goes with a high reservation; 0 for none.</param>
/// <param name="CmaBytes">Bytes from CMA, which come on top; 0 for none.</param>
/// <param name="Problem">Why nothing would be reserved although something is asked for; null if all is well.</param>
/// <remarks>Source: kernel/crash_reserve.c of Linux 6.17. Memory is rounded up to 128 MiB before ranges are compared, as current
/// kernels do (older ones compare the exact size); the default of the low region is that of x86_64 and arm64.</remarks>
public sealed record CrashKernelCommandLine(
    IReadOnlyList<string> Words, IReadOnlyList<string> Effective, long? Bytes, long LowBytes, long CmaBytes, string? Problem)
{
    private const string Name = "crashkernel=";
    private const long Rounding = 128L << 20;
    private static readonly string[] Suffixes = [",high", ",low", ",cma"];

    /// <summary>Evaluates a command line.</summary>
    /// <param name="commandLine">The whole command line.</param>
    /// <param name="memoryBytes">The host's memory.</param>
    /// <param name="architecture">As <c>uname -m</c> says; regions above 4 GiB are for x86_64, aarch64, riscv64 and loongarch64 only.</param>
    /// <param name="knowsAuto">The kernel is one of EL7 or EL8.</param>
    public static CrashKernelCommandLine Evaluate(string commandLine, long memoryBytes, string architecture = "x86_64", bool knowsAuto = false)
    {
        ArgumentNullException.ThrowIfNull(commandLine);
        var words = FindAll(commandLine);
        var values = words.Select(w => w[Name.Length..]).ToList();
        var cma = values.FindLast(v => v.EndsWith(Suffixes[2], StringComparison.Ordinal));
        var cmaBytes = cma is null ? 0 : Suffixed(cma, Suffixes[2]) ?? 0;
        CrashKernelCommandLine Result(IEnumerable<string> effective, long? bytes, long low, string? problem) =>
            new(words, [.. effective.Concat(cma is null ? [] : new[] { cma }).Select(v => Name + v)], bytes, low, bytes == 0 ? 0 : cmaBytes, problem);

        if (words.Count == 0)
        {
            return Result([], 0, 0, null);
        }

        if (values.FindLast(v => !Suffixes.Any(s => v.EndsWith(s, StringComparison.Ordinal))) is { } plain)
        {
            if (plain == "auto")
            {
                return knowsAuto ? Result([plain], null, 0, null) : Result([plain], 0, 0, "this kernel does not know crashkernel=auto");
            }

            var (size, problem) = plain.Contains(':', StringComparison.Ordinal) ? Ranges(plain, memoryBytes) : Simple(plain);
            problem ??= size >= memoryBytes && memoryBytes > 0 ? "the reservation is larger than the host's memory" : null;
            return Result([plain], problem is null ? size : 0, 0, problem);
        }

        var high = values.FindLast(v => v.EndsWith(Suffixes[0], StringComparison.Ordinal));
        var low = values.FindLast(v => v.EndsWith(Suffixes[1], StringComparison.Ordinal));
        if (architecture is not ("x86_64" or "aarch64" or "riscv64" or "loongarch64"))
        {
            return Result([], 0, 0, $",high and ,low mean nothing to kernels of {architecture}");
        }

        if (high is null)
        {
            return Result([], 0, 0, "there is no reservation beside the low or CMA one");
        }

        var lowBytes = low is null ? DefaultLow(architecture) : Suffixed(low, Suffixes[1]);
        if (Suffixed(high, Suffixes[0]) is not (> 0 and var highBytes) || lowBytes is null)
        {
            return Result([high], 0, 0, "a size is not a number");
        }

        var both = low is null ? new[] { high } : [high, low];
        if (highBytes >= memoryBytes && memoryBytes > 0)
        {
            return Result(both, 0, 0, "the reservation is larger than the host's memory");
        }

        // Where all memory is below 4 GiB the kernel takes the high region from there and needs no low one.
        var lowPart = memoryBytes is > 0 and <= 3L << 30 ? 0 : lowBytes.Value;
        return Result(both, highBytes + lowPart, lowPart, null);
    }

    /// <summary>The words of a command line, as the kernel finds them: wherever the name stands, up to the next blank.</summary>
    internal static IReadOnlyList<string> FindAll(string commandLine)
    {
        var found = new List<string>();
        for (var at = commandLine.IndexOf(Name, StringComparison.Ordinal); at >= 0; at = commandLine.IndexOf(Name, at + 1, StringComparison.Ordinal))
        {
            var end = commandLine.IndexOfAny([' ', '\t', '\n', '"'], at);
            found.Add(end < 0 ? commandLine[at..] : commandLine[at..end]);
        }

        return found;
    }

    /// <summary>A line of arguments with these words in the place of those that it has, or at its end; none to have none.</summary>
    internal static string Replace(string arguments, IReadOnlyList<string> words)
    {
        var kept = new List<string>();
        var place = -1;
        foreach (var word in arguments.TrimEnd().Split(' '))
        {
            if (word.StartsWith(Name, StringComparison.Ordinal))
            {
                place = place < 0 ? kept.Count : place;
            }
            else
            {
                kept.Add(word);
            }
        }

        kept.InsertRange(place < 0 ? kept.Count : place, words);
        var ending = arguments[arguments.TrimEnd().Length..];
        return string.Join(' ', kept) + ending;
    }

    // arch/x86: 256 MiB; arm64, riscv and loongarch: 128 MiB.
    private static long DefaultLow(string architecture) => architecture == "x86_64" ? 256L << 20 : 128L << 20;

    private static (long Size, string? Problem) Simple(string value)
    {
        var (size, length) = KernelNumber.Parse(value);
        return length == 0 ? (0, "a size is not a number")
            : length < value.Length && value[length] != '@' ? (0, $"'{Printable.Escape(value[length..])}' follows the size")
            : (Signed(size), null);
    }

    private static (long Size, string? Problem) Ranges(string value, long memoryBytes)
    {
        var memory = (ulong)((memoryBytes + Rounding - 1) / Rounding * Rounding);
        var at = 0;
        bool Next(out ulong number)
        {
            (number, var length) = KernelNumber.Parse(value.AsSpan(at));
            at += length;
            return length > 0;
        }

        bool Sign(char sign) => at < value.Length && value[at++] == sign;
        do
        {
            var end = ulong.MaxValue;
            if (!Next(out var start) || !Sign('-') || (at < value.Length && value[at] != ':' && !Next(out end)) || !Sign(':') || !Next(out var size))
            {
                return (0, "a range is not start-end:size");
            }

            if (end <= start)
            {
                return (0, "a range ends before it starts");
            }

            if (size >= memory && memory > 0)
            {
                return (0, "the reservation is larger than the host's memory");
            }

            if (memory >= start && memory < end)
            {
                return (Signed(size), null);
            }
        }
        while (at < value.Length && value[at++] == ',');
        return (0, null);
    }

    private static long? Suffixed(string value, string suffix)
    {
        var (size, length) = KernelNumber.Parse(value);
        return length > 0 && value[length..] == suffix ? Signed(size) : null;
    }

    private static long Signed(ulong size) => size > long.MaxValue ? long.MaxValue : (long)size;
}
