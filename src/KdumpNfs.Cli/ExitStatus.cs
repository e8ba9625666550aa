namespace KdumpNfs.Cli;

/// <summary>Exit statuses of the command, for scripts.</summary>
internal static class ExitStatus
{
    /// <summary>Everything asked for was done.</summary>
    public const int Done = 0;

    /// <summary>A host failed; the others were worked on.</summary>
    public const int HostFailed = 1;

    /// <summary>Bad usage or input; nothing was contacted.</summary>
    public const int Usage = 2;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>SIGTERM.</summary>
    public const int Terminated = 143;
}
