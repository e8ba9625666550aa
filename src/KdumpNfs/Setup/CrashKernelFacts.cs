using System.Globalization;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Setup;

/// <summary>What a host said of its reservation and of its boot loader in one round trip (crashkernelfacts.sh).</summary>
internal sealed class CrashKernelFacts
{
    private readonly HostReply _reply;

    internal CrashKernelFacts(string hostName, HostReply reply)
    {
        HostName = hostName;
        _reply = reply;
        OsRelease = OsRelease.Parse(reply.Text("os.release") ?? "");
        Mounts = HostMount.ParseAll(reply.Text("mounts") ?? "");
        ReadMemory();
        Environment = BootEntries.Environment(reply.Text("grubenv") ?? "");
        Entries = ReadEntries();
        Running = CrashKernelCommandLine.Evaluate(CommandLine, MemoryBytes, Architecture, KnowsAuto);
        (Source, Evidence) = FindSource();
    }

    public static async Task<CrashKernelFacts> ReadAsync(IHostConnection connection, bool estimate, CancellationToken cancellationToken) =>
        new(connection.Host.HostName, await HostReply.RunAsync(connection,
            HostScript.Load("crashkernelfacts", ("tree", ""), ("estimate", estimate ? "1" : "0")), cancellationToken).ConfigureAwait(false));

    public string HostName { get; }

    public bool IsRoot => _reply.Text("uid")?.Trim() == "0";

    public OsRelease OsRelease { get; }

    public string Architecture => _reply.Required("machine").Trim();

    public string KernelRelease => _reply.Required("release").Trim();

    public string? MachineId => _reply.Text("machine.id")?.Trim() is { Length: > 0 } id ? id : null;

    public string CommandLine => _reply.Text("cmdline")?.Trim() ?? "";

    public IReadOnlyList<HostMount> Mounts { get; }

    public HostMount? RootMount => Mounts.LastOrDefault(m => m.MountPoint == "/");

    public HostFamily Family => Tool("kdumpctl") ? HostFamily.RedHat : Tool("kdump-config") ? HostFamily.Debian : Tool("kdumptool") ? HostFamily.Suse : OsRelease.Family;

    /// <summary>The kernels of EL7 and EL8 know crashkernel=auto; upstream's and later ones do not.</summary>
    public bool KnowsAuto => KnowsAutoOf(OsRelease);

    internal static bool KnowsAutoOf(OsRelease release) => release.Family == HostFamily.RedHat && release.Id is not ("fedora" or "openEuler" or "amzn" or "kylin") &&
        release.VersionId.Split('.')[0] is "7" or "8";

    public long? CrashSize => _reply.Number("crash.size");

    public bool Loaded => _reply.Flag("crash.loaded");

    public IReadOnlyList<ReservedRange> Ranges { get; private set; } = [];

    public long MemoryBytes { get; private set; }

    public long? ReservedBytes => Ranges.Count > 0 ? Ranges.Sum(r => r.Bytes) : CrashSize;

    public CrashKernelCommandLine Running { get; }

    public IReadOnlyDictionary<string, string> Environment { get; }

    public IReadOnlyList<BootEntry> Entries { get; }

    /// <summary>What the next boot takes as far as the host's own boot loader decides.</summary>
    public BootEntry? NextEntry => Entries.FirstOrDefault(e => e.IsDefault) ?? Entries.FirstOrDefault(e => !e.IsRecovery);

    public BootSource Source { get; }

    public string Evidence { get; }

    /// <summary>Whether the boot loader's entries were hidden from this account.</summary>
    public bool EntriesHidden => _reply.Flag("grub.cfg.denied");

    public bool Tool(string name) => _reply.Text("tool." + name) is { Length: > 0 };

    public bool HasZipl => _reply.Flag("zipl");

    public bool IsOsTree => _reply.Flag("ostree");

    public bool CanReset => _reply.Text("kdumpctl.can")?.Contains("reset-crashkernel", StringComparison.Ordinal) == true;

    /// <summary>kdumptool of today writes the boot loader's arguments itself, from KDUMP_CRASHKERNEL.</summary>
    public bool KdumptoolWrites => _reply.Flag("kdumptool.commandline");

    public HostFile? Sysconfig => _reply.Flag("sysconfig.denied") ? null : _reply.File("sysconfig");

    public IReadOnlyList<HostFile> GrubFiles => [.. _reply.All("grub.file").Where(f => !_reply.Flag($"grub:{f}.denied")).Select(f => _reply.File("grub:" + f)!)];

    /// <summary>grub.cfg's path; null where there is none.</summary>
    public string? GrubConfig => _reply.Text("grub.cfg.path");

    /// <summary>The distribution's default, as its own tools say it.</summary>
    public string? Default =>
        _reply.Text("default")?.Trim() is { Length: > 0 } redHat ? redHat
        : _reply.Text("default.debian")?.Split('\n')[0].Trim() is { Length: > 0 } debian ? debian
        : KnowsAuto ? "auto"
        : Calibrated is { } size ? string.Join(' ', size) : null;

    /// <summary>Bytes that the host's tools find necessary as it is now.</summary>
    public long? RecommendedBytes
    {
        get
        {
            foreach (var line in (_reply.Text("estimate") ?? "").Split('\n'))
            {
                if (line.StartsWith("Recommended crashkernel:", StringComparison.Ordinal))
                {
                    return (long)KernelNumber.Parse(line["Recommended crashkernel:".Length..].Trim()).Value;
                }
            }

            return Calibrated is { } words ? words.Sum(w => (long)KernelNumber.Parse(w).Value) : null;
        }
    }

    /// <summary>What kdumptool calibrate finds, as values of crashkernel=: one size, or high and low; null where there is no such tool.</summary>
    public IReadOnlyList<string>? Calibrated
    {
        get
        {
            var values = (_reply.Text("calibrate") ?? "").Split('\n').Select(l => l.Split(':')).Where(w => w.Length == 2)
                .GroupBy(w => w[0].Trim(), StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => long.TryParse(g.Last()[1].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0, StringComparer.Ordinal);
            var (low, high) = (values.GetValueOrDefault("Low"), values.GetValueOrDefault("High"));
            return (low, high) switch
            {
                (0, 0) => null,
                ( > 0, > 0) => [$"{low}M,low", $"{high}M,high"],
                (_, > 0) => [$"{high}M,high"],
                _ => [$"{low}M"],
            };
        }
    }

    public CrashKernelCommandLine Evaluate(string commandLine) => CrashKernelCommandLine.Evaluate(commandLine, MemoryBytes, Architecture, KnowsAuto);

    public long? BytesOf(string? value) => value is null ? null : Evaluate(string.Join(' ', value.Split(' ').Select(v => "crashkernel=" + v))).Bytes;

    private void ReadMemory()
    {
        var (ram, regions) = IoMemory.Parse(_reply.Text("iomem") ?? "");
        Ranges = [.. regions.Select(r => new ReservedRange(r.Start, r.End))];
        var managed = _reply.Text("meminfo")?.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is ["MemTotal:", var kib, ..] &&
            long.TryParse(kib, NumberStyles.None, CultureInfo.InvariantCulture, out var total) ? total * 1024 : 0;
        MemoryBytes = ram > 0 ? ram : managed + (CrashSize ?? 0);
    }

    private IReadOnlyList<BootEntry> ReadEntries()
    {
        if (_reply.Text("grubby.info") is { Length: > 0 } listing)
        {
            int? first = int.TryParse(_reply.Text("grubby.default")?.Trim(), out var index) ? index : null;
            if (BootEntries.FromGrubby(listing, first) is { Count: > 0 } known)
            {
                return known;
            }
        }

        var files = _reply.All("bls.name").Zip(_reply.All("bls.text")).ToList();
        var grub = EntriesHidden ? null : _reply.File("grub.cfg");
        var fromGrub = grub is null ? [] : BootEntries.FromGrub(ByteText.FromBytes(grub.Content.Span), Environment);
        return fromGrub.Count > 0 ? fromGrub : BootEntries.FromSpecification(files, Environment);
    }

    private (BootSource, string) FindSource()
    {
        if (RootMount is { FileSystem: "nfs" or "nfs4" or "tmpfs" or "ramfs" or "rootfs" or "overlay" or "aufs" or "squashfs" } root)
        {
            return (BootSource.Elsewhere, $"its root file system is {root.FileSystem} ({root.Source})");
        }

        if (Architecture == "s390x")
        {
            return HasZipl && Entries.Count > 0 ? (BootSource.OwnBootLoader, "zipl has entries") : (BootSource.Elsewhere, "zipl has no entries");
        }

        var image = CommandLine.Split(' ').Where(w => w.StartsWith("BOOT_IMAGE=", StringComparison.Ordinal)).Select(w => w["BOOT_IMAGE=".Length..]).LastOrDefault();
        if (image is null)
        {
            return (BootSource.Elsewhere, "the kernel was not started by GRUB: its command line has no BOOT_IMAGE");
        }

        if (EntriesHidden)
        {
            return (BootSource.OwnBootLoader, "its command line has BOOT_IMAGE; the boot loader's entries are readable for root only");
        }

        var name = image.Split('/')[^1];
        return Entries.FirstOrDefault(e => e.Kernel.Split('/')[^1] == name) is { } entry
            ? (BootSource.OwnBootLoader, $"'{entry.Title}' of its boot loader has the running kernel {name}")
            : (BootSource.Elsewhere, Entries.Count == 0
                ? $"it has no boot loader entries of its own (BOOT_IMAGE={image})"
                : $"none of its {Entries.Count} boot loader entries has the running kernel (BOOT_IMAGE={image})");
    }
}
