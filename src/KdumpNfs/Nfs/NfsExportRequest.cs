using KdumpNfs.Kdump;

namespace KdumpNfs.Nfs;

/// <summary>What Enable-NfsExport was asked for, checked before any host is contacted.</summary>
/// <param name="ExportPath">The directory to export.</param>
/// <param name="Client">Who may mount it.</param>
/// <param name="Option">Export options.</param>
/// <param name="DumpPath">Directory for dumps inside the export, made root-only; null for none.</param>
/// <param name="CreateDirectory">Make the exported directory if it is missing.</param>
/// <param name="RequireMount">Refuse a path that is not a mount of its own, so that dumps cannot fill the server's root disk.</param>
public sealed record NfsExportRequest(string ExportPath, string Client, IReadOnlyList<string> Option, string? DumpPath, bool CreateDirectory, bool RequireMount)
{
    /// <summary>What a store of dumps needs: root of the hosts writes, and nothing is acknowledged before it is on disk.</summary>
    public static readonly IReadOnlyList<string> DefaultOption = ["rw", "sync", "no_root_squash", "no_subtree_check"];

    /// <summary>The dump directory on the server; null for none.</summary>
    public string? DumpDirectory => DumpPath is null ? null : (ExportPath.TrimEnd('/') + "/" + DumpPath.Trim('/')).TrimEnd('/');

    /// <summary>Checks everything that is wrong on every server.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static NfsExportRequest Create(string exportPath, string client, IReadOnlyList<string>? option, string? dumpPath, bool createDirectory, bool requireMount)
    {
        var options = option is { Count: > 0 } ? option.SelectMany(o => o.Split(',')).ToList() : [.. DefaultOption];
        if (requireMount && !options.Exists(o => o.Split('=')[0] is "mountpoint" or "mp"))
        {
            // The server itself then refuses to export the directory while its disk is not mounted (exports(5)).
            options.Add("mountpoint");
        }

        ExportClient.Check(client);
        ExportsOptions.Check(options);
        return new NfsExportRequest(TargetInput.CheckDirectory(exportPath, "export path"), client, options,
            dumpPath is null ? null : TargetInput.CheckDirectory(dumpPath, "dump path"), createDirectory, requireMount);
    }
}
