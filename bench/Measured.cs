using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace KdumpNfs.Bench;

/// <summary>What a run of a program cost, its children included.</summary>
/// <param name="Status">Its exit status.</param>
/// <param name="Cpu">User and system time, seconds.</param>
/// <param name="Wall">From its start to its end, seconds.</param>
/// <param name="First">From its start to its first line, seconds.</param>
/// <param name="Lines">Lines that it printed.</param>
/// <param name="Peak">The largest resident set of one of its processes, MiB.</param>
/// <param name="AfterInterrupt">From the interrupt to its end, seconds.</param>
internal sealed record Measured(int Status, double Cpu, double Wall, double First, int Lines, double Peak, double? AfterInterrupt)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Runs a program to its end.</summary>
    /// <param name="input">A file for its stdin.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="interruptAfter">When it is interrupted.</param>
    /// <param name="environment">Variables besides ours.</param>
    /// <param name="atLeast">Lines that it must print; fewer mean that there is nothing to compare.</param>
    /// <exception cref="InvalidOperationException">It printed less.</exception>
    public static Measured Run(string input, IReadOnlyList<string> command, int atLeast, TimeSpan? interruptAfter = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var result = Path.GetTempFileName();
        try
        {
            string[] options = interruptAfter is { } after ? ["--interrupt-after", after.TotalSeconds.ToString(CultureInfo.InvariantCulture)] : [];

            // A shell opens the input, so that this process feeds nobody.
            var start = new ProcessStartInfo("/bin/sh",
                ["-c", "in=$1; shift; exec /usr/bin/python3 \"$@\" <\"$in\"", "sh", input, Path.Combine(AppContext.BaseDirectory, "measure.py"), result, .. options, "--", .. command])
            {
                RedirectStandardError = true,
            };
            foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            {
                start.Environment[name] = value;
            }

            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            var measured = process.ExitCode == 0 ? JsonSerializer.Deserialize<Measured>(File.ReadAllText(result), Json)! : throw new InvalidOperationException($"{command[0]}: {error}");
            return interruptAfter is not null || measured.Lines >= atLeast ? measured
                : throw new InvalidOperationException($"{command[0]} gave {measured.Lines} lines of {atLeast}, status {measured.Status}: {error[..Math.Min(error.Length, 2000)]}");
        }
        finally
        {
            File.Delete(result);
        }
    }
}
