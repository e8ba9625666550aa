using System.CommandLine;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Cli.Commands;

/// <summary>The dumps that a command reads: paths of this machine, or of a store.</summary>
internal sealed class DumpOptions
{
    private readonly Argument<string[]> _paths;
    private readonly bool _many;
    private readonly Option<string?> _store = new("--store") { Description = "The host on which the paths are; without it they are this machine's" };

    /// <summary>Adds argument and option to a command.</summary>
    public DumpOptions(Command command, string description, bool many = true)
    {
        _many = many;
        _paths = new Argument<string[]>("PATH") { Description = description, Arity = ArgumentArity.OneOrMore };
        command.Arguments.Add(_paths);
        command.Options.Add(_store);
    }

    /// <summary>Works on every dump.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="connection">How hosts are reached.</param>
    /// <param name="session">The run of the command.</param>
    /// <param name="work">What to do for a dump.</param>
    /// <param name="agreed">Asked before the work on a dump begins; false leaves it out.</param>
    public void ForEach(
        ParseResult parsed, ConnectionOptions connection, Session session, Func<DumpAccess, DumpPlace, HostContext, CancellationToken, Task> work, Func<DumpPlace, bool>? agreed = null)
    {
        var store = parsed.GetValue(_store) is { } name ? connection.Host(parsed, name) : null;
        if (!_many && parsed.GetValue(_paths) is { Length: > 1 })
        {
            throw ConnectionOptions.Refused("More than one dump was given.", "Give one; the logs of several would run into each other.");
        }

        var places = (parsed.GetValue(_paths) ?? []).Select(p => new DumpPlace(store is null && p.Length > 0 ? Path.GetFullPath(p) : p, store).Validated()).ToList();
        var access = new DumpAccess(store is null ? null : connection.Access(parsed));
        foreach (var place in places.Where(place => agreed?.Invoke(place) != false))
        {
            session.Fleet.Add(session, place.Name, (context, token) => work(access, place, context, token));
        }

        session.Fleet.Finish(session);
        access.DisposeAsync().AsTask().Wait(TimeSpan.FromMilliseconds(300));
    }
}
