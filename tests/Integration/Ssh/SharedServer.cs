namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>One ordinary server, with a banner before the login, for all tests that need nothing special.</summary>
public sealed class SharedServer : IDisposable
{
    private readonly Lazy<SshServer> _server = new(() =>
    {
        var server = SshServer.Start("Banner HOME/banner");
        File.WriteAllText(Path.Combine(server.Home, "banner"), "********\nAuthorized use only\n********\n");
        return server;
    });

    public SshServer Server => _server.Value;

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class SshGroup : ICollectionFixture<SharedServer>
{
    public const string Name = "ssh";
}
