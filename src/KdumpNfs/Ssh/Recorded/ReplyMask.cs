using System.Globalization;
using System.Text;
using KdumpNfs.Text;

namespace KdumpNfs.Ssh.Recorded;

/// <summary>What a host answered, with the passwords of its configuration hidden as everywhere else (<see cref="SecretMask"/>). Records stay records: their lengths are made new.</summary>
internal static class ReplyMask
{
    /// <summary>The answer without secrets.</summary>
    public static byte[] Hide(ReadOnlySpan<byte> reply, SecretMask mask)
    {
        var records = new MemoryStream();
        var rest = reply;
        while (!rest.IsEmpty)
        {
            // KEY LENGTH\nVALUE\n, as common.sh writes them.
            var eol = rest.IndexOf((byte)'\n');
            var head = eol < 0 ? [] : rest[..eol];
            var blank = head.LastIndexOf((byte)' ');
            if (blank <= 0 || !int.TryParse(head[(blank + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var length) ||
                length > rest.Length - eol - 2 || rest[eol + 1 + length] != (byte)'\n')
            {
                // Something else: text.
                return ByteText.ToBytes(mask.HideText(ByteText.FromBytes(reply)));
            }

            var value = Value(Encoding.ASCII.GetString(head[..blank]), rest.Slice(eol + 1, length), mask);
            records.Write(head[..(blank + 1)]);
            records.Write(Encoding.ASCII.GetBytes(value.Length.ToString(CultureInfo.InvariantCulture)));
            records.WriteByte((byte)'\n');
            records.Write(value);
            records.WriteByte((byte)'\n');
            rest = rest[(eol + length + 2)..];
        }

        return records.ToArray();
    }

    private static byte[] Value(string key, ReadOnlySpan<byte> value, SecretMask mask)
    {
        if (key.EndsWith(".data", StringComparison.Ordinal))
        {
            var content = new byte[value.Length];
            if (Convert.TryFromBase64String(Encoding.ASCII.GetString(value), content, out var length))
            {
                return Encoding.ASCII.GetBytes(Convert.ToBase64String(mask.Hide(content.AsSpan(0, length))));
            }
        }

        return ByteText.ToBytes(mask.HideText(ByteText.FromBytes(value)));
    }
}
