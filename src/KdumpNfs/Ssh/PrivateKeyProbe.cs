using System.Buffers.Binary;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>What a private key file is, as far as it can be told without its passphrase.</summary>
internal enum PrivateKeyKind
{
    /// <summary>Can be used as it is.</summary>
    Usable,

    /// <summary>Needs a passphrase: given with the key, or an agent's business.</summary>
    Encrypted,

    /// <summary>Lives in a security key; the file only points to it.</summary>
    Hardware,

    /// <summary>It is the public half.</summary>
    Public,

    /// <summary>No key at all.</summary>
    NotAKey,

    /// <summary>Missing or not readable.</summary>
    NotReadable,
}

/// <summary>Looks at a key file, so that the right transport is taken and errors say what is wrong.</summary>
internal static class PrivateKeyProbe
{
    private const int Enough = 16 << 10;

    public static PrivateKeyKind Look(string path)
    {
        string text;
        try
        {
            using var stream = File.OpenRead(path);
            var buffer = new byte[Enough];
            text = Encoding.Latin1.GetString(buffer, 0, stream.ReadAtLeast(buffer, Enough, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return PrivateKeyKind.NotReadable;
        }

        var begin = text.IndexOf("-----BEGIN ", StringComparison.Ordinal);
        if (begin < 0 || !text.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            return text.StartsWith("ssh-", StringComparison.Ordinal) || text.StartsWith("ecdsa-", StringComparison.Ordinal) ||
                text.StartsWith("sk-", StringComparison.Ordinal) || text.Contains("PUBLIC KEY", StringComparison.Ordinal)
                ? PrivateKeyKind.Public
                : PrivateKeyKind.NotAKey;
        }

        return text.AsSpan(begin).StartsWith("-----BEGIN OPENSSH")
            ? OpenSsh(text[begin..])
            : text.Contains("ENCRYPTED", StringComparison.Ordinal) ? PrivateKeyKind.Encrypted : PrivateKeyKind.Usable;
    }

    /// <summary>PROTOCOL.key of OpenSSH: magic, cipher, kdf, kdf options, number of keys, public keys.</summary>
    private static PrivateKeyKind OpenSsh(string text)
    {
        var from = text.IndexOf('\n', StringComparison.Ordinal) + 1;
        var to = text.IndexOf("-----END", StringComparison.Ordinal);
        try
        {
            ReadOnlySpan<byte> data = Convert.FromBase64String(to > from ? text[from..to] : "");
            var magic = "openssh-key-v1\0"u8;
            if (!data.StartsWith(magic))
            {
                return PrivateKeyKind.NotAKey;
            }

            data = data[magic.Length..];
            var cipher = Field(ref data);
            Field(ref data);
            Field(ref data);
            data = data[4..];
            var type = KnownHostsEntry.TypeOf(Field(ref data));
            return type is null ? PrivateKeyKind.NotAKey
                : type.StartsWith("sk-", StringComparison.Ordinal) ? PrivateKeyKind.Hardware
                : cipher.SequenceEqual("none"u8) ? PrivateKeyKind.Usable : PrivateKeyKind.Encrypted;
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
        {
            return PrivateKeyKind.NotAKey;
        }
    }

    private static ReadOnlySpan<byte> Field(ref ReadOnlySpan<byte> data)
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(data);
        var field = data.Slice(4, length);
        data = data[(4 + length)..];
        return field;
    }
}
