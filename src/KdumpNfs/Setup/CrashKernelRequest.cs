namespace KdumpNfs.Setup;

/// <summary>What Set-CrashKernelReservation was asked for, checked before any host is contacted.</summary>
public sealed record CrashKernelRequest
{
    private CrashKernelRequest(IReadOnlyList<CrashKernelParameter> parameters) => Parameters = parameters;

    /// <summary>The distribution's own default for each host.</summary>
    public static CrashKernelRequest Recommended { get; } = new([]) { IsRecommended = true };

    /// <summary>No reservation at all.</summary>
    public static CrashKernelRequest None { get; } = new([]);

    /// <summary>What is to stand on the command line; empty for none or for the default.</summary>
    public IReadOnlyList<CrashKernelParameter> Parameters { get; }

    /// <summary>Whether each host's own default is wanted.</summary>
    public bool IsRecommended { get; private init; }

    /// <summary>Checks what was asked for.</summary>
    /// <param name="size">Values of <c>crashkernel=</c>; null or empty with <paramref name="recommended"/>.</param>
    /// <param name="recommended">The distribution's own default.</param>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static CrashKernelRequest Create(IReadOnlyList<string>? size, bool recommended)
    {
        var sized = size is { Count: > 0 };
        return sized == recommended
            ? throw new HostException(ErrorIds.InvalidInput, "", sized ? "A size and the recommended one exclude each other." : "No size was given.")
            {
                Remedy = "Give -Size 256M (or ranges such as 1G-4G:192M,4G-64G:256M), or -Recommended for each distribution's own default.",
            }
            : recommended ? Recommended : new CrashKernelRequest(CrashKernelParameter.ParseAll(size!));
    }
}
