using System.Text;

namespace KdumpNfs.Collection;

/// <summary>Names of the store as names that every file system can hold, Windows' included: RHEL's crash directories have colons.</summary>
/// <remarks>
/// <para>Percent encoding: the characters <c>&lt; &gt; : " / \ | ? * %</c> and controls become <c>%XX</c> (two upper-case hex digits of each byte in UTF-8), so
/// does a last blank or dot, and the first letter of a name that Windows keeps for a device (<c>aux</c>, <c>con.txt</c>). Everything else stays. It is
/// the same on all systems, so that copies can move between them, and <see cref="Decode"/> gives the name on the store back.</para>
/// <para>Source of what Windows refuses: Microsoft, "Naming Files, Paths, and Namespaces".</para>
/// </remarks>
public static class LocalName
{
    private const string Refused = "<>:\"/\\|?*%";

    private static readonly HashSet<string> Devices = new(
        ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. "123456789¹²³".SelectMany(c => new[] { $"COM{c}", $"LPT{c}" })], StringComparer.OrdinalIgnoreCase);

    /// <summary>The name for this machine.</summary>
    public static string Encode(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var device = Devices.Contains(name.Split('.')[0].TrimEnd(' '));
        var result = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            var last = i == name.Length - 1 && c is ' ' or '.';
            if (char.IsControl(c) || Refused.Contains(c, StringComparison.Ordinal) || last || (device && i == 0))
            {
                foreach (var b in Encoding.UTF8.GetBytes([c]))
                {
                    result.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
                }
            }
            else
            {
                result.Append(c);
            }
        }

        return result.ToString();
    }

    /// <summary>The name on the store; null for what <see cref="Encode"/> never gives.</summary>
    public static string? Decode(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var bytes = new List<byte>(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] != '%')
            {
                var end = name.IndexOf('%', i) is > 0 and var next ? next : name.Length;
                bytes.AddRange(Encoding.UTF8.GetBytes(name[i..end]));
                i = end - 1;
            }
            else if (i + 2 < name.Length && byte.TryParse(name.AsSpan(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        var decoded = Encoding.UTF8.GetString([.. bytes]);
        return decoded.Length > 0 && Encode(decoded) == name ? decoded : null;
    }
}
