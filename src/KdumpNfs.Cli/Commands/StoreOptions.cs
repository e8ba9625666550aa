using System.CommandLine;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.Cli.Commands;

/// <summary>Options that name a store of dumps.</summary>
internal sealed class StoreOptions
{
    private readonly Option<string?> _store = new("--store") { Description = "The storage server, or any host that sees the share as a path; without it that of the settings" };
    private readonly Option<string?> _export = new("--export") { Description = "The exported directory, as a path on the store; without it that of the settings" };
    private readonly Option<string?> _dumpPath = new("--dump-path") { Description = "Directory for dumps inside the export" };
    private readonly Option<string?> _path = new("--path") { Description = "A directory of this machine that holds crash directories, instead of --store" };

    /// <summary>Adds the options to a command.</summary>
    public StoreOptions(Command command)
    {
        foreach (var option in new Option[] { _store, _export, _dumpPath, _path })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The store; nothing is contacted yet.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public IVmcoreStore Make(ParseResult parsed, ConnectionOptions connection)
    {
        if (parsed.GetValue(_path) is { } local)
        {
            return parsed.GetValue(_store) is null && parsed.GetValue(_export) is null ? new LocalVmcores(local) : throw Unclear(null);
        }

        try
        {
            var (store, export, dumpPath) = Preferences.Current.StoreOr(parsed.GetValue(_store), parsed.GetValue(_export), parsed.GetValue(_dumpPath));
            return new RemoteVmcores(connection.Access(parsed), connection.Host(parsed, store), export, dumpPath);
        }
        catch (HostException e) when (e.Remedy is null)
        {
            throw Unclear(e);
        }
    }

    /// <summary>The store's name, for messages.</summary>
    public string Name(ParseResult parsed) => parsed.GetValue(_path) ?? parsed.GetValue(_store) ?? Preferences.Current.StoreHost ?? "";

    private static HostException Unclear(HostException? why) =>
        ConnectionOptions.Refused(why?.What ?? "It is not clear where the dumps are.", "Give --store and --export, or --path for a directory of this machine.");
}
