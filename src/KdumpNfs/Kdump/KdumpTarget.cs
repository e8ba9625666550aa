using System.Net;
using System.Net.Sockets;

namespace KdumpNfs.Kdump;

/// <summary>Where kinds of dumps go.</summary>
public enum KdumpTargetKind
{
    /// <summary>A directory of the host's own file systems; no target is named.</summary>
    Local,

    /// <summary>An NFS export.</summary>
    Nfs,

    /// <summary>A directory reached by ssh.</summary>
    Ssh,

    /// <summary>A raw partition.</summary>
    Raw,

    /// <summary>A file system on a device.</summary>
    FileSystem,

    /// <summary>A directory that the hypervisor shares.</summary>
    Virtiofs,

    /// <summary>An FTP server (Debian).</summary>
    Ftp,

    /// <summary>Something else that the file names.</summary>
    Other,
}

/// <summary>Where a host sends its dumps, as its configuration file says.</summary>
public sealed record KdumpTarget
{
    /// <summary>What kind of place.</summary>
    public required KdumpTargetKind Kind { get; init; }

    /// <summary>The server's name or address, IPv6 without brackets; null where there is none or it cannot be made out.</summary>
    public string? Store { get; init; }

    /// <summary>The user on the server (ssh); null elsewhere.</summary>
    public string? User { get; init; }

    /// <summary>The exported directory as it is written; null for what is not NFS.</summary>
    public string? Export { get; init; }

    /// <summary>The directory inside the export, device or server; null on Debian's NFS, which has no such setting.</summary>
    public string? DumpPath { get; init; }

    /// <summary>The device, its label or UUID, or the virtiofs tag; null elsewhere.</summary>
    public string? Device { get; init; }

    /// <summary>The device's file system, such as xfs; null where none is named.</summary>
    public string? FileSystem { get; init; }

    /// <summary>The value as the file has it.</summary>
    public string Text { get => field ?? ""; init; } = "";

    /// <summary>The place in one form that can be compared, whatever the family and its way of splitting it: for NFS <c>store:/directory</c>
    /// with export and dump path joined, single slashes and an IPv6 address in brackets.</summary>
    public string Location => Kind switch
    {
        KdumpTargetKind.Nfs when Store is not null && Export is not null => $"{Bracketed(Canonical(Store))}:{Join(Export, DumpPath)}",
        KdumpTargetKind.Ssh when Store is not null => $"{(User is null ? "" : User + "@")}{Bracketed(Canonical(Store))}:{Join(DumpPath ?? "/", null)}",
        KdumpTargetKind.Ftp when Store is not null => $"ftp://{Bracketed(Canonical(Store))}{Join(DumpPath ?? "/", null)}",
        KdumpTargetKind.FileSystem or KdumpTargetKind.Virtiofs when Device is not null => $"{Device}:{Join(DumpPath ?? "/", null)}",
        KdumpTargetKind.Local => Join(DumpPath ?? "/", null),
        _ => Text,
    };

    /// <summary>Whether dumps of both land in the same directory of the same kind of place.</summary>
    public bool SameLocation(KdumpTarget? other) =>
        other is not null && other.Kind == Kind && string.Equals(other.Location, Location, StringComparison.Ordinal);

    /// <summary>A target on NFS.</summary>
    /// <param name="store">The server's name or address, IPv6 without brackets.</param>
    /// <param name="export">The exported directory.</param>
    /// <param name="dumpPath">The directory inside it, or null.</param>
    public static KdumpTarget Nfs(string store, string export, string? dumpPath) => new()
    {
        Kind = KdumpTargetKind.Nfs,
        Store = store,
        Export = export,
        DumpPath = dumpPath,
        Text = $"{Bracketed(store)}:{export}",
    };

    /// <summary>Reads <c>server:/directory</c> as mount.nfs(8) does: an address in brackets, or all before the first colon.
    /// What it could not mount keeps its text and has neither store nor export.</summary>
    public static KdumpTarget ParseNfs(string text, string? dumpPath)
    {
        var target = new KdumpTarget { Kind = KdumpTargetKind.Nfs, DumpPath = dumpPath, Text = text };
        var close = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : -1;
        var colon = text.IndexOf(':', Math.Max(close, 0));
        if (colon <= 0 || colon + 1 >= text.Length || text[colon + 1] != '/' || (text[0] == '[' && (close < 2 || colon != close + 1)))
        {
            return target;
        }

        return target with { Store = close > 0 ? text[1..close] : text[..colon], Export = text[(colon + 1)..] };
    }

    /// <summary>Reads <c>user@server</c>; an IPv6 address stands with or without brackets.</summary>
    public static KdumpTarget ParseSsh(string text, string? dumpPath)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return new KdumpTarget
        {
            Kind = KdumpTargetKind.Ssh,
            User = at < 0 ? null : text[..at],
            Store = text[(at + 1)..].TrimStart('[').TrimEnd(']'),
            DumpPath = dumpPath,
            Text = text,
        };
    }

    /// <summary>What a directory without a named target really is: the mount that holds it decides (a <c>path</c> on a mounted NFS dumps there).</summary>
    /// <param name="source">The mount's source, as findmnt's SOURCE.</param>
    /// <param name="fileSystem">Its type, as FSTYPE.</param>
    /// <param name="mountPoint">Its directory, as TARGET.</param>
    /// <param name="path">The directory that is dumped to.</param>
    public static KdumpTarget OnMount(string source, string fileSystem, string mountPoint, string path)
    {
        var full = NormalPath(path);
        var mount = NormalPath(mountPoint);
        var inside = mount == "/" ? full
            : full == mount ? "/"
            : full.StartsWith(mount + "/", StringComparison.Ordinal) ? full[mount.Length..] : null;
        return fileSystem switch
        {
            "nfs" or "nfs4" when inside is not null => ParseNfs(source, inside),
            "virtiofs" => new KdumpTarget { Kind = KdumpTargetKind.Virtiofs, Device = source, DumpPath = inside, Text = path },
            _ => new KdumpTarget { Kind = KdumpTargetKind.Local, DumpPath = full, Text = path },
        };
    }

    /// <summary>The target for people.</summary>
    public override string ToString() => Printable.Escape(Kind switch
    {
        KdumpTargetKind.Local => $"local {Location}",
        KdumpTargetKind.Nfs => $"nfs {Location}",
        KdumpTargetKind.Ssh => $"ssh {Location}",
        KdumpTargetKind.Ftp => Location,
        KdumpTargetKind.Raw => $"raw {Device ?? Text}",
        KdumpTargetKind.Virtiofs => $"virtiofs {Location}",
        _ => Location,
    });

    /// <summary>Single slashes, none at the end, one at the start.</summary>
    internal static string NormalPath(string path) =>
        "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."));

    /// <summary>An IPv6 address in brackets, everything else as it is.</summary>
    internal static string Bracketed(string store) => store.Contains(':', StringComparison.Ordinal) ? $"[{store}]" : store;

    /// <summary>A directory inside another one.</summary>
    internal static string Join(string export, string? dumpPath) => NormalPath(export + "/" + dumpPath);

    /// <summary>The store in one spelling: names are case-insensitive (RFC 4343), IPv6 addresses have many forms (RFC 5952 gives one).</summary>
    internal static string Canonical(string store) =>
        store.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(store, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
            ? address.ToString()
            : store.ToLowerInvariant();
}
