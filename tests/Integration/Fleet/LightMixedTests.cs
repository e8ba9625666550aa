using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>
/// A large fleet in which one host in twenty has each fault that a connection may have: every host gets exactly one answer, the healthy ones all succeed, and faults wait beside each
/// other. KDUMPNFS_LIGHT_HOSTS says how many hosts (build.sh bench long: 2,000); without it a few.
/// </summary>
[Trait("Category", "Long")]
public sealed class LightMixedTests(ITestOutputHelper output)
{
    private const int Throttle = 64;

    private static readonly int Size = int.TryParse(Environment.GetEnvironmentVariable("KDUMPNFS_LIGHT_HOSTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0 ? size : 60;

    private static readonly (Fault Fault, string[] ErrorIds)[] Mishaps =
    [
        (new(FaultKind.GarbledBanner), [ErrorIds.ProtocolError]),
        (new(FaultKind.Refused), [ErrorIds.NotAdmitted]),
#if WITH_SSHNET
        (new(FaultKind.Reset, 700), [ErrorIds.ConnectionReset]),
#else
        // ssh says nothing about a reset within the key exchange.
        (new(FaultKind.Reset, 700), [ErrorIds.ConnectionLost]),
#endif
        (new(FaultKind.Cut, 2500), [ErrorIds.ConnectionLost]),
        (new(FaultKind.Cut, 3500, FaultDirection.ToHost), [ErrorIds.ConnectionLost]),
        (new(FaultKind.Stall, 10), [ErrorIds.Timeout]),
        (new(FaultKind.Stall, 4000), [ErrorIds.Timeout]),
        (new(FaultKind.Trickle, 2000) { BytesPerSecond = 8000 }, []),
    ];

    [SkippableFact]
    public async Task Every_host_of_a_large_fleet_full_of_faults_gets_exactly_one_answer()
    {
        Skip.If(LightFleet.NotRunnable is not null, LightFleet.NotRunnable);
        using var fleet = LightFleet.Start(Size, File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "light", "node.facts")), "x\n"u8.ToArray());
        var port = FreePort();
        var mishaps = fleet.Addresses.Select((_, i) => i % 20 < Mishaps.Length ? Mishaps[i % 20] : ((Fault Fault, string[] ErrorIds)?)null).ToList();
        var proxies = new List<FaultProxy>();
        var hosts = new List<SshHost>();
        var key = string.Join(' ', (await File.ReadAllLinesAsync(fleet.KnownHosts))[0].Split(' ').Skip(1));
        foreach (var (address, mishap) in fleet.Addresses.Zip(mishaps))
        {
            hosts.Add(fleet.HostOf(address) with { Port = mishap is null ? fleet.Port : port });
            if (mishap is { } wrong)
            {
                proxies.Add(new FaultProxy(new IPEndPoint(IPAddress.Parse(address), port), new IPEndPoint(IPAddress.Parse(address), fleet.Port)));
                proxies[^1].Expect(wrong.Fault);
                await File.AppendAllTextAsync(fleet.KnownHosts, $"[{address}]:{port} {key}\n");
            }
        }

        var options = fleet.Options with { ConnectTimeout = TimeSpan.FromSeconds(45), OperationTimeout = TimeSpan.FromSeconds(45) };
        var operation = new KdumpStatusOperation(new HostAccess(LightFleetTests.Connector, options));
        var front = new CollectingFront();
        var clock = Stopwatch.StartNew();
        using (var run = new FleetRun(Throttle))
        {
            foreach (var host in hosts)
            {
                run.Add(front, host, async (context, token) => context.Output(await operation.RunAsync(host, context, token)));
            }

            run.Finish(front);
        }

        var silent = mishaps.Count(m => m is { Fault.Kind: FaultKind.Stall });
        output.WriteLine($"{Size} hosts, {proxies.Count} behind faulty connections: {clock.Elapsed.TotalSeconds:0.0} s, {front.Outputs.Count} answers, {front.Errors.Count} errors; {silent} silent hosts one after the other would be {silent * options.ConnectTimeout.TotalSeconds:0} s");
        foreach (var proxy in proxies)
        {
            await proxy.DisposeAsync();
        }

        var answers = front.Outputs.Cast<KdumpStatus>().ToLookup(s => s.HostName);
        var errors = front.Errors.ToLookup(e => e.HostName);
        foreach (var (address, mishap) in fleet.Addresses.Zip(mishaps))
        {
            var what = $"{address}, {mishap?.Fault.ToString() ?? "healthy"}: {answers[address].Count()} answers, {string.Join("; ", errors[address].Select(e => $"{e.ErrorId}: {e.Message}"))}";
            Assert.True(answers[address].Count() + errors[address].Count() == 1, what);
            Assert.True(errors[address].FirstOrDefault() is { } error ? mishap?.ErrorIds.Contains(error.ErrorId) == true : mishap is null or { ErrorIds: [] }, what);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
