using KdumpNfs.Fleet;

namespace KdumpNfs.Cli;

/// <summary>What was asked for about printing and asking.</summary>
/// <param name="Json">One object a line instead of a table.</param>
/// <param name="IncludeFailed">Objects for hosts that failed.</param>
/// <param name="Verbose">The story of each host on stderr.</param>
/// <param name="Throttle">Hosts at once.</param>
/// <param name="Yes">Changes are agreed to.</param>
/// <param name="WhatIf">Changes are shown and not made; so are files of this machine.</param>
/// <param name="Changes">The command changes hosts.</param>
internal sealed record SessionOptions(bool Json, bool IncludeFailed, bool Verbose, int Throttle, bool Yes, bool WhatIf, bool Changes)
{
    /// <summary>How a change goes through its hosts; null for all of them at once.</summary>
    public BatchPlan? Batches { get; init; }

    /// <summary>Answers the second question of a dangerous change.</summary>
    public bool Force { get; init; }
}
