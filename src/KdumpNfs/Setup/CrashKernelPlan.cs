using System.Globalization;
using KdumpNfs.Changes;
using KdumpNfs.Hosts;
using KdumpNfs.Text;

namespace KdumpNfs.Setup;

/// <summary>Who writes the boot loader's configuration.</summary>
internal enum BootTool
{
    /// <summary>grubby --update-kernel=ALL.</summary>
    Grubby,

    /// <summary>kdumpctl reset-crashkernel --kernel=ALL.</summary>
    Reset,

    /// <summary>rpm-ostree kargs.</summary>
    OsTree,

    /// <summary>KDUMP_CRASHKERNEL and kdumptool commandline -u.</summary>
    Kdumptool,

    /// <summary>/etc/default/grub and update-grub or grub2-mkconfig.</summary>
    Grub,
}

/// <summary>What is to be done on one host so that its next boots reserve what was asked for. Made from facts alone.</summary>
internal sealed class CrashKernelPlan
{
    private readonly CrashKernelFacts _facts;

    private CrashKernelPlan(CrashKernelFacts facts, IReadOnlyList<string> words, BootTool? tool, IReadOnlyList<(string Path, HostFile? Old, byte[] New)> files, string diff, bool isEmpty)
    {
        (_facts, Words, Tool, Files, Diff, IsEmpty) = (facts, words, tool, files, diff, isEmpty);
        Verdict = facts.Evaluate(string.Join(' ', words));
    }

    public IReadOnlyList<string> Words { get; }

    /// <summary>Null where nothing is to be done.</summary>
    public BootTool? Tool { get; }

    public IReadOnlyList<(string Path, HostFile? Old, byte[] New)> Files { get; }

    public string Diff { get; }

    public bool IsEmpty { get; }

    public CrashKernelCommandLine Verdict { get; }

    public IReadOnlyList<string> Previous => _facts.Source == BootSource.OwnBootLoader ? _facts.NextEntry?.CrashKernel ?? [] : _facts.Running.Words;

    public bool RebootRequired => !Verdict.Effective.SequenceEqual(_facts.Running.Effective);

    public string ToolName => Tool switch
    {
        BootTool.Grubby => "grubby",
        BootTool.Reset => "kdumpctl reset-crashkernel",
        BootTool.OsTree => "rpm-ostree kargs",
        BootTool.Kdumptool => "kdumptool commandline",
        BootTool.Grub => MakeCommand,
        _ => "",
    };

    private string MakeCommand => _facts.Tool("update-grub") ? "update-grub" : _facts.Tool("grub2-mkconfig") ? "grub2-mkconfig" : "grub-mkconfig";

    /// <summary>Computes the plan.</summary>
    /// <param name="facts">The host.</param>
    /// <param name="request">What is wanted.</param>
    /// <param name="force">Trusts that the host boots from its own boot loader although nothing shows it.</param>
    /// <exception cref="HostException">NotSupported, NotExpressible, NotOwnBootLoader.</exception>
    public static CrashKernelPlan Create(CrashKernelFacts facts, CrashKernelRequest request, bool force)
    {
        if (facts.CrashSize is null)
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, "The kernel has no /sys/kernel/kexec_crash_size: it was built without kdump.");
        }

        var words = WordsFor(facts, request);
        Check(facts, words);
        var tracked = facts.Source == BootSource.OwnBootLoader || (force && facts.Entries.Count > 0);
        if (!tracked)
        {
            return facts.Running.Words.SequenceEqual(words) ? new CrashKernelPlan(facts, words, null, [], "", true) : throw NotOwn(facts, words);
        }

        var tool = ToolFor(facts, request, words);
        var set = facts.Entries.Where(e => !e.IsRecovery || tool is BootTool.Grubby or BootTool.Reset).ToList();
        var stale = set.Where(e => tool == BootTool.Reset && facts.Default is null ? e.CrashKernel.Count == 0 : !e.CrashKernel.SequenceEqual(words)).ToList();
        var files = FilesFor(facts, tool, words);
        var diff = string.Join('\n', files.Select(f => Show(f.Path, f.Old, f.New)).Append(tool == BootTool.Grub ? "" : Lines(stale, words)).Where(d => d.Length > 0));
        return new CrashKernelPlan(facts, words, tool, files, diff, files.Count == 0 && stale.Count == 0);
    }

    /// <summary>The job that applies it.</summary>
    public string Compose() => Compose("", Tool.ToString()!.ToLowerInvariant(), Words, MakeCommand, _facts.GrubConfig ?? "", Files,
        _facts.Entries.Where(e => e.Index is not null).Select(e => $"{e.Index} {string.Join(' ', e.CrashKernel)}"));

    /// <summary>The job that changes an image tree.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="words">What is wanted.</param>
    /// <param name="make">The image's program that makes its grub.cfg anew; null to leave that alone.</param>
    /// <param name="grubConfig">That grub.cfg, as a path of the build host.</param>
    /// <param name="files">The files that change.</param>
    internal static string ComposeImage(string root, IReadOnlyList<string> words, string? make, string? grubConfig, IReadOnlyList<(string Path, HostFile? Old, byte[] New)> files) =>
        Compose(root, make is null ? "files" : "grub", words, make ?? "", grubConfig ?? "", files, []);

    private static string Compose(
        string root, string method, IReadOnlyList<string> words, string make, string grubConfig, IReadOnlyList<(string Path, HostFile? Old, byte[] New)> files, IEnumerable<string> entries)
    {
        var values = new List<(string, string)>
        {
            ("root", root), ("method", method), ("words", string.Join(' ', words)), ("make", make), ("grub_cfg", grubConfig),
            ("stamp", DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)),
            ("files", files.Count.ToString(CultureInfo.InvariantCulture)),
            ("entries", string.Join('\n', entries)),
        };
        for (var i = 0; i < files.Count; i++)
        {
            var (path, old, @new) = files[i];
            values.Add(($"file_{i + 1}", path));
            values.Add(($"sha_{i + 1}", old?.Sha256 ?? ""));
            values.Add(($"old_{i + 1}", Convert.ToBase64String((old?.Content ?? default).Span)));
            values.Add(($"new_{i + 1}", Convert.ToBase64String(@new)));
        }

        return HostJob.Compose("setcrashkernel", [.. values]);
    }

    private static IReadOnlyList<string> WordsFor(CrashKernelFacts facts, CrashKernelRequest request)
    {
        if (request.IsRecommended)
        {
            return facts.Default is { } value
                ? [.. value.Split(' ').Select(v => "crashkernel=" + v)]
                : facts.CanReset ? []
                : throw new HostException(ErrorIds.NotSupported, facts.HostName, "This distribution's tools name no default size.")
                {
                    Remedy = "Give one with -Size; 256M is enough for most hosts below 64 GiB.",
                };
        }

        return request.Parameters.Any(p => p.Kind == CrashKernelKind.Auto) && !facts.KnowsAuto
            ? throw new HostException(ErrorIds.NotExpressible, facts.HostName, $"The kernel {facts.KernelRelease} does not know crashkernel=auto and would reserve nothing.")
            {
                Remedy = "Use -Recommended: it takes what the distribution's own tools say.",
            }
            : [.. request.Parameters.Select(p => p.Word)];
    }

    private static void Check(CrashKernelFacts facts, IReadOnlyList<string> words)
    {
        if (facts.Evaluate(string.Join(' ', words)).Problem is { } problem)
        {
            throw new HostException(ErrorIds.NotExpressible, facts.HostName,
                $"With {string.Join(' ', words)} this host's kernel would reserve nothing: {problem} (memory: {GetCrashKernelOperation.MiB(facts.MemoryBytes)}).")
            {
                Remedy = "Give a size that fits the host, or ranges that leave small hosts out.",
            };
        }
    }

    private static HostException NotOwn(CrashKernelFacts facts, IReadOnlyList<string> words) =>
        new(ErrorIds.NotOwnBootLoader, facts.HostName, $"The host does not boot from its own boot loader: {facts.Evidence}. A change of its files would reserve nothing.")
        {
            HostSaid = facts.CommandLine,
            Remedy = words.Count == 0
                ? "Take crashkernel= out of the kernel arguments in its boot server, hypervisor or image, then reboot it."
                : (facts.Entries.Count > 0 ? "If you know that it does boot from its own boot loader, -Force takes your word. Else put" : "Put") +
                  $" this kernel argument into its boot server (PXE, iPXE), hypervisor or image, instead of any other crashkernel=, then reboot it: {string.Join(' ', words)}",
        };

    private static BootTool ToolFor(CrashKernelFacts facts, CrashKernelRequest request, IReadOnlyList<string> words)
    {
        if (facts.IsOsTree && facts.Tool("rpm-ostree"))
        {
            return BootTool.OsTree;
        }

        if (facts.Tool("grubby") && facts.Entries.Any(e => e.Index is not null))
        {
            return request.IsRecommended && facts.CanReset ? BootTool.Reset : BootTool.Grubby;
        }

        if (facts.KdumptoolWrites)
        {
            return BootTool.Kdumptool;
        }

        return (facts.Tool("update-grub") || facts.Tool("grub2-mkconfig") || facts.Tool("grub-mkconfig")) && facts.GrubConfig is not null && facts.Architecture != "s390x" && words.Count <= 3
            ? BootTool.Grub
            : throw new HostException(ErrorIds.NotSupported, facts.HostName, "There is no tool here that writes the boot loader's configuration: grubby, update-grub, grub2-mkconfig and kdumptool are missing.")
            {
                Remedy = $"Put this kernel argument into the boot loader by hand, then reboot: {string.Join(' ', words)}",
            };
    }

    private static IReadOnlyList<(string Path, HostFile? Old, byte[] New)> FilesFor(CrashKernelFacts facts, BootTool tool, IReadOnlyList<string> words)
    {
        switch (tool)
        {
            case BootTool.Grub:
                return Changed(facts.GrubFiles, words, facts.OsRelease.Family == HostFamily.Debian);
            case BootTool.Grubby when facts.GrubFiles is { Count: > 0 } files && GrubDefaults.Words(files.Select(f => f.Content.ToArray())).Count > 0:
                // Otherwise the next grub2-mkconfig brings the old size back.
                return Changed(files, words, facts.OsRelease.Family == HostFamily.Debian);
            case BootTool.Kdumptool when facts.Sysconfig is { } sysconfig:
                var variables = ShellVariables.Parse(sysconfig.Content.Span);
                // kdump-commandline.service writes what the file says at each boot. kdumptool calls the calibrated size auto.
                var value = words.Select(w => w["crashkernel=".Length..]).SequenceEqual(facts.Calibrated ?? []) ? "auto" : string.Join(' ', words);
                var content = words.Count == 0 ? sysconfig.Content.ToArray() : variables.With("KDUMP_CRASHKERNEL", value).ToBytes();
                return sysconfig.Content.Span.SequenceEqual(content) ? [] : [(sysconfig.Path, sysconfig, content)];
            default:
                return [];
        }
    }

    /// <summary>What becomes of /etc/default/grub and the files beside it.</summary>
    /// <param name="files">Those that are there, in the order in which they are read.</param>
    /// <param name="words">What is wanted.</param>
    /// <param name="isDebian">Files beside /etc/default/grub are read.</param>
    /// <param name="root">Where the tree of an image lies; empty for the host itself.</param>
    internal static IReadOnlyList<(string Path, HostFile? Old, byte[] New)> Changed(IReadOnlyList<HostFile> files, IReadOnlyList<string> words, bool isDebian, string root = "")
    {
        const string Package = "/etc/default/grub.d/kdump-tools.cfg";
        // Named so that it is read after what packages bring.
        var own = files.FirstOrDefault(f => f.Path.EndsWith(Package, StringComparison.Ordinal)) is { } shipped ? shipped.Path : root + (isDebian ? "/etc/default/grub.d/zz-kdumpnfs.cfg" : "/etc/default/grub");
        return [.. GrubDefaults.With([.. files.Select(f => (f.Path, f.Content.ToArray()))], words, own)
            .Select(c => (c.Path, files.FirstOrDefault(f => f.Path == c.Path), c.Content))];
    }

    // Other variables of a file may be secrets (SUSE keeps passwords there): only what changes is shown.
    internal static string Show(string path, HostFile? old, byte[] @new)
    {
        var diff = UnifiedDiff.Show((old?.Content ?? default).Span, @new, path, path);
        return path.Contains("/etc/sysconfig/", StringComparison.Ordinal) ? string.Join('\n', diff.Split('\n').Where(l => !l.StartsWith(' '))) : diff;
    }

    private static string Lines(IEnumerable<BootEntry> entries, IReadOnlyList<string> words) => string.Join('\n', entries.SelectMany(e => new[]
    {
        $" {(e.Title.Length > 0 ? e.Title : e.Kernel)}", "-" + string.Join(' ', e.CrashKernel), "+" + string.Join(' ', words),
    }).Where(l => l is not ("-" or "+")).Select(Printable.Escape));
}
