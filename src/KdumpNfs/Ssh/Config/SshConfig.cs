using System.Globalization;
using System.Text;

namespace KdumpNfs.Ssh.Config;

/// <summary>What ssh_config says about one host, as far as SSH.NET can do it.</summary>
internal sealed record ResolvedHost
{
    /// <summary>Where to connect to.</summary>
    public required string HostName { get; init; }

    public required int Port { get; init; }

    public required string UserName { get; init; }

    /// <summary>Private key files, existing or not; explicit ones first.</summary>
    public required IReadOnlyList<string> IdentityFiles { get; init; }

    /// <summary>known_hosts files; the first is the one to add to.</summary>
    public required IReadOnlyList<string> KnownHostsFiles { get; init; }

    /// <summary>The name in known_hosts (HostKeyAlias, else HostName).</summary>
    public required string KeyName { get; init; }

    /// <summary>The port in known_hosts; 22 means none.</summary>
    public required int KeyPort { get; init; }

    /// <summary>What the configuration asks for that only OpenSSH can do; null when nothing.</summary>
    public string? OpenSshReason { get; init; }

    /// <summary>Whether Kerberos may take the place of a key.</summary>
    public bool Gssapi { get; init; }
}

/// <summary>
/// ssh_config for the transport that is not OpenSSH: HostName, User, Port, IdentityFile, known_hosts files, HostKeyAlias, with Host,
/// Include, Match all and Match final. What else has an effect on who is reached or how one logs in is left to OpenSSH.
/// </summary>
internal sealed class SshConfig
{
    /// <summary>Options that SSH.NET cannot do when set to anything but none or no.</summary>
    private static readonly string[] NeedOpenSsh =
    [
        "proxyjump", "proxycommand", "certificatefile", "pkcs11provider", "securitykeyprovider", "identityagent", "canonicalizehostname",
        "knownhostscommand", "verifyhostkeydns", "bindaddress", "bindinterface", "revokedhostkeys", "hostbasedauthentication",
    ];

    private static readonly string[] DefaultIdentities = ["id_ed25519", "id_ecdsa", "id_rsa"];

    private readonly SshConfigFile[] _files;

    private SshConfig(SshConfigFile[] files) => _files = files;

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>Reads the file asked for, or the user's and the system's.</summary>
    public static SshConfig Load(string? configFile)
    {
        var user = Path.Combine(Home, ".ssh");
        var system = OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "ssh") : "/etc/ssh";
        return new SshConfig(configFile is null
            ? [SshConfigFile.Load(Path.Combine(user, "config"), user), SshConfigFile.Load(Path.Combine(system, "ssh_config"), system)]
            : [SshConfigFile.Load(configFile, user)]);
    }

    /// <summary>A leading ~ as ssh takes it.</summary>
    internal static string ExpandHome(string path, bool? windows = null) =>
        path == "~" ? Home
        : path.StartsWith("~/", StringComparison.Ordinal) || ((windows ?? OperatingSystem.IsWindows()) && path.StartsWith(@"~\", StringComparison.Ordinal)) ? Path.Combine(Home, path[2..])
        : path;

    /// <summary>What holds for a host; what the caller asks for wins over the file.</summary>
    public ResolvedHost Resolve(SshHost host, SshOptions options)
    {
        // user@host is an old habit that the ssh program takes too.
        var at = host.HostName.LastIndexOf('@');
        var original = at > 0 ? host.HostName[(at + 1)..] : host.HostName;
        var values = new Values(original);
        if ((host.UserName ?? (at > 0 ? host.HostName[..at] : options.Credential?.UserName)) is { Length: > 0 } asked)
        {
            values.Set("user", [asked]);
        }

        if (host.Port is { } number)
        {
            values.Set("port", [number.ToString(CultureInfo.InvariantCulture)]);
        }

        foreach (var file in _files)
        {
            Apply(file, values, final: false);
        }

        if (values.HasFinal)
        {
            foreach (var file in _files)
            {
                Apply(file, values, final: true);
            }
        }

        return Result(host, options, original, values);
    }

    /// <summary>The names that Host lines give, also in included files; patterns name nobody.</summary>
    public IEnumerable<string> HostAliases() => _files.SelectMany(Aliases);

    private static IEnumerable<string> Aliases(SshConfigFile file) => file.Lines.SelectMany(line => line.Keyword switch
    {
        "host" => line.Arguments.Where(HostNames.IsName),
        "include" => line.Included.SelectMany(Aliases),
        _ => [],
    });

    private static void Apply(SshConfigFile file, Values values, bool final)
    {
        var active = true;
        foreach (var line in file.Lines)
        {
            switch (line.Keyword)
            {
                case "host":
                    active = HostPattern.Match(line.Arguments, values.Original);
                    break;
                case "match":
                    active = Matches(line.Arguments, values, final);
                    break;
                case "include" when active:
                    foreach (var included in line.Included)
                    {
                        Apply(included, values, final);
                    }

                    break;
                case "identityfile" when active && line.Arguments.Count > 0 && !values.Identities.Contains(line.Arguments[0]):
                    values.Identities.Add(line.Arguments[0]);
                    break;
                default:
                    if (active && line.Arguments.Count > 0)
                    {
                        values.Set(line.Keyword, line.Arguments);
                    }

                    break;
            }
        }
    }

    private static bool Matches(IReadOnlyList<string> criteria, Values values, bool final)
    {
        if (criteria.Any(c => c.Equals("final", StringComparison.OrdinalIgnoreCase)))
        {
            values.HasFinal = true;
        }

        if (criteria.All(c => c.Equals("all", StringComparison.OrdinalIgnoreCase) || c.Equals("final", StringComparison.OrdinalIgnoreCase)))
        {
            return final || !criteria.Any(c => c.Equals("final", StringComparison.OrdinalIgnoreCase));
        }

        values.Reason ??= "ssh_config has Match " + criteria[0];
        return false;
    }

    private static ResolvedHost Result(SshHost host, SshOptions options, string original, Values values)
    {
        var name = values.Get("hostname") is { } configured
            ? configured.Replace("%h", original, StringComparison.Ordinal).Replace("%%", "%", StringComparison.Ordinal)
            : original;
        var user = values.Get("user") ?? Environment.UserName;
        var port = int.TryParse(values.Get("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 22;
        var alias = values.Get("hostkeyalias");
        var reason = values.Reason ?? NeedOpenSsh.Where(values.IsOn).Select(option => $"ssh_config sets {option}").FirstOrDefault() ??
            (values.Get("pubkeyauthentication") is "no" ? "ssh_config turns public keys off" : null) ??
            (values.Get("addressfamily") is { } family and not "any" ? $"ssh_config wants addresses of the family {family}" : null);

        string? Path(string text)
        {
            var path = ExpandTokens(text, original, name, user, port, alias);
            reason ??= path is null ? $"ssh_config has a token in {text}" : null;
            return path;
        }

        var home = System.IO.Path.Combine(Home, ".ssh");
        List<string> identities = host.KeyFilePath is { } key ? [key]
            : values.Identities.Count > 0 ? [.. values.Identities.Where(f => f != "none").Select(Path).OfType<string>()]
            : [.. DefaultIdentities.Select(f => System.IO.Path.Combine(home, f))];
        List<string> known = options.KnownHostsFiles.Count > 0 ? [.. options.KnownHostsFiles] :
        [
            .. Files("userknownhostsfile", KnownHosts.DefaultFiles.Take(2)),
            .. Files("globalknownhostsfile", KnownHosts.DefaultFiles.Skip(2)),
        ];
        IEnumerable<string> Files(string option, IEnumerable<string> defaults) =>
            values.All(option) is { } files ? files.Where(f => f != "none").Select(Path).OfType<string>() : defaults;

        return new ResolvedHost
        {
            HostName = name,
            Port = port,
            UserName = user,
            IdentityFiles = identities,
            KnownHostsFiles = known,
            KeyName = alias ?? name,
            KeyPort = alias is null ? port : 22,
            OpenSshReason = reason,
            Gssapi = values.Get("gssapiauthentication") is "yes",
        };
    }

    /// <summary>Tokens of ssh_config(5) that need no other program; null where there are others.</summary>
    private static string? ExpandTokens(string text, string original, string name, string user, int port, string? alias)
    {
        var result = new StringBuilder();
        text = ExpandHome(text);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '$' && i + 1 < text.Length && text[i + 1] == '{')
            {
                return null;
            }

            if (text[i] != '%' || ++i == text.Length)
            {
                result.Append(text[Math.Min(i, text.Length - 1)]);
                continue;
            }

            var value = text[i] switch
            {
                '%' => "%",
                'd' => Home,
                'h' => name,
                'k' => alias ?? name,
                'n' => original,
                'p' => port.ToString(CultureInfo.InvariantCulture),
                'r' => user,
                'u' => Environment.UserName,
                _ => null,
            };
            if (value is null)
            {
                return null;
            }

            result.Append(value);
        }

        return result.ToString();
    }

    /// <summary>The first value of each option, as ssh takes it.</summary>
    private sealed class Values(string original)
    {
        private readonly Dictionary<string, IReadOnlyList<string>> _first = new(StringComparer.Ordinal);

        public string Original { get; } = original;

        public List<string> Identities { get; } = [];

        public bool HasFinal { get; set; }

        public string? Reason { get; set; }

        public void Set(string option, IReadOnlyList<string> words) => _first.TryAdd(option, words);

        public IReadOnlyList<string>? All(string option) => _first.GetValueOrDefault(option);

        public string? Get(string option) => All(option)?[0];

        public bool IsOn(string option) =>
            Get(option) is { } value && !value.Equals("none", StringComparison.OrdinalIgnoreCase) && !value.Equals("no", StringComparison.OrdinalIgnoreCase);
    }
}
