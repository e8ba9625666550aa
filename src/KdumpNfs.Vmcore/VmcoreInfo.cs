using System.Globalization;
using System.Text;

namespace KdumpNfs.Vmcore;

/// <summary>The note VMCOREINFO: lines KEY=VALUE that the crashed kernel left for tools, so that they need no debug symbols.</summary>
/// <remarks>
/// Source: the kernel's Documentation/admin-guide/kdump/vmcoreinfo.rst. SYMBOL and KERNELOFFSET are hexadecimal, the other numbers decimal. Symbols are
/// addresses of the running kernel, so they already have the offset that KASLR added.
/// </remarks>
public sealed class VmcoreInfo
{
    private const int MaximumLines = 20_000;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private VmcoreInfo()
    {
    }

    /// <summary>All lines, by key as written: "OSRELEASE", "SYMBOL(prb)".</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>Release of the crashed kernel; null when it is not there or holds characters that no release has.</summary>
    public string? Release => Text("OSRELEASE");

    /// <summary>Build id of the crashed kernel's image, hexadecimal; null before Linux 5.9.</summary>
    public string? BuildId => Text("BUILD-ID") is { } id && id.All(char.IsAsciiHexDigit) ? id : null;

    /// <summary>Time of the crash by the crashed host's clock.</summary>
    public DateTimeOffset? CrashTime => Text("CRASHTIME") is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        ? CrashClock.FromSeconds(seconds) : null;

    /// <summary>Bytes in a page of the crashed machine.</summary>
    public int? PageSize => Text("PAGESIZE") is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) &&
        size is >= 4096 and <= (1 << 18) && int.IsPow2(size) ? size : null;

    /// <summary>What KASLR added to the addresses of the kernel's image.</summary>
    public ulong KernelOffset => Hex("KERNELOFFSET") ?? 0;

    /// <summary>Reads the text of the note.</summary>
    public static VmcoreInfo Parse(ReadOnlySpan<byte> text)
    {
        var info = new VmcoreInfo();
        while (!text.IsEmpty && info._values.Count < MaximumLines)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            var equals = line.IndexOf((byte)'=');
            if (equals > 0 && HeaderText.Read(line[..equals]) is { } key)
            {
                // What comes first counts, as for makedumpfile.
                info._values.TryAdd(key, Encoding.Latin1.GetString(line[(equals + 1)..]));
            }
        }

        return info;
    }

    /// <summary>Address of a symbol; null when it is not named.</summary>
    public ulong? Symbol(string name) => Hex($"SYMBOL({name})");

    /// <summary>Offset of a member, "printk_info.seq"; null when it is not named.</summary>
    public int? Offset(string member) => Small($"OFFSET({member})");

    /// <summary>Size of a structure; null when it is not named.</summary>
    public int? Size(string structure) => Small($"SIZE({structure})");

    /// <summary>Length of an array; null when it is not named.</summary>
    public int? ArrayLength(string array) => Small($"LENGTH({array})");

    /// <summary>A number; null when it is not named. Some kernels write hexadecimal ones, with 0x.</summary>
    public long? Number(string name)
    {
        if (!_values.TryGetValue($"NUMBER({name})", out var text))
        {
            return null;
        }

        return text.StartsWith("0x", StringComparison.Ordinal)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? (long)hex : null
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private string? Text(string key) => _values.TryGetValue(key, out var text) ? HeaderText.Read(Encoding.Latin1.GetBytes(text)) : null;

    private ulong? Hex(string key) => _values.TryGetValue(key, out var text) &&
        ulong.TryParse(text.StartsWith("0x", StringComparison.Ordinal) ? text.AsSpan(2) : text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null;

    // Structures of the kernel are smaller than this; a larger number is damage.
    private int? Small(string key) => _values.TryGetValue(key, out var text) &&
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value < (1 << 24) ? value : null;
}
