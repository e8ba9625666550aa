using System.Globalization;

namespace KdumpNfs.Setup;

/// <summary>A number on the kernel's command line: decimal, 0x… or 0…, then perhaps K, M, G, T, P or E.</summary>
/// <remarks>Source: memparse of the kernel's lib/cmdline.c. Overflow gives the largest number instead of wrapping.</remarks>
internal static class KernelNumber
{
    private const string Units = "KMGTPE";

    /// <summary>The number at the start of a text and how many characters it took; none when there is no number.</summary>
    public static (ulong Value, int Length) Parse(ReadOnlySpan<char> text)
    {
        var at = 0;
        uint radix = 10;
        if (text.Length > 2 && text[0] == '0' && text[1] is 'x' or 'X' && char.IsAsciiHexDigit(text[2]))
        {
            (radix, at) = (16, 2);
        }
        else if (text.Length > 0 && text[0] == '0')
        {
            radix = 8;
        }

        UInt128 value = 0;
        while (at < text.Length && Digit(text[at]) is var digit && digit < radix)
        {
            value = Limit((value * radix) + digit);
            at++;
        }

        // A unit without digits is taken as well; its number is 0.
        if (at < text.Length && Units.IndexOf(char.ToUpperInvariant(text[at]), StringComparison.Ordinal) is var unit and >= 0)
        {
            value = Limit(value << (10 * (unit + 1)));
            at++;
        }

        return ((ulong)value, at);
    }

    private static UInt128 Limit(UInt128 value) => UInt128.Min(value, ulong.MaxValue);

    private static uint Digit(char c) => char.IsAsciiHexDigit(c) ? uint.Parse([c], NumberStyles.HexNumber, CultureInfo.InvariantCulture) : uint.MaxValue;
}
