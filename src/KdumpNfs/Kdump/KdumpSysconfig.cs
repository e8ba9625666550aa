using System.Globalization;
using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>/etc/sysconfig/kdump of SLES and openSUSE: shell variables that bash sources. It may hold passwords, in KDUMP_SAVEDIR and in
/// KDUMP_SMTP_PASSWORD; nothing here shows them.</summary>
/// <remarks>Names, defaults and meanings: sysconfig.kdump.in, kdump-read-config.sh, mkdumprd and kdump-save of openSUSE/kdump (2.x), kdump(5).
/// Older releases (1.x, in C++) know the same names. A remote directory is one URL, so that there is no dump path beside it. Immutable.</remarks>
public sealed partial class KdumpSysconfig
{
    /// <summary>Where the file is.</summary>
    public const string Path = "/etc/sysconfig/kdump";

    /// <summary>Where dumps go without KDUMP_SAVEDIR.</summary>
    public const string DefaultDirectory = "/var/crash";

    private readonly ShellVariables variables;

    private KdumpSysconfig(ShellVariables variables)
    {
        this.variables = variables;
        Problems = FindProblems();
    }

    /// <summary>Reads the file; any bytes are accepted.</summary>
    public static KdumpSysconfig Parse(ReadOnlySpan<byte> content) => new(ShellVariables.Parse(content));

    /// <summary>What makes the configuration mean something else than it seems to.</summary>
    public IReadOnlyList<ConfigProblem> Problems { get; }

    /// <summary>Where dumps go (KDUMP_SAVEDIR; of several that 1.x took, the first).</summary>
    public KdumpTarget Target => variables.Read("KDUMP_SAVEDIR") is { Kind: ShellReadingKind.NotLiteral }
        ? new KdumpTarget { Kind = KdumpTargetKind.Other, Text = "KDUMP_SAVEDIR" }
        : ToTarget(SaveDirectories[0]);

    /// <summary>The command that writes the dump, as kdump-save puts it together; cat for a raw copy.</summary>
    public CoreCollector CoreCollector => Format is "raw" or "none"
        ? CoreCollector.ParseCommand(Format == "raw" ? "cat" : "true")
        : CoreCollector.ParseArguments($"-F {FormatFlag(Format)} -d {Level.ToString(CultureInfo.InvariantCulture)} {Options}".TrimEnd());

    /// <summary>The private keys for ssh targets (KDUMP_SSH_IDENTITY), relative to /root/.ssh; null for the standard ones.</summary>
    public string? SshIdentity => Value("KDUMP_SSH_IDENTITY");

    /// <summary>Whether an error while dumping opens a shell, so that the host stays down (KDUMP_CONTINUE_ON_ERROR is false).</summary>
    public bool ShellOnError => Value("KDUMP_CONTINUE_ON_ERROR") is "false" or "no" or "0";

    /// <summary>Reads a variable.</summary>
    public ShellReading Read(string name) => variables.Read(name);

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes() => variables.ToBytes();

    private string Format => Value("KDUMP_DUMPFORMAT") ?? "compressed";

    private int Level => int.TryParse(Value("KDUMP_DUMPLEVEL"), NumberStyles.None, CultureInfo.InvariantCulture, out var level) && level <= 31 ? level : 31;

    private string Options => Value("MAKEDUMPFILE_OPTIONS") ?? "";

    private string[] SaveDirectories =>
        (Value("KDUMP_SAVEDIR") ?? DefaultDirectory).Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } all ? all : [DefaultDirectory];

    private static string FormatFlag(string format) => format switch { "ELF" => "-E", "lzo" => "-l", "snappy" => "-p", "zstd" => "-z", _ => "-c" };

    /// <summary>The value in force; null where it is empty, unset or decided by code.</summary>
    private string? Value(string name) => variables.Read(name) is var reading && !string.IsNullOrEmpty(reading.Value) ? reading.Value : null;

    private static KdumpTarget ToTarget(string url)
    {
        var shown = SecretMask.HideUrl(url);
        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || url.StartsWith("file://", StringComparison.OrdinalIgnoreCase))
        {
            var directory = KdumpTarget.NormalPath(scheme < 0 ? url : url[7..]);
            return new KdumpTarget { Kind = KdumpTargetKind.Local, DumpPath = directory, Text = shown };
        }

        var rest = url[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var path = KdumpTarget.NormalPath(slash < 0 ? "/" : rest[slash..]);
        var account = slash < 0 ? rest : rest[..slash];
        var at = account.LastIndexOf('@');
        var user = at < 0 ? null : account[..at].Split(':')[0];
        var host = account[(at + 1)..];
        host = host.StartsWith('[') ? host[1..].Split(']')[0] : host.Split(':')[0];
#pragma warning disable CA1308 // Schemes are compared in lower case by the tools too.
        return url[..scheme].ToLowerInvariant() switch
#pragma warning restore CA1308
        {
            "nfs" => KdumpTarget.Nfs(host, path, null) with { Text = shown },
            "ssh" or "sftp" or "scp" => new KdumpTarget { Kind = KdumpTargetKind.Ssh, User = user, Store = host, DumpPath = path, Text = shown },
            "ftp" => new KdumpTarget { Kind = KdumpTargetKind.Ftp, User = user, Store = host, DumpPath = path, Text = shown },
            _ => new KdumpTarget { Kind = KdumpTargetKind.Other, User = user, Store = host, DumpPath = path, Text = shown },
        };
    }

    private List<ConfigProblem> FindProblems()
    {
        if (variables.Unreadable is { } why)
        {
            return [new ConfigProblem(ConfigProblemIds.NotText, [], why)];
        }

        var found = new List<ConfigProblem>();
        int[] Lines(string name) => variables.Read(name).Line is > 0 and var line ? [line] : [];
        foreach (var name in new[] { "KDUMP_SAVEDIR", "KDUMP_DUMPFORMAT", "KDUMP_DUMPLEVEL", "KDUMP_TRANSFER" })
        {
            if (variables.Read(name).Kind == ShellReadingKind.NotLiteral)
            {
                found.Add(new ConfigProblem(ConfigProblemIds.NotLiteral, Lines(name), $"the value of {name} is decided by shell code when the file is read") { Refused = false });
            }
        }

        // kdump-read-config.sh: no protocol, and kdump-save then gives up.
        if (Target is { Kind: KdumpTargetKind.Local } && !SaveDirectories[0].StartsWith('/') && !SaveDirectories[0].StartsWith("file://", StringComparison.OrdinalIgnoreCase))
        {
            found.Add(new ConfigProblem(ConfigProblemIds.InvalidValue, Lines("KDUMP_SAVEDIR"), $"KDUMP_SAVEDIR ({SecretMask.HideUrl(SaveDirectories[0])}) is invalid"));
        }

        if (SaveDirectories.Length > 1)
        {
            found.Add(new ConfigProblem(ConfigProblemIds.SeveralTargets, Lines("KDUMP_SAVEDIR"), "KDUMP_SAVEDIR names several directories, which current releases refuse") { Refused = false });
        }

        if (Format == "none")
        {
            found.Add(new ConfigProblem(ConfigProblemIds.InvalidValue, Lines("KDUMP_DUMPFORMAT"), "KDUMP_DUMPFORMAT is none: the kernel's messages are saved and no dump"));
        }

        if (Value("KDUMP_TRANSFER") is not null)
        {
            found.Add(new ConfigProblem(ConfigProblemIds.InvalidValue, Lines("KDUMP_TRANSFER"), "KDUMP_TRANSFER replaces everything else with a command of its own") { Refused = false });
        }

        return found;
    }
}
