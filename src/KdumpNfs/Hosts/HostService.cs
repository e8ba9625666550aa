namespace KdumpNfs.Hosts;

/// <summary>State of a systemd unit.</summary>
/// <param name="Name">Unit name.</param>
/// <param name="Active">ActiveState: active, inactive, failed, activating…</param>
/// <param name="Enabled">UnitFileState: enabled, disabled, masked…</param>
/// <param name="Result">Why it ended, such as exit-code; success otherwise.</param>
/// <param name="Words">The unit's last words; null while it is active.</param>
public sealed record HostService(string Name, string Active, string Enabled, string Result, string? Words)
{
    /// <summary>Whether it is active.</summary>
    public bool IsActive => Active == "active";

    /// <summary>Reads <c>systemctl show</c>; null where it said nothing or the unit does not exist.</summary>
    internal static HostService? Parse(string? name, string? show, string? words)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in (show ?? "").Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                values[line[..equals]] = line[(equals + 1)..].Trim();
            }
        }

        return name is null || !values.TryGetValue("ActiveState", out var active)
            ? null
            : new HostService(name, active, values.GetValueOrDefault("UnitFileState", ""), values.GetValueOrDefault("Result", ""), words);
    }

    /// <inheritdoc/>
    public override string ToString() => Active;
}
