namespace KdumpNfs.Kdump;

/// <summary>How a dump is made, whatever its target: what is left out, compression, messages, what follows a failure. Null leaves what the host has.</summary>
/// <param name="DumpLevel">What to leave out.</param>
/// <param name="Compression">How to compress.</param>
/// <param name="MessageLevel">The sum of what makedumpfile prints (<c>--message-level</c>), 0 to 31.</param>
/// <param name="FailureAction">What the capture does when the dump failed.</param>
public sealed record CaptureOptions(DumpLevel? DumpLevel, VmcoreCompression? Compression, int? MessageLevel, FailureAction? FailureAction)
{
    /// <summary>Nothing is asked for.</summary>
    public static CaptureOptions None { get; } = new(null, null, null, null);

    /// <summary>Checks what is wrong on every host.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static CaptureOptions Create(int? dumpLevel, VmcoreCompression? compression, int? messageLevel, FailureAction? failureAction) => new(
        dumpLevel is { } level ? DumpLevels.FromNumber(level) : null,
        compression,
        // makedumpfile(8): a sum of 1 (progress), 2 (common), 4 (error), 8 (debug), 16 (report).
        messageLevel is null or (>= 0 and <= 31) ? messageLevel : throw new HostException(ErrorIds.InvalidInput, "", $"The message level {messageLevel} is not between 0 and 31.")
        {
            Remedy = "give the sum of 1 (progress), 2 (common messages), 4 (errors), 8 (debug messages), 16 (report); 7 is the default.",
        },
        failureAction);
}
