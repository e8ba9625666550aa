using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace KdumpNfs.Text;

/// <summary>Hides the passwords that a kdump configuration may hold from everything that is shown: FTP_PASSWORD (Debian), KDUMP_SMTP_PASSWORD and the
/// one in KDUMP_SAVEDIR="scheme://user:password@server/…" (SUSE). Two secrets that differ are shown differently, so that a diff still tells a change.</summary>
internal sealed partial class SecretMask
{
    // A shorter secret is masked where it is named, and not wherever its letters turn up in a log.
    private const int ShortestElsewhere = 6;

    private static readonly SearchValues<char> EndOfLogin = SearchValues.Create("/ \t\n\r\"'");

    private readonly List<string> _secrets = [];

    /// <summary>How many different secrets were found.</summary>
    public int Count => _secrets.Count;

    /// <summary>A configuration file with its secrets hidden.</summary>
    public byte[] Hide(ReadOnlySpan<byte> content)
    {
        // One character a byte, so that nothing else of the file changes.
        var text = ByteText.FromBytes(content);
        if (text.Contains("PASSWORD=", StringComparison.Ordinal))
        {
            text = Variable().Replace(text, m => m.Groups[1].Value + Mark(Bare(m.Groups[2].Value)));
        }

        return ByteText.ToBytes(HideUrls(text));
    }

    /// <summary>
    /// A kernel log, a command line or a file of settings (as <see cref="ByteText"/>) with the values hidden of whatever is called a password, passphrase, secret, token,
    /// credential, key of an API or PSK, with the passwords of URLs and iSCSI roots, and with all secrets that were found so far.
    /// </summary>
    public string HideText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = Setting().Replace(text, m => m.Groups["key"].Value + Mark(Bare(m.Groups["value"].Value)));
        text = Iscsi().Replace(text, m => m.Groups[1].Value + Mark(m.Groups[2].Value) + m.Groups[3].Value + "@");
        text = HideUrls(text);
        foreach (var secret in _secrets.Where(s => s.Length >= ShortestElsewhere).OrderByDescending(s => s.Length))
        {
            text = text.Replace(secret, Mark(secret), StringComparison.Ordinal);
        }

        return text;
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

    private string HideUrls(string text) =>
        MayHaveLogin(text) ? Url().Replace(text, m => m.Groups[1].Value + Mark(m.Groups[2].Value) + "@") : text;

    // What every match of Url has. The expression itself tries every letter of a text, and configurations are mostly comments.
    private static bool MayHaveLogin(string text)
    {
        for (var at = text.IndexOf("//", StringComparison.Ordinal); at >= 0; at = text.IndexOf("//", at + 1, StringComparison.Ordinal))
        {
            var rest = text.AsSpan(at + 2);
            var end = rest.IndexOfAny(EndOfLogin);
            if ((end < 0 ? rest : rest[..end]).Contains('@'))
            {
                return true;
            }
        }

        return false;
    }

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

    [GeneratedRegex(@"(?<key>[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api_?key|psk)[\w.-]*=)(?<value>""[^""\n]*""|'[^'\n]*'|[^\s,""']+)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Setting();

    // dracut's netroot: iscsi:USER:PASSWORD[:REVERSE:PASSWORD]@SERVER
    [GeneratedRegex(@"(\biscsi:[^:@\s]+:)([^@:\s]+)((?::[^@\s]*)?)@", RegexOptions.CultureInvariant)]
    private static partial Regex Iscsi();

    // Up to the last '@' before the path: a password may hold one.
    [GeneratedRegex(@"((?:[A-Za-z][A-Za-z0-9+.-]*:|\B)//[^/\s""':@]*:)([^/\s""']*)@", RegexOptions.CultureInvariant)]
    private static partial Regex Url();
}
