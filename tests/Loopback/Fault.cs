namespace KdumpNfs.Tests.Loopback;

/// <summary>What happens to a connection on its way.</summary>
public enum FaultKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Both ends see it closed in order.</summary>
    Cut,

    /// <summary>Both ends see a reset.</summary>
    Reset,

    /// <summary>Nothing goes on in either direction, and nobody is told.</summary>
    Stall,

    /// <summary>The rest goes a few bytes at a time.</summary>
    Trickle,

    /// <summary>What the server says first is not what an SSH server says.</summary>
    GarbledBanner,

    /// <summary>It is taken and closed at once: a server with too many sessions.</summary>
    Refused,
}

/// <summary>Which bytes are counted.</summary>
public enum FaultDirection
{
    /// <summary>From the host to the controller.</summary>
    ToController,

    /// <summary>From the controller to the host.</summary>
    ToHost,
}

/// <summary>A fault of one connection.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="At">After how many bytes.</param>
/// <param name="Direction">Of which direction.</param>
public sealed record Fault(FaultKind Kind, long At = 0, FaultDirection Direction = FaultDirection.ToController)
{
    /// <summary>No fault.</summary>
    public static Fault None { get; } = new(FaultKind.None);

    /// <summary>Bytes a second of <see cref="FaultKind.Trickle"/>.</summary>
    public int BytesPerSecond { get; init; } = 400;

    /// <inheritdoc/>
    public override string ToString() => Kind == FaultKind.None ? "None" : $"{Kind} at {At} {Direction}";
}
