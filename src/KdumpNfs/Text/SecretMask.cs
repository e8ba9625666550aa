using System.Text;
using System.Text.RegularExpressions;

namespace KdumpNfs.Text;

/// <summary>Hides the passwords that a kdump configuration may hold from everything that is shown: FTP_PASSWORD (Debian), KDUMP_SMTP_PASSWORD and the
/// one in KDUMP_SAVEDIR="scheme://user:password@server/…" (SUSE). Two secrets that differ are shown differently, so that a diff still tells a change.</summary>
internal sealed partial class SecretMask
{
    private readonly List<string> _secrets = [];

    /// <summary>A configuration file with its secrets hidden.</summary>
    public byte[] Hide(ReadOnlySpan<byte> content)
    {
        // One character a byte, so that nothing else of the file changes.
        var text = Variable().Replace(ByteText.FromBytes(content), m => m.Groups[1].Value + Mark(Bare(m.Groups[2].Value)));
        return ByteText.ToBytes(HideUrls(text));
    }

    /// <summary>Words of a host, with the secrets hidden that any file before had.</summary>
    public string? Hide(string? words)
    {
        if (string.IsNullOrEmpty(words))
        {
            return words;
        }

        // The long ones first: one may be part of another.
        foreach (var secret in _secrets.Where(s => s.Length > 2).OrderByDescending(s => s.Length))
        {
            words = words.Replace(ByteText.ToValue(secret), Mark(secret), StringComparison.Ordinal);
        }

        return HideUrls(words);
    }

    /// <summary>A URL, or anything that has one in it, without the password.</summary>
    public static string HideUrl(string text) => new SecretMask().HideUrls(text);

    private string HideUrls(string text) => Url().Replace(text, m => m.Groups[1].Value + Mark(m.Groups[2].Value) + "@");

    private static string Bare(string word) => word.Trim().Trim('"', '\'');

    private string Mark(string secret)
    {
        if (secret.Length == 0 || secret.All(c => c == '*'))
        {
            return secret;
        }

        if (!_secrets.Contains(secret))
        {
            _secrets.Add(secret);
        }

        return new StringBuilder("***").Append('*', _secrets.IndexOf(secret)).ToString();
    }

    [GeneratedRegex(@"(?m)^([ \t#]*(?:export[ \t]+)?[A-Z_]*PASSWORD=)([^\r\n]*)", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();

    // Up to the last '@' before the path: a password may hold one.
    [GeneratedRegex(@"([A-Za-z][A-Za-z0-9+.-]*://[^/\s""':@]*:)([^/\s""']*)@", RegexOptions.CultureInvariant)]
    private static partial Regex Url();
}
