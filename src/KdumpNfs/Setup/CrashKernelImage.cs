using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Setup;

/// <summary>The boot loader's configuration in an image tree on a build host: what it says, and what it has to say so that hosts of the image reserve memory.</summary>
/// <remarks>
/// An image may have no boot loader yet, or one that is set up already. So the words go wherever a kernel's command line comes from: /etc/default/grub and beside it
/// (grub-mkconfig), /etc/kernel/cmdline (kernel-install(8)), entries of the Boot Loader Specification and the environment block of GRUB that they may name, and a grub.cfg,
/// which the image's own tool makes anew. How much memory the image's hosts will have is not known, so no size is judged.
/// </remarks>
internal sealed class CrashKernelImage
{
    private readonly HostReply _reply;
    private readonly string _root;
    private readonly OsRelease _release;

    internal CrashKernelImage(string hostName, string root, HostReply reply)
    {
        if (!reply.Flag("tree"))
        {
            throw HostFacts.NoTree(hostName, root);
        }

        (HostName, _root, _reply) = (hostName, root, reply);
        _release = OsRelease.Parse(reply.Text("os.release") ?? "");
    }

    /// <summary>The build host.</summary>
    public string HostName { get; }

    /// <summary>Whether the account may write the tree, as far as its number tells.</summary>
    public bool IsRoot => _reply.Text("uid")?.Trim() == "0";

    /// <summary>What manages kdump in the image.</summary>
    public HostFamily Family => Tool("kdumpctl") ? HostFamily.RedHat : Tool("kdump-config") ? HostFamily.Debian : Tool("kdumptool") ? HostFamily.Suse : _release.Family;

    /// <summary>The words that a kernel of the image gets now: of its first boot entry, or of the files from which entries are made.</summary>
    public IReadOnlyList<string> Previous => Entries.FirstOrDefault(e => !e.IsRecovery) is { } entry ? entry.CrashKernel
        : File("cmdline") is { } line ? CrashKernelCommandLine.FindAll(Text(line))
        : GrubDefaults.Words(GrubFiles.Select(f => f.Content.ToArray()));

    /// <summary>Makes a grub.cfg; null where the image has no such program.</summary>
    public string? Maker => Tool("update-grub") ? "update-grub" : Tool("grub2-mkconfig") ? "grub2-mkconfig" : Tool("grub-mkconfig") ? "grub-mkconfig" : null;

    /// <summary>The grub.cfg with menu entries in it, as a path of the build host; null where there is none.</summary>
    public string? GrubConfig => File("grub.cfg")?.Path;

    /// <summary>Reads a tree.</summary>
    /// <exception cref="HostException">ImageRootMissing.</exception>
    public static async Task<CrashKernelImage> ReadAsync(IHostConnection connection, string root, CancellationToken cancellationToken) =>
        new(connection.Host.HostName, root, await HostReply.RunAsync(connection, HostScript.Load("crashkernelimage", ("root", root)), cancellationToken).ConfigureAwait(false));

    /// <summary>The words that a request means here.</summary>
    /// <exception cref="HostException">NotSupported, NotExpressible, NotRoot.</exception>
    public IReadOnlyList<string> WordsFor(CrashKernelRequest request)
    {
        var knowsAuto = CrashKernelFacts.KnowsAutoOf(_release);
        if (!request.IsRecommended)
        {
            return request.Parameters.Any(p => p.Kind == CrashKernelKind.Auto) && !knowsAuto
                ? throw new HostException(ErrorIds.NotExpressible, HostName, $"Kernels of {_release.Id} {_release.VersionId} do not know crashkernel=auto and would reserve nothing.")
                {
                    Remedy = "Use -Recommended: it takes what the distribution's own tools say.",
                }
                : [.. request.Parameters.Select(p => p.Word)];
        }

        var value = _reply.Text("default")?.Trim() is { Length: > 0 } redHat ? redHat
            : _reply.Text("default.debian")?.Split('\n')[0].Trim() is { Length: > 0 } debian ? debian
            : knowsAuto ? "auto" : null;
        return value is not null ? [.. value.Split(' ').Select(v => "crashkernel=" + v)]
            : Tool("kdumpctl") && !IsRoot ? throw HostRequirement.NotRoot(HostName)
            : throw new HostException(ErrorIds.NotSupported, HostName, $"Nothing in {_root} names a default size{(Tool("kdumptool") ? ": kdumptool calculates it from the host that it runs on" : "")}.")
            {
                Remedy = "Give one with -Size; ranges such as 1G-4G:192M,4G-64G:256M,64G-:512M fit hosts of any memory.",
            };
    }

    /// <summary>The files that have to change for these words.</summary>
    /// <exception cref="HostException">NotOwnBootLoader: the image has nothing that says how its kernels start; NotSupported, NotExpressible.</exception>
    public IReadOnlyList<(string Path, HostFile? Old, byte[] New)> FilesFor(IReadOnlyList<string> words)
    {
        var wanted = string.Join(' ', words);
        if (_reply.Flag("ostree") || _reply.Flag("zipl"))
        {
            throw new HostException(ErrorIds.NotSupported, HostName, $"The image in {_root} is {(_reply.Flag("ostree") ? "an ostree" : "one for zipl")}, whose kernel arguments are no file that could be changed here.")
            {
                Remedy = _reply.Flag("ostree")
                    ? $"Give the argument when the image is composed (bootc: a file in /usr/lib/bootc/kargs.d; rpm-ostree: kargs of the treefile): {wanted}"
                    : $"Put it into the parameters of zipl.conf, and run zipl when the image is deployed: {wanted}",
            };
        }

        var changed = new List<(string Path, HostFile? Old, byte[] New)>();
        void Change(HostFile old, string text)
        {
            var content = ByteText.ToBytes(text);
            if (!old.Content.Span.SequenceEqual(content))
            {
                changed.Add((old.Path, old, content));
            }
        }

        if (GrubFiles.Count > 0 || Maker is not null)
        {
            changed.AddRange(CrashKernelPlan.Changed(GrubFiles, words, _release.Family == HostFamily.Debian, _root));
        }

        if (File("cmdline") is { } line)
        {
            Change(line, OnLine(Text(line), words, _ => true));
        }

        var fromBlock = false;
        foreach (var entry in EntryFiles.Where(f => !IsRescue(f)))
        {
            var text = Text(entry);
            fromBlock |= text.Contains("$kernelopts", StringComparison.Ordinal);
            Change(entry, OnLine(text, words, l => l.StartsWith("options", StringComparison.Ordinal) && !l.Contains("$kernelopts", StringComparison.Ordinal)));
        }

        if (fromBlock && File("grubenv") is { } block)
        {
            Change(block, Repadded(OnLine(Text(block), words, l => l.StartsWith("kernelopts=", StringComparison.Ordinal)), block.Path));
        }

        if (_reply.Flag("kdumptool.commandline") && words.Count > 0 && File("sysconfig") is { } sysconfig)
        {
            // kdump-commandline.service writes at each boot what this file says.
            Change(sysconfig, ByteText.FromBytes(ShellVariables.Parse(sysconfig.Content.Span).With("KDUMP_CRASHKERNEL", string.Join(' ', words.Select(w => w["crashkernel=".Length..]))).ToBytes()));
        }

        return changed.Count > 0 || GrubFiles.Count > 0 || Maker is not null || File("cmdline") is not null || EntryFiles.Count > 0 ? changed
            : throw new HostException(ErrorIds.NotOwnBootLoader, HostName, $"Nothing in {_root} says how its kernels are started: no /etc/default/grub, /etc/kernel/cmdline or boot entries. Its hosts boot from elsewhere.")
            {
                Remedy = words.Count == 0 ? "Take crashkernel= out of the kernel arguments in their boot server." : $"Put this kernel argument into their boot server (PXE, iPXE): {wanted}",
            };
    }

    /// <summary>Whether the image's tool has to make its grub.cfg anew for these words.</summary>
    /// <exception cref="HostException">NotSupported: there is none.</exception>
    public bool NeedsMaker(IReadOnlyList<string> words) => GrubEntries.Any(e => !e.IsRecovery && !e.CrashKernel.SequenceEqual(words)) &&
        (Maker is not null ? true : throw new HostException(ErrorIds.NotSupported, HostName, $"{GrubConfig} starts kernels with other words, and the image has no update-grub or grub2-mkconfig that would make it anew.")
        {
            Remedy = "Make it where the image gets its boot loader, or install grub into the image.",
        });

    private IReadOnlyList<HostFile> GrubFiles => [.. _reply.All("grub.file").Select(f => _reply.File("grub:" + f)!)];

    private IReadOnlyList<HostFile> EntryFiles => [.. _reply.All("bls.file").Select(f => _reply.File("bls:" + f)!)];

    private IReadOnlyList<BootEntry> GrubEntries => File("grub.cfg") is { } config ? BootEntries.FromGrub(Text(config), Environment) : [];

    private IReadOnlyList<BootEntry> Entries => GrubEntries is { Count: > 0 } menu ? menu
        : BootEntries.FromSpecification(EntryFiles.Select(f => (f.Path.Split('/')[^1], Text(f))), Environment);

    private IReadOnlyDictionary<string, string> Environment => BootEntries.Environment(File("grubenv") is { } block ? Text(block) : "");

    private bool Tool(string name) => _reply.Text("tool." + name) is { Length: > 0 };

    private HostFile? File(string name) => _reply.File(name);

    private static string Text(HostFile file) => ByteText.FromBytes(file.Content.Span);

    // Rescue entries stay without a reservation, as distributions have them.
    private static bool IsRescue(HostFile entry) => entry.Path.EndsWith("-rescue.conf", StringComparison.Ordinal) || entry.Path.Contains("-0-rescue", StringComparison.Ordinal);

    private static string OnLine(string text, IReadOnlyList<string> words, Func<string, bool> isMeant)
    {
        var lines = text.Split('\n');
        var at = Array.FindIndex(lines, l => l.Length > 0 && isMeant(l));
        if (at >= 0)
        {
            lines[at] = CrashKernelCommandLine.Replace(lines[at], words);
        }

        return string.Join('\n', lines);
    }

    // GRUB takes a block of the size that it has, padded with '#' (grub-editenv).
    private string Repadded(string text, string path)
    {
        var size = File("grubenv")!.Content.Length;
        var content = text.TrimEnd('#');
        return content.Length <= size ? content.PadRight(size, '#')
            : throw new HostException(ErrorIds.NotExpressible, HostName, $"The words do not fit into {path}, which has {size} bytes.") { Remedy = "Take variables out that nobody uses (grub2-editenv), or give fewer ranges." };
    }
}
