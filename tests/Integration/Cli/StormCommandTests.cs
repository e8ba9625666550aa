using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using KdumpNfs.Collection;
using KdumpNfs.Drills;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary><c>kdumpnfs storm</c>: what other commands print is what it reads.</summary>
public sealed class StormCommandTests
{
    private const string Estimates = """
        {"HostName":"web01","CompressedLowBytes":100,"CompressedHighBytes":200}
        {"HostName":"web02","ErrorId":"Unreachable"}
        {"HostName":"web03","CompressedLowBytes":100,"CompressedHighBytes":600}
        """;

    // As the command prints objects.
    private static readonly JsonSerializerOptions Printed = new() { Converters = { new JsonStringEnumConverter() } };

    [Fact]
    public void Estimates_and_drills_are_read_as_they_were_printed()
    {
        var drills = Path.GetTempFileName();
        try
        {
            var drill = new KdumpDrill
            {
                HostName = "web01",
                Verdict = DrillVerdict.Proven,
                CaptureTime = TimeSpan.FromSeconds(40),
                Away = TimeSpan.FromSeconds(100),
                Vmcore = new VmcoreDump { StoreHost = "storage", Path = "/data/var/crash/web01", CrashedHost = "web01", Family = VmcoreFamily.Debian, State = VmcoreState.Complete, Bytes = 200 },
            };
            File.WriteAllText(drills, JsonSerializer.Serialize(drill, Printed) + "\n");
            var (status, output, error) = KdumpNfsCommand.Run(Estimates, "storm", "-", "--store-bandwidth", "1000", "--drills", drills, "--json");
            Assert.Equal((0, ""), (status, error));
            var storm = JsonDocument.Parse(output).RootElement;
            Assert.Equal((2, 800), (storm.GetProperty("CrashCount").GetInt32(), storm.GetProperty("StoreBytes").GetInt32()));
            // 200 bytes in 40 - 30 s: 20 a second, for web03 too; back 60 s later.
            Assert.Equal([100.0, 120.0], storm.GetProperty("Crashes").EnumerateArray().Select(c => Math.Round(TimeSpan.Parse(c.GetProperty("Down").GetString()!, CultureInfo.InvariantCulture).TotalSeconds, 3)));
        }
        finally
        {
            File.Delete(drills);
        }
    }

    [Theory]
    [InlineData("", "storm", "--store-bandwidth", "1000")]
    [InlineData("", "storm", "-", "--store-bandwidth", "1000", "--host-count", "5", "--dump-bytes", "7")]
    [InlineData("no json", "storm", "-", "--store-bandwidth", "1000")]
    [InlineData("[1]", "storm", "-", "--store-bandwidth", "1000")]
    [InlineData("null", "storm", "-", "--store-bandwidth", "1000")]
    [InlineData("""{"CompressedHighBytes":5}""", "storm", "-", "--store-bandwidth", "1000")]
    [InlineData("""{"HostName":"web01","CompressedHighBytes":"much"}""", "storm", "-", "--store-bandwidth", "1000")]
    [InlineData("", "storm", "/nowhere/estimates", "--store-bandwidth", "1000")]
    [InlineData("", "storm", "--host-count", "5", "--dump-bytes", "7", "--store-bandwidth", "fast")]
    public void What_cannot_be_simulated_is_bad_usage(string input, params string[] arguments)
    {
        var (status, output, error) = KdumpNfsCommand.Run(input, arguments);
        Assert.Equal((2, ""), (status, output));
        Assert.Contains("Next: ", error, StringComparison.Ordinal);
    }
}
