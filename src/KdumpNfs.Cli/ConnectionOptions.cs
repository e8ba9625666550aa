using System.CommandLine;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using KdumpNfs.Ssh.Recorded;

namespace KdumpNfs.Cli;

/// <summary>The options that every command has: how to connect and what to print. Those that are not given come from the file of settings that KDUMPNFS_PREFERENCE names.</summary>
internal sealed class ConnectionOptions
{
    private readonly Option<string?> _user = new("--user", "-l") { Description = "Login name" };
    private readonly Option<int?> _port = new("--port", "-p") { Description = "Port of the SSH server" };
    private readonly Option<string?> _key = new("--key", "-i") { Description = "Private key file" };
    private readonly Option<string[]> _knownHosts = new("--known-hosts") { Description = "known_hosts file instead of OpenSSH's; may be repeated" };
    private readonly Option<string?> _config = new("--config", "-F") { Description = "ssh_config file instead of the user's" };
    private readonly Option<SshTransport> _transport = new("--transport") { Description = "SSH implementation", DefaultValueFactory = _ => SshTransport.Auto };
    private readonly Option<HostKeyPolicy> _policy = new("--host-key-policy") { Description = "What to do about a host key that is not known", DefaultValueFactory = _ => HostKeyPolicy.Strict };
    private readonly Option<bool> _sudo = new("--sudo") { Description = "Run commands through sudo, which must not ask for a password unless one is given" };
    private readonly SecretOptions _secrets = new();
    private readonly Option<string[]> _batchSize = new("--batch-size") { Description = "Hosts in a batch: 5, or 1,5,25% for the first ones and the last for all others; the next begins when the one before has ended", AllowMultipleArgumentsPerToken = true };
    private readonly Option<int?> _maxFailure = new("--max-failure") { Description = "How many hosts may fail before no further one is started; 0 where there are batches" };
    private readonly Option<int> _throttle = new("--throttle") { Description = "Hosts to work on at once", DefaultValueFactory = _ => 32 };
    private readonly Option<int> _connectTimeout = new("--connect-timeout") { Description = "Seconds until a connection is up", DefaultValueFactory = _ => 30 };
    private readonly Option<int> _timeout = new("--timeout") { Description = "Seconds that one command on a host may take", DefaultValueFactory = _ => 1200 };
    private readonly Option<bool> _json = new("--json") { Description = "One JSON object a line instead of a table" };
    private readonly Option<bool> _includeFailed = new("--include-failed") { Description = "Give an object for a host that failed, besides its error" };
    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Tell the story of each host on stderr" };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Make the change without asking" };
    private readonly Option<bool> _whatIf = new("--what-if") { Description = "Show what would change, and change nothing" };
    private readonly Option<string?> _record = new("--record") { Description = "New file into which everything is written that the hosts answer, for --replay and New-KdumpSession -ReplayPath; holds no password" };
    private readonly Option<string?> _replay = new("--replay") { Description = "Recording that answers instead of the hosts: nobody is connected to" };
    private readonly bool _changes;
    private readonly bool _batches;
    private readonly bool _asksWhatIf;

    // A command asks for its access more than once; a recording is begun, and read, once.
    private IHostConnector? _connector;

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="changes">It changes hosts: it asks, or has --yes or --what-if.</param>
    /// <param name="batches">A change goes through the hosts in batches if asked; not where hosts are bound in another way.</param>
    /// <param name="writesHere">It writes files of this machine: it has --what-if, and does not ask.</param>
    public ConnectionOptions(Command command, bool changes = false, bool batches = true, bool writesHere = false)
    {
        _changes = changes;
        _asksWhatIf = changes || writesHere;
        _batches = changes && batches;
        if (_batches)
        {
            command.Options.Add(_batchSize);
            command.Options.Add(_maxFailure);
        }

        if (changes)
        {
            command.Options.Add(_yes);
        }

        if (_asksWhatIf)
        {
            command.Options.Add(_whatIf);
        }

        Option[] options = [_json, _includeFailed, _verbose, _user, _port, _key, _knownHosts, _config, _transport, _policy, _sudo, .. _secrets.All, _throttle, _connectTimeout, _timeout, _record, _replay];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What was asked for about printing and asking.</summary>
    public SessionOptions Session(ParseResult parsed) => new(
        parsed.GetValue(_json), parsed.GetValue(_includeFailed), parsed.GetValue(_verbose), Throttle(parsed),
        _changes && parsed.GetValue(_yes), _asksWhatIf && parsed.GetValue(_whatIf), _changes)
    {
        Batches = _batches ? BatchPlan.Create(parsed.GetValue(_batchSize), parsed.GetValue(_maxFailure)) : null,
    };

    /// <summary>How hosts are reached.</summary>
    /// <exception cref="HostException">InvalidInput, TransportNotAvailable, RecordingInvalid.</exception>
    public HostAccess Access(ParseResult parsed)
    {
        var settings = Preferences.Current;
        var config = parsed.GetValue(_config) is { } file ? Path.GetFullPath(file) : settings.SshConfigFile;
        if (config is not null && !File.Exists(config))
        {
            throw Refused($"The file '{Printable.Escape(config)}' does not exist.", "Give --config the path of an ssh_config file.");
        }

        var sudoPassword = _secrets.SudoPassword(parsed);
        var options = new SshOptions
        {
            Transport = Given(parsed, _transport) ?? settings.Transport ?? SshTransport.Auto,
            HostKeyPolicy = Given(parsed, _policy) ?? settings.HostKeyPolicy ?? HostKeyPolicy.Strict,
            KnownHostsFiles = parsed.GetValue(_knownHosts) is { Length: > 0 } known ? [.. known.Select(Path.GetFullPath)] : [.. settings.KnownHostsFile ?? []],
            ConfigFile = config,
            ConnectTimeout = Given(parsed, _connectTimeout) is null && settings.ConnectingTimeout is { } connecting ? connecting : Seconds(parsed.GetValue(_connectTimeout), "--connect-timeout"),
            OperationTimeout = Given(parsed, _timeout) is null && settings.OperationTimeout is { } operation ? operation : Seconds(parsed.GetValue(_timeout), "--timeout"),
            Sudo = (Given(parsed, _sudo) ?? settings.Sudo ?? false) || sudoPassword is not null,
            SudoPassword = sudoPassword,
            KeyPassphrase = _secrets.KeyPassphrase(parsed),
        };
        if (_connector is null)
        {
            _connector = Recorded(parsed, options.Transport);
            if (settings.CredentialName is { Length: > 0 } name && parsed.GetValue(_user) is null && parsed.GetValue(_replay) is null)
            {
                // Who would have logged in is known to the vault alone.
                Console.Error.WriteLine($"warning: The settings take the credential '{Printable.Escape(name)}' from a vault, which only PowerShell can ask; this command logs in with keys. Give --user to say as whom.");
            }
        }

        return new HostAccess(_connector, options);
    }

    /// <summary>A host with the connection details of the command line, checked.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public SshHost Host(ParseResult parsed, string name) => Host(name, parsed.GetValue(_user), parsed.GetValue(_port), parsed.GetValue(_key));

    /// <summary>A host with connection details of its own, checked; user and key that are not given come from the settings.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static SshHost Host(string name, string? user, int? port, string? key)
    {
        var settings = Preferences.Current;
        return new SshHost(name, user ?? settings.UserName, port, key is null ? settings.KeyFilePath : Path.GetFullPath(key)).Validated();
    }

    /// <summary>Seconds as a limit that timers can count.</summary>
    public static TimeSpan Seconds(int seconds, string option) => seconds is > 0 and < int.MaxValue / 1000 ? TimeSpan.FromSeconds(seconds)
        : throw Refused($"{option} {seconds} is not between 1 second and 24 days.", "Give a number of seconds.");

    /// <summary>An error about an option.</summary>
    public static HostException Refused(string what, string remedy) => new(ErrorIds.InvalidInput, "", what) { Remedy = remedy };

    // What was written on the command line; null where the option's own default stands there.
    private static T? Given<T>(ParseResult parsed, Option<T> option) where T : struct =>
        parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option) : null;

    private int Throttle(ParseResult parsed) => Given(parsed, _throttle) is null && Preferences.Current.ThrottleLimit is { } preferred ? preferred
        : parsed.GetValue(_throttle) is > 0 and <= 4096 and var throttle ? throttle
        : throw Refused($"--throttle {parsed.GetValue(_throttle)} is not between 1 and 4096.", "Give the number of hosts to work on at once.");

    private IHostConnector Recorded(ParseResult parsed, SshTransport transport) => (parsed.GetValue(_record), parsed.GetValue(_replay)) switch
    {
        (null, null) => Connector(transport),
        ({ } file, null) => new RecordingConnector(Connector(transport), Recording.Create(Path.GetFullPath(file))) { Identifies = true },
        (null, { } file) => new ReplayConnector(Recording.Load(Path.GetFullPath(file))),
        _ => throw Refused("--record and --replay are one too many.", "Record what hosts say, or replay it."),
    };

    private static IHostConnector Connector(SshTransport transport) => transport switch
    {
        SshTransport.OpenSsh => new OpenSshConnector(),
        SshTransport.SshNet => SshNetConnector() ?? throw new HostException(ErrorIds.TransportNotAvailable, "", "This build has no SSH.NET.") { Remedy = "Use --transport OpenSsh." },
        _ => new AutoConnector(SshNetConnector()),
    };

    private static IHostConnector? SshNetConnector()
    {
        IHostConnector? connector = null;
#if SSHNET
        connector = new SshNet.SshNetConnector();
#endif
        return connector;
    }
}
