using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>What a family's configuration file says, in terms that are the same for all families.</summary>
/// <param name="Target">Where dumps go.</param>
/// <param name="Collector">The core collector.</param>
/// <param name="Enabled">False where the file itself switches kdump off.</param>
/// <param name="Problems">What the family's own tools would refuse, a sentence each.</param>
public sealed record KdumpConfigurationView(KdumpTarget Target, CoreCollector Collector, bool Enabled, IReadOnlyList<string> Problems)
{
    /// <summary>The private key of an ssh target, on the host; null for other targets.</summary>
    public string? SshKey { get; init; }
}

/// <summary>Reads and edits the configuration file of whichever family a host belongs to.</summary>
internal static class KdumpConfiguration
{
    /// <summary>The file in common terms; null where there is none or the family is not read here.</summary>
    public static KdumpConfigurationView? Read(HostFacts facts) => facts.ConfigurationView;

    /// <summary>Content in common terms.</summary>
    public static KdumpConfigurationView? Read(HostFamily family, ReadOnlySpan<byte> content, IReadOnlyList<HostMount> mounts)
    {
        switch (family)
        {
            case HostFamily.RedHat:
                var conf = KdumpConf.Parse(content);
                return new KdumpConfigurationView(OnItsMount(conf.Target, mounts), conf.CoreCollector, true, Refused(conf.Problems))
                {
                    SshKey = conf.Target.Kind == KdumpTargetKind.Ssh ? conf.Get("sshkey") ?? KdumpConf.DefaultSshKey : null,
                };
            case HostFamily.Debian:
                var defaults = KdumpToolsDefaults.Parse(content);
                return new KdumpConfigurationView(defaults.Target, defaults.CoreCollector, defaults.UseKdump, Refused(defaults.Problems))
                {
                    SshKey = defaults.Target.Kind == KdumpTargetKind.Ssh ? defaults.SshKey : null,
                };
            case HostFamily.Suse:
                var sysconfig = KdumpSysconfig.Parse(content);
                return new KdumpConfigurationView(OnItsMount(sysconfig.Target, mounts), sysconfig.CoreCollector, true, Refused(sysconfig.Problems))
                {
                    SshKey = sysconfig.Target.Kind == KdumpTargetKind.Ssh ? IdentityOf(sysconfig.SshIdentity) : null,
                };
            default:
                return null;
        }
    }

    // Of several the first; the names are relative to root's .ssh.
    private static string IdentityOf(string? identities)
    {
        var first = (identities ?? "id_ed25519").Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return first.StartsWith('/') ? first : "/root/.ssh/" + first;
    }

    // A path without a target may lie on a mounted NFS: then the dump goes there.
    private static KdumpTarget OnItsMount(KdumpTarget target, IReadOnlyList<HostMount> mounts) =>
        target is { Kind: KdumpTargetKind.Local, DumpPath: { } path } && HostMount.Of(mounts, path) is { } mount
            ? KdumpTarget.OnMount(mount.Source, mount.FileSystem, mount.MountPoint, path)
            : target;

    private static List<string> Refused(IReadOnlyList<ConfigProblem> problems) =>
        [.. problems.Where(p => p.Refused).Select(p => p.ToString())];
}
