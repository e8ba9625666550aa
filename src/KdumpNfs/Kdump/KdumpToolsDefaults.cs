using System.Globalization;
using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>/etc/default/kdump-tools of Debian and Ubuntu: shell variables, also read by systemd (EnvironmentFile= of kdump-tools.service).</summary>
/// <remarks>Names and defaults are those of kdump-config and of the shipped file (package kdump-tools 1.8). There is no dump path: a dump lands
/// in the root of what NFS names. The file may hold FTP_PASSWORD; nothing here shows it. Immutable.</remarks>
public sealed class KdumpToolsDefaults
{
    /// <summary>Where the file is.</summary>
    public const string Path = "/etc/default/kdump-tools";

    /// <summary>KDUMP_COREDIR as the package ships it, with the directory.</summary>
    private const string DefaultDirectory = "/var/crash";

    // savecore goes to FTP, then to SSH, then to NFS: to all that are set.
    private static readonly string[] TargetNames = ["FTP", "SSH", "NFS"];

    private static readonly Recent<KdumpToolsDefaults> Known = new(text => new KdumpToolsDefaults(ShellVariables.Parse(text)));

    private readonly ShellVariables variables;

    private KdumpToolsDefaults(ShellVariables variables)
    {
        this.variables = variables;
        Targets = [.. TargetNames.Select(ToTarget).OfType<KdumpTarget>()];
        Problems = FindProblems();
    }

    /// <summary>Reads the file; any bytes are accepted.</summary>
    public static KdumpToolsDefaults Parse(ReadOnlySpan<byte> content) => Known.Of(content);

    /// <summary>What makes the configuration mean something else than it seems to.</summary>
    public IReadOnlyList<ConfigProblem> Problems { get; }

    /// <summary>Every target that is set. kdump-config dumps to each of them in turn; more than one is among <see cref="Problems"/>.</summary>
    public IReadOnlyList<KdumpTarget> Targets { get; }

    /// <summary>Where dumps go: NFS if set, else SSH, else FTP, else <see cref="CoreDirectory"/>.</summary>
    public KdumpTarget Target => Targets.Count > 0
        ? Targets[^1]
        : new KdumpTarget { Kind = KdumpTargetKind.Local, DumpPath = CoreDirectory, Text = CoreDirectory };

    /// <summary>Whether kdump is used at all (USE_KDUMP is a number other than 0; unset means no).</summary>
    public bool UseKdump => int.TryParse(Value("USE_KDUMP"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var use) && use != 0;

    /// <summary>The local directory for dumps, on which an export is mounted for one.</summary>
    public string CoreDirectory => Value("KDUMP_COREDIR") is { } directory && directory.StartsWith('/') ? directory : DefaultDirectory;

    /// <summary>What names the dump's directory: "ip" (the default) or "hostname"; as it is written.</summary>
    public string HostTag => Value("HOSTTAG") ?? "ip";

    /// <summary>The program that compresses the whole dump once more (bzip2, gzip, lz4, xz); null for none.</summary>
    public string? OuterCompression => Value("KDUMP_COMPRESSION");

    /// <summary>The mount option timeo, in tenths of a second.</summary>
    public int NfsTimeo => Number("NFS_TIMEO", 600);

    /// <summary>The mount option retrans.</summary>
    public int NfsRetrans => Number("NFS_RETRANS", 3);

    /// <summary>makedumpfile's arguments as kdump-config passes them: its default where none are set, and always flattened.</summary>
    public CoreCollector CoreCollector
    {
        get
        {
            if (field is null)
            {
                var arguments = Value("MAKEDUMP_ARGS") ?? CoreCollector.DebianDefaultArguments;
                field = CoreCollector.ParseArguments(arguments.StartsWith("-F", StringComparison.Ordinal) ? arguments : arguments + " -F");
            }

            return field;
        }
    }

    /// <summary>Reads a variable as sh and as systemd do.</summary>
    public ShellReading Read(string name) => variables.Read(name);

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes() => variables.ToBytes();

    /// <summary>The file with this export as the only target, the dump path joined to it. Other targets become comments.</summary>
    /// <param name="server">The store, IPv6 without brackets.</param>
    /// <param name="export">The exported directory.</param>
    /// <param name="dumpPath">The directory inside it, or null for its root.</param>
    /// <exception cref="HostException">InvalidInput: wrong on every host; NotExpressible: no spelling that sh and systemd read alike;
    /// ConfigurationInvalid: the file cannot be edited safely.</exception>
    public KdumpToolsDefaults WithNfsTarget(string server, string export, string? dumpPath = null)
    {
        var input = TargetInput.Create(server, export, dumpPath);
        var wanted = KdumpTarget.Nfs(input.Server, KdumpTarget.Join(input.Export, input.DumpPath), null);
        var now = variables.Read("NFS");
        var result = now.Kind == ShellReadingKind.Literal && KdumpTarget.ParseNfs(now.Value!, null).SameLocation(wanted)
            ? variables
            : variables.With("NFS", wanted.Text);
        return Changed(WithCoreDirectory(result, NamesServersDirectory ? DefaultDirectory : null).Without("SSH").Without("FTP"));
    }

    /// <summary>The file with a local directory for dumps as the only target. Other targets become comments.</summary>
    /// <param name="directory">The directory; null leaves <see cref="CoreDirectory"/>.</param>
    /// <exception cref="HostException">NotExpressible or ConfigurationInvalid, as for an export.</exception>
    public KdumpToolsDefaults WithLocalTarget(string? directory) =>
        Changed(WithCoreDirectory(variables, directory ?? (NamesServersDirectory ? DefaultDirectory : null)).Without("NFS").Without("SSH").Without("FTP"));

    /// <summary>The file with an account on a server as the only target. Other targets become comments.</summary>
    /// <param name="user">The account.</param>
    /// <param name="server">The server, IPv6 without brackets.</param>
    /// <param name="keyPath">The private key on the host.</param>
    /// <param name="directory">The directory on the server (KDUMP_COREDIR); null leaves <see cref="CoreDirectory"/>.</param>
    /// <exception cref="HostException">NotExpressible or ConfigurationInvalid, as for an export.</exception>
    public KdumpToolsDefaults WithSshTarget(string user, string server, string keyPath, string? directory)
    {
        var result = WithCoreDirectory(variables, directory).Without("NFS").Without("FTP").With("SSH", $"{user}@{server}");
        return Changed((Value("SSH_KEY") ?? KdumpConf.DefaultSshKey) == keyPath ? result : result.With("SSH_KEY", keyPath));
    }

    /// <summary>The key of an ssh target, with the tools' default.</summary>
    public string SshKey => Value("SSH_KEY") ?? KdumpConf.DefaultSshKey;

    /// <summary>The file with a number; null leaves what is there, and so does the value in force.</summary>
    /// <exception cref="HostException">NotExpressible or ConfigurationInvalid, as for an export.</exception>
    internal KdumpToolsDefaults WithNumber(string name, int? value) =>
        value is { } number && Number(name, -1) != number ? Changed(variables.With(name, number.ToString(CultureInfo.InvariantCulture))) : this;

    /// <summary>The file with the options of a dump; what they leave null stays.</summary>
    /// <exception cref="HostException">NotExpressible: this family has no such setting; or as for an export.</exception>
    public KdumpToolsDefaults WithOptions(CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var result = WithCoreCollector(options.DumpLevel, options.Compression, options.MessageLevel);
        switch (options.FailureAction)
        {
            case null:
                return result;
            case Kdump.FailureAction.Reboot or Kdump.FailureAction.Halt or Kdump.FailureAction.PowerOff:
                // The script runs the words as they are, without a shell of its own, and reboots where there are none.
                var command = FailureActions.Word(options.FailureAction.Value) + " -f";
                return (result.Value("KDUMP_FAIL_CMD") ?? "reboot -f") == command ? result : result.Changed(result.variables.With("KDUMP_FAIL_CMD", command));
            default:
                throw FailureActions.Refused(options.FailureAction.Value, Path,
                    "KDUMP_FAIL_CMD runs one command, without a terminal: use Reboot, Halt or PowerOff on this host.");
        }
    }

    // With an ssh target KDUMP_COREDIR is a directory of the server. An export is mounted on it, and local dumps go into it: there it has to exist here.
    private bool NamesServersDirectory => Target.Kind == KdumpTargetKind.Ssh;

    private ShellVariables WithCoreDirectory(ShellVariables file, string? directory) =>
        directory is null || directory == CoreDirectory ? file : file.With("KDUMP_COREDIR", directory);

    /// <summary>The file with another dump level, compression or message level in MAKEDUMP_ARGS; null leaves each. The words around them stay.</summary>
    /// <exception cref="HostException">NotExpressible or ConfigurationInvalid, as for a target.</exception>
    public KdumpToolsDefaults WithCoreCollector(DumpLevel? level, VmcoreCompression? compression, int? messageLevel = null)
    {
        var now = variables.Read("MAKEDUMP_ARGS");
        var set = !string.IsNullOrEmpty(now.Value);
        var arguments = set ? now.Value! : CoreCollector.DebianDefaultArguments;
        var wanted = CoreCollector.ParseArguments(arguments).With(level, compression, messageLevel: messageLevel).ToString();
        var same = wanted == arguments && (!set || now.Kind == ShellReadingKind.Literal) && now.Kind != ShellReadingKind.NotLiteral;
        return same ? this : Changed(variables.With("MAKEDUMP_ARGS", wanted));
    }

    /// <summary>The file with kdump switched on or off. Any number but 0 is on already.</summary>
    /// <exception cref="HostException">NotExpressible or ConfigurationInvalid, as for a target.</exception>
    public KdumpToolsDefaults WithUseKdump(bool use) =>
        UseKdump == use && variables.Read("USE_KDUMP").Kind == ShellReadingKind.Literal
            ? this
            : Changed(variables.With("USE_KDUMP", use ? "1" : "0"));

    private KdumpToolsDefaults Changed(ShellVariables other) => ReferenceEquals(other, variables) ? this : new KdumpToolsDefaults(other);

    /// <summary>The value in force in the scripts, which read the file with sh after systemd has; null where it is empty, unset or unknown.</summary>
    private string? Value(string name) =>
        variables.Read(name) is var reading && !string.IsNullOrEmpty(reading.Value) ? reading.Value : null;

    private int Number(string name, int otherwise) =>
        int.TryParse(Value(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private KdumpTarget? ToTarget(string name)
    {
        var reading = variables.Read(name);
        if (reading.Kind == ShellReadingKind.NotLiteral && reading.Line > 0)
        {
            // Something is set; what, only the host's shell knows.
            return new KdumpTarget { Kind = name switch { "NFS" => KdumpTargetKind.Nfs, "SSH" => KdumpTargetKind.Ssh, _ => KdumpTargetKind.Ftp }, Text = name };
        }

        return Value(name) is not { } value ? null : name switch
        {
            "NFS" => KdumpTarget.ParseNfs(value, null),
            "SSH" => KdumpTarget.ParseSsh(value, CoreDirectory),
            _ => new KdumpTarget
            {
                // kdump_save_core_to_ftp cuts at the first colon.
                Kind = KdumpTargetKind.Ftp,
                Store = value.Split(':')[0],
                DumpPath = value.IndexOf(':', StringComparison.Ordinal) is var colon and >= 0 ? value[(colon + 1)..] : "/",
                Text = value,
            },
        };
    }

    private List<ConfigProblem> FindProblems()
    {
        var found = new List<ConfigProblem>();
        if (variables.Unreadable is { } why)
        {
            return [new ConfigProblem(ConfigProblemIds.NotText, [], why)];
        }

        foreach (var name in new[] { "USE_KDUMP", "NFS", "SSH", "FTP", "KDUMP_COREDIR", "MAKEDUMP_ARGS" })
        {
            var reading = variables.Read(name);
            int[] lines = reading.Line > 0 ? [reading.Line] : [];
            if (reading.Kind == ShellReadingKind.NotLiteral)
            {
                found.Add(new ConfigProblem(ConfigProblemIds.NotLiteral, lines, $"the value of {name} is decided by shell code when the file is read") { Refused = false });
            }
            else if (reading.Kind == ShellReadingKind.Disagree)
            {
                var carriageReturn = reading.Value?.EndsWith('\r') == true;
                found.Add(new ConfigProblem(carriageReturn ? ConfigProblemIds.CarriageReturn : ConfigProblemIds.ReadersDisagree, lines,
                    $"sh reads {name} as '{reading.Value}', systemd as '{reading.SystemdValue}'") { Refused = carriageReturn });
            }
        }

        if (Targets.Count > 1)
        {
            found.Add(new ConfigProblem(ConfigProblemIds.SeveralTargets, [.. TargetNames.Select(n => variables.Read(n).Line).Where(l => l > 0).Order()],
                "kdump-config saves the dump to each of FTP, SSH and NFS that is set"));
        }

        return found;
    }
}
