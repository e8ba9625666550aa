using KdumpNfs.Collection;
using KdumpNfs.Ssh;

namespace KdumpNfs.Vmcores;

/// <summary>Where a dump, or a saved log, lies.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Store">The host on which that is; null for this machine.</param>
public sealed record DumpPlace(string Path, SshHost? Store = null)
{
    /// <summary>The store's name, or the path on this machine: what messages speak of.</summary>
    public string Name => Store?.HostName ?? Path;

    /// <summary>The same place, checked.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public DumpPlace Validated()
    {
        if (string.IsNullOrWhiteSpace(Path) || Path.Contains('\0', StringComparison.Ordinal) || (Store is not null && (Path[0] != '/' || Path.Any(char.IsControl))))
        {
            throw new HostException(ErrorIds.InvalidInput, Store?.HostName ?? "", $"'{Printable.Escape(Path ?? "")}' is not {(Store is null ? "a path" : "an absolute path")}.")
            {
                Remedy = "Give the path of a dump, or pipe the output of Get-Vmcore.",
            };
        }

        Store?.Validated();
        return this;
    }

    /// <summary>The place of a dump that Get-Vmcore found; null while there is none.</summary>
    /// <param name="dump">The dump.</param>
    /// <param name="store">Makes a host of the store's name.</param>
    public static DumpPlace? Of(VmcoreDump dump, Func<string, SshHost> store)
    {
        ArgumentNullException.ThrowIfNull(dump);
        ArgumentNullException.ThrowIfNull(store);
        return dump.DumpFile is { } file ? new DumpPlace(file, dump.StoreHost is { } host ? store(host) : null) : null;
    }
}
