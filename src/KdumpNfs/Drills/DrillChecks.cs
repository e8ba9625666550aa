using KdumpNfs.Readiness;

namespace KdumpNfs.Drills;

/// <summary>What the checks of readiness mean for a drill.</summary>
internal static class DrillChecks
{
    /// <summary>The checks that a host has to pass before it is crashed. What an earlier drill found out is asked anew by this one.</summary>
    public static IReadOnlyList<ReadinessCheck> Failed(IEnumerable<ReadinessCheck> checks) => Those(checks, CheckOutcome.Fail);

    /// <summary>The checks with a warning: they hold up no drill and go on its result.</summary>
    public static IReadOnlyList<ReadinessCheck> Warned(IEnumerable<ReadinessCheck> checks) => Those(checks, CheckOutcome.Warn);

    /// <summary>The later look, and for what it did not look at (it mounts nothing) the earlier one.</summary>
    public static IReadOnlyList<ReadinessCheck> Merge(IReadOnlyList<ReadinessCheck> earlier, IReadOnlyList<ReadinessCheck> later) =>
        [.. later.Select(check => check.Outcome == CheckOutcome.NotChecked ? earlier.FirstOrDefault(e => e.Name == check.Name) ?? check : check)];

    /// <summary>The error for a host that fails checks; its details are the readiness.</summary>
    public static HostException NotReady(HostReadiness readiness)
    {
        var failed = Failed(readiness.Checks);
        return new HostException(ErrorIds.NotReady, readiness.HostName, $"The host is not ready, so a crash would leave no vmcore: {string.Join(", ", failed.Select(check => check.Name))}.")
        {
            HostSaid = string.Join('\n', failed.Select(check => $"{check.Name}: {check.Evidence}")),
            Remedy = RemedyOf(failed),
            Details = readiness,
        };
    }

    /// <summary>What to do about checks that failed.</summary>
    public static string RemedyOf(IReadOnlyList<ReadinessCheck> failed) =>
        string.Join(' ', failed.Select(check => check.Remedy).OfType<string>().Distinct().Append("It was not crashed; -AllowNotReady crashes it all the same."));

    private static List<ReadinessCheck> Those(IEnumerable<ReadinessCheck> checks, CheckOutcome outcome) =>
        [.. checks.Where(check => check.Outcome == outcome && check.Name != ReadinessCheckNames.LastDrill)];
}
