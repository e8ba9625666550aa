using System.Globalization;
using System.Text.RegularExpressions;
using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>A copy of a host's kdump configuration that a change left beside it: what Restore-KdumpConfiguration -List gives. Its content is not
/// shown: a configuration may hold passwords.</summary>
public sealed partial record KdumpBackup
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>The copy, on the host.</summary>
    public required string Path { get; init; }

    /// <summary>When the change was made that left it, by the controller's clock; null where the name does not tell.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>Where dumps went with it.</summary>
    public KdumpTarget? Target { get; init; }

    /// <summary>The core collector in it.</summary>
    public string? CoreCollector { get; init; }

    /// <summary>Whether it says byte for byte what the file says now.</summary>
    public bool Current { get; init; }

    /// <summary>Whether a restore left it (and not a change).</summary>
    public bool FromRestore { get; init; }

    /// <summary>Permission bits, octal.</summary>
    public string Mode { get; init; } = "";

    /// <summary>Its size.</summary>
    public long Bytes { get; init; }

    /// <summary>SHA-256, lower-case hex.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Machine id of the host.</summary>
    public string? MachineId { get; init; }

    internal HostFile File { get; private init; } = null!;

    /// <summary>The copies of the configuration file in force, the newest first.</summary>
    internal static IReadOnlyList<KdumpBackup> Of(HostFacts facts)
    {
        var found = new List<KdumpBackup>();
        for (var i = 0; facts.Reply.Text(string.Create(CultureInfo.InvariantCulture, $"backup.of.{i}")) is { } of; i++)
        {
            if (of != facts.ConfigurationPath || facts.Reply.File(string.Create(CultureInfo.InvariantCulture, $"backup.{i}")) is not { } file)
            {
                continue;
            }

            var view = KdumpConfiguration.Read(facts.Family, file.Content.Span, facts.Mounts);
            found.Add(new KdumpBackup
            {
                HostName = facts.HostName,
                Path = file.Path,
                Time = Stamp().Match(file.Path) is { Success: true } match &&
                    DateTimeOffset.TryParseExact(match.Groups[1].Value, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null,
                Target = view?.Target,
                CoreCollector = view?.Collector.ToString(),
                Current = facts.Configuration is { } now && now.Content.Span.SequenceEqual(file.Content.Span),
                FromRestore = file.Path.EndsWith(RestoreMark + ".bak", StringComparison.Ordinal),
                Mode = file.Mode,
                Bytes = file.Content.Length,
                Sha256 = file.Sha256,
                MachineId = facts.MachineId,
                File = file,
            });
        }

        return [.. found.OrderByDescending(b => b.Path, StringComparer.Ordinal)];
    }

    /// <summary>What the name of a copy has that a restore makes.</summary>
    internal const string RestoreMark = "-restore";

    [GeneratedRegex(@"\.kdumpnfs-(\d{8}T\d{6}Z)", RegexOptions.CultureInvariant)]
    private static partial Regex Stamp();
}
