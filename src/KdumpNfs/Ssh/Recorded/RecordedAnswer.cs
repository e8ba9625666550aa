namespace KdumpNfs.Ssh.Recorded;

/// <summary>One line of a recording: what a host answered to one script.</summary>
internal sealed record RecordedAnswer
{
    /// <summary>The host as it was asked for.</summary>
    public required string Host { get; init; }

    /// <summary>Which script it was (<see cref="ScriptPrint"/>).</summary>
    public required string Script { get; init; }

    /// <summary>stdout, base64; null where it was too long to be kept.</summary>
    public string? Output { get; init; }

    /// <summary>stderr, base64.</summary>
    public string? Error { get; init; }

    /// <summary>Exit status.</summary>
    public int ExitStatus { get; init; }

    /// <summary>The id of the error that came instead of an answer; null when there was one.</summary>
    public string? Failure { get; init; }

    /// <summary>That error's sentence.</summary>
    public string? What { get; init; }
}
