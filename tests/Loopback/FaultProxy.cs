using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace KdumpNfs.Tests.Loopback;

/// <summary>Stands before a host, adds latency, and lets connections fail on the byte.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly IPEndPoint _target;
    private readonly TimeSpan _oneWay;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Connection, Task> _open = new();
    private readonly Task _accepting;
    private volatile Connection? _last;
    private int _count;

    /// <summary>A proxy that listens at once.</summary>
    /// <param name="listen">Where controllers connect to.</param>
    /// <param name="target">The host.</param>
    /// <param name="roundTrip">Latency added to a round trip.</param>
    public FaultProxy(IPEndPoint listen, IPEndPoint target, TimeSpan roundTrip = default)
    {
        _target = target;
        _oneWay = roundTrip / 2;
        _listener = new TcpListener(listen);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    /// <summary>The fault of the next connections, by their number since this was set.</summary>
    public Func<int, Fault> Next { get; private set; } = _ => Fault.None;

    /// <summary>Bytes of the last connection in each direction.</summary>
    public (long ToController, long ToHost) LastBytes => _last?.Bytes ?? default;

    /// <summary>Sets the faults of the connections to come; counting begins anew.</summary>
    public void Expect(Func<int, Fault> faults) => (Next, _count) = (faults, 0);

    /// <summary>Sets one fault for every connection to come, or for the first only.</summary>
    public void Expect(Fault fault, bool onlyFirst = false) => Expect(i => onlyFirst && i > 0 ? Fault.None : fault);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_open.Values).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            var connection = new Connection(this, client, Next(_count++));
            _last = connection;
            _open[connection] = Task.CompletedTask;
            var work = Task.Run(connection.RunAsync);
            _open[connection] = work;
            _ = work.ContinueWith(_ => _open.TryRemove(connection, out var _), TaskScheduler.Default);
        }
    }

    private sealed class Connection(FaultProxy proxy, Socket client, Fault fault)
    {
        private readonly CancellationTokenSource _over = CancellationTokenSource.CreateLinkedTokenSource(proxy._stop.Token);
        private readonly long[] _bytes = new long[2];
        private volatile bool _stalled;

        public (long ToController, long ToHost) Bytes => (Interlocked.Read(ref _bytes[0]), Interlocked.Read(ref _bytes[1]));

        public async Task RunAsync()
        {
            using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.NoDelay = true;
            try
            {
                if (fault.Kind == FaultKind.Refused)
                {
                    return;
                }

                await server.ConnectAsync(proxy._target, _over.Token).ConfigureAwait(false);
                await Task.WhenAll(PumpAsync(server, client, FaultDirection.ToController), PumpAsync(client, server, FaultDirection.ToHost)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Either end may go at any time; that is what this is for.
            }
            finally
            {
                if (fault.Kind == FaultKind.Reset)
                {
                    client.LingerState = server.LingerState = new LingerOption(true, 0);
                }

                client.Dispose();
                _over.Dispose();
            }
        }

        // Reading and writing apart: latency delays what is on its way without holding up what comes after it.
        private async Task PumpAsync(Socket from, Socket to, FaultDirection direction)
        {
            var way = Channel.CreateBounded<(long Due, byte[] Data)>(64);
            var writing = WriteAsync(way.Reader, to, direction);
            var buffer = new byte[32768];
            try
            {
                int read;
                while ((read = await from.ReceiveAsync(buffer, _over.Token).ConfigureAwait(false)) > 0)
                {
                    var due = Environment.TickCount64 + (long)proxy._oneWay.TotalMilliseconds;
                    await way.Writer.WriteAsync((due, buffer[..read]), _over.Token).ConfigureAwait(false);
                }
            }
            finally
            {
                way.Writer.TryComplete();
                await writing.ConfigureAwait(false);
            }
        }

        private async Task WriteAsync(ChannelReader<(long Due, byte[] Data)> way, Socket to, FaultDirection direction)
        {
            await foreach (var (due, chunk) in way.ReadAllAsync(_over.Token).ConfigureAwait(false))
            {
                var wait = due - Environment.TickCount64;
                if (wait > 0)
                {
                    await Task.Delay((int)wait, _over.Token).ConfigureAwait(false);
                }

                await ForwardAsync(chunk, to, direction).ConfigureAwait(false);
            }

            if (!_stalled)
            {
                to.Shutdown(SocketShutdown.Send);
            }
        }

        private async Task ForwardAsync(byte[] data, Socket to, FaultDirection direction)
        {
            if (_stalled)
            {
                await Task.Delay(Timeout.Infinite, _over.Token).ConfigureAwait(false);
            }

            if (fault.Kind == FaultKind.GarbledBanner && direction == FaultDirection.ToController && _bytes[0] == 0)
            {
                data = "HTTP/1.1 400 Bad Request\r\n\r\n\0\x7f\x80"u8.ToArray();
            }

            var until = fault.Kind is FaultKind.None or FaultKind.GarbledBanner || fault.Direction != direction ? long.MaxValue : fault.At;
            var whole = (int)Math.Clamp(until - _bytes[(int)direction], 0, data.Length);
            await SendAsync(data.AsMemory(0, whole), to, direction).ConfigureAwait(false);
            if (_bytes[(int)direction] < until)
            {
                return;
            }

            switch (fault.Kind)
            {
                case FaultKind.Trickle:
                    foreach (var piece in data[whole..].Chunk(Math.Max(1, fault.BytesPerSecond / 50)))
                    {
                        await Task.Delay(20, _over.Token).ConfigureAwait(false);
                        await SendAsync(piece, to, direction).ConfigureAwait(false);
                    }

                    break;
                case FaultKind.Stall:
                    _stalled = true;
                    await Task.Delay(Timeout.Infinite, _over.Token).ConfigureAwait(false);
                    break;
                default:
                    await _over.CancelAsync().ConfigureAwait(false);
                    break;
            }
        }

        private async Task SendAsync(ReadOnlyMemory<byte> data, Socket to, FaultDirection direction)
        {
            Interlocked.Add(ref _bytes[(int)direction], data.Length);
            while (data.Length > 0)
            {
                data = data[await to.SendAsync(data, _over.Token).ConfigureAwait(false)..];
            }
        }
    }
}
