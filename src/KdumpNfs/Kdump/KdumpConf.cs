using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>/etc/kdump.conf of the RHEL family: read as its tools read it, edited line by line, byte for byte the same elsewhere.</summary>
/// <remarks>Sources: kdump.conf(5); parse_config of kdumpctl and kdump_read_conf of kdump-lib-initramfs.sh (rhkdump/kdump-utils). Immutable.</remarks>
public sealed partial class KdumpConf
{
    /// <summary>Where the file is.</summary>
    public const string Path = "/etc/kdump.conf";

    /// <summary>The dump path where the file sets none (DEFAULT_PATH in kdump-lib-initramfs.sh, without its final slash).</summary>
    public const string DefaultDumpPath = "/var/crash";

    /// <summary>The key of ssh targets where the file names none (DEFAULT_SSHKEY in kdump-lib-initramfs.sh).</summary>
    public const string DefaultSshKey = "/root/.ssh/kdump_id_rsa";

    private static readonly Recent<KdumpConf> Known = new(text => new KdumpConf(LineDocument.Parse((ReadOnlySpan<byte>)text)));

    private readonly LineDocument document;
    private readonly List<ConfDirective> directives;

    private KdumpConf(LineDocument document)
    {
        this.document = document;
        directives = document.Lines.Select((line, i) => ConfDirective.Read(i, line.Text)).OfType<ConfDirective>().ToList();
        Targets = [.. directives.Select(ToTarget).OfType<KdumpTarget>()];
        Problems = KdumpConfProblems.Find(document, directives);
    }

    /// <summary>Reads the file. Any bytes are accepted; <see cref="Problems"/> says what the host's tools make of them.</summary>
    public static KdumpConf Parse(ReadOnlySpan<byte> content) => Known.Of(content);

    /// <summary>What kdumpctl refuses or reads otherwise than it looks, in the order of the lines. kdumpctl prints the first one only.</summary>
    public IReadOnlyList<ConfigProblem> Problems { get; }

    /// <summary>Every target that the file names, in old spellings (<c>net</c>, <c>nfs4</c>) and in <c>dracut_args --mount</c> too.
    /// More than one is among <see cref="Problems"/>.</summary>
    public IReadOnlyList<KdumpTarget> Targets { get; }

    /// <summary>Where dumps go: the last target named, or <see cref="DumpPath"/> on whatever is mounted there
    /// (<see cref="KdumpTarget.OnMount"/> tells).</summary>
    public KdumpTarget Target => Targets.Count > 0
        ? Targets[^1]
        : new KdumpTarget { Kind = KdumpTargetKind.Local, DumpPath = DumpPath, Text = DumpPath };

    /// <summary>The directory inside the target (<c>path</c>), with the tools' default.</summary>
    public string DumpPath => Get("path") is { Length: > 0 } path ? KdumpTarget.NormalPath(path) : DefaultDumpPath;

    /// <summary>The command that writes the dump, with the tools' default (that of raw and ssh targets has -F as well).</summary>
    public CoreCollector CoreCollector => field ??= CoreCollector.ParseCommand(ByteText.ToValue(Collector.ToString()));

    /// <summary>What happens after a failed dump: reboot (the default), halt, poweroff, shell or dump_to_rootfs; also in its old spelling <c>default</c>.</summary>
    public string FailureAction => directives.LastOrDefault(d => d.Name is "failure_action" or "default") is { Value.Length: > 0 } d
        ? ByteText.ToValue(d.Value) : "reboot";

    /// <summary>What happens after a dump: reboot (the default), halt or poweroff.</summary>
    public string FinalAction => Get("final_action") is { Length: > 0 } action ? action : "reboot";

    /// <summary>Whether the capture image is never rebuilt (<c>force_no_rebuild 1</c>), so that an edit of this file has no effect by itself.</summary>
    public bool ForceNoRebuild => Get("force_no_rebuild") == "1";

    /// <summary>The value of a directive, the last one where it is given twice; null where it is not given.</summary>
    /// <param name="directive">Its name, as it stands in the file.</param>
    public string? Get(string directive) =>
        directives.LastOrDefault(d => d.Name == directive) is { } found ? ByteText.ToValue(found.Value) : null;

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes() => document.ToBytes();

    // In document text, so that an edit keeps bytes that are not UTF-8.
    private CoreCollector Collector => CoreCollector.ParseCommand(
        directives.LastOrDefault(d => d.Name == "core_collector") is { Value.Length: > 0 } found ? found.Value
        : Target.Kind is KdumpTargetKind.Raw or KdumpTargetKind.Ssh ? CoreCollector.RhelDefault.Replace(" -l", " -F -l", StringComparison.Ordinal)
        : CoreCollector.RhelDefault);

    private KdumpTarget? ToTarget(ConfDirective directive)
    {
        var value = ByteText.ToValue(directive.Value);
        switch (directive.Name)
        {
            case "nfs" or "nfs4":
                return KdumpTarget.ParseNfs(value, DumpPath);
            case "net":
                return value.Contains('@', StringComparison.Ordinal) ? KdumpTarget.ParseSsh(value, DumpPath) : KdumpTarget.ParseNfs(value, DumpPath);
            case "ssh":
                return KdumpTarget.ParseSsh(value, DumpPath);
            case "raw":
                return new KdumpTarget { Kind = KdumpTargetKind.Raw, Device = value, Text = value };
            case "virtiofs":
                return new KdumpTarget { Kind = KdumpTargetKind.Virtiofs, Device = value, DumpPath = DumpPath, Text = value };
            case "ext2" or "ext3" or "ext4" or "minix" or "btrfs" or "xfs":
                return new KdumpTarget { Kind = KdumpTargetKind.FileSystem, Device = value, FileSystem = directive.Name, DumpPath = DumpPath, Text = value };
            case "dracut_args" when DracutMount.Count(directive.Value) > 0:
                var (source, type) = DracutMount.Read(value);
                return type switch
                {
                    "nfs" or "nfs4" => KdumpTarget.ParseNfs(source, DumpPath),
                    "virtiofs" => new KdumpTarget { Kind = KdumpTargetKind.Virtiofs, Device = source, DumpPath = DumpPath, Text = value },
                    "" => new KdumpTarget { Kind = KdumpTargetKind.Other, Text = value },
                    _ => new KdumpTarget { Kind = KdumpTargetKind.FileSystem, Device = source, FileSystem = type, DumpPath = DumpPath, Text = value },
                };
            default:
                return null;
        }
    }
}
