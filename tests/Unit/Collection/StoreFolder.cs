using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Collection;

/// <summary>A made-up share in a temporary folder.</summary>
internal sealed class StoreFolder : IDisposable
{
    public static readonly DateTime LongAgo = DateTime.UtcNow.AddHours(-3);

    private readonly List<FleetMessage> _messages = [];

    public StoreFolder()
    {
        Context = new HostContext("store", m =>
        {
            lock (_messages)
            {
                _messages.Add(m);
            }
        });
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("kdumpnfs-store-").FullName;

    public HostContext Context { get; }

    public IReadOnlyList<FleetMessage> Messages
    {
        get
        {
            lock (_messages)
            {
                return [.. _messages];
            }
        }
    }

    public ShellConnection Connection { get; set; } = new();

    public string Make(string directory) => Directory.CreateDirectory(Path.Combine(Root, directory)).FullName;

    public string Put(string directory, string file, string text)
    {
        var path = Path.Combine(Make(directory), file);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Makes a directory and all in it three hours old.</summary>
    public void Age(string directory)
    {
        var path = Path.Combine(Root, directory);
        foreach (var file in Directory.EnumerateFiles(path))
        {
            File.SetLastWriteTimeUtc(file, LongAgo);
        }

        Directory.SetLastWriteTimeUtc(path, LongAgo);
    }

    public RemoteVmcores Remote() => new("store", Root, (_, _) => Task.FromResult<IHostConnection>(Connection));

    public IVmcoreStore Store(bool remote) => remote ? Remote() : new LocalVmcores(Root);

    public async Task<IReadOnlyList<VmcoreDump>> GetAsync(bool remote, VmcoreFilter? filter = null)
    {
        await using var store = Store(remote);
        return await GetVmcoreOperation.RunAsync(store, filter ?? new VmcoreFilter(), Context, CancellationToken.None);
    }

    public async Task<VmcoreDump> OneAsync(bool remote) => Assert.Single(await GetAsync(remote));

    // Not Directory.Delete: some tests make names that are not UTF-8.
    public void Dispose() => System.Diagnostics.Process.Start("rm", ["-rf", "--", Root]).WaitForExit();
}
