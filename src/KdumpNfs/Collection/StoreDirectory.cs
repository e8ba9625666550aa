using System.Globalization;
using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Collection;

/// <summary>One thing in a crash directory as stat(2) tells it.</summary>
/// <param name="Name">Its name; null where that is not UTF-8.</param>
/// <param name="IsFile">A regular file: no link, directory, pipe or device.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Modified">Its time.</param>
/// <param name="Stat">Size, time, device and inode in the store's own words: by them the same file is known again.</param>
internal sealed record StoreEntry(string? Name, bool IsFile, long Bytes, DateTimeOffset Modified, string Stat);

/// <summary>All that is in one crash directory (dumpfiles.sh).</summary>
/// <param name="Name">Its name under the root.</param>
/// <param name="Id">Device and inode.</param>
/// <param name="Entries">What is in it, hidden things too.</param>
/// <param name="Fingerprint">SHA-256 of all of that.</param>
/// <param name="Held">It has a hold marker.</param>
/// <param name="Error">Why it could not be listed: missing, notplain (a link, or not a directory), crowded; null when it was.</param>
internal sealed record StoreDirectory(string Name, string Id, IReadOnlyList<StoreEntry> Entries, string Fingerprint, bool Held, string? Error)
{
    // stat(2): the type of a file in its mode.
    private const int FileTypeMask = 0xf000;
    private const int RegularFile = 0x8000;

    /// <summary>A script that works inside crash directories: the common functions, those of storedir.sh, the values, then the script.</summary>
    public static RemoteScript Script(string name, string root, params ReadOnlySpan<(string Name, string Value)> values)
    {
        var text = new StringBuilder(HostScript.Read("common")).Append(HostScript.Read("storedir")).Append(ShellQuote.Assignment("ROOT", root));
        foreach (var (variable, value) in values)
        {
            text.Append(ShellQuote.Assignment(variable, value));
        }

        return new RemoteScript(text.Append(HostScript.Read(name)).ToString());
    }

    /// <summary>Lists directories by their names, which must be those of crash directories.</summary>
    /// <exception cref="HostException">VmcoreDirectoryMissing, NotRoot, NotSupported: the root.</exception>
    public static async Task<IReadOnlyList<StoreDirectory>> ListAsync(IHostConnection connection, string root, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        var reply = await HostReply.RunAsync(connection, Script("dumpfiles", root, ("NAMES", string.Join('\n', names))), cancellationToken).ConfigureAwait(false);
        if (reply.Text("error") is { } error)
        {
            throw StoreReply.Refused(error, connection.Host.HostName, root);
        }

        return
        [
            .. reply.All("name").Distinct(StringComparer.Ordinal).Select(name => new StoreDirectory(
                name, reply.Text(name + ".id") ?? "", [.. Parse(reply.Text(name + ".entries") ?? "")], reply.Text(name + ".print") ?? "",
                reply.Flag(name + ".held"), reply.Text(name + ".error"))),
        ];
    }

    // NUL-separated "MODE SIZE TIME DEVICE:INODE ./NAME".
    private static IEnumerable<StoreEntry> Parse(string base64)
    {
        var utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);
        var bytes = Convert.FromBase64String(base64);
        for (var start = 0; start < bytes.Length;)
        {
            var end = Array.IndexOf(bytes, (byte)0, start);
            end = end < 0 ? bytes.Length : end;
            var fields = Encoding.Latin1.GetString(bytes, start, end - start).Split(' ', 5);
            if (fields.Length == 5 && int.TryParse(fields[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mode) &&
                long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            {
                string? name;
                try
                {
                    name = utf8.GetString(Encoding.Latin1.GetBytes(fields[4]))[2..];
                }
                catch (DecoderFallbackException)
                {
                    name = null;
                }

                yield return new StoreEntry(name, (mode & FileTypeMask) == RegularFile, size, StoreReply.Time(fields[2]) ?? DateTimeOffset.UnixEpoch, $"{fields[1]} {fields[2]} {fields[3]}");
            }

            start = end + 1;
        }
    }
}
