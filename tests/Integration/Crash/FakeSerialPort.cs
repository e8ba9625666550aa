using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KdumpNfs.Tests.Integration.Crash;

/// <summary>
/// A stand-in for a serial port behind a telnet server with a kernel at its other end: it takes breaks and keys as a kernel's serial driver
/// does and answers in the kernel's words. The real thing is tested in the lab.
/// </summary>
internal sealed class FakeSerialPort : IDisposable
{
    private const byte Iac = 255;
    private const byte Break = 243;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<byte> _received = [];
    private readonly List<Socket> _clients = [];

    public FakeSerialPort()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What the kernel says to a key; null for nothing.</summary>
    public Func<char, string?> Kernel { get; set; } = key => key == 'h' ? "sysrq: HELP : loglevel(0-9) reboot(b) crash(c)\r\n" : $"sysrq: Key {key}\r\n";

    /// <summary>Keys that came behind a break.</summary>
    public List<char> Keys { get; } = [];

    /// <summary>Bytes that were no key of sysrq.</summary>
    public string Typed
    {
        get
        {
            lock (_received)
            {
                return Encoding.Latin1.GetString([.. _received]);
            }
        }
    }

    public void Say(string text)
    {
        lock (_clients)
        {
            _clients.ForEach(client => client.Send(Encoding.Latin1.GetBytes(text)));
        }
    }

    public void Dispose()
    {
        _listener.Stop();
        lock (_clients)
        {
            _clients.ForEach(client => client.Dispose());
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                lock (_clients)
                {
                    _clients.Add(client);
                }

                _ = ReadAsync(client);
            }
        }
        catch (SocketException)
        {
            // Disposed.
        }
        catch (ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ReadAsync(Socket client)
    {
        var buffer = new byte[256];
        var armed = false;
        var options = 0;
        var escaped = false;
        try
        {
            while (await client.ReceiveAsync(buffer) is > 0 and var count)
            {
                foreach (var b in buffer.AsSpan(0, count).ToArray())
                {
                    if (options > 0)
                    {
                        options--;
                    }
                    else if (escaped)
                    {
                        escaped = false;
                        armed |= b == Break;
                        options = b is >= 251 and <= 254 ? 1 : 0;
                    }
                    else if (b == Iac)
                    {
                        escaped = true;
                    }
                    else if (armed)
                    {
                        armed = false;
                        Keys.Add((char)b);
                        if (Kernel((char)b) is { } words)
                        {
                            Say(words);
                        }
                    }
                    else
                    {
                        lock (_received)
                        {
                            _received.Add(b);
                        }
                    }
                }
            }
        }
        catch (SocketException)
        {
            // The other end, or Dispose.
        }
        catch (ObjectDisposedException)
        {
            // Dispose.
        }
    }
}
