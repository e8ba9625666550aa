using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Set-KdumpNfsTarget: probe, plan, ask, apply.</summary>
public sealed class SetNfsTargetOperation(HostAccess access, NfsTargetRequest request)
{
    /// <summary>Gives plans instead of applying them.</summary>
    public bool PassPlan { get; init; }

    /// <summary>Works on one host. Gives a <see cref="NfsTargetChange"/>, or a <see cref="NfsTargetPlan"/>, or nothing if the answer was no.</summary>
    public async Task RunAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            if (machineId is not null && facts.MachineId != machineId)
            {
                throw new HostException(ErrorIds.MachineIdMismatch, host.HostName, $"This is another machine: machine-id {facts.MachineId ?? "(none)"} instead of {machineId}.")
                {
                    Remedy = "The name leads to a different host than when it was looked at. Nothing was changed; find out which one you mean.",
                };
            }

            if (facts.Unfinished is { Running: false } earlier)
            {
                context.Warning($"An earlier change of {host.HostName}, whose controller was gone, {earlier}.");
            }

            var plan = NfsTargetPlan.Create(facts, request);
            if (PassPlan)
            {
                context.Output(plan);
                return;
            }

            if (plan.IsEmpty)
            {
                context.Verbose("Nothing to do: the host is as asked for.");
                if (facts is { IsRoot: true, Unfinished: { Ended: true } told } &&
                    await context.ConfirmAsync(new ChangeQuestion(host.HostName, "Clear the result of the earlier change, which was told above,"), cancellationToken).ConfigureAwait(false))
                {
                    await HostJob.AcknowledgeAsync(connection, told.Id, context, cancellationToken).ConfigureAwait(false);
                }

                context.Output(Result(plan, changed: false, reply: null));
                return;
            }

            if (!facts.ChangesSurviveReboot)
            {
                context.Warning($"The root file system of {host.HostName} is {facts.RootMount?.FileSystem}: this change is gone after a reboot. Make it in the image the host boots from, too.");
            }

            var action = plan.WritesFile ? $"Send dumps to {plan.View.Target}" : $"Rebuild and load for {plan.View.Target}";
            var question = new ChangeQuestion(host.HostName, action) { Description = plan.WritesFile ? plan.Diff : "The file is as asked for, but the host is not armed with it." };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (!facts.IsRoot)
            {
                throw new HostException(ErrorIds.NotRoot, host.HostName, "The change needs root.")
                {
                    Remedy = "Connect as root, or use -Sudo with an account that may run sudo without a password.",
                };
            }

            context.Output(await ApplyAsync(plan, host, connection, context, cancellationToken).ConfigureAwait(false));
        }
    }

    private async Task<NfsTargetChange> ApplyAsync(NfsTargetPlan plan, SshHost host, IHostConnection connection, HostContext context, CancellationToken cancellationToken)
    {
        var reply = await new HostJob(access, host, context)
            .RunAsync(connection, "Setting the kdump target", NfsTargetJob.Compose(plan), cancellationToken).ConfigureAwait(false);
        if (HostJob.FailureOf(reply, host.HostName) is { } failure)
        {
            throw NfsTargetJob.Explain(failure, plan);
        }

        return Result(plan, changed: true, reply);
    }

    private static NfsTargetChange Result(NfsTargetPlan plan, bool changed, HostReply? reply) => new()
    {
        HostName = plan.HostName,
        Changed = changed,
        MachineId = plan.MachineId,
        Family = plan.Family,
        Target = plan.View.Target,
        PreviousTarget = plan.PreviousTarget,
        CoreCollector = plan.View.Collector.ToString(),
        DumpLevel = plan.View.Collector.DumpLevel is { } level ? DumpLevels.Excluded(level) : null,
        Compression = plan.View.Collector.Compression,
        Image = reply is null ? plan.Status.Image?.Path : reply.Text("image"),
        ImageTime = reply is null ? plan.Status.Image?.Time : reply.Number("image.time") is { } time ? DateTimeOffset.FromUnixTimeSeconds(time) : null,
        ImageRebuilt = reply?.Flag("rebuilt") == true,
        PathCreated = reply?.Flag("created") == true,
        Backup = reply?.Text("backup"),
        Diff = plan.Diff,
    };
}
