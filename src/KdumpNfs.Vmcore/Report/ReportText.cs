using System.Globalization;
using System.Text;

namespace KdumpNfs.Vmcore.Report;

/// <summary>A report as a person reads it, from what matters most down.</summary>
public static class ReportText
{
    private const int Label = 12;

    /// <summary>The text; no line has control characters from the dump.</summary>
    public static string Of(VmcoreReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        void Line(string label, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                text.Append(label.PadRight(Label)).Append(' ').AppendLine(SafeText.Of(value, 2000));
            }
        }

        Line("What", $"{report.Kind}{(report.FaultingFunction is { } function ? $" in {function}{(report.FaultingModule is { } module ? $" [{module}]" : "")}" : "")}");
        Line("Reason", report.Reason ?? "the log does not tell");
        Line("Signature", report.Signature);
        Line("Host", report.CrashedHost);
        Line("Machine", string.Join(", ", new[] { report.MachineModel, report.Machine }.Where(v => v is not null)));
        Line("Kernel", string.Join("  ", new[] { report.Release, report.KernelVersion }.Where(v => v is not null)));
        Line("Crashed", report.CrashTime?.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture));
        Line("Uptime", report.Uptime is { } up ? string.Create(CultureInfo.InvariantCulture, $"{(up.Days > 0 ? $"{up.Days} d " : "")}{up.Hours:00}:{up.Minutes:00}:{up.Seconds:00}") : null);
        Line("Task", report.TaskName is { } task ? $"{task} (pid {report.TaskPid?.ToString(CultureInfo.InvariantCulture) ?? "?"}){(report.PanicCpu is { } cpu ? $" on CPU {cpu.ToString(CultureInfo.InvariantCulture)}" : "")}" : null);
        Line("Taint", report.Taint is null ? null : report.TaintFlags.Count == 0 ? "not tainted" : string.Join("; ", report.TaintFlags));
        foreach (var missing in report.Missing)
        {
            Line("Missing", missing);
        }

        Block(text, "Call trace (? is not reliable)", report.CallTrace.Select(f => (f.Context is null ? "" : $"<{f.Context}> ") + f));
        Block(text, "CPUs", report.CpuPosition.Take(64).Select(p => p.ToString()));
        Block(text, "Last lines of the log", report.LogTail);
        if (report.Module.Count > 0)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{report.Module.Count} modules: {SafeText.Of(string.Join(' ', report.Module), 4000)}");
        }

        Block(text, "Next", new[]
        {
            report.DebugPackage is { } package ? $"debug symbols: {package}" : null,
            report.CrashCommand,
            report.DrgnCommand,
        }.Where(v => v is not null)!);
        return text.ToString();
    }

    private static void Block(StringBuilder text, string title, IEnumerable<string?> lines)
    {
        var first = true;
        foreach (var line in lines)
        {
            if (first)
            {
                text.AppendLine().AppendLine(title);
                first = false;
            }

            text.Append("  ").AppendLine(SafeText.Of(line ?? "", 1000));
        }
    }
}
