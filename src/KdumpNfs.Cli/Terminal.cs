namespace KdumpNfs.Cli;

/// <summary>What the terminal can do, if there is one.</summary>
internal static class Terminal
{
    /// <summary>Whether colours are shown: on a terminal, and not where NO_COLOR (no-color.org) or TERM says otherwise.</summary>
    /// <param name="onError">Asks about stderr instead of stdout.</param>
    public static bool HasColours(bool onError = false) =>
        !(onError ? Console.IsErrorRedirected : Console.IsOutputRedirected) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) &&
        Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
}
