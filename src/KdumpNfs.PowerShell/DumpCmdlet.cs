using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>
/// A cmdlet that reads dumps: paths, files, or the output of Get-Vmcore. With -StoreHost or -Session paths are the store's and only the bytes that are needed cross
/// the network; objects of Get-Vmcore bring their store with them. The connection parameters are the store's.
/// </summary>
public abstract class DumpCmdlet : StoreObjectCmdlet
{
    private DumpAccess? _access;

    /// <summary>The dumps: paths, files, or objects of Get-Vmcore.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Path", "LiteralPath")]
    [AllowNull]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(VmcoreCompleter))]
    public object[] InputObject { get; set; } = null!;

    /// <summary>The way to the dumps.</summary>
    protected DumpAccess Dumps => _access ??= new DumpAccess(Access);

    /// <summary>Asked on the pipeline's thread before the work on a dump begins; false leaves it out.</summary>
    protected virtual bool Agreed(DumpPlace place) => true;

    /// <summary>What to do with a dump; runs on a thread of the pool.</summary>
    protected abstract Func<HostContext, CancellationToken, Task> WorkFor(DumpPlace place);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var input in InputObject ?? [null!])
        {
            if (IsStopping)
            {
                return;
            }

            try
            {
                var place = PlaceOf(input).Validated();
                if (Agreed(place))
                {
                    Fleet.Add(this, place.Name, WorkFor(place));
                }
            }
            catch (HostException e)
            {
                Failed(e);
            }
        }

        Fleet.Turn(this);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _access?.DisposeAsync().AsTask().Wait(CloseLimit);
        }
    }

    private DumpPlace PlaceOf(object? input)
    {
        var value = input is PSObject wrapped ? wrapped.BaseObject : input;
        switch (value)
        {
            case string path:
                return At(path);
            case FileSystemInfo file:
                return new DumpPlace(file.FullName);
            case VmcoreDump dump:
                return DumpPlace.Of(dump, Store) ?? throw NoDump(dump.Path);
        }

        // Objects that were saved and read again: Get-Vmcore's from Clixml or JSON, Get-ChildItem's from another session.
        var properties = input is null ? null : PSObject.AsPSObject(input).Properties;
        var dumpFile = properties?["DumpFile"]?.Value?.ToString();
        var store = properties?["StoreHost"]?.Value?.ToString();
        return !string.IsNullOrEmpty(dumpFile) ? new DumpPlace(dumpFile, string.IsNullOrEmpty(store) ? null : Store(store))
            : properties?["FullName"]?.Value?.ToString() is { Length: > 0 } full ? At(full)
            : throw NoDump("The object");
    }

    private DumpPlace At(string path) => NamesStore ? new DumpPlace(path, StoreOf(null)) : new DumpPlace(path.Length == 0 ? "" : ResolveFile(path, nameof(InputObject)));

    private Ssh.SshHost Store(string name) => StoreOf(name)!;

    private static HostException NoDump(string what) => new(ErrorIds.InvalidInput, "", $"{Printable.Escape(what)} has no dump.")
    {
        Remedy = "Give the path of a dump, or pipe the output of Get-Vmcore.",
    };
}
