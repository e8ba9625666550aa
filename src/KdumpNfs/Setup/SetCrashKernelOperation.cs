using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Setup;

/// <summary>Set-CrashKernelReservation: probe, plan, ask, apply. Nothing is rebooted; the change counts from the next boot on.</summary>
public sealed class SetCrashKernelOperation(HostAccess access, CrashKernelRequest request)
{
    /// <summary>Trusts that the host boots from its own boot loader although nothing shows it.</summary>
    public bool TrustBootLoader { get; init; }

    /// <summary>Works on one host. Gives a <see cref="CrashKernelChange"/>, or nothing if the answer was no.</summary>
    public async Task RunAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (await ApplyAsync(connection, host, machineId, context, cancellationToken).ConfigureAwait(false) is { } change)
            {
                context.Output(change);
            }
        }
    }

    internal async Task<CrashKernelChange?> ApplyAsync(IHostConnection connection, SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        var facts = await CrashKernelFacts.ReadAsync(connection, estimate: false, cancellationToken).ConfigureAwait(false);
        HostRequirement.SameMachine(host.HostName, facts.MachineId, machineId);

        if (facts.EntriesHidden)
        {
            throw HostRequirement.NotRoot(host.HostName);
        }

        var plan = CrashKernelPlan.Create(facts, request, TrustBootLoader);
        if (plan.IsEmpty)
        {
            context.Verbose("Nothing to do: every kernel has it already.");
            return Result(facts, plan, null);
        }

        Warn(context, facts, plan);
        var wanted = plan.Words.Count == 0 ? plan.Tool == BootTool.Reset ? "the distribution's default reservation" : "no reservation" : string.Join(' ', plan.Words);
        var question = new ChangeQuestion(host.HostName, $"Give every kernel {wanted} from the next boot on ({plan.ToolName})") { Description = plan.Diff };
        if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        if (!facts.IsRoot)
        {
            throw HostRequirement.NotRoot(host.HostName);
        }

        var reply = await new HostJob(access, host, context).RunAsync(connection, "Setting the crash kernel reservation", plan.Compose(), cancellationToken).ConfigureAwait(false);
        return HostJob.FailureOf(reply, host.HostName) is { } failure ? throw Explain(failure, plan) : Result(facts, plan, reply);
    }

    private static void Warn(HostContext context, CrashKernelFacts facts, CrashKernelPlan plan)
    {
        if (plan.Verdict.Bytes == 0 && plan.Words.Count > 0)
        {
            context.Warning($"{string.Join(' ', plan.Words)} reserves nothing on {facts.HostName} with its {GetCrashKernelOperation.MiB(facts.MemoryBytes)}.");
        }
        else if (plan.Verdict.Bytes > facts.MemoryBytes / 2)
        {
            context.Warning($"{string.Join(' ', plan.Words)} takes {GetCrashKernelOperation.MiB(plan.Verdict.Bytes.Value)} of {facts.HostName}'s {GetCrashKernelOperation.MiB(facts.MemoryBytes)}.");
        }
    }

    private static HostException Explain(HostException failure, CrashKernelPlan plan)
    {
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.BootLoaderFailed => ($"{plan.ToolName} did not do it; the boot loader's configuration is as it was.", "Read its words above, mend the cause, run the command again."),
            ErrorIds.RollbackFailed => ($"{plan.ToolName} did not do it, and the configuration could not be brought back as a whole.",
                "Log in before you reboot: look at /etc/default/grub, /boot and at the backups beside the files."),
            ErrorIds.FileChanged => ("A file is not the one that the plan was made from. Nothing was changed.", "Somebody else edits it: look who, then run the command again."),
            ErrorIds.WriteFailed => ("A file could not be written. The host is as it was.", "Look at free space and at whether /etc is read-only on the host."),
            _ => (failure.What, "Run the command again with -Verbose."),
        };
        return new HostException(failure.ErrorId, failure.HostName, what) { HostSaid = failure.HostSaid, Remedy = remedy };
    }

    private static CrashKernelChange Result(CrashKernelFacts facts, CrashKernelPlan plan, HostReply? reply) => new()
    {
        HostName = facts.HostName,
        Changed = reply is not null,
        CrashKernel = plan.Words,
        Previous = plan.Previous,
        ExpectedBytes = plan.Verdict.Bytes,
        ReservedBytes = facts.ReservedBytes,
        RebootRequired = plan.RebootRequired,
        Tool = plan.ToolName,
        Backup = reply?.All("backup") ?? [],
        Diff = plan.Diff,
        MachineId = facts.MachineId,
        Family = facts.Family,
    };
}
