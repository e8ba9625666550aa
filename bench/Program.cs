using System.Diagnostics;
using KdumpNfs.Bench;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

// What a host costs the controller without its connection: the reply of a real node parsed, judged, planned for, and given as an object.
// The connector is a stand-in that answers at once with what the lab's nodes said; it says nothing about SSH.
if (args is ["--peak", var large])
{
    return VmcoreBench.Peak(large);
}

const int Hosts = 5_000;
const int Runs = 5;
var folder = args.Length > 0 ? args[0] : "out/bench";
var rows = new List<Row>();

// A second argument names the part to measure.
foreach (var node in args is [_, "vmcore" or "import"] ? [] : new[] { "node1", "node2" })
{
    var access = new HostAccess(new RecordedConnector(await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "recorded", node + ".facts"))), new SshOptions());
    var request = NfsTargetRequest.Create("192.168.122.1", "/data/nfs_share", "/var/crash", null, null, createPath: false);
    rows.Add(Measure($"status of {node}", 50, async (host, context, token) =>
        context.Output(await new KdumpStatusOperation(access).RunAsync(host, context, token))));
    rows.Add(Measure($"plan for {node}", 50, (host, context, token) =>
        new SetNfsTargetOperation(access, request) { PassPlan = true }.RunAsync(host, null, context, token)));
}

if (rows.Count > 0)
{
    Row.Publish("engine", folder, rows);
}

// Dumps, beside the tools that read them too. The scratch files are large.
var scratch = Directory.CreateTempSubdirectory("kdumpnfs-bench-").FullName;
try
{
    if (args is not [_, "vmcore"] && ImportBench.Measure(Environment.CurrentDirectory, scratch) is { Count: > 0 } import)
    {
        Row.Publish("import", folder, import);
    }

    if (args is not [_, "import"])
    {
        Row.Publish("vmcore", folder, VmcoreBench.Measure(Environment.CurrentDirectory, scratch));
    }
}
finally
{
    Directory.Delete(scratch, recursive: true);
}

return 0;

static Row Measure(string name, double atMost, Func<SshHost, HostContext, CancellationToken, Task> work)
{
    var runs = new List<double>();
    for (var run = 0; run <= Runs; run++)
    {
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var front = new CountingFront();
        using var fleet = new FleetRun(128);
        for (var i = 0; i < Hosts; i++)
        {
            var host = new SshHost($"host{i}");
            fleet.Add(front, host, (context, token) => work(host, context, token));
        }

        fleet.Finish(front);
        if (front.Results < Hosts)
        {
            throw new InvalidOperationException($"{name}: {front.Results} results of {Hosts} hosts; {front.Failure}");
        }

        // The first run compiles.
        if (run > 0)
        {
            runs.Add((Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / Hosts);
        }
    }

    return Row.Of($"CPU a host, {name}, {Hosts} hosts in memory", runs, "µs", atMost);
}
