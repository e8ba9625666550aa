using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace KdumpNfs.PowerShell;

/// <summary>A crashed host as a pipeline brings it: an object of Invoke-SysrqCrash (live, or back from Clixml), of Get-KdumpStatus, or a name.</summary>
/// <param name="Name">How to speak of it.</param>
/// <param name="Identities">All names and addresses under which the store may know it.</param>
/// <param name="TriggeredAt">When it was crashed; null when the object does not tell.</param>
internal sealed record CrashReference(string Name, IReadOnlyList<string> Identities, DateTimeOffset? TriggeredAt)
{
    // The first that an object has is what it is called.
    private static readonly string[] Names = ["CrashedHost", "HostName", "ComputerName", "NodeName", "SourceAddress"];

    /// <summary>Reads an object; null when it names no host.</summary>
    public static CrashReference? From(object? input)
    {
        var value = input is PSObject wrapped ? wrapped.BaseObject : input;
        switch (value)
        {
            case null:
                return null;
            case string or System.Net.IPAddress:
                var text = value.ToString()!;
                return text.Trim().Length == 0 ? null : new CrashReference(text, [text], null);
        }

        var properties = PSObject.AsPSObject(input).Properties;
        var names = Names
            .Select(name => properties[name]?.Value?.ToString()).Where(name => !string.IsNullOrWhiteSpace(name)).Select(name => name!).ToList();
        if (names.Count == 0)
        {
            return null;
        }

        var others = Unwrap(properties["Identities"]?.Value) is IEnumerable list and not string
            ? list.Cast<object?>().Select(item => item?.ToString()).Where(item => !string.IsNullOrWhiteSpace(item)).Select(item => item!)
            : [];
        return new CrashReference(names[0], [.. names.Concat(others).Distinct(StringComparer.OrdinalIgnoreCase)], Time(properties["TriggeredAt"]?.Value));
    }

    /// <summary>The error for an object that names no host.</summary>
    public static HostException Refusal(object? input) =>
        new(ErrorIds.HostNameMissing, "", $"An object of type {(input is PSObject { TypeNames: { Count: > 0 } names } ? names[0] : input?.GetType().FullName ?? "null")} names no crashed host.")
        {
            Remedy = "Pipe the output of Invoke-SysrqCrash, or the host's name or address as the store knows it.",
        };

    private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;

    private static DateTimeOffset? Time(object? value) => Unwrap(value) switch
    {
        DateTimeOffset time => time,
        DateTime time => new DateTimeOffset(time),
        string text when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time) => time,
        _ => null,
    };
}
