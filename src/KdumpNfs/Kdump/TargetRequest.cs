using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>A change of where a host's dumps go, as it was asked for: each kind (NFS, SSH, local, a restore) knows what the host's file is to say.
/// Everything else (plan, diff, check from the host, write, rebuild, load, rollback) is the same for all.</summary>
public abstract record TargetRequest
{
    /// <summary>How the dump is made.</summary>
    public CaptureOptions Options { get; init; } = CaptureOptions.None;

    /// <summary>Make the dump directory if it is missing.</summary>
    public bool CreatePath { get; init; }

    /// <summary>The file's bytes after the change.</summary>
    /// <exception cref="HostException">NotExpressible, ConfigurationInvalid and what the kind adds.</exception>
    internal abstract byte[] Content(HostFacts facts);

    /// <summary>What is to be done, for the question: "Send dumps to …".</summary>
    internal virtual string Action(KdumpTargetPlan plan) => $"Send dumps to {plan.View.Target}";

    /// <summary>Scripts besides facts.sh whose records <see cref="Content"/> reads.</summary>
    internal virtual IReadOnlyList<string> MoreFacts => [];

    /// <summary>Whether <see cref="Content"/> needs nothing of a host but its family, its tools' words and its file, so that hosts with the same ones get the same.</summary>
    internal virtual bool NeedsFileAlone => false;

    /// <summary>Why this kind cannot be made in an image tree; null where it can.</summary>
    internal virtual string? NotInImages => null;

    /// <summary>What a restore brings back is not judged like something new.</summary>
    internal virtual bool IsRestore => false;

    /// <summary>The file that a restore takes its content from; null for everything else.</summary>
    internal virtual string? RestoredFrom(HostFacts facts) => null;

    /// <summary>The rest of the edit, which all kinds of targets share.</summary>
    private protected byte[] Finish(HostFacts facts, KdumpConf conf) =>
        conf.WithOptions(Options, facts.FailureActionDirective).ToBytes();

    /// <inheritdoc cref="Finish(HostFacts, KdumpConf)"/>
    private protected byte[] Finish(KdumpToolsDefaults defaults) => defaults.WithOptions(Options).WithUseKdump(true).ToBytes();

    /// <inheritdoc cref="Finish(HostFacts, KdumpConf)"/>
    private protected byte[] Finish(KdumpSysconfig sysconfig) => sysconfig.WithOptions(Options).ToBytes();

    private protected static HostException NoEditor(HostFacts facts) =>
        new(ErrorIds.NotSupported, facts.HostName, $"The configuration of the family {facts.Family} cannot be edited by this version.");
}
