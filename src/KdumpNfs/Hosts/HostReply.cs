using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using KdumpNfs.Ssh;

namespace KdumpNfs.Hosts;

/// <summary>What a script answered: records <c>KEY LENGTH\nVALUE\n</c> as common.sh writes them.</summary>
internal sealed class HostReply
{
    private readonly Dictionary<string, List<byte[]>> _records = new(StringComparer.Ordinal);
    private readonly string _hostName;

    private HostReply(string hostName) => _hostName = hostName;

    /// <summary>Runs a script and reads its records. A script that fails is an error that carries the host's words.</summary>
    public static async Task<HostReply> RunAsync(IHostConnection connection, RemoteScript script, CancellationToken cancellationToken)
    {
        var result = await connection.RunAsync(script, cancellationToken).ConfigureAwait(false);
        if (result.ExitStatus != 0)
        {
            throw new HostException(ErrorIds.UnexpectedReply, connection.Host.HostName, $"A script ended with exit status {result.ExitStatus}.")
            {
                HostSaid = result.ErrorText,
                Remedy = "Look whether sh and coreutils work on the host; run the command with -Verbose.",
            };
        }

        return Parse(connection.Host.HostName, result.Output.Span);
    }

    /// <summary>Reads the records of a reply.</summary>
    /// <exception cref="HostException">UnexpectedReply: the reply is cut or not in records.</exception>
    public static HostReply Parse(string hostName, ReadOnlySpan<byte> reply)
    {
        var result = new HostReply(hostName);
        while (!reply.IsEmpty)
        {
            var eol = reply.IndexOf((byte)'\n');
            var head = eol < 0 ? [] : reply[..eol];
            var blank = head.LastIndexOf((byte)' ');
            if (blank <= 0 || !int.TryParse(head[(blank + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var length) ||
                length > reply.Length - eol - 2 || reply[eol + 1 + length] != (byte)'\n')
            {
                throw new HostException(ErrorIds.UnexpectedReply, hostName, "The reply of the host is cut or not in its format.")
                {
                    HostSaid = Encoding.UTF8.GetString(reply[..Math.Min(reply.Length, 200)]),
                };
            }

            var key = Encoding.ASCII.GetString(head[..blank]);
            if (!result._records.TryGetValue(key, out var values))
            {
                result._records[key] = values = [];
            }

            values.Add(reply.Slice(eol + 1, length).ToArray());
            reply = reply[(eol + length + 2)..];
        }

        return result;
    }

    /// <summary>The last value of a key as text; null where the host gave none.</summary>
    public string? Text(string key) => _records.TryGetValue(key, out var values) ? Encoding.UTF8.GetString(values[^1]) : null;

    /// <summary>The last value of a key; empty where the host gave none.</summary>
    public ReadOnlySpan<byte> Bytes(string key) => _records.TryGetValue(key, out var values) ? values[^1] : [];

    /// <summary>All values of a key, in order.</summary>
    public IReadOnlyList<string> All(string key) =>
        _records.TryGetValue(key, out var values) ? [.. values.Select(v => Encoding.UTF8.GetString(v))] : [];

    /// <summary>The value of a key that every host gives.</summary>
    /// <exception cref="HostException">UnexpectedReply: it is missing.</exception>
    public string Required(string key) => Text(key) ?? throw new HostException(ErrorIds.UnexpectedReply, _hostName, $"The host's reply has no '{key}'.");

    /// <summary>A number; null where the host gave none or something else.</summary>
    public long? Number(string key) =>
        long.TryParse(Text(key)?.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Whether the value is "1" or "yes".</summary>
    public bool Flag(string key) => Text(key)?.Trim() is "1" or "yes";

    /// <summary>The file that kvfile sent; null when the host has none.</summary>
    public HostFile? File(string key)
    {
        if (Text(key + ".path") is not { } path)
        {
            return null;
        }

        if (Flag(key + ".denied"))
        {
            throw HostRequirement.NotRoot(_hostName, $"This account may not read {path}.");
        }

        var stat = Required(key + ".stat").Split(' ');
        if (stat.Length != 5 || !long.TryParse(stat[3], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var modified))
        {
            throw new HostException(ErrorIds.UnexpectedReply, _hostName, $"The host cannot tell about {path}.") { HostSaid = string.Join(' ', stat) };
        }

        return new HostFile(path, Decode(key + ".data"), stat[0], $"{stat[1]}:{stat[2]}", DateTimeOffset.FromUnixTimeSeconds(modified));
    }

    private byte[] Decode(string key)
    {
        var text = Bytes(key);
        _ = text.IsEmpty ? Required(key) : "";
        var content = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, content, out _, out var length) == OperationStatus.Done
            ? content[..length]
            : throw new HostException(ErrorIds.UnexpectedReply, _hostName, $"The host's reply has a '{key}' that is not base64.");
    }
}
