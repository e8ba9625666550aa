using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>The sessions of the module: one pool for all runspaces of the process.</summary>
internal static class Sessions
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(3);

    /// <summary>The pool.</summary>
    public static SessionPool Pool { get; } = new();

    /// <summary>Closes a session; what takes longer than a moment goes on by itself.</summary>
    public static void Close(KdumpSession session) => Pool.CloseAsync(session).Wait(CloseLimit);

    /// <summary>Closes all.</summary>
    public static void CloseAll() => Pool.DisposeAsync().AsTask().Wait(CloseLimit);
}
