using System.Diagnostics;

namespace KdumpNfs.Ssh;

/// <summary>
/// Whether this process handles what sockets tell on the thread that hears of it. Otherwise each receive of a library that waits in it, as SSH.NET does, wakes a thread of the pool that
/// only wakes the one that waits: a third of all switches between threads.
/// </summary>
/// <remarks>
/// The runtime's own switch, read once when the first socket waits (System.Net.Sockets, SocketAsyncEngine.Unix.cs). It is the whole process's, so only a program that knows all its code
/// may set it: what follows an asynchronous read then runs on that one thread, and must leave it (<see cref="LeaveAsync"/>) before it could wait for anything.
/// </remarks>
public static class InlineSockets
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Set for this process, by itself or by whoever started it.</summary>
    internal static bool InUse { get; private set; } = Environment.GetEnvironmentVariable(Variable) == "1";

    /// <summary>Sets it; call before anything else. What the environment says already stays.</summary>
    public static void Use()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
            InUse = true;
        }
    }

    /// <summary>Programs that this one starts choose for themselves.</summary>
    internal static void KeepFrom(ProcessStartInfo start) => start.Environment.Remove(Variable);

    /// <summary>After an asynchronous read or write of a socket or pipe: to a thread of the pool, where the runtime has not gone there by itself.</summary>
    internal static async ValueTask LeaveAsync()
    {
        if (InUse)
        {
            await Task.Yield();
        }
    }
}
