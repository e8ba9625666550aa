using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Bench;

/// <summary>A stand-in for a connection: every script gets the same recorded reply.</summary>
internal sealed class RecordedConnector(byte[] reply) : IHostConnector
{
    public SshTransport Transport => SshTransport.OpenSsh;

    public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken) =>
        Task.FromResult<IHostConnection>(new Connection(host, reply));

    private sealed class Connection(SshHost host, byte[] reply) : IHostConnection
    {
        public SshHost Host => host;

        public SshTransport Transport => SshTransport.OpenSsh;

        public Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
        {
            // What a transport would do at least: the script's bytes are made.
            _ = Encoding.UTF8.GetBytes(script.Text);
            return Task.FromResult(new ScriptResult(reply, default, 0));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>A front end that counts.</summary>
internal sealed class CountingFront : IFleetFront
{
    public int Results { get; private set; }

    public HostException? Failure { get; private set; }

    public void Output(object value) => Results++;

    public void Failed(HostException failure) => Failure = failure;

    public void Verbose(string hostName, string text)
    {
        // Nobody reads it here.
    }

    public void Warning(string hostName, string text)
    {
        // Nobody reads it here.
    }

    public void Progress(HostProgress progress)
    {
        // Nobody sees it here.
    }

    public bool Confirm(ChangeQuestion question) => false;
}
