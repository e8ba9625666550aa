using System.Globalization;

namespace KdumpNfs.Setup;

/// <summary>What a value of <c>crashkernel=</c> asks for.</summary>
public enum CrashKernelKind
{
    /// <summary>A size, and perhaps where: <c>256M</c>, <c>256M@16M</c>.</summary>
    Fixed,

    /// <summary>A size for each range of memory: <c>1G-4G:192M,4G-:256M</c>.</summary>
    Ranges,

    /// <summary>Above 4 GiB: <c>512M,high</c>.</summary>
    High,

    /// <summary>Below 4 GiB beside a High one: <c>128M,low</c>.</summary>
    Low,

    /// <summary>From the kernel's CMA, which the running system may use meanwhile: <c>256M,cma</c>.</summary>
    Cma,

    /// <summary>The kernel decides; only kernels of EL7 and EL8 know it.</summary>
    Auto,
}

/// <summary>A size for hosts whose memory lies in a range.</summary>
/// <param name="Start">Least memory in bytes.</param>
/// <param name="End">The memory in bytes from which on it no longer holds; null for no end.</param>
/// <param name="Size">Bytes to reserve.</param>
public sealed record CrashKernelRange(long Start, long? End, long Size);

/// <summary>One value of the kernel parameter <c>crashkernel=</c>, as a person may set it. Immutable.</summary>
/// <remarks>Sources: Documentation/admin-guide/kdump/kdump.rst ("Extended crashkernel syntax") and kernel-parameters.txt of the kernel.
/// This parser is stricter than the kernel; what the kernel makes of any command line is <see cref="CrashKernelCommandLine"/>.</remarks>
public sealed record CrashKernelParameter
{
    private const string Remedy =
        "Write it as the kernel does: 256M, 1G-4G:192M,4G-64G:256M,64G-:512M, or 512M,high with 128M,low. Units are K, M, G and T.";

    private CrashKernelParameter(string text, CrashKernelKind kind) => (Text, Kind) = (text, kind);

    /// <summary>The value as it stands after <c>crashkernel=</c>.</summary>
    public string Text { get; }

    /// <summary>What it asks for.</summary>
    public CrashKernelKind Kind { get; }

    /// <summary>Bytes asked for; 0 for ranges and auto.</summary>
    public long Size { get; private init; }

    /// <summary>The physical address asked for; null to let the kernel choose.</summary>
    public long? Offset { get; private init; }

    /// <summary>The ranges; empty for other kinds.</summary>
    public IReadOnlyList<CrashKernelRange> Ranges { get; private init; } = [];

    /// <summary>The word on the kernel's command line.</summary>
    public string Word => "crashkernel=" + Text;

    /// <summary>Reads one value; <c>crashkernel=</c> before it is allowed, and a bare number of bytes.</summary>
    /// <exception cref="HostException">InvalidInput, with what to write instead.</exception>
    public static CrashKernelParameter Parse(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var text = value.StartsWith("crashkernel=", StringComparison.Ordinal) ? value["crashkernel=".Length..] : value;
        if (text == "auto")
        {
            return new CrashKernelParameter(text, CrashKernelKind.Auto);
        }

        foreach (var (suffix, kind) in new[] { (",high", CrashKernelKind.High), (",low", CrashKernelKind.Low), (",cma", CrashKernelKind.Cma) })
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                return new CrashKernelParameter(text, kind) { Size = kind == CrashKernelKind.Low && text == "0,low" ? 0 : Reserve(text[..^suffix.Length], value) };
            }
        }

        var at = text.IndexOf('@', StringComparison.Ordinal);
        long? offset = at < 0 ? null : Number(text[(at + 1)..], value);
        var sizes = at < 0 ? text : text[..at];
        if (sizes.Contains(':', StringComparison.Ordinal))
        {
            return new CrashKernelParameter(text, CrashKernelKind.Ranges) { Ranges = ReadRanges(sizes, value), Offset = offset };
        }

        var size = Reserve(sizes, value);
        // PowerShell's 256MB arrives as bytes; on a command line a person reads megabytes.
        var shown = sizes.All(char.IsAsciiDigit) && size % (1 << 20) == 0 ? (size >> 20).ToString(CultureInfo.InvariantCulture) + "M" + (at < 0 ? "" : text[at..]) : text;
        return new CrashKernelParameter(shown, CrashKernelKind.Fixed) { Size = size, Offset = offset };
    }

    /// <summary>Reads what is to stand on one command line: one reservation, and with a High one a Low one, and perhaps one from CMA.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static IReadOnlyList<CrashKernelParameter> ParseAll(IReadOnlyList<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var all = values.SelectMany(v => (v ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(Parse).ToList();
        if (all.Count == 0)
        {
            throw Invalid("", "No size was given.");
        }

        var mains = all.Count(p => p.Kind is CrashKernelKind.Fixed or CrashKernelKind.Ranges or CrashKernelKind.Auto or CrashKernelKind.High);
        if (mains != 1 || all.Count(p => p.Kind == CrashKernelKind.Low) > 1 || all.Count(p => p.Kind == CrashKernelKind.Cma) > 1)
        {
            throw Invalid(string.Join(' ', values), "Of several reservations on one command line the kernel takes one: these do not belong together.");
        }

        if (all.Exists(p => p.Kind == CrashKernelKind.Low) && !all.Exists(p => p.Kind == CrashKernelKind.High))
        {
            throw Invalid(string.Join(' ', values), "A low reservation counts only beside a high one.");
        }

        return all;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static List<CrashKernelRange> ReadRanges(string text, string value)
    {
        var ranges = new List<CrashKernelRange>();
        foreach (var part in text.Split(','))
        {
            var words = part.Split([':'], 2);
            var dash = words[0].IndexOf('-', StringComparison.Ordinal);
            if (words.Length != 2 || dash < 0)
            {
                throw Invalid(value, $"'{Printable.Escape(part)}' is not start-end:size.");
            }

            var start = Number(words[0][..dash], value);
            long? end = words[0].Length == dash + 1 ? null : Number(words[0][(dash + 1)..], value);
            if (end <= start || (ranges.Count > 0 && (ranges[^1].End is not { } before || start < before)))
            {
                throw Invalid(value, $"The range '{Printable.Escape(words[0])}' is empty or not above the one before it; the kernel takes the first that fits.");
            }

            ranges.Add(new CrashKernelRange(start, end, words[1] is "0" or "0M" ? 0 : Reserve(words[1], value)));
        }

        return ranges;
    }

    private static long Reserve(string text, string value)
    {
        var size = Number(text, value);
        // The kernel aligns to 16 MiB on x86 and no capture kernel lives in less; a forgotten unit is the usual reason.
        return size >= 1 << 20 ? size : throw Invalid(value, $"{size} bytes is no reservation.");
    }

    private static long Number(string text, string value)
    {
        var (number, length) = KernelNumber.Parse(text);
        return length == text.Length && text.Length > 0 && char.IsAsciiDigit(text[0]) && number <= (1UL << 56) && !text.Any(c => c is 'E' or 'e' or 'P' or 'p' or 'x' or 'X') &&
            (text.Length < 2 || text[0] != '0' || !char.IsAsciiDigit(text[1]))
            ? (long)number
            : throw Invalid(value, $"'{Printable.Escape(text)}' is not a size.");
    }

    private static HostException Invalid(string value, string what) =>
        new(ErrorIds.InvalidInput, "", $"'{Printable.Escape(value)}' cannot be a crash kernel reservation: {what}") { Remedy = Remedy };
}
