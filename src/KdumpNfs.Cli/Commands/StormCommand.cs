using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KdumpNfs.Storms;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs storm</c>: Measure-KdumpStorm.</summary>
internal static class StormCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var file = new Argument<string?>("FILE") { Description = "The output of estimate --json, an object a line; - for stdin", Arity = ArgumentArity.ZeroOrOne };
        var count = new Option<int?>("--host-count") { Description = "So many hosts, all alike, instead of a file" };
        var bytes = new Option<long?>("--dump-bytes") { Description = "Size of each of their dumps in bytes, with --host-count" };
        var estimate = new Option<StormEstimate>("--estimate") { Description = "Which end of an estimate is taken", DefaultValueFactory = _ => StormEstimate.High };
        var store = new Option<string>("--store-bandwidth") { Description = "What the store takes from all hosts together: bytes a second, or 10Gbit, 900MB", Required = true };
        var host = new Option<string?>("--host-bandwidth") { Description = "What one host writes at most; without it as fast as the store takes it" };
        var boot = new Option<double>("--capture-boot-time") { Description = "Seconds from the crash until the capture kernel writes", DefaultValueFactory = _ => 30 };
        var restart = new Option<double?>("--restart-time") { Description = "Seconds from the end of the dump until the host is back (300, or as --drills shows)" };
        var drills = new Option<string?>("--drills") { Description = "The output of drill --json: what hosts write and how long they take to come back is taken from it" };
        var free = new Option<long?>("--free-bytes") { Description = "Free space of the store in bytes" };
        var within = new Option<double>("--within") { Description = "The crashes come within so many seconds instead of all at once" };
        var maxDown = new Option<int?>("--max-down") { Description = "So many hosts are down at once, and no more: drills" };
        var rate = new Option<double?>("--crashes-per-day") { Description = "Crashes a day of the whole fleet" };
        var period = new Option<double?>("--days") { Description = "How many days crashes come, with --crashes-per-day (30)" };
        var keep = new Option<double?>("--keep-days") { Description = "How many days a dump is kept; without it for ever" };
        var seed = new Option<int>("--seed") { Description = "Chooses the times of crashes" };
        var json = new Option<bool>("--json") { Description = "Print a JSON object instead of a table" };
        var command = new Command("storm", "How long hosts stay down and how much space the store needs when many of them crash; no host is contacted")
        {
            file, count, bytes, estimate, store, host, boot, restart, drills, free, within, maxDown, rate, period, keep, seed, json,
        };
        command.SetAction(parsed => Session.Run(() => new SessionOptions(parsed.GetValue(json), false, false, 1, false, false, false), session =>
        {
            var bootTime = Seconds(parsed.GetValue(boot));
            var known = parsed.GetValue(drills) is { } path ? StormCalibration.From(Lines(path, OutputJson.Shared.StormDrillLine).Select(Drill).OfType<StormDrill>(), bootTime) : null;
            var request = new StormRequest
            {
                StoreBandwidth = Speed(parsed.GetValue(store)!),
                HostBandwidth = parsed.GetValue(host) is { } own ? Speed(own) : known?.HostBandwidth,
                CaptureBootTime = bootTime,
                RestartTime = parsed.GetValue(restart) is { } seconds ? Seconds(seconds) : known?.RestartTime ?? StormRequest.UsualRestartTime,
                Within = Seconds(parsed.GetValue(within)),
                MaxDown = parsed.GetValue(maxDown),
                CrashesPerDay = parsed.GetValue(rate),
                Period = parsed.GetValue(period) is { } days ? Seconds(days * 86400) : null,
                KeepFor = parsed.GetValue(keep) is { } kept ? Seconds(kept * 86400) : null,
                FreeBytes = parsed.GetValue(free),
                Seed = parsed.GetValue(seed),
                Source = known?.Source,
            };
            var hosts = Hosts(parsed.GetValue(file), parsed.GetValue(count), parsed.GetValue(bytes), parsed.GetValue(estimate))
                .Select(h => parsed.GetValue(host) is null && known?.BandwidthOf(h.HostName) is { } shown ? h with { Bandwidth = shown } : h).ToList();
            using var cancel = new CancellationTokenSource();
            session.OnCancel(cancel.Cancel);
            try
            {
                session.Output(StormSimulation.Run(hosts, request, cancel.Token));
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                // Ctrl-C: the exit status says it.
            }
        }));
        return command;
    }

    private static IReadOnlyList<StormHost> Hosts(string? file, int? count, long? bytes, StormEstimate estimate)
    {
        if (file is null)
        {
            return count is > 0 and <= StormHost.MostAlike && bytes is { } size ? [.. StormHost.Alike(count.Value, size)]
                : throw ConnectionOptions.Refused("There is no host.", $"Give a file of estimates, or --host-count (1 to {StormHost.MostAlike}) and --dump-bytes.");
        }

        if (count is not null || bytes is not null)
        {
            throw ConnectionOptions.Refused("--host-count and --dump-bytes are for a storm without a file.", "Give one of them.");
        }

        // Hosts that could not be estimated have a line too.
        return [.. Lines(file, OutputJson.Shared.StormEstimateLine).Where(e => e.CompressedHighBytes is not null)
            .Select(e => new StormHost(e.HostName ?? "", StormEstimates.Choose(e.CompressedLowBytes ?? e.CompressedHighBytes!.Value, e.CompressedHighBytes!.Value, estimate)))];
    }

    // A drill that was cut has no times, or no dump: nothing to learn from.
    private static StormDrill? Drill(StormDrillLine drill) =>
        drill is { HostName: { } name, CaptureTime: { } capture, Away: { } away, Vmcore.Bytes: { } bytes } ? new StormDrill(name, bytes, capture, away) : null;

    private static List<T> Lines<T>(string path, JsonTypeInfo<T> form)
    {
        var number = 0;
        try
        {
            var lines = path == "-" ? Console.In.ReadToEnd().Split('\n') : File.ReadAllLines(path);
            var read = new List<T>();
            foreach (var line in lines)
            {
                number++;
                if (!string.IsNullOrWhiteSpace(line))
                {
                    read.Add(JsonSerializer.Deserialize(line, form) ?? throw new JsonException());
                }
            }

            return read;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException(ErrorIds.FileNotReadable, "", $"'{Printable.Escape(path)}' cannot be read: {Printable.Escape(e.Message)}", e) { Remedy = "Give a file that is there." };
        }
        catch (JsonException e)
        {
            var where = e.Path is { Length: > 2 } property ? $" ({Printable.Escape(property[2..])})" : "";
            throw new HostException(ErrorIds.InvalidInput, "", $"Line {number.ToString(CultureInfo.InvariantCulture)} of '{Printable.Escape(path)}' is not what --json prints{where}.", e)
            {
                Remedy = "Give what --json printed, an object a line.",
            };
        }
    }

    private static double Speed(string text) => Bandwidth.Parse(text)
        ?? throw ConnectionOptions.Refused($"'{Printable.Escape(text)}' is no bandwidth.", "Give bytes a second, or a number with a unit: 10Gbit or 900MB.");

    private static TimeSpan Seconds(double seconds) => Math.Abs(seconds) < 1e9 ? TimeSpan.FromSeconds(seconds)
        : throw ConnectionOptions.Refused("A time is longer than thirty years.", "Give a shorter one.");

    // What is read of the lines that estimate and drill print.
}

/// <summary>What is taken of an estimate that --json printed.</summary>
internal sealed record StormEstimateLine(string? HostName, long? CompressedLowBytes, long? CompressedHighBytes);

/// <summary>What is taken of a drill that --json printed.</summary>
internal sealed record StormDrillLine(string? HostName, TimeSpan? CaptureTime, TimeSpan? Away, StormDumpLine? Vmcore);

/// <summary>What is taken of its dump.</summary>
internal sealed record StormDumpLine(long? Bytes);
