using System.CommandLine;
using KdumpNfs.Collection;

namespace KdumpNfs.Cli.Commands;

/// <summary>Options that name a store of dumps.</summary>
internal sealed class StoreOptions
{
    private readonly Option<string?> _store = new("--store") { Description = "The storage server, or any host that sees the share as a path" };
    private readonly Option<string?> _export = new("--export") { Description = "The exported directory, as a path on the store" };
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
        var (store, export, path) = (parsed.GetValue(_store), parsed.GetValue(_export), parsed.GetValue(_path));
        return (store, path) switch
        {
            ({ } host, null) when export is not null => new RemoteVmcores(connection.Access(parsed), connection.Host(parsed, host), export, parsed.GetValue(_dumpPath)),
            (null, { } local) when export is null => new LocalVmcores(local),
            _ => throw ConnectionOptions.Refused("It is not clear where the dumps are.", "Give --store and --export, or --path for a directory of this machine."),
        };
    }

    /// <summary>The store's name, for messages.</summary>
    public string Name(ParseResult parsed) => parsed.GetValue(_store) ?? parsed.GetValue(_path) ?? "";
}
