using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>The mark in front of a line of known_hosts.</summary>
internal enum KnownHostsMark
{
    None,
    Revoked,
    CertificateAuthority,
}

/// <summary>One line of known_hosts: names, a key, a mark. sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.</summary>
internal sealed class KnownHostsEntry
{
    private readonly string _names;
    private readonly byte[]? _salt;
    private readonly byte[]? _hash;
    private readonly string _file;

    private KnownHostsEntry(KnownHostsMark mark, string names, byte[]? salt, byte[]? hash, string keyType, byte[] key, string file, int line)
    {
        Mark = mark;
        _names = names;
        _salt = salt;
        _hash = hash;
        KeyType = keyType;
        Key = key;
        _file = file;
        Line = line;
    }

    public KnownHostsMark Mark { get; }

    public string KeyType { get; }

    /// <summary>The public key as it is on the wire.</summary>
    public byte[] Key { get; }

    /// <summary><c>file:line</c>.</summary>
    public string Where => string.Create(CultureInfo.InvariantCulture, $"{_file}:{Line}");

    /// <summary>The number of the line in its file.</summary>
    public int Line { get; }

    /// <summary>The names of a line as they are written, without looking at the rest of it; empty for comments and blank lines.</summary>
    public static ReadOnlySpan<byte> NamesOf(ReadOnlySpan<byte> line)
    {
        var rest = line.Trim(" \t\r"u8);
        if (rest.IsEmpty || rest[0] == (byte)'#')
        {
            return [];
        }

        if (rest[0] == (byte)'@')
        {
            var end = rest.IndexOfAny((byte)' ', (byte)'\t');
            rest = end < 0 ? [] : rest[end..].TrimStart(" \t"u8);
        }

        var length = rest.IndexOfAny((byte)' ', (byte)'\t');
        return length < 0 ? rest : rest[..length];
    }

    /// <summary>Whether the names of a line are written out: no hash, no pattern.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> names) => names[0] != (byte)'|' && names.IndexOfAny("*?!"u8) < 0;

    /// <summary>The single names, in lower case as the format says.</summary>
#pragma warning disable CA1308
    public static string[] Split(string names) => names.ToLowerInvariant().Split(',');
#pragma warning restore CA1308

    /// <summary>Reads a line; null for comments, blank lines and what OpenSSH ignores too.</summary>
    public static KnownHostsEntry? Parse(string line, string file, int number)
    {
        var rest = line.AsSpan().Trim(" \t\r");
        if (rest.IsEmpty || rest[0] == '#')
        {
            return null;
        }

        var mark = KnownHostsMark.None;
        if (rest[0] == '@')
        {
            var word = Word(ref rest);
            mark = word switch
            {
                "@revoked" => KnownHostsMark.Revoked,
                "@cert-authority" => KnownHostsMark.CertificateAuthority,
                _ => (KnownHostsMark)(-1),
            };
            if (mark < 0)
            {
                return null;
            }
        }

        var names = Word(ref rest).ToString();
        var type = Word(ref rest).ToString();
        var text = Word(ref rest);
        byte[] key;
        try
        {
            key = Convert.FromBase64String(text.ToString());
        }
        catch (FormatException)
        {
            return null;
        }

        if (names.Length == 0 || names[0] == '@' || TypeOf(key) != type)
        {
            return null;
        }

        if (names[0] != '|')
        {
            return new KnownHostsEntry(mark, names, null, null, type, key, file, number);
        }

        var parts = names.Split('|');
        var salt = new byte[64];
        var hash = new byte[64];
        return parts.Length == 4 && parts[1] == "1" &&
            Convert.TryFromBase64String(parts[2], salt, out var saltLength) && Convert.TryFromBase64String(parts[3], hash, out var hashLength)
            ? new KnownHostsEntry(mark, names, salt[..saltLength], hash[..hashLength], type, key, file, number)
            : null;
    }

    /// <summary>The key type inside a key on the wire; null when it is none.</summary>
    public static string? TypeOf(ReadOnlySpan<byte> key)
    {
        if (key.Length < 4)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(key);
        return length > 0 && length <= key.Length - 4 ? Encoding.ASCII.GetString(key.Slice(4, (int)length)) : null;
    }

    /// <summary>Whether the line is about this host: a lower-case name, or <c>[name]:port</c>.</summary>
    public bool Matches(string name)
    {
        if (_salt is null)
        {
            return HostPattern.MatchList(_names, name);
        }

#pragma warning disable CA5350 // The file format says HMAC-SHA1; it hides names and protects nothing else.
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(_salt, Encoding.UTF8.GetBytes(name), hash);
#pragma warning restore CA5350
        return hash.SequenceEqual(_hash);
    }

    private static ReadOnlySpan<char> Word(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOfAny(' ', '\t');
        var word = end < 0 ? rest : rest[..end];
        rest = end < 0 ? [] : rest[end..].TrimStart(" \t");
        return word;
    }
}

/// <summary>Patterns of known_hosts and ssh_config: <c>*</c>, <c>?</c>, negation with <c>!</c>.</summary>
internal static class HostPattern
{
    /// <summary>A comma-separated list: some pattern matches and no negated one does.</summary>
    public static bool MatchList(string list, string name) => Match(list.Split(','), name);

    /// <summary>Some pattern matches and no negated one does.</summary>
    public static bool Match(IEnumerable<string> patterns, string name)
    {
        var found = false;
        foreach (var pattern in patterns)
        {
            var negated = pattern.StartsWith('!');
            if (MatchOne(pattern.AsSpan(negated ? 1 : 0), name))
            {
                if (negated)
                {
                    return false;
                }

                found = true;
            }
        }

        return found;
    }

    /// <summary>One pattern without regard to case. Linear in practice: only the last star is tried again.</summary>
    public static bool MatchOne(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0, n = 0, star = -1, from = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                from = n;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || char.ToLowerInvariant(pattern[p]) == char.ToLowerInvariant(name[n])))
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++from;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].TrimStart('*').IsEmpty;
    }
}
