using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using KdumpNfs.Text;

namespace KdumpNfs.Ssh.Recorded;

/// <summary>Tells scripts apart, for a recording: SHA-256 of the script with its input. Names that are made anew each time, and passwords of configurations, do not count.</summary>
internal static partial class ScriptPrint
{
    /// <summary>The print of a script and of what it reads.</summary>
    public static string Of(string script, ReadOnlySpan<byte> input, SecretMask mask)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Plain(script, mask)));
        hash.AppendData([0]);
        hash.AppendData(Encoding.UTF8.GetBytes(Plain(ByteText.FromBytes(input), mask)));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static string Plain(string text, SecretMask mask) => Made().Replace(mask.HideText(text), "#");

    // Ids of jobs, probes, leases and the like, and hashes of files: 96 bits and more as hex digits, a UUID aside.
    [GeneratedRegex("(?<![0-9A-Za-z])(?:[0-9a-f]{12,}|[0-9A-F]{12,})(?![0-9A-Za-z])")]
    private static partial Regex Made();
}
