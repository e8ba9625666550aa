using System.Text.Json;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcore.Report;
using Spectre.Console;

namespace KdumpNfs.Cli;

/// <summary>Results on stdout: tables, each for the objects of one type in a row, or JSON lines as they come.</summary>
internal sealed class Printer(bool json)
{
    private readonly List<object> _rows = [];

    /// <summary>Prints a result, or keeps it for its table.</summary>
    public void Add(object value)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(value, OutputJson.Of(value.GetType())));
            Console.Out.Flush();
        }
        else if (value is VmcoreReport report)
        {
            // Too much for a row; read from the top down.
            Flush();
            Console.Out.WriteLine(ReportText.Of(report));
        }
        else if (value is KdumpPreference settings)
        {
            Flush();
            Console.Out.Write(Views.List(settings));
        }
        else
        {
            if (_rows.Count > 0 && _rows[0].GetType() != value.GetType())
            {
                Flush();
            }

            _rows.Add(value);
        }
    }

    /// <summary>Prints the table of what was kept.</summary>
    public void Flush()
    {
        if (_rows.Count == 0)
        {
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Out),
            Ansi = Terminal.HasColours() ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = Terminal.HasColours() ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        if (Console.IsOutputRedirected)
        {
            // A file has no width; a narrow one would cut what grep looks for.
            console.Profile.Width = 500;
        }

        console.Write(Views.Of(_rows, console.Profile.Width));
        _rows.Clear();
    }

    /// <summary>Prints an error with its id.</summary>
    public static void Error(HostException error) => Console.Error.WriteLine($"error {error.ErrorId}: {Printable.EscapeLines(error.Message)}");
}
