using KdumpNfs.Fleet;

namespace KdumpNfs.Cli;

/// <summary>One line at the bottom of a terminal that tells what is being waited for; nothing where stderr is not a terminal, or in continuous integration.</summary>
internal sealed class StatusLine
{
    private readonly bool _shown = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb" && !ProgressPolicy.IsQuiet;
    private readonly ProgressClock _clock = new();
    private readonly Dictionary<string, HostProgress> _waits = new(StringComparer.Ordinal);
    private bool _drawn;

    /// <summary>Takes a step of a host.</summary>
    public void Report(HostProgress progress)
    {
        if (!_shown)
        {
            return;
        }

        // What the work says itself is in its status already.
        if (_clock.Left(progress) is { } left && progress.Left is null)
        {
            progress = progress with { Status = $"{progress.Status}, about {ProgressClock.Text(left)} left" };
        }

        if (progress.Done)
        {
            _waits.Remove(progress.HostName);
        }
        else
        {
            _waits[progress.HostName] = progress;
        }

        Draw();
    }

    /// <summary>A host is out of it.</summary>
    public void Forget(string hostName)
    {
        _waits.Remove(hostName);
        _clock.Forget(hostName);
        Clear();
    }

    /// <summary>Takes the line away, so that something else can be written.</summary>
    public void Clear()
    {
        if (_drawn)
        {
            Console.Error.Write("\r\e[K");
            _drawn = false;
        }
    }

    private void Draw()
    {
        Clear();
        if (_waits.Count == 0)
        {
            return;
        }

        var text = string.Join(" | ", _waits.Values.Select(w => $"{w.HostName}: {w.Status}{(w.Fraction is { } f ? $" ({f:P0})" : "")}"));
        var width = Math.Max(20, Width() - 1);
        text = Printable.Escape(text);
        Console.Error.Write(text.Length <= width ? text : text[..(width - 1)] + "…");
        _drawn = true;
    }

    private static int Width()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
