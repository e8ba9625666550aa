namespace KdumpNfs.Fleet;

/// <summary>A host that failed, as an object: lists that are exported must lose nobody.</summary>
/// <param name="HostName">The host as it was asked for.</param>
/// <param name="ErrorId">One of <see cref="ErrorIds"/>.</param>
/// <param name="Message">What failed.</param>
public sealed record FailedHost(string HostName, string ErrorId, string Message)
{
    /// <summary>Always "Failed", so that a column State of mixed objects tells.</summary>
    public string State { get; } = "Failed";

    /// <summary>The object for an error.</summary>
    public static FailedHost From(HostException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new FailedHost(error.HostName, error.ErrorId, error.What);
    }
}
