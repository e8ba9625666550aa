using System.Reflection;
using KdumpNfs.Ssh;

namespace KdumpNfs.Hosts;

/// <summary>The scripts of this assembly (its *.sh files), made whole: the common functions, the values, then the script.</summary>
internal static class HostScript
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> Texts = new(StringComparer.Ordinal);

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> Plain = new(StringComparer.Ordinal);

    /// <summary>Composes a script.</summary>
    /// <param name="name">File name without ".sh".</param>
    /// <param name="values">Variables the script starts with; quoted here.</param>
    public static RemoteScript Load(string name, params ReadOnlySpan<(string Name, string Value)> values)
    {
        if (values.IsEmpty)
        {
            return new RemoteScript(Plain.GetOrAdd(name, static key => Read("common") + Read(key)));
        }

        var text = new System.Text.StringBuilder(Read("common"));
        foreach (var (variable, value) in values)
        {
            text.Append(ShellQuote.Assignment(variable, value));
        }

        return new RemoteScript(text.Append(Read(name)).ToString());
    }

    /// <summary>Text with the line ends that hosts know.</summary>
    internal static string HostLines(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal);

    /// <summary>The text of one script file, for scripts that carry another one inside.</summary>
    public static string Read(string name) => Texts.GetOrAdd(name, static key =>
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(key + ".sh")
            ?? throw new InvalidOperationException($"The script {key}.sh is not part of this assembly.");
        using var reader = new StreamReader(stream);
        // A checkout on Windows may have given them its line ends, and sh takes a carriage return for part of a word.
        return HostLines(reader.ReadToEnd());
    });
}
