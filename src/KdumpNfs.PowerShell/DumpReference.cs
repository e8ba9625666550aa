using System.Management.Automation;

namespace KdumpNfs.PowerShell;

/// <summary>A dump on a store as a pipeline brings it: an object of Get-Vmcore, Wait-Vmcore or a drill, live or back from Clixml, or a path.</summary>
/// <param name="Path">The crash directory on the store.</param>
/// <param name="StoreHost">The store; null where only a path was given, or the dump is on this machine.</param>
internal sealed record DumpReference(string Path, string? StoreHost)
{
    /// <summary>Reads an object.</summary>
    /// <exception cref="HostException">InvalidInput: it names no dump.</exception>
    public static DumpReference From(object? input)
    {
        if ((input is PSObject wrapped ? wrapped.BaseObject : input) is string path)
        {
            return new DumpReference(path, null);
        }

        var properties = input is null ? null : PSObject.AsPSObject(input).Properties;
        return properties?["Path"]?.Value?.ToString() is { Length: > 0 } found
            ? new DumpReference(found, properties["StoreHost"]?.Value?.ToString() is { Length: > 0 } store ? store : null)
            : throw new HostException(ErrorIds.InvalidInput, "", $"An object of type {(input is PSObject { TypeNames: { Count: > 0 } names } ? names[0] : input?.GetType().FullName ?? "null")} names no dump.")
            {
                Remedy = "Pipe the output of Get-Vmcore, or the path of a crash directory on the store.",
            };
    }
}
