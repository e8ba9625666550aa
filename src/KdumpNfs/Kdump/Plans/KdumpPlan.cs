using System.Globalization;
using System.Reflection;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Which kind of change a plan is.</summary>
public enum KdumpPlanKind
{
    /// <summary>Set-KdumpNfsTarget.</summary>
    Nfs,

    /// <summary>Set-KdumpLocalTarget.</summary>
    Local,

    /// <summary>Restore-KdumpConfiguration.</summary>
    Restore,

    /// <summary>Set-KdumpSshTarget.</summary>
    Ssh,
}

/// <summary>
/// A change of one host, made to be looked at, kept and applied later (Invoke-KdumpPlan): what was asked for, and by which hashes the host is
/// known again. It holds no bytes of the file, whose passwords are the host's business: they are made again from the host's file and have
/// to give the hash that was agreed to.
/// </summary>
public sealed record KdumpPlan
{
    /// <summary>Version of the record that this version writes and reads.</summary>
    public const int CurrentSchema = 1;

    /// <summary>Version of the record.</summary>
    public int SchemaVersion { get; init; } = CurrentSchema;

    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>Login name; null for what ssh_config says.</summary>
    public string? UserName { get; init; }

    /// <summary>TCP port; null for what ssh_config says.</summary>
    public int? Port { get; init; }

    /// <summary>Private key file; null for the default identities.</summary>
    public string? KeyFilePath { get; init; }

    /// <summary>Machine id that the plan was made for.</summary>
    public string? MachineId { get; init; }

    /// <summary>Family whose file it is.</summary>
    public HostFamily Family { get; init; }

    /// <summary>The image tree on the host whose file it is; null for the host's own.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>The file that changes.</summary>
    public required string Path { get; init; }

    /// <summary>SHA-256 of the file as it was, lower-case hex; null where there was none.</summary>
    public string? OldSha256 { get; init; }

    /// <summary>SHA-256 of the file after the change.</summary>
    public required string NewSha256 { get; init; }

    /// <summary>Which kind of change it is.</summary>
    public KdumpPlanKind Kind { get; init; }

    /// <summary>What was asked for.</summary>
    public KdumpPlanRequest Request { get; init; } = new();

    /// <summary>Whether the file's content changes.</summary>
    public bool WritesFile { get; init; }

    /// <summary>Whether the file is as it should be but the host is not armed with it.</summary>
    public bool OnlyActivates { get; init; }

    /// <summary>Whether there was nothing to do when the plan was made.</summary>
    public bool IsEmpty => !WritesFile && !OnlyActivates && AlsoChanges.Length == 0;

    /// <summary>Where dumps will go, for people.</summary>
    public string? Target { get; init; }

    /// <summary>Where they went when the plan was made, for people.</summary>
    public string? PreviousTarget { get; init; }

    /// <summary>What the change does besides the file, such as a dump key that the store lets in: a sentence a line; empty for nothing.</summary>
    public string AlsoChanges { get; init; } = "";

    /// <summary>The change as a unified diff, passwords hidden, and those of other files that it writes; empty where they stay.</summary>
    public string Diff { get; init; } = "";

    /// <summary>When the plan was made, by the controller's clock.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>What made it: the product's name and version.</summary>
    public string CreatedBy { get; init; } = "";

    /// <summary>The record of a plan.</summary>
    private static readonly string Version =
        "KdumpNfs " + (typeof(KdumpPlan).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "?");

    internal static KdumpPlan From(KdumpTargetPlan plan, SshHost host, SshHost? store = null, ChangeBesides? besides = null) => new()
    {
        HostName = host.HostName,
        UserName = host.UserName,
        Port = host.Port,
        KeyFilePath = host.KeyFilePath,
        MachineId = plan.MachineId,
        Family = plan.Family,
        ImageRoot = plan.ImageRoot,
        Path = plan.Path,
        OldSha256 = plan.OldSha256,
        NewSha256 = plan.NewSha256,
        Kind = KdumpPlanRequest.KindOf(plan.Request),
        Request = KdumpPlanRequest.From(plan.Request, plan.RestoredFrom, store),
        WritesFile = plan.WritesFile,
        OnlyActivates = plan.OnlyActivates,
        Target = plan.View.Target?.ToString(),
        PreviousTarget = plan.PreviousTarget?.ToString(),
        AlsoChanges = string.Join('\n', besides?.Sentences ?? []),
        Diff = string.Join('\n', (besides?.Diffs ?? []).Append(plan.Diff).Where(diff => diff.Length > 0)),
        CreatedAt = DateTimeOffset.Now,
        CreatedBy = Version,
    };

    /// <summary>The host, as the plan reaches it.</summary>
    public SshHost ToHost() => new(HostName, UserName, Port, KeyFilePath);

    /// <summary>Refuses a host that is no longer the one that the plan was made from.</summary>
    /// <exception cref="HostException">PlanDrifted.</exception>
    internal void CheckHost(HostFacts facts)
    {
        if (facts.Family != Family || facts.ConfigurationPath != Path)
        {
            throw Drifted($"The host is of the family {facts.Family} with {facts.ConfigurationPath}; the plan is one for {Family} with {Path}.");
        }

        // As it was, or as it will be: a plan that was applied before has nothing left to do.
        var now = facts.Configuration?.Sha256;
        if (now != OldSha256 && now != NewSha256)
        {
            throw Drifted($"{Path} is no longer the file that the plan was made from (now {now ?? "there is none"}, then {OldSha256 ?? "there was none"}).");
        }
    }

    /// <summary>Refuses a change that would not end as the one that was agreed to.</summary>
    /// <exception cref="HostException">PlanInvalid.</exception>
    internal void CheckResult(KdumpTargetPlan plan)
    {
        if (plan.NewSha256 != NewSha256)
        {
            throw new HostException(ErrorIds.PlanInvalid, HostName, $"What the plan asks for does not give the {Path} that it describes: somebody changed the plan, or {(CreatedBy.Length > 0 ? Printable.Escape(CreatedBy) : "the version that made it")} works differently.")
            {
                Remedy = "Nothing was changed. Make the plan again with -PassPlan, look at it, and apply that one.",
            };
        }
    }

    /// <summary>Refuses to do besides the file what was not agreed to; what was done meanwhile is no reason.</summary>
    /// <exception cref="HostException">PlanDrifted.</exception>
    internal void CheckBesides(ChangeBesides besides)
    {
        var agreed = AlsoChanges.Split('\n');
        if (besides.Sentences.FirstOrDefault(sentence => !agreed.Contains(sentence)) is { } more)
        {
            throw Drifted($"The change would do what the plan does not say: {more}");
        }
    }

    private HostException Drifted(string what) => new(ErrorIds.PlanDrifted, HostName, what)
    {
        Remedy = string.Create(CultureInfo.InvariantCulture, $"Nothing was changed. The plan is of {CreatedAt:yyyy-MM-dd HH:mm}: make it again with -PassPlan, look at it, and apply that one."),
    };
}
