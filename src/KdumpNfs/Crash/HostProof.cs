using System.Globalization;
using System.Security.Cryptography;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>What consoleproof.sh says of a host, and the proof that a console is this host's.</summary>
/// <param name="BootId">Which boot it is.</param>
/// <param name="MachineId">Of /etc/machine-id; null where there is none.</param>
/// <param name="SysrqMask">kernel.sysrq; null where the kernel has none.</param>
/// <param name="ConsoleLevel">What is less urgent than this (a higher number) is not shown on consoles; null where it is not known.</param>
/// <param name="Consoles">The kernel's consoles.</param>
internal sealed record HostProof(string BootId, string? MachineId, int? SysrqMask, int? ConsoleLevel, string Consoles)
{
    /// <summary>A word for a proof: 80 random bits.</summary>
    public static string NewWord() => Convert.ToHexString(RandomNumberGenerator.GetBytes(10));

    /// <summary>Looks at a host, without writing to its console.</summary>
    public static async Task<HostProof> LookAsync(IHostConnection connection, CancellationToken cancellationToken) =>
        From(await RunAsync(connection, "", "", "", 0, cancellationToken).ConfigureAwait(false));

    /// <summary>Makes the host write a word to its console, if it is the one that was meant.</summary>
    /// <param name="connection">The host.</param>
    /// <param name="machineId">The machine; null: not checked.</param>
    /// <param name="bootId">The boot; null: not checked.</param>
    /// <param name="word">The word.</param>
    /// <param name="syncLimit">Seconds that a sync before it may take; 0 for none.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Whether the sync ended in time; null where none was asked for.</returns>
    /// <exception cref="HostException">NotRoot, MachineIdMismatch, SysrqFailed.</exception>
    public static async Task<bool?> ShowAsync(IHostConnection connection, string? machineId, string? bootId, string word, int syncLimit, CancellationToken cancellationToken)
    {
        var reply = await RunAsync(connection, machineId ?? "", bootId ?? "", word, syncLimit, cancellationToken).ConfigureAwait(false);
        var host = connection.Host.HostName;
        switch (reply.Text("state"))
        {
            case "proved":
                return reply.Text("synced") is { } synced ? synced == "1" : null;
            case "not-root":
                throw HostRequirement.NotRoot(host, "Only root may write to the kernel's log, which proves that the console is this host's.");
            case "other-machine":
                throw new HostException(ErrorIds.MachineIdMismatch, host, $"This is no longer the machine that was looked at (machine-id {machineId}).") { Remedy = "Nothing was sent; find out where the name leads." };
            case "rebooted":
                throw new HostException(ErrorIds.SysrqFailed, host, "The host rebooted after it was looked at.") { Remedy = "Nothing was sent; run the command again." };
            default:
                throw new HostException(ErrorIds.SysrqFailed, host, "Neither /dev/kmsg nor /dev/console takes the word that proves the console.") { Remedy = "Is this a container? Nothing was sent." };
        }
    }

    private static HostProof From(HostReply reply)
    {
        int? Number(string? text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
        return new HostProof(reply.Text("boot.id")?.Trim() ?? "", reply.Text("machine.id")?.Trim() is { Length: > 0 } id ? id : null, Number(reply.Text("sysrq")?.Trim()),
            Number(reply.Text("printk")?.Split(['\t', ' '], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault()), reply.Text("consoles")?.Trim() ?? "");
    }

    private static Task<HostReply> RunAsync(IHostConnection connection, string machineId, string bootId, string word, int syncLimit, CancellationToken cancellationToken)
    {
        var meant = HostScript.Load("meanthost", ("machine_id", machineId), ("boot_id", bootId), ("proof", word),
            ("sync_limit", syncLimit.ToString(CultureInfo.InvariantCulture)));
        var script = meant with { Text = meant.Text + HostScript.Read("consoleproof"), Timeout = TimeSpan.FromSeconds(syncLimit + 30) };
        return HostReply.RunAsync(connection, script, cancellationToken);
    }
}
