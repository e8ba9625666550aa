namespace KdumpNfs.Drills;

/// <summary>The phases of one host's drill, in the order they began; some run at the same time.</summary>
internal sealed class DrillPhases
{
    private readonly object _gate = new();
    private readonly List<DrillPhase> _phases = [];

    public IReadOnlyList<DrillPhase> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _phases.OrderBy(p => p.StartedAt).ThenBy(p => p.Phase)];
            }
        }
    }

    /// <summary>Does something and takes its time.</summary>
    public async Task<T> TimeAsync<T>(DrillPhaseKind kind, Func<Task<T>> work)
    {
        var started = DateTimeOffset.UtcNow;
        var good = false;
        try
        {
            var result = await work().ConfigureAwait(false);
            good = true;
            return result;
        }
        finally
        {
            Add(kind, started, good);
        }
    }

    /// <summary>A phase that ends now.</summary>
    public void Add(DrillPhaseKind kind, DateTimeOffset started, bool succeeded) => Add(kind, started, DateTimeOffset.UtcNow, succeeded);

    /// <summary>A phase that ended a while ago.</summary>
    public void Add(DrillPhaseKind kind, DateTimeOffset started, DateTimeOffset ended, bool succeeded)
    {
        lock (_gate)
        {
            _phases.Add(new DrillPhase(kind, started, ended - started, succeeded));
        }
    }
}
