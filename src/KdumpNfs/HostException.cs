namespace KdumpNfs;

/// <summary>Something failed on, or on the way to, one host. The message is for the admin at 3 a.m.: what failed, what the host said, what to do next.</summary>
public sealed class HostException : Exception
{
    /// <summary>A failure with a stable id.</summary>
    /// <param name="errorId">One of <see cref="ErrorIds"/>.</param>
    /// <param name="hostName">The host as it was asked for; empty when no host is concerned.</param>
    /// <param name="what">What failed, one sentence.</param>
    /// <param name="inner">The cause, if an exception.</param>
    public HostException(string errorId, string hostName, string what, Exception? inner = null)
        : base(what, inner)
    {
        ErrorId = errorId;
        HostName = hostName;
    }

    /// <summary>The stable id, without the host or the cmdlet.</summary>
    public string ErrorId { get; }

    /// <summary>The host concerned.</summary>
    public string HostName { get; }

    /// <summary>The host's own words, if it said something.</summary>
    public string? HostSaid { get; init; }

    /// <summary>What to do next.</summary>
    public string? Remedy { get; init; }

    /// <summary>Objects that explain the failure to a program (a plan, a state before and after).</summary>
    public object? Details { get; init; }

    /// <summary>The whole message: host, what failed, the host's words, the next step.</summary>
    public override string Message
    {
        get
        {
            var text = HostName.Length == 0 ? base.Message : $"{Printable.Escape(HostName)}: {base.Message}";
            if (!string.IsNullOrWhiteSpace(HostSaid))
            {
                text += Environment.NewLine + "  The host said: " +
                    Printable.EscapeLines(HostSaid.Trim()).Replace("\n", Environment.NewLine + "    ", StringComparison.Ordinal);
            }

            return Remedy is null ? text : text + Environment.NewLine + "  Next: " + Remedy;
        }
    }

    /// <summary>The same failure as one of a host, where a rule that knows no host found it.</summary>
    public HostException For(string hostName) => HostName.Length > 0
        ? this
        : new HostException(ErrorId, hostName, What, this) { HostSaid = HostSaid, Remedy = Remedy, Details = Details };

    /// <summary>What failed, without the host's words and the next step.</summary>
    public string What => base.Message;
}
