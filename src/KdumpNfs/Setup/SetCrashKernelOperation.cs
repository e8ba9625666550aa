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

    /// <summary>An image tree on the host, which is a build host then: its files are changed. Checked by <see cref="Kdump.TargetInput.CheckImageRoot"/>.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Works on one host. Gives a <see cref="CrashKernelChange"/>, or nothing if the answer was no.</summary>
    public async Task RunAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var done = ImageRoot is { } root
                ? await ApplyImageAsync(root, connection, host, context, cancellationToken).ConfigureAwait(false)
                : await ApplyAsync(connection, host, machineId, context, cancellationToken).ConfigureAwait(false);
            if (done is { } change)
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
        return HostJob.FailureOf(reply, host.HostName) is { } failure ? throw Explain(failure, plan.ToolName, null) : Result(facts, plan, reply);
    }

    private async Task<CrashKernelChange?> ApplyImageAsync(string root, IHostConnection connection, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        var image = await CrashKernelImage.ReadAsync(connection, root, cancellationToken).ConfigureAwait(false);
        var words = image.WordsFor(request);
        var files = image.FilesFor(words);
        var maker = image.NeedsMaker(words) ? image.Maker : null;
        var result = new CrashKernelChange
        {
            HostName = host.HostName,
            Changed = false,
            CrashKernel = words,
            Previous = image.Previous,
            Tool = maker ?? "",
            Diff = string.Join('\n', files.Select(f => CrashKernelPlan.Show(f.Path, f.Old, f.New)).Where(d => d.Length > 0)),
            Family = image.Family,
            ImageRoot = root,
        };
        if (files.Count == 0 && maker is null)
        {
            context.Verbose("Nothing to do: the image has it already.");
            return result;
        }

        var question = new ChangeQuestion(host.HostName, $"Give kernels of the image {root} {(words.Count == 0 ? "no reservation" : string.Join(' ', words))}{(maker is null ? "" : $" ({maker} in it)")}")
        {
            Description = result.Diff,
        };
        if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        if (!image.IsRoot)
        {
            throw HostRequirement.NotRoot(host.HostName);
        }

        var script = CrashKernelPlan.ComposeImage(root, words, maker, image.GrubConfig, files);
        var reply = await new HostJob(access, host, context).RunAsync(connection, "Setting the crash kernel reservation of the image", script, cancellationToken).ConfigureAwait(false);
        return HostJob.FailureOf(reply, host.HostName) is { } failure ? throw Explain(failure, maker ?? "", root) : result with { Changed = true, Backup = reply.All("backup") };
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

    private static HostException Explain(HostException failure, string tool, string? root)
    {
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.BootLoaderFailed => ($"{tool} did not do it; the boot loader's configuration is as it was.", root is null ? "Read its words above, mend the cause, run the command again."
                : $"Read its words above. It needs the image's own disk, mounted at {root}; without that, move {root}/boot away for the moment and let the image's boot loader be set up where it is deployed."),
            ErrorIds.RollbackFailed => ($"{tool} did not do it, and the configuration could not be brought back as a whole.",
                "Log in before you reboot: look at /etc/default/grub, /boot and at the backups beside the files."),
            ErrorIds.FileChanged => ("A file is not the one that the plan was made from. Nothing was changed.", "Somebody else edits it: look who, then run the command again."),
            var id when WriteFailure.Is(id) => ("A file could not be written. The host is as it was.", WriteFailure.Remedy(id)),
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
