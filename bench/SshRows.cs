using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using KdumpNfs.Tests.Integration.Ssh;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Bench;

/// <summary>Reports through a real SSH server on this machine: what crosses the connection, and how often.</summary>
internal static class SshRows
{
    /// <summary>Measures each dump once the connection is up; says where no server can be run.</summary>
    public static void Add(List<Row> rows, IEnumerable<string> dumps)
    {
        if (SshServer.NotRunnable is { } why)
        {
            Console.WriteLine($"Nothing is measured over SSH: {why}.");
            return;
        }

        using var server = SshServer.Start();
        var host = new SshHost(SshServer.Address, "root", server.Port, server.UserKey);
        var options = new SshOptions { KnownHostsFiles = [server.KnownHosts], ConfigFile = "/dev/null", ConnectTimeout = TimeSpan.FromSeconds(60) };
        var access = new HostAccess(new OpenSshConnector(), options);
        foreach (var dump in dumps)
        {
            Measure(rows, access, host, dump);
        }
    }

    private static void Measure(List<Row> rows, HostAccess access, SshHost host, string dump)
    {
        var front = new ReportFront();
        var took = 0.0;
        using var fleet = new FleetRun(1);
        fleet.Add(front, host, async (context, token) =>
        {
            await using var dumps = new DumpAccess(access);
            var place = new DumpPlace(dump, host);

            // Once for the connection and the compiler.
            await VmcoreReportOperation.RunAsync(dumps, place, ReportBuilder.DefaultLogLines, context, token);
            var start = Stopwatch.GetTimestamp();
            context.Output(await VmcoreReportOperation.RunAsync(dumps, place, ReportBuilder.DefaultLogLines, context, token));
            took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        });
        fleet.Finish(front);
        if (front.Report is not { } report)
        {
            throw new InvalidOperationException($"No report of {dump}: {front.Failure?.Message}");
        }

        var name = Path.GetFileName(dump);
        var size = new FileInfo(dump).Length;
        if (report.Format == VmcoreFormat.Flattened)
        {
            rows.Add(new Row($"report of {name} over SSH, its index built on the store in one round trip", took, "ms", null, null, null, null, 0));
            rows.Add(new Row("bytes read for it", front.Bytes / 1048576.0, "MiB", string.Create(CultureInfo.InvariantCulture, $"copying the dump: {size / 1048576.0:0.#}"), front.Bytes / (double)size, "<= 1x", front.Bytes <= size, 0));
        }
        else
        {
            rows.Add(new Row($"report of {name} over SSH", took, "ms", null, null, null, null, 0));
            rows.Add(new Row("bytes read for it, page bitmap included", front.Bytes / 1048576.0, "MiB", null, null, "<= 2 MiB", front.Bytes <= 2 << 20, 0));
        }

        rows.Add(new Row("round trips for it", front.Trips, "", null, null, null, null, 0));
    }

    /// <summary>A front end that keeps the report, and what -Verbose tells of the last one: "Read BYTES of LENGTH bytes of PATH in TRIPS round trips."</summary>
    private sealed class ReportFront : IFleetFront
    {
        public VmcoreReport? Report { get; private set; }

        public HostException? Failure { get; private set; }

        public long Bytes { get; private set; }

        public long Trips { get; private set; }

        public void Output(object value) => Report = value as VmcoreReport ?? Report;

        public void Failed(HostException failure) => Failure = failure;

        public void Verbose(string hostName, string text)
        {
            if (text.StartsWith("Read ", StringComparison.Ordinal))
            {
                var words = text.Split(' ');
                (Bytes, Trips) = (long.Parse(words[1], CultureInfo.InvariantCulture), long.Parse(words[^3], CultureInfo.InvariantCulture));
            }
        }

        public void Warning(string hostName, string text) => Console.WriteLine(text);

        public void Progress(HostProgress progress)
        {
            // Nobody sees it here.
        }

        public bool Confirm(ChangeQuestion question) => false;
    }
}
