using System.Globalization;
using System.Text;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Hosts;

/// <summary>Everything that status and the plans need to know about a host, read in one round trip (facts.sh).</summary>
public sealed class HostFacts
{
    // Alike on most hosts of a fleet.
    private static readonly Recent<OsRelease> Distributions = new(text => Hosts.OsRelease.Parse(Encoding.UTF8.GetString(text)));
    private static readonly Recent<IReadOnlyList<HostMount>> MountTables = new(text => HostMount.ParseAll(Encoding.UTF8.GetString(text)));
    private static readonly Recent<MakedumpfileVersion> Makedumpfiles = new(text => Kdump.MakedumpfileVersion.Parse(Encoding.UTF8.GetString(text))!);

    private readonly HostReply _reply;

    // Asked for by the status, the plan and what shows them.
    private readonly Lazy<KdumpConfigurationView?> _view;
    private readonly Lazy<HostFamily> _family;

    internal HostFacts(string hostName, HostReply reply)
    {
        HostName = hostName;
        _reply = reply;
        _family = new Lazy<HostFamily>(FindFamily, LazyThreadSafetyMode.PublicationOnly);
        _view = new Lazy<KdumpConfigurationView?>(
            () => Configuration is { } file ? KdumpConfiguration.Read(Family, file.Content.Span, Mounts!) : null, LazyThreadSafetyMode.PublicationOnly);
        OsRelease = Distributions.Of(reply.Bytes("os.release"));
        Mounts = MountTables.Of(reply.Bytes("mounts"));
        Configuration = reply.File("config");
        MakedumpfileVersion = reply.Text("makedumpfile.version") is null ? null : Makedumpfiles.Of(reply.Bytes("makedumpfile.version"));
        Service = HostService.Parse(reply.Text("service.name"), reply.Text("service.show"), reply.Text("service.words"));
    }

    /// <summary>Reads the facts of a host.</summary>
    public static Task<HostFacts> ReadAsync(IHostConnection connection, CancellationToken cancellationToken) => ReadAsync(connection, [], [], cancellationToken);

    /// <summary>Reads the facts of a host and what an operation needs besides, in the same round trip.</summary>
    /// <param name="connection">The host.</param>
    /// <param name="more">Scripts that follow facts.sh; their records are in <see cref="Reply"/>.</param>
    /// <param name="values">Variables of those scripts.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task<HostFacts> ReadAsync(IHostConnection connection, IReadOnlyList<string> more, (string Name, string Value)[] values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var script = HostScript.Load("facts", values);
        var reply = await HostReply.RunAsync(connection, script with { Text = script.Text + string.Concat(more.Select(HostScript.Read)) }, cancellationToken).ConfigureAwait(false);
        return new HostFacts(connection.Host.HostName, reply);
    }

    /// <summary>Reads an image tree on a build host, as if it were a host: what a tree cannot have is not there.</summary>
    internal static async Task<HostFacts> ReadImageAsync(IHostConnection connection, string imageRoot, IReadOnlyList<string> more, CancellationToken cancellationToken)
    {
        var script = HostScript.Load("imagefacts", ("image_root", imageRoot));
        var reply = await HostReply.RunAsync(connection, script with { Text = script.Text + string.Concat(more.Select(HostScript.Read)) }, cancellationToken).ConfigureAwait(false);
        if (!reply.Flag("image.tree"))
        {
            throw NoTree(connection.Host.HostName, imageRoot);
        }

        return new HostFacts(connection.Host.HostName, reply);
    }

    /// <summary>The error of an image root that holds no system.</summary>
    internal static HostException NoTree(string hostName, string imageRoot) =>
        new(ErrorIds.ImageRootMissing, hostName, $"{imageRoot} is no tree of a system on this host: it has no directory etc.")
        {
            Remedy = "Give the directory in which the image's files lie (or are mounted) on the build host.",
        };

    /// <summary>The image tree that these facts are of; null for a running host.</summary>
    public string? ImageRoot => _reply.Text("image.root");

    /// <summary>All records.</summary>
    internal HostReply Reply => _reply;

    /// <summary>The host as it was asked for.</summary>
    public string HostName { get; }

    /// <summary>Whether the scripts ran as root.</summary>
    public bool IsRoot => _reply.Text("uid")?.Trim() == "0";

    /// <summary>The host's own clock, to the second.</summary>
    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeSeconds(_reply.Number("now") ?? 0);

    /// <summary>The name that the kernel has for the host (uname -n).</summary>
    public string NodeName => _reply.Required("nodename");

    /// <summary>Kernel release (uname -r).</summary>
    public string KernelRelease => _reply.Required("release");

    /// <summary>Architecture (uname -m).</summary>
    public string Architecture => _reply.Required("machine");

    /// <summary>Distribution.</summary>
    public OsRelease OsRelease { get; }

    /// <summary>Changes at each boot.</summary>
    public string BootId => _reply.Required("boot.id").Trim();

    /// <summary>Of /etc/machine-id; null where there is none, or a word that stands for none ("uninitialized", as machine-id(5) has it for images).</summary>
    public string? MachineId => RawMachineId is { Length: > 0 } id and not "uninitialized" ? id : null;

    /// <summary>The first line of /etc/machine-id, whatever it says.</summary>
    internal string RawMachineId => _reply.Text("machine.id")?.Trim() ?? "";

    /// <summary>The kernel's command line.</summary>
    public string KernelCommandLine => _reply.Text("cmdline")?.Trim() ?? "";

    /// <summary>Memory of the host in bytes, as the kernel counts it (MemTotal); null if it does not tell.</summary>
    public long? MemoryBytes
    {
        get
        {
            var words = _reply.Text("meminfo")?.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            return words is ["MemTotal:", _, ..] && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : null;
        }
    }

    /// <summary>What is mounted (/proc/self/mounts).</summary>
    public IReadOnlyList<HostMount> Mounts { get; }

    /// <summary>NFS lines of /etc/fstab.</summary>
    public string NfsFstab => _reply.Text("fstab") ?? "";

    /// <summary>Bytes reserved for the capture kernel (/sys/kernel/kexec_crash_size); null if the kernel cannot.</summary>
    public long? ReservedBytes => _reply.Number("crash.size");

    /// <summary>Whether a crash kernel is loaded (/sys/kernel/kexec_crash_loaded).</summary>
    public bool CrashKernelLoaded => _reply.Flag("crash.loaded");

    /// <summary>Firmware-assisted dump (ppc64le) or a stand-alone dumper (s390x) does the job instead of a loaded crash kernel; null if neither.</summary>
    public string? OtherMechanism =>
        _reply.Flag("fadump.enabled") ? "fadump" : _reply.Text("ipl.type")?.Contains("dump", StringComparison.Ordinal) == true ? "zfcpdump" : null;

    /// <summary>Whether fadump is registered.</summary>
    public bool FadumpRegistered => _reply.Flag("fadump.registered");

    /// <summary>/proc/sys/kernel/sysrq; null if unreadable.</summary>
    public int? Sysrq => (int?)_reply.Number("sysrq");

    /// <summary>Path of a tool on the host (kdumpctl, kdump-config, kdumptool, makedumpfile, systemctl, systemd-run); null if it is missing.</summary>
    public string? Tool(string name) => _reply.Text("tool." + name) is { Length: > 0 } path ? path : null;

    /// <summary>Which tools manage kdump here.</summary>
    public HostFamily Family => _family.Value;

    /// <summary>Whether the family's kdump tools are installed.</summary>
    public bool KdumpInstalled => Tool("kdumpctl") is not null || Tool("kdump-config") is not null || Tool("kdumptool") is not null;

    /// <summary>What the configuration file says in terms of all families; null where there is none or the family is not read here.</summary>
    internal KdumpConfigurationView? ConfigurationView => _view.Value;

    /// <summary>The family's configuration file; null if the host has none.</summary>
    public HostFile? Configuration { get; }

    /// <summary>Where the family keeps its configuration.</summary>
    public string ConfigurationPath => Family switch
    {
        HostFamily.RedHat => "/etc/kdump.conf",
        HostFamily.Debian => "/etc/default/kdump-tools",
        HostFamily.Suse => "/etc/sysconfig/kdump",
        _ => "",
    };

    /// <summary>State of the service that loads the crash kernel; null where there is no systemd or no such family.</summary>
    public HostService? Service { get; }

    /// <summary>The capture image; null if there is none.</summary>
    public CaptureImage? Image =>
        _reply.Text("image") is { } path && _reply.Number("image.time") is { } time
            ? new CaptureImage(path, DateTimeOffset.FromUnixTimeSeconds(time), _reply.Number("image.size") ?? 0)
            : null;

    /// <summary>When the running kernel's image file was written; null if it was not found.</summary>
    public DateTimeOffset? KernelImageTime => _reply.Number("kernel.time") is { } time ? DateTimeOffset.FromUnixTimeSeconds(time) : null;

    /// <summary>Whether kdumpctl can rebuild the image while the crash kernel stays loaded (EL8 and later).</summary>
    public bool CanRebuildWhileLoaded => _reply.Number("kdumpctl.rebuild") > 0;

    /// <summary>The directive of kdump.conf for what follows a failed dump: <c>default</c> where kdumpctl does not know <c>failure_action</c> (EL7).</summary>
    public string FailureActionDirective => _reply.Number("kdumpctl.failure_action") == 0 ? "default" : "failure_action";

    /// <summary>makedumpfile on the host; null if it is missing.</summary>
    public MakedumpfileVersion? MakedumpfileVersion { get; }

    /// <summary>A change that was begun by an earlier connection and whose result nobody read; null if there is none.</summary>
    public UnfinishedChange? Unfinished =>
        _reply.Text("job.id") is { Length: > 0 } id
            ? new UnfinishedChange(id, _reply.Text("job.step") ?? "", _reply.Text("job.result"), _reply.Flag("job.alive"))
            : null;

    /// <summary>The last drill as the host keeps it; null if there was none.</summary>
    public DrillRecord? LastDrill => DrillRecord.Parse(_reply.Text("drill"));

    /// <summary>Every address of the host but those of its loopback.</summary>
    public IReadOnlyList<string> Addresses =>
    [
        .. (_reply.Text("addresses") ?? "").Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => System.Net.IPAddress.TryParse(word, out var address) && !System.Net.IPAddress.IsLoopback(address))
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>Every name and address by which a store may know the host.</summary>
    public IReadOnlyList<string> Identities =>
    [
        .. new[] { NodeName, NodeName.Split('.')[0], _reply.Text("fqdn")?.Trim() ?? "" }
            .Concat(Addresses).Where(name => name.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase),
    ];

    /// <summary>The file system that the root directory is on.</summary>
    public HostMount? RootMount => Mounts.LastOrDefault(m => m.MountPoint == "/");

    /// <summary>A sentence where a change of the host's files is gone after a reboot; null where it stays.</summary>
    public string? LostAtReboot => ImageRoot is null && HostMount.LostAtReboot(Mounts, HostName) is { } lost ? lost + " (-ImageRoot)." : null;

    /// <summary>Whether a change to /etc would still be there after a reboot: false on a tmpfs, overlay or NFS root.</summary>
    public bool ChangesSurviveReboot => RootMount is not { IsLost: true };

    private HostFamily FindFamily() =>
        Tool("kdumpctl") is not null ? HostFamily.RedHat
        : Tool("kdump-config") is not null ? HostFamily.Debian
        : Tool("kdumptool") is not null ? HostFamily.Suse
        : OsRelease.Family;
}

/// <summary>The initramfs that the capture kernel boots with.</summary>
/// <param name="Path">Path on the host.</param>
/// <param name="Time">When it was built, by the host's clock.</param>
/// <param name="Bytes">Its size.</param>
public sealed record CaptureImage(string Path, DateTimeOffset Time, long Bytes);

/// <summary>A change that an earlier connection began.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Step">The last step it told.</param>
/// <param name="Result">What it left for its controller; null while it has not ended.</param>
/// <param name="Running">It is still being made.</param>
public sealed record UnfinishedChange(string Id, string Step, string? Result, bool Running)
{
    /// <summary>It ended, but nobody read the result.</summary>
    public bool Ended => Result is not null;

    /// <summary>How it ended, for people.</summary>
    public override string ToString()
    {
        if (Result is null)
        {
            return Running ? $"still runs; its last step: {Step}" : $"was stopped in the middle; its last step: {Step}";
        }

        // The shell that sent it took the last line feed away.
        var reply = HostReply.Parse("", System.Text.Encoding.UTF8.GetBytes(Result + "\n"));
        return reply.Text("fail.id") is { } id
            ? $"failed ({id}): {Printable.EscapeLines(reply.Text("fail.said") ?? "")}"
            : "succeeded";
    }
}
