using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Setup;

/// <summary>Get-CrashKernelReservation: what is reserved now, what the next boot reserves, what the distribution would.</summary>
public sealed class GetCrashKernelOperation(HostAccess access)
{
    /// <summary>Also asks kdumpctl estimate, which takes up to a minute and builds the capture image first where that is stale.</summary>
    public bool Estimate { get; init; }

    /// <summary>Looks at one host.</summary>
    public async Task<CrashKernelReservation> RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            return Describe(await CrashKernelFacts.ReadAsync(connection, Estimate, cancellationToken).ConfigureAwait(false));
        }
    }

    internal static CrashKernelReservation Describe(CrashKernelFacts facts)
    {
        var own = facts.Source == BootSource.OwnBootLoader && !facts.EntriesHidden;
        var next = own && facts.NextEntry is { } entry ? facts.Evaluate(entry.Arguments) : null;
        var defaultBytes = facts.BytesOf(facts.Default);
        var result = new CrashKernelReservation
        {
            HostName = facts.HostName,
            ReservedBytes = facts.ReservedBytes,
            Ranges = facts.Ranges,
            CommandLine = facts.Running.Words,
            ExpectedBytes = facts.Running.Bytes,
            NextBoot = next?.Words,
            NextBootBytes = next?.Bytes,
            RebootRequired = next is null ? null : !next.Effective.SequenceEqual(facts.Running.Effective),
            Default = facts.Default,
            DefaultBytes = defaultBytes,
            RecommendedBytes = facts.RecommendedBytes,
            BootSource = facts.Source,
            BootEvidence = facts.Evidence,
            Entries = facts.Entries,
            MemoryBytes = facts.MemoryBytes,
            KernelRelease = facts.KernelRelease,
            Family = facts.Family,
            MachineId = facts.MachineId,
        };
        return result with { Findings = Findings(facts, result, next) };
    }

    private static List<string> Findings(CrashKernelFacts facts, CrashKernelReservation result, CrashKernelCommandLine? next)
    {
        var found = new List<string>();
        var reserved = facts.ReservedBytes;
        if (reserved is null)
        {
            found.Add("The kernel has no /sys/kernel/kexec_crash_size: it was built without kdump.");
        }
        else if (facts.Running.Problem is { } problem)
        {
            found.Add($"The kernel was started with {string.Join(' ', facts.Running.Words)} and reserved nothing: {problem}.");
        }
        else if (reserved == 0 && facts.Running.Words.Count == 0)
        {
            found.Add("No memory is reserved: there is no crashkernel= on the kernel's command line.");
        }
        else if (reserved == 0 && facts.Running.Bytes == 0)
        {
            found.Add($"{string.Join(' ', facts.Running.Words)} reserves nothing on a host with {MiB(facts.MemoryBytes)}.");
        }
        else if (reserved == 0)
        {
            found.Add($"The kernel was started with {string.Join(' ', facts.Running.Words)} but could not reserve it; its log (dmesg) says why.");
        }
        else if (facts.Running.Bytes is { } expected && reserved < expected - (1 << 20))
        {
            found.Add($"{MiB(reserved.Value)} are reserved of the {MiB(expected)} asked for: it was shrunk through /sys/kernel/kexec_crash_size, or the kernel needed no low region.");
        }

        if (facts.Running.Words.Count > facts.Running.Effective.Count)
        {
            found.Add($"Several crashkernel= stand on the command line; {string.Join(' ', facts.Running.Effective)} counts.");
        }

        if (result.RebootRequired == true)
        {
            found.Add($"The next boot has {(next!.Words.Count == 0 ? "no crashkernel=" : string.Join(' ', next.Words))}: the change counts after a reboot.");
        }

        if (next?.Problem is { } later)
        {
            found.Add($"The next boot's {string.Join(' ', next.Words)} would reserve nothing: {later}.");
        }

        var without = facts.Entries.Where(e => !e.IsRecovery && e.CrashKernel.Count == 0).ToList();
        if (next is { Words.Count: > 0 } && without.Count > 0)
        {
            found.Add($"{without.Count} of {facts.Entries.Count} kernels of the boot loader have no crashkernel=: {string.Join(", ", without.Select(e => e.Kernel))}.");
        }

        if (result.DefaultBytes is > 0 and var wanted && reserved is > 0 && wanted > reserved)
        {
            found.Add($"The distribution's default for this host ({facts.Default}) is {MiB(wanted)}, more than is reserved.");
        }

        if (result.RecommendedBytes is { } needed && reserved is > 0 && needed > reserved)
        {
            found.Add($"The host's own estimate is {MiB(needed)}, more than is reserved.");
        }

        if (facts.Source == BootSource.Elsewhere)
        {
            found.Add($"The reservation is not in the host's own hands: {facts.Evidence}.");
        }

        return found;
    }

    internal static string MiB(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:#,0.#} MiB");
}
