namespace KdumpNfs.Readiness;

/// <summary>How a check of readiness ended.</summary>
public enum CheckOutcome
{
    /// <summary>It was looked at and is as a capture needs it.</summary>
    Pass,

    /// <summary>A dump is likely to arrive, but something about it should be looked at.</summary>
    Warn,

    /// <summary>A crash now would leave no usable dump, or probably none. Only this makes a host not pass.</summary>
    Fail,

    /// <summary>It was not looked at; the evidence says why. Neither good nor bad, and not a pass.</summary>
    NotChecked,
}

/// <summary>One thing that a capture depends on, as it is on a host.</summary>
/// <param name="Name">One of <see cref="ReadinessCheckNames"/>; every host has every one, in the same order.</param>
/// <param name="Outcome">How it is.</param>
/// <param name="Evidence">What was seen, or why nothing was.</param>
/// <param name="Remedy">What to do; null where there is nothing to do.</param>
public sealed record ReadinessCheck(string Name, CheckOutcome Outcome, string Evidence, string? Remedy)
{
    /// <summary>The check in one line.</summary>
    public override string ToString() => $"{Name}: {Outcome}: {Evidence}";
}
