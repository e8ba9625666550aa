using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>The virtual lab that is running around the tests: <c>lab/lab run … -- dotnet test tests/Lab</c>.</summary>
public sealed class LabFixture : IAsyncLifetime, IDisposable
{
    private readonly System.Collections.IDictionary _environment = Environment.GetEnvironmentVariables();

    private readonly KeptConnector _kept = new(new OpenSshConnector());

    public bool IsUp => Variable("KDUMPNFS_LAB_KEY_FILE") is not null;

    public SshHost Storage => Host("STORAGE");

    public SshHost Node1 => Host("NODE1");

    public SshHost Node2 => Host("NODE2");

    /// <summary>Connections that are kept between operations.</summary>
    public HostAccess Access => FreshAccess with { Connector = _kept };

    /// <summary>A connection for each operation.</summary>
    public HostAccess FreshAccess => new(new OpenSshConnector(), new SshOptions
    {
        KnownHostsFiles = [Required("KDUMPNFS_LAB_KNOWN_HOSTS")],
        ConnectTimeout = TimeSpan.FromSeconds(60),
    });

    /// <summary>The store as the nodes see it.</summary>
    public string StoreAddress => Required("KDUMPNFS_LAB_STORAGE_PRIVATE");

    public string Subnet => Required("KDUMPNFS_LAB_SUBNET");

    /// <summary>Estimates by host, for the comparison with the real dump.</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<string, Kdump.HostVmcoreEstimate> Estimates { get; } = new();

    /// <summary>What the crash of both nodes at once was like, for the comparison with what is simulated.</summary>
    public IReadOnlyList<Storms.StormDrill> BothAtOnce { get; set; } = [];

    public string Required(string name) => Variable(name) ?? throw new InvalidOperationException($"{name} is not set: run in `lab/lab run`.");

    /// <summary>Runs a script of the test's own.</summary>
    public async Task<ScriptResult> RunAsync(SshHost host, RemoteScript script)
    {
        await using var connection = await Access.Connector.ConnectAsync(host, Access.Options, CancellationToken.None);
        return await connection.RunAsync(script);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _kept.DisposeAsync();

    public void Dispose()
    {
        // xunit calls DisposeAsync first; connections close there.
    }

    private string? Variable(string name) => _environment[name] as string is { Length: > 0 } value ? value : null;

    private SshHost Host(string guest) => new(
        Required($"KDUMPNFS_LAB_{guest}_HOST"), Required("KDUMPNFS_LAB_USER"),
        int.Parse(Required("KDUMPNFS_LAB_PORT"), CultureInfo.InvariantCulture), Required("KDUMPNFS_LAB_KEY_FILE"));
}

/// <summary>A front end that keeps what it is told.</summary>
public sealed class RecordingFront(ITestOutputHelper output, bool answer = true) : IFleetFront
{
    public List<object> Outputs { get; } = [];

    public List<HostException> Errors { get; } = [];

    public List<string> Warnings { get; } = [];

    public List<ChangeQuestion> Questions { get; } = [];

    public Action<string>? OnVerbose { get; init; }

    public void Output(object value)
    {
        Say($"output {value}");
        Outputs.Add(value);
    }

    public void Failed(HostException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        Say($"error {failure.ErrorId}: {failure.Message}");
        Errors.Add(failure);
    }

    public void Verbose(string hostName, string text)
    {
        Say($"{hostName}: {text}");
        OnVerbose?.Invoke(text);
    }

    public void Warning(string hostName, string text)
    {
        Say($"warning {text}");
        Warnings.Add(text);
    }

    public void Progress(HostProgress progress) => OnVerbose?.Invoke($"{progress?.Activity}: {progress?.Status}");

    public bool Confirm(ChangeQuestion question)
    {
        Questions.Add(question);
        return answer;
    }

    private void Say(string text) => output.WriteLine($"{Stopwatch.GetTimestamp() / Stopwatch.Frequency % 10000} {text}");
}
