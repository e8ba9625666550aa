using System.Diagnostics;
using System.Globalization;

namespace KdumpNfs.Fleet;

/// <summary>How long waits have taken and will take, from what their steps say. Not safe for several threads: a front end has one.</summary>
public sealed class ProgressClock
{
    // Nothing is foretold from less.
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(2);
    private readonly Dictionary<string, Wait> _waits = new(StringComparer.Ordinal);
    private readonly Func<TimeSpan> _now;

    /// <summary>A clock that begins now.</summary>
    public ProgressClock()
        : this(Watch())
    {
    }

    /// <summary>A clock with a time of its own, for tests.</summary>
    internal ProgressClock(Func<TimeSpan> now) => _now = now;

    /// <summary>The time that is left: what the step says itself, or else as its share of the work has grown so far; null where that is not known.</summary>
    public TimeSpan? Left(HostProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        var now = _now();
        if (progress.Done)
        {
            _waits.Remove(progress.HostName);
            return null;
        }

        var fraction = progress.Fraction ?? 0;
        if (!_waits.TryGetValue(progress.HostName, out var wait) || wait.Activity != progress.Activity || fraction < wait.Fraction)
        {
            _waits[progress.HostName] = wait = new Wait(progress.Activity, now, fraction);
        }

        if (progress.Left is { } left)
        {
            return left;
        }

        var elapsed = now - wait.Started;
        return fraction - wait.Fraction > 0.0001 && elapsed >= Least ? elapsed * Math.Min(1e6, (1 - Math.Min(1, fraction)) / (fraction - wait.Fraction)) : null;
    }

    /// <summary>Forgets a host.</summary>
    public void Forget(string hostName) => _waits.Remove(hostName);

    /// <summary>A time for a person: <c>45 s</c>, <c>3 min 20 s</c>, <c>2 h 05 min</c>.</summary>
    public static string Text(TimeSpan time) =>
        time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours} h {time.Minutes:00} min")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s");

    private static Func<TimeSpan> Watch()
    {
        var watch = Stopwatch.StartNew();
        return () => watch.Elapsed;
    }

    private sealed record Wait(string Activity, TimeSpan Started, double Fraction);
}

/// <summary>Whether progress is shown at all.</summary>
public static class ProgressPolicy
{
    // What the usual services set: GitHub, GitLab, Travis, CircleCI, Drone and others CI; Azure TF_BUILD; TeamCity and Jenkins theirs.
    private static readonly string[] Variables = ["CI", "TF_BUILD", "TEAMCITY_VERSION", "JENKINS_URL"];

    /// <summary>Whether nobody looks: the environment is one of continuous integration, or PowerShell was started with -NonInteractive.</summary>
    /// <remarks>$ProgressPreference and -ProgressAction hold besides. A variable that says <c>false</c> or <c>0</c> counts as not set.</remarks>
    public static bool IsQuiet => IsQuietFor(Environment.GetEnvironmentVariable, Environment.GetCommandLineArgs());

    internal static bool IsQuietFor(Func<string, string?> variable, IReadOnlyList<string> arguments) =>
        Variables.Any(name => variable(name) is { Length: > 0 } value && value is not "0" && !value.Equals("false", StringComparison.OrdinalIgnoreCase)) || IsNonInteractive(arguments);

    // Only pwsh knows this parameter, as -NonInteractive or shorter down to -noni; what follows -File or -Command is the script's own.
    private static bool IsNonInteractive(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || !Path.GetFileName(arguments[0]).StartsWith("pwsh", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        foreach (var argument in arguments.Skip(1).Where(a => a.Length > 1 && a[0] is '-' or '/'))
        {
            var name = argument.TrimStart('-', '/');
            if (name.Length >= 4 && "noninteractive".StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }

            if (name.Length > 0 && ("command".StartsWith(name, StringComparison.OrdinalIgnoreCase) || "file".StartsWith(name, StringComparison.OrdinalIgnoreCase)))
            {
                return false;
            }
        }

        return false;
    }
}
