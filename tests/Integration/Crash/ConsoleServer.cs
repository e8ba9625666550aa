using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using KdumpNfs.Tests.Integration.Ssh;

namespace KdumpNfs.Tests.Integration.Crash;

/// <summary>A real conmand with a configuration and a port of its own, on the loopback.</summary>
public sealed class ConsoleServer : IDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private ConsoleServer(Process process, string folder, int port) => (_process, _folder, Port) = (process, folder, port);

    /// <summary>Why it cannot be run here; null when it can.</summary>
    public static string? NotRunnable =>
        !CommandRunner.Exists("conmand") || !CommandRunner.Exists("conman") ? "conman is not installed" : SshServer.NotRunnable;

    public int Port { get; }

    public string Daemon => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Starts one.</summary>
    /// <param name="consoles">Names, and devices as conman.conf(5) has them.</param>
    public static ConsoleServer Start(params (string Name, string Device)[] consoles)
    {
        var folder = Directory.CreateTempSubdirectory("kdumpnfs-conman-").FullName;
        for (var attempt = 0; ; attempt++)
        {
            var port = SshServer.FreePort();
            File.WriteAllText(folder + "/conman.conf", string.Create(CultureInfo.InvariantCulture, $"""
                server loopback=on
                server port={port}
                server logfile="{folder}/log"
                {string.Join('\n', consoles.Select(c => $"console name=\"{c.Name}\" dev=\"{c.Device}\""))}

                """));
            var process = Process.Start(new ProcessStartInfo(CommandRunner.PathOf("conmand")!, ["-F", "-c", folder + "/conman.conf"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            for (var i = 0; i < 500 && !process.HasExited; i++)
            {
                try
                {
                    using var probe = new TcpClient("127.0.0.1", port);
                    return new ConsoleServer(process, folder, port);
                }
                catch (SocketException)
                {
                    Thread.Sleep(20);
                }
            }

            process.Dispose();
            Assert.True(attempt < 5, "conmand does not start");
        }
    }

    /// <summary>Clients of this server that run on this machine.</summary>
    public int Clients() => Directory.EnumerateDirectories("/proc").Count(directory =>
    {
        try
        {
            return int.TryParse(Path.GetFileName(directory), out _) && File.ReadAllText(directory + "/cmdline") is var line &&
                line.StartsWith("conman\0", StringComparison.Ordinal) && line.Contains(Daemon, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    });

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
