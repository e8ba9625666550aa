using System.Diagnostics.CodeAnalysis;

namespace KdumpNfs.Crash;

/// <summary>The hosts of one crash command: each machine once, and one question for all of them.</summary>
public sealed class CrashList
{
    private readonly List<CrashCandidate> _candidates = [];

    /// <summary>The hosts, in the order they answered.</summary>
    public IReadOnlyList<CrashCandidate> Candidates => _candidates;

    /// <summary>Adds a host; false when another name leads to the same running system, which must not be crashed again when it is back.</summary>
    public bool TryAdd(CrashCandidate candidate, [NotNullWhen(false)] out CrashCandidate? twin)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        twin = candidate.Status.BootId.Length == 0 ? null : _candidates.Find(c => c.Status.BootId == candidate.Status.BootId);
        if (twin is null)
        {
            _candidates.Add(candidate);
        }

        return twin is null;
    }

    /// <summary>What is about to happen, for the person who decides.</summary>
    public string Question(int maxDown) =>
        $"Crash the kernel of {(_candidates.Count == 1 ? "this host" : $"these {_candidates.Count} hosts, at most {maxDown} down at once")}; whatever runs there ends without being stopped:\n" +
        string.Join('\n', _candidates.Select(c => "  " + Printable.Escape(c.ToString())));
}
