using System.Diagnostics;
using System.Globalization;
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

const int WarmingHosts = 15_000;
const int Runs = 3;
var most = int.TryParse(Environment.GetEnvironmentVariable("KDUMPNFS_BENCH_HOSTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var setting) ? setting : int.MaxValue;
var manyHosts = Math.Min(100_000, most);
var folder = args.Length > 0 ? args[0] : "out/bench";
var rows = new List<Row>();

// A second argument names the part to measure, a third one a part of that.
var part = args.ElementAtOrDefault(1);
if (part is not (null or "engine" or "import" or "vmcore" or "fleet"))
{
    Console.Error.WriteLine($"There is no part {part}: engine, import, vmcore or fleet.");
    return 2;
}

if (Wants("engine"))
{
    foreach (var node in new[] { "node1", "node2" })
    {
        var access = new HostAccess(new RecordedConnector(await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "recorded", node + ".facts"))), new SshOptions());
        var request = NfsTargetRequest.Create("192.168.122.1", "/data/nfs_share", "/var/crash", null, null, createPath: false);
        Measure(rows, $"status of {node}", manyHosts, 50, async (host, context, token) =>
            context.Output(await new KdumpStatusOperation(access).RunAsync(host, context, token)));
        Measure(rows, $"plan for {node}", manyHosts, 50, (host, context, token) =>
            new SetNfsTargetOperation(access, request) { PassPlan = true }.RunAsync(host, null, context, token));
    }

    Row.Publish("engine", folder, rows);
}

// Dumps, beside the tools that read them too. The scratch files are large.
var scratch = Directory.CreateTempSubdirectory("kdumpnfs-bench-").FullName;
try
{
    if (Wants("import") && ImportBench.Measure(Environment.CurrentDirectory, scratch) is { Count: > 0 } import)
    {
        Row.Publish("import", folder, import);
    }

    if (Wants("vmcore"))
    {
        Row.Publish("vmcore", folder, VmcoreBench.Measure(Environment.CurrentDirectory, scratch));
    }

    if (Wants("fleet") && new FleetBench(Environment.CurrentDirectory, scratch, args.ElementAtOrDefault(2)).Measure() is { Count: > 0 } fleet)
    {
        Row.Publish("fleet", folder, fleet);
    }
}
finally
{
    Directory.Delete(scratch, recursive: true);
}

return 0;

bool Wants(string name) => part is null || part == name;

static void Measure(List<Row> rows, string name, int hosts, double atMost, Func<SshHost, HostContext, CancellationToken, Task> work)
{
    var (runs, memory) = (new List<double>(), new List<double>());
    for (var run = 0; run <= Runs; run++)
    {
        // The first run compiles, and compiles anew what turns out to be hot.
        var count = run == 0 ? WarmingHosts : hosts;
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var front = new CountingFront();
        using (var fleet = new FleetRun(128))
        {
            for (var i = 0; i < count; i++)
            {
                var host = new SshHost($"host{i}");
                fleet.Add(front, host, (context, token) => work(host, context, token));
            }

            fleet.Finish(front);
        }

        if (front.Results < count)
        {
            throw new InvalidOperationException($"{name}: {front.Results} results of {count} hosts; {front.Failure}");
        }

        runs.Add((Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / count);
        memory.Add(GC.GetTotalMemory(forceFullCollection: true) / 1048576.0);
    }

    rows.Add(Row.Of($"CPU a host, {name}, {hosts} hosts in memory", runs[1..], "µs", atMost));
    rows.Add(Row.Of($"memory that stays after {name}, by that after {WarmingHosts} hosts", [.. memory[1..].Select(m => m / memory[0])], "x", 1.1));
}
