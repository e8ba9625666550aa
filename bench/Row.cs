using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace KdumpNfs.Bench;

/// <summary>One measurement, beside what it is compared with.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The median.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Against">What it is compared with; null for nothing.</param>
/// <param name="Ratio">Value by the other's value; null without one.</param>
/// <param name="Goal">What is to be reached; null for none.</param>
/// <param name="Met">Whether it is; null without a goal.</param>
/// <param name="Spread">Largest less smallest, by the median.</param>
internal sealed record Row(string Name, double Value, string Unit, string? Against, double? Ratio, string? Goal, bool? Met, double Spread)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>A row from repeated measurements.</summary>
    public static Row Of(string name, IReadOnlyList<double> runs, string unit, double? atMost)
    {
        var sorted = runs.Order().ToList();
        var median = sorted[sorted.Count / 2];
        return new Row(name, median, unit, null, null, atMost is null ? null : string.Create(CultureInfo.InvariantCulture, $"<= {atMost} {unit}"),
            atMost is null ? null : median <= atMost, (sorted[^1] - sorted[0]) / median);
    }

    /// <summary>Prints a table and writes <c>NAME.json</c> into a folder.</summary>
    public static void Publish(string name, string folder, IReadOnlyList<Row> rows)
    {
        var table = new Table().AddColumns("what", "median", "unit", "against", "ratio", "goal", "met", "spread");
        foreach (var row in rows)
        {
            table.AddRow(Markup.Escape(row.Name), Number(row.Value), row.Unit, row.Against ?? "", row.Ratio is { } ratio ? Number(ratio) : "",
                row.Goal ?? "", row.Met switch { true => "yes", false => "no", null => "" }, row.Spread.ToString("P0", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name + ".json"), JsonSerializer.Serialize(rows, Json));
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
