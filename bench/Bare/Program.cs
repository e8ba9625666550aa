#if SSHNET
using System.Collections.Concurrent;
using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.SshNet;
using Renci.SshNet;

namespace KdumpNfs.Bare;

/// <summary>Programs that are measured from outside: SSH.NET with nothing around it, and the engine with no command around it. Compiled as the command is.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args is not [("cat" or "status") and var what, var key, var port, var knownHosts, var atOnce])
        {
            Console.Error.WriteLine("usage: KdumpNfs.Bare cat|status KEY PORT KNOWN_HOSTS AT_ONCE <HOSTS");
            return 2;
        }

        var (number, limit) = (int.Parse(port, CultureInfo.InvariantCulture), int.Parse(atOnce, CultureInfo.InvariantCulture));
        return what == "cat" ? Cat(key, number, knownHosts, limit) : Status(key, number, knownHosts, limit);
    }

    /// <summary>Connects to each host of stdin and runs <c>cat</c>: a thread for each connection, so that nothing waits for a pool.</summary>
    private static int Cat(string key, int port, string knownHosts, int atOnce)
    {
        var hosts = new ConcurrentQueue<string>(Hosts());
        var known = File.ReadLines(knownHosts).Select(line => line.Split(' ')).ToDictionary(words => words[0], words => Convert.FromBase64String(words[2]), StringComparer.Ordinal);
        var threads = Enumerable.Range(0, atOnce).Select(_ => new Thread(() =>
        {
            while (hosts.TryDequeue(out var host))
            {
                using var file = new PrivateKeyFile(key);
                using var client = new SshClient(host, port, "root", file);
                client.ConnectionInfo.Timeout = TimeSpan.FromSeconds(120);
                client.HostKeyReceived += (_, e) => e.CanTrust = e.HostKey.AsSpan().SequenceEqual(known[$"[{host}]:{port}"]);
                client.Connect();
                using var command = client.RunCommand("cat /etc/kdump.conf");
                Console.WriteLine($"{host} {command.Result.Length}");
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return 0;
    }

    /// <summary>The status of each host of stdin, started and compiled as <see cref="Cat"/> is.</summary>
    private static int Status(string key, int port, string knownHosts, int atOnce)
    {
        // As the command does; the bare loop is SSH.NET as it is.
        InlineSockets.Use();
        var options = new SshOptions { KnownHostsFiles = [knownHosts], ConfigFile = "/dev/null", ConnectTimeout = TimeSpan.FromSeconds(120) };
        var operation = new KdumpStatusOperation(new HostAccess(new SshNetConnector(), options));
        var front = new PrintingFront();
        using var fleet = new FleetRun(atOnce) { IsQuiet = true };
        foreach (var name in Hosts())
        {
            var host = new SshHost(name, "root", port, key);
            fleet.Add(front, host, async (context, token) => context.Output(await operation.RunAsync(host, context, token)));
        }

        fleet.Finish(front);
        return front.Failure is null ? 0 : throw front.Failure;
    }

    private static IEnumerable<string> Hosts()
    {
        while (Console.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private sealed class PrintingFront : IFleetFront
    {
        public HostException? Failure { get; private set; }

        public void Output(object value) => Console.WriteLine(((KdumpStatus)value).State);

        public void Failed(HostException failure) => Failure = failure;

        public void Verbose(string hostName, string text)
        {
            // Nobody reads it here.
        }

        public void Warning(string hostName, string text) => Console.Error.WriteLine(text);

        public void Progress(HostProgress progress)
        {
            // Nobody sees it here.
        }

        public bool Confirm(ChangeQuestion question) => false;
    }
}
#else
Console.Error.WriteLine("SSH.NET is no part of this build.");
return 1;
#endif
