using KdumpNfs.Ssh;

namespace KdumpNfs.Fleet;

/// <summary>How an operation on one host talks to the front end. Calls return at once; nothing is written on the worker's thread.</summary>
public sealed class HostContext
{
    private readonly Action<FleetMessage> _post;
    private readonly SshHost? _host;
    private readonly bool _quiet;
    private readonly object _gate = new();
    private readonly List<Task> _closing = [];

    internal HostContext(string hostName, Action<FleetMessage> post, SshHost? host = null, bool quiet = false)
    {
        HostName = hostName;
        _post = post;
        _host = host;
        _quiet = quiet;
    }

    /// <summary>The host.</summary>
    public string HostName { get; }

    /// <summary>Tells the story of the host, where somebody wants to hear it.</summary>
    public void Verbose(string text)
    {
        if (!_quiet)
        {
            _post(new HostVerbose(HostName, text));
        }
    }

    /// <summary>Warns; the operation goes on.</summary>
    public void Warning(string text) => _post(new HostWarning(HostName, text));

    /// <summary>Reports how far a wait is.</summary>
    public void Progress(string activity, string status, double? fraction = null, bool done = false, TimeSpan? left = null) =>
        _post(new HostProgress(HostName, activity, status, fraction, done) { Left = left });

    /// <summary>Gives a result before the operation ends.</summary>
    public void Output(object value) => _post(new HostOutput(HostName, value) { Host = _host });

    /// <summary>
    /// Takes over the end of a connection that is not needed any more: it is a round trip that gives nothing. The host is answered for meanwhile and its place is free, unless too many end already; the run ends
    /// when its connections have.
    /// </summary>
    internal void Leave(Task closing)
    {
        lock (_gate)
        {
            _closing.Add(closing);
        }
    }

    /// <summary>When all that was left has ended. An end that fails is an end.</summary>
    internal Task LeftAsync()
    {
        lock (_gate)
        {
            return _closing.Count == 0 ? Task.CompletedTask : Task.WhenAll(_closing).ContinueWith(t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Asks whether to make a change. The front end answers on its own thread (ShouldProcess).</summary>
    public async Task<bool> ConfirmAsync(ChangeQuestion question, CancellationToken cancellationToken)
    {
        var asked = new HostQuestion(HostName, question);
        using var registration = cancellationToken.Register(asked.Abandon);
        _post(asked);
        return await asked.AnswerAsync.ConfigureAwait(false);
    }
}
