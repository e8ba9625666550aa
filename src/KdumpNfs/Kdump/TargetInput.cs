using System.Net;
using System.Net.Sockets;

namespace KdumpNfs.Kdump;

/// <summary>An NFS target as a caller asks for it, checked for what is wrong on every host, before any is contacted.</summary>
/// <param name="Server">A DNS name, IPv4 or IPv6 address, the last without brackets and in its canonical form.</param>
/// <param name="Export">The exported directory: absolute, single slashes, none at the end.</param>
/// <param name="DumpPath">The directory inside the export, likewise; null to leave the host's own (RHEL) or to use the export's root (Debian).</param>
public sealed record TargetInput(string Server, string Export, string? DumpPath)
{
    /// <summary>Checks and normalises all three.</summary>
    /// <exception cref="HostException">InvalidInput, with what to give instead.</exception>
    public static TargetInput Create(string server, string export, string? dumpPath) =>
        new(CheckServer(server), CheckDirectory(export, "export"), dumpPath is null ? null : CheckDirectory(dumpPath, "dump path"));

    /// <summary>Reads <c>server:/directory</c>, an IPv6 address in brackets.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static TargetInput Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return KdumpTarget.ParseNfs(text, dumpPath: null) is { Store: { } server, Export: { } export }
            ? Create(server, export, null)
            : throw Invalid($"'{Printable.Escape(text)}' is not server:/directory.", "name the server and the absolute path of its export: storage:/data/nfs_share");
    }

    /// <summary>The target that this asks for.</summary>
    public KdumpTarget Target => KdumpTarget.Nfs(Server, Export, DumpPath);

    /// <summary>Checks the name or address of a store.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static string CheckServer(string server)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (server.Length == 0)
        {
            throw Invalid("The NFS server is empty.", "name the server, or give its address.");
        }

        var bare = server.StartsWith('[') && server.EndsWith(']') ? server[1..^1] : server;
        if (bare.Contains(':', StringComparison.Ordinal))
        {
            return CheckIPv6(server, bare);
        }

        if (bare.Length != server.Length)
        {
            throw Invalid($"'{Printable.Escape(server)}' is not an IPv6 address.", "only IPv6 addresses stand in brackets.");
        }

        var labels = (server.EndsWith('.') ? server[..^1] : server).Split('.');
        if (server.Length > 254 || labels.Any(label => !IsLabel(label)))
        {
            throw Invalid($"'{Printable.Escape(server)}' is not a host name or address.",
                "give a DNS name (letters, digits, hyphens and dots; other alphabets as xn--…), an IPv4 or an IPv6 address, without a directory.");
        }

        // A name that ends in a number is an address, and half of one ("10.1") means different hosts to different programs.
        if (labels[^1].All(char.IsAsciiDigit) && !(labels.Length == 4 && labels.All(IsOctet) && !server.EndsWith('.')))
        {
            throw Invalid($"'{server}' is not an IPv4 address.", "write all four numbers, each from 0 to 255 without leading zeros.");
        }

        return server;
    }

    /// <summary>Checks the directory of an image tree.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static string CheckImageRoot(string path)
    {
        var root = CheckDirectory(path, "image root");
        return root != "/" ? root : throw new HostException(ErrorIds.InvalidInput, "", "The image root is the host's own root.")
        {
            Remedy = "Leave -ImageRoot out, or name the directory of the tree.",
        };
    }

    /// <summary>Checks a directory of the store and takes out doubled and final slashes.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="what">What it is, for the message.</param>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static string CheckDirectory(string path, string what)
    {
        ArgumentNullException.ThrowIfNull(path);
        var shown = Printable.Escape(path);
        if (!path.StartsWith('/'))
        {
            throw Invalid($"The {what} '{shown}' is not absolute.", "give it from the root, beginning with '/'.");
        }

        if (path.FirstOrDefault(c => char.IsControl(c) || (char.IsWhiteSpace(c) && c != ' ')) is var bad && bad != '\0' || path.Contains('\0', StringComparison.Ordinal))
        {
            throw Invalid($"The {what} '{shown}' has a line break, tab or other control character.", "give it without.");
        }

        if (path.IndexOfAny(['"', '\'', '\\', '$', '`']) >= 0)
        {
            throw Invalid($"The {what} '{shown}' has a quote, backslash, dollar sign or backtick, which no kdump configuration can hold.",
                "export the directory under another name.");
        }

        var parts = path.Split('/');
        if (parts.Contains(".."))
        {
            throw Invalid($"The {what} '{shown}' goes up with '..'.", "write the directory that is meant.");
        }

        if (parts.Any(part => part.Length > 0 && (part[0] == ' ' || part[^1] == ' ')))
        {
            throw Invalid($"The {what} '{shown}' has a space at the beginning or end of a name.", "give it without.");
        }

        Text.ByteText.FromValue(path);
        if (System.Text.Encoding.UTF8.GetByteCount(path) > 1024)
        {
            // MNTPATHLEN, RFC 1813 5.1.1: what the mount protocol carries.
            throw Invalid($"The {what} is longer than the 1024 bytes that NFS can mount.", "use a shorter one.");
        }

        return KdumpTarget.NormalPath(path);
    }

    private static string CheckIPv6(string server, string bare)
    {
        if (bare.Contains('%', StringComparison.Ordinal))
        {
            throw Invalid($"'{Printable.Escape(server)}' is bound to one interface, whose name the capture kernel may not know.",
                "give a global or unique local address of the server.");
        }

        // TryParse alone also takes ports and prefixes.
        if (bare.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.') && IPAddress.TryParse(bare, out var address) &&
            address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return address.ToString();
        }

        throw Invalid($"'{Printable.Escape(server)}' is not an IPv6 address.", "give the server alone; the directory is the export.");
    }

    // RFC 1123 2.1, and the underscore that private zones use.
    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static bool IsOctet(string label) =>
        label.Length <= 3 && byte.TryParse(label, out _) && (label.Length == 1 || label[0] != '0');

    private static HostException Invalid(string what, string remedy) => new(ErrorIds.InvalidInput, "", what) { Remedy = remedy };
}
