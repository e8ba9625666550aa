using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>A change of the target of many hosts: probe, plan, ask, apply. The request says which kind it is.</summary>
public abstract class TargetChangeOperation(HostAccess access, TargetRequest request)
{
    private readonly MachineIds _machineIds = new();

    /// <summary>How many hosts probe a store and rebuild for it at once, whatever the throttle says; several operations may share it.</summary>
    public SharedLimit Stores { get; init; } = new(SharedLimit.DefaultForStores);

    /// <summary>Gives plans instead of applying them.</summary>
    public bool PassPlan { get; init; }

    /// <summary>A directory on the host, which is a build host then: the files of the image tree there are changed instead of the host's own,
    /// nothing is checked from it and no service is touched.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Checks an image root.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static string? CheckImageRoot(string? imageRoot, TargetRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (imageRoot is null)
        {
            return null;
        }

        var root = TargetInput.CheckImageRoot(imageRoot);
        var why = request.NotInImages ?? (request.CreatePath ? "The dump directory of an image's hosts is not made from its build host." : null);
        return why is null ? root : throw new HostException(ErrorIds.InvalidInput, "", why)
        {
            Remedy = request.NotInImages is null ? "Leave -CreatePath out." : "Set this target on the running hosts.",
        };
    }

    /// <summary>A plan that was agreed to: a host that differs from it, or a result that would, is refused.</summary>
    internal KdumpPlan? Expected { get; init; }

    /// <summary>How hosts are reached.</summary>
    protected HostAccess Access => access;

    /// <summary>Works on one host. Gives a <see cref="KdumpTargetChange"/>, or a <see cref="KdumpPlan"/>, or nothing if the answer was no.</summary>
    public async Task RunAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = ImageRoot is { } root
                ? await HostFacts.ReadImageAsync(connection, root, request.MoreFacts, cancellationToken).ConfigureAwait(false)
                : await HostFacts.ReadAsync(connection, request.MoreFacts, FactValues(), cancellationToken).ConfigureAwait(false);
            Check(facts, machineId, context);
            Expected?.CheckHost(facts);
            var plan = KdumpTargetPlan.Create(facts, request);
            Expected?.CheckResult(plan);
            var besides = await PlanBesidesAsync(facts, plan, context, cancellationToken).ConfigureAwait(false);
            Expected?.CheckBesides(besides);
            if (PassPlan)
            {
                context.Output(KdumpPlan.From(plan, host, PlanStore, besides));
                return;
            }

            if (plan.IsEmpty && besides.Sentences.Count == 0)
            {
                context.Verbose("Nothing to do: the host is as asked for.");
                if (facts is { IsRoot: true, Unfinished: { Ended: true } told } &&
                    await context.ConfirmAsync(new ChangeQuestion(host.HostName, "Clear the result of the earlier change, which was told above,"), cancellationToken).ConfigureAwait(false))
                {
                    await HostJob.AcknowledgeAsync(connection, told.Id, context, cancellationToken).ConfigureAwait(false);
                }

                context.Output(Result(plan, [], changed: false, reply: null));
                return;
            }

            foreach (var warning in plan.Warnings.Append(facts.LostAtReboot).OfType<string>())
            {
                context.Warning(warning);
            }

            var where = plan.ImageRoot is { } tree ? $" in the image {tree}" : "";
            var action = plan.WritesFile || besides.Sentences.Count > 0 ? request.Action(plan) + where : $"Rebuild and load for {plan.View.Target}";
            var description = plan.WritesFile ? plan.Diff : plan.OnlyActivates ? "The file is as asked for, but the host is not armed with it." : "";
            var question = new ChangeQuestion(host.HostName, action)
            {
                Description = string.Join('\n', besides.Sentences.Concat(besides.Diffs).Append(description).Where(part => part.Length > 0)),
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (!facts.IsRoot)
            {
                throw HostRequirement.NotRoot(host.HostName);
            }

            await besides.ApplyAsync(connection, cancellationToken).ConfigureAwait(false);
            const string Activity = "Setting the kdump target";
            var reply = await Stores.RunForStoreAsync(
                plan.View.Target?.Store, Activity, context,
                () => new HostJob(access, host, context).RunAsync(connection, Activity, TargetChangeJob.Compose(plan), cancellationToken), cancellationToken).ConfigureAwait(false);
            if (HostJob.FailureOf(reply, host.HostName) is { } failure)
            {
                throw TargetChangeJob.Explain(failure, plan);
            }

            context.Output(Result(plan, besides.Sentences, changed: true, plan.IsEmpty ? null : reply));
        }
    }

    /// <summary>Variables of the scripts that <see cref="TargetRequest.MoreFacts"/> names.</summary>
    private protected virtual (string Name, string Value)[] FactValues() => [];

    /// <summary>Another machine that the change works on, which its plan has to name.</summary>
    private protected virtual SshHost? PlanStore => null;

    /// <summary>What the kind needs besides the host's configuration: keys, accounts. Reads only.</summary>
    private protected virtual Task<ChangeBesides> PlanBesidesAsync(HostFacts facts, KdumpTargetPlan plan, HostContext context, CancellationToken cancellationToken) =>
        Task.FromResult(ChangeBesides.Nothing);

    private void Check(HostFacts facts, string? machineId, HostContext context)
    {
        if (facts.ImageRoot is not null)
        {
            return;
        }

        HostRequirement.SameMachine(facts.HostName, facts.MachineId, machineId);

        if (_machineIds.Notice(facts) is { } noticed)
        {
            context.Warning(noticed);
        }

        HostRequirement.TellUnfinished(facts, context);
    }

    private static KdumpTargetChange Result(KdumpTargetPlan plan, IReadOnlyList<string> besides, bool changed, HostReply? reply) => new()
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
        ImageRoot = plan.ImageRoot,
        RestoredFrom = changed ? plan.RestoredFrom : null,
        AlsoChanged = besides,
        Diff = plan.Diff,
    };
}

/// <summary>What a change of the target does besides the host's configuration.</summary>
internal sealed record ChangeBesides
{
    public static ChangeBesides Nothing { get; } = new();

    /// <summary>What will be done, a sentence each; empty where nothing is to be done.</summary>
    public IReadOnlyList<string> Sentences { get; init; } = [];

    /// <summary>Diffs of other files.</summary>
    public IReadOnlyList<string> Diffs { get; init; } = [];

    /// <summary>Does it, before the job that writes the configuration. Has to be harmless when that one fails.</summary>
    public Func<IHostConnection, CancellationToken, Task> ApplyAsync { get; init; } = (_, _) => Task.CompletedTask;
}
