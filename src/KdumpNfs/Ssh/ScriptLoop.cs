using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>The bytes to and from a remote command, whatever library or program carries them.</summary>
internal interface IScriptPipe
{
    /// <summary>Sends bytes to the remote stdin; waits while the other side does not read.</summary>
    /// <exception cref="IOException">The connection is gone.</exception>
    Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Ends the connection at once; never waits, may be called twice and from any thread.</summary>
    void Abort();

    /// <summary>Sends a last word and the end of stdin, gives the other side a moment to end, and closes. What fails meanwhile has ended.</summary>
    /// <param name="farewell">The last word; empty for none.</param>
    Task EndAsync(ReadOnlyMemory<byte> farewell);
}

/// <summary>Many scripts over one remote command: the near end of sshloop.sh.</summary>
/// <remarks>
/// <para>A request is a line <c>ID LENGTH INPUT</c>, the script whole, then its input in chunks, each after a line with its length;
/// a line <c>0</c> ends the input. The host checks that it has all of a script before it runs a line of it. Around what the script
/// prints come markers with a nonce on both stdout and stderr; what is outside of them (banners, a chatty .bashrc, children left in the
/// background) is dropped. The end marker carries the exit status, so a lost connection is never taken for one.</para>
/// <para>The client says <c>next</c> once it has both end markers. If the host's side reads the end of its stdin before that, it kills
/// the script's process group: reads end when nobody listens, and input that was cut is never taken for whole. What must outlive the
/// connection is started with setsid or by systemd.</para>
/// <para>Scripts run with LC_ALL=C, in a subshell each.</para>
/// </remarks>
internal sealed partial class ScriptLoop : IAsyncDisposable
{
    /// <summary>Most that is collected of one stream of one script, bytes; more must be taken through OnOutput.</summary>
    public const int CollectLimit = 256 << 20;

    private const int ChunkSize = 128 << 10;

    // Both end markers of the last script were seen.
    private static readonly byte[] Farewell = [.. "next\n"u8];

    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(2);

    private readonly object _gate = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _here = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _sent = Task.CompletedTask;
    private byte[] _unsent = [];
    private Action? _whenSent;
    private readonly PromptWatch? _prompt;
    private readonly IScriptPipe _pipe;
    private readonly string _hostName;
    private readonly Bootstrap _bootstrap;
    private HostException? _closed;
    private ScriptCall? _call;
    private int _readyStreams;
    private int _lastId;

    public ScriptLoop(string hostName, Bootstrap bootstrap, IScriptPipe pipe)
    {
        _hostName = hostName;
        _bootstrap = bootstrap;
        _pipe = pipe;
        _prompt = bootstrap.Prompt is { } prompt ? new PromptWatch(prompt) : null;
        Output = new StreamSide(this, isError: false);
        Error = new StreamSide(this, isError: true);
    }

    /// <summary>Takes the remote stdout.</summary>
    public StreamSide Output { get; }

    /// <summary>Takes the remote stderr.</summary>
    public StreamSide Error { get; }

    /// <summary>Sends the program and waits until it runs. Failures come through <see cref="Close"/>.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await SendProgramAsync(cancellationToken).ConfigureAwait(false);
        await _ready.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Does not wait for the host, which saves a round trip: the program goes out with the first script, and that gets the failure when there is none to run it.
    /// </summary>
    /// <param name="limit">How long it may take until the program runs, once it was sent.</param>
    /// <param name="late">What to say when it took longer.</param>
    public void Start(TimeSpan limit, Func<HostException> late)
    {
        if (_bootstrap.Password is null)
        {
            _unsent = _bootstrap.Program;
            _whenSent = () => _ = LimitStartAsync(limit, late);
            return;
        }

        // sudo comes first, and it asks when it likes.
        _sent = SendProgramAsync(CancellationToken.None);
        _ = LimitStartAsync(limit, late);
    }

    /// <summary>Whether the host has said that the program runs.</summary>
    public bool HasStarted => _ready.Task.IsCompletedSuccessfully;

    /// <summary>Whether scripts can still be run.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return _closed is null;
            }
        }
    }

    /// <summary>Nothing more will come: whatever waits fails with this. The first reason stays.</summary>
    public void Close(HostException reason)
    {
        ScriptCall? call;
        lock (_gate)
        {
            _closed ??= reason;
            reason = _closed;
            call = _call;
        }

        _here.TrySetException(reason);
        _ready.TrySetException(reason);
        call?.Done.TrySetException(reason);

        // Not everybody waits for the start; an exception that nobody reads must not surface at the finalizer.
        _ = _here.Task.Exception;
        _ = _ready.Task.Exception;
    }

    /// <summary>Runs one script; a second call waits for the first.</summary>
    public async Task<ScriptResult> RunAsync(RemoteScript script, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var text = Encode(script.Text);
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (timeout != System.Threading.Timeout.InfiniteTimeSpan)
            {
                limit.CancelAfter(timeout);
            }

            try
            {
                return await RunAsync(script, text, limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException e)
            {
                Abort(Lost("The connection was closed when a script was cancelled or timed out."));
                cancellationToken.ThrowIfCancellationRequested();
                throw new HostException(ErrorIds.Timeout, _hostName, $"The host did not finish within {Seconds(timeout)} s.", e)
                {
                    Remedy = "Look what the host is busy with, or allow more time with -OperationTimeout.",
                };
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends the loop on the host in good order, if that takes no more than a moment, and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        bool idle;
        lock (_gate)
        {
            idle = _closed is null && _call is null;
            _closed ??= Lost("The connection was closed.");
        }

        await _pipe.EndAsync(idle && _lastId > 0 ? Farewell : default).ConfigureAwait(false);
    }

    internal static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    private HostException Lost(string what) => SshErrors.Lost(_hostName, what);

    private async Task<ScriptResult> RunAsync(RemoteScript script, byte[] text, CancellationToken cancellationToken)
    {
        ScriptCall call;
        lock (_gate)
        {
            if (_closed is not null)
            {
                // A fresh exception: the first one may be thrown on another thread at this moment.
                throw new HostException(_closed.ErrorId, _hostName, _closed.What, _closed) { HostSaid = _closed.HostSaid, Remedy = _closed.Remedy };
            }

            _call = call = new ScriptCall(++_lastId, script.OnOutput);
        }

        try
        {
            var sending = SendAsync(call.Id, text, script.Input, cancellationToken);
            var first = await Task.WhenAny(sending, call.Done.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (first == sending && sending.IsFaulted)
            {
                if (sending.Exception.InnerException is not LostPipeException)
                {
                    Abort(Lost("The connection was closed because the input of a script could not be read."));
                    await sending.ConfigureAwait(false);
                }

                // The pipe broke; its owner tells why in a moment.
                await Task.WhenAny(call.Done.Task, Task.Delay(CloseGrace, cancellationToken)).ConfigureAwait(false);
                Abort(Lost("The connection was lost while a script was sent."));
            }

            _ = sending.ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return await call.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _call = null;
            }
        }
    }

    private async Task SendProgramAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_bootstrap.Password is { } password)
            {
                await PassSudoAsync(password, cancellationToken).ConfigureAwait(false);
            }

            await _pipe.WriteAsync(_bootstrap.Program, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HostException)
        {
            // Whoever closed the pipe tells why through Close, which fails whatever waits.
        }
    }

    private async Task LimitStartAsync(TimeSpan limit, Func<HostException> late)
    {
        try
        {
            await _ready.Task.WaitAsync(limit > TimeSpan.Zero ? limit : TimeSpan.Zero).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Abort(late());
        }
        catch (HostException)
        {
            // Closed: who runs a script is told.
        }
    }

    /// <summary>Gives sudo its password if it asks; comes back when the shell behind sudo runs.</summary>
    private async Task PassSudoAsync(Secret password, CancellationToken cancellationToken)
    {
        var first = await Task.WhenAny(_here.Task, _asked.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (first == _asked.Task)
        {
            var bytes = password.ToBytes();
            byte[] line = [.. bytes, (byte)'\n'];
            try
            {
                await _pipe.WriteAsync(line, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(bytes);
                CryptographicOperations.ZeroMemory(line);
            }
        }

        await _here.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task SendAsync(int id, byte[] text, Stream? input, CancellationToken cancellationToken)
    {
        var head = (id > 1 ? "next\n" : "") + string.Create(CultureInfo.InvariantCulture, $"{id} {text.Length} {(input is null ? 0 : 1)}\n");
        var tail = input is null ? "0\n" : "";
        byte[] request = [.. _unsent, .. Encoding.ASCII.GetBytes(head), .. text, .. Encoding.ASCII.GetBytes(tail)];
        _unsent = [];
        Interlocked.Exchange(ref _whenSent, null)?.Invoke();
        await _sent.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!IsOpen)
        {
            // The program never ran: sudo would take what is sent now for a second password.
            throw new LostPipeException(new IOException("The connection was closed."));
        }

        await WriteAsync(request, cancellationToken).ConfigureAwait(false);
        if (input is null)
        {
            return;
        }

        // The length line goes in front of the chunk, in one write.
        const int Room = 16;
        var buffer = new byte[Room + ChunkSize];
        int count;
        do
        {
            count = await input.ReadAtLeastAsync(buffer.AsMemory(Room), ChunkSize, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            var line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{count}\n"));
            line.CopyTo(buffer, Room - line.Length);
            await WriteAsync(buffer.AsMemory(Room - line.Length, line.Length + count), cancellationToken).ConfigureAwait(false);
        }
        while (count > 0);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            await _pipe.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new LostPipeException(e);
        }
    }

    private byte[] Encode(string text)
    {
        try
        {
            var bytes = new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(text);
            return !bytes.AsSpan().Contains((byte)0) ? bytes : throw new ArgumentException("NUL");
        }
        catch (ArgumentException e)
        {
            throw new HostException(ErrorIds.InvalidInput, _hostName, "A script has a character that no shell can be given.", e);
        }
    }

    private void Abort(HostException reason)
    {
        // In this order: the end of the pipe would be the reason otherwise.
        Close(reason);
        _pipe.Abort();
    }

    private void OnMarker(bool isError, string text)
    {
        var words = text.Split(' ');
        if (text == Bootstrap.Here)
        {
            _here.TrySetResult();
            return;
        }

        if (text == "ready")
        {
            if (Interlocked.Increment(ref _readyStreams) == 2)
            {
                _ready.TrySetResult();
            }

            return;
        }

        lock (_gate)
        {
            if (_call is { } call && words.Length >= 2 && words[1] == call.Id.ToString(CultureInfo.InvariantCulture))
            {
                call.OnMarker(isError, words);
            }
        }
    }

    private void OnData(bool isError, ReadOnlySpan<byte> data)
    {
        if (isError && _prompt is not null && !_here.Task.IsCompleted)
        {
            OnPrompt(_prompt.Feed(data));
        }

        ScriptCall? call;
        lock (_gate)
        {
            call = _call;
            if (call is null || !call.Collect(isError, data))
            {
                return;
            }
        }

        // Outside of the lock: it is the caller's code. Each stream is fed by one reader, so the pieces stay in order.
        call.OnOutput!(data.ToArray());
    }

    private void OnPrompt(int count)
    {
        for (; count > 0; count--)
        {
            // A second question means that the first answer was wrong. It gets none: the same one again could lock the account.
            if (!_asked.TrySetResult())
            {
                Abort(SudoErrors.PasswordWrong(_hostName, Error.Tail.Replace(_bootstrap.Prompt!, "", StringComparison.Ordinal)));
            }
        }
    }

    /// <summary>The input broke, not the connection: kept apart from exceptions of the script's input stream.</summary>
    private sealed class LostPipeException(IOException inner) : Exception(inner.Message, inner);
}
