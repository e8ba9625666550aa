using System.Globalization;
using System.Management.Automation;
using System.Security;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>
/// What all cmdlets share: how to connect, the fleet, and the way of its messages to PowerShell's streams. PowerShell lets a cmdlet write
/// only from the thread that runs it, so everything goes through the pump that runs there.
/// </summary>
public abstract class ConnectingCmdlet : PSCmdlet, IFleetFront, IDisposable
{
    /// <summary>How long the end of a cmdlet waits for connections to close: the prompt must not wait for a host that is gone.</summary>
    private protected static readonly TimeSpan CloseLimit = TimeSpan.FromMilliseconds(300);

    private FleetProgress? _progress;
    private KdumpPreference _preference = new();
    private FleetRun? _fleet;
    private bool _inputEnded;
    private int _startedBefore;
    private bool _yesToAll;
    private bool _noToAll;
    private volatile bool _stopping;

    /// <summary>User name and password, for hosts without keys. Only the SSH.NET transport can send a password.</summary>
    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>Name of a secret of a vault (Microsoft.PowerShell.SecretManagement) that holds the credential, instead of -Credential: NAME or VAULT\NAME.</summary>
    [Parameter]
    public string? CredentialName { get; set; }

    /// <summary>Which SSH implementation carries the connections.</summary>
    [Parameter]
    public SshTransport Transport { get; set; } = SshTransport.Auto;

    /// <summary>What to do about a host whose key is not known yet.</summary>
    [Parameter]
    public HostKeyPolicy HostKeyPolicy { get; set; } = HostKeyPolicy.Strict;

    /// <summary>known_hosts files instead of OpenSSH's; the first one is the one that AcceptNew adds to.</summary>
    [Parameter]
    public string[]? KnownHostsFile { get; set; }

    /// <summary>An ssh_config file instead of the user's.</summary>
    [Parameter]
    public string? SshConfigFile { get; set; }

    /// <summary>Time until a connection is up: milliseconds, as in New-PSSession, or a TimeSpan.</summary>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan ConnectingTimeout { get; set; } = new SshOptions().ConnectTimeout;

    /// <summary>Time that one command on a host may take: milliseconds or a TimeSpan.</summary>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan OperationTimeout { get; set; } = new SshOptions().OperationTimeout;

    /// <summary>Runs commands through sudo. Where it asks for a password it gets -SudoPassword, or else that of -Credential; without either it must not ask.</summary>
    [Parameter]
    public SwitchParameter Sudo { get; set; }

    /// <summary>The password for sudo, given only if it asks, and only once. Implies -Sudo.</summary>
    [Parameter]
    public SecureString? SudoPassword { get; set; }

    /// <summary>Opens private key files that are encrypted.</summary>
    [Parameter]
    public SecureString? KeyPassphrase { get; set; }

    /// <summary>How many hosts are worked on at once.</summary>
    [Parameter]
    public int ThrottleLimit { get; set; } = 32;

    /// <summary>Gives an object for a host that failed as well, besides the error.</summary>
    [Parameter]
    public SwitchParameter IncludeFailed { get; set; }

    /// <summary>How the operations reach hosts; there from BeginProcessing on.</summary>
    protected HostAccess Access { get; private set; } = null!;

    /// <summary>The hosts in work.</summary>
    protected FleetRun Fleet => _fleet ??= new FleetRun(ThrottleLimit);

    /// <summary>Whether the user was asked and said no for all, or the pipeline is being stopped.</summary>
    protected bool IsStopping => _stopping;

    /// <summary>Answers the second question of a dangerous change; cmdlets with -Force override it.</summary>
    protected virtual bool IsForced => false;

    /// <summary>The object for a failed host; null to give none.</summary>
    protected virtual object FailedObject(HostException failure) => FailedHost.From(failure);

    /// <summary>False where the cmdlet gives something else than an object a host.</summary>
    protected virtual bool GivesFailedObjects => true;

    /// <summary>Checks what belongs to the cmdlet and makes its operation. A HostException thrown here ends the pipeline before anything was contacted.</summary>
    protected abstract void Prepare();

    /// <inheritdoc/>
    protected sealed override void BeginProcessing()
    {
        try
        {
            ApplyPreferences(Preferences.Current);
            Access = new HostAccess(new SessionConnector(Connectors.For(Transport)), Options());
            Prepare();
            _startedBefore = _fleet?.Started ?? 0;
        }
        catch (HostException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        _inputEnded = true;
        Fleet.Finish(this);
        Bars.EndAll();
    }

    /// <summary>Ctrl-C. Called on another thread while the pipeline's thread waits in the pump.</summary>
    protected override void StopProcessing()
    {
        _stopping = true;
        _fleet?.Cancel();
    }

    /// <summary>Called by PowerShell when the pipeline is over, however it ended: also after Select-Object -First and after errors elsewhere.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends what still runs.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _fleet?.Dispose();
        }
    }

    /// <summary>A path of this session (relative to its location, or on a PowerShell drive) as the file system knows it.</summary>
    protected string ResolveFile(string path, string parameter)
    {
        ProviderInfo provider;
        string resolved;
        try
        {
            resolved = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out provider, out _);
        }
        catch (Exception e) when (e is ItemNotFoundException or System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or PSArgumentException or PSInvalidOperationException or NotSupportedException)
        {
            throw Refused($"The path '{Printable.Escape(path)}' cannot be resolved: {e.Message}", $"Give -{parameter} as a path of a file system.", e);
        }

        return provider.Name == "FileSystem" ? resolved
            : throw Refused($"'{Printable.Escape(path)}' is a path of the provider {provider.Name}, not of a file system.", $"Give -{parameter} as a path of a file system.");
    }

    /// <summary>An error about a parameter.</summary>
    protected static HostException Refused(string what, string remedy, Exception? inner = null) => new(ErrorIds.InvalidInput, "", what, inner) { Remedy = remedy };

    /// <summary>A number of seconds as a limit.</summary>
    protected static TimeSpan Seconds(int seconds, string parameter) => Limit(TimeSpan.FromSeconds(seconds), parameter);

    /// <summary>A host with its connection details, checked.</summary>
    /// <remarks>Where a session stands for the name, it is the session's host, and the other values are the session's too.</remarks>
    protected SshHost MakeHost(string? name, string? userName, int? port, string? keyFilePath) =>
        HostNameTransformationAttribute.Refusal(name) is { } refusal ? throw refusal :
        HostNameTransformationAttribute.SessionOf(name) is { } session ? session.ToHost() : new SshHost(
            name ?? "",
            string.IsNullOrEmpty(userName) ? Credential?.UserName ?? _preference.UserName : userName,
            port,
            string.IsNullOrEmpty(keyFilePath) ? PreferredKey : ResolveFile(keyFilePath, "KeyFilePath")).Validated();

    /// <summary>Refuses parameters that say how to connect where a session has connected already.</summary>
    protected void RefuseConnectionParameters()
    {
        string[] names = [nameof(Credential), nameof(CredentialName), nameof(Transport), nameof(HostKeyPolicy), nameof(KnownHostsFile), nameof(SshConfigFile), nameof(Sudo), nameof(SudoPassword), nameof(KeyPassphrase), "UserName", "Port", "KeyFilePath"];
        if (names.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey) is { } name)
        {
            throw Refused($"-{name} says how to connect, and -Session has connected already.", "Give it to New-KdumpSession.");
        }
    }

    /// <inheritdoc/>
    public virtual void Output(object value)
    {
        SeenOnStores.Note(value);
        ShowFleet();
        WriteObject(value);
    }

    /// <inheritdoc/>
    public virtual void Output(object value, SshHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        SeenOnStores.Note(value);
        ShowFleet();
        var result = PSObject.AsPSObject(value);

        // A pipeline's next cmdlet binds these by name, so that a list of hosts with different users and ports goes all the way through it.
        Note(result, nameof(SshHost.UserName), host.UserName);
        Note(result, nameof(SshHost.Port), host.Port);
        Note(result, nameof(SshHost.KeyFilePath), host.KeyFilePath);
        WriteObject(result);
    }

    /// <inheritdoc/>
    public virtual void Failed(HostException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        Bars.End(failure.HostName);
        Bars.Failed++;
        ShowFleet();
        WriteError(ErrorRecords.From(failure));
        if (IncludeFailed && GivesFailedObjects)
        {
            WriteObject(FailedObject(failure));
        }
    }

    /// <inheritdoc/>
    public void Verbose(string hostName, string text) => WriteVerbose($"[{Printable.Escape(hostName)}] {Printable.EscapeLines(text)}");

    /// <inheritdoc/>
    public void Warning(string hostName, string text)
    {
        // Most warnings name their host in the sentence.
        var named = hostName.Length == 0 || text.Contains(hostName, StringComparison.Ordinal);
        WriteWarning(Printable.EscapeLines(named ? text : $"{hostName}: {text}"));
    }

    /// <inheritdoc/>
    public void Progress(HostProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        ShowFleet();
        Bars.Host(progress);
    }

    /// <inheritdoc/>
    public virtual bool Confirm(ChangeQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        var change = $"{question.Action} on {question.Target}";
        var text = question.Description is { Length: > 0 } description ? $"{change}\n{Printable.EscapeLines(description)}" : change;

        // The first text is also what -Verbose tells: colours are for -WhatIf alone, and the question is asked of a person.
        var colours = TerminalStyle.Diff(SessionState, Host);
        var shown = colours?.Apply(text) ?? text;
        return Ask(() => ShouldProcess(IsWhatIf ? shown : text, $"{shown}\nContinue?", "Confirm")) && (question.Danger is null || IsForced ||
            Ask(() => ShouldContinue($"{change}\n{question.Danger}\nContinue?", "Confirm", ref _yesToAll, ref _noToAll)));
    }

    private bool IsWhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out var asked) ? LanguagePrimitives.IsTrue(asked) : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));

    /// <summary>Asks; where nobody can be asked, the pipeline ends with an error that says how to answer beforehand.</summary>
    protected bool Ask(Func<bool> question)
    {
        ArgumentNullException.ThrowIfNull(question);
        try
        {
            return question();
        }
        catch (Exception e) when (e is PSInvalidOperationException or System.Management.Automation.Host.HostException or NotImplementedException)
        {
            ThrowTerminatingError(ErrorRecords.From(new HostException(ErrorIds.ConfirmationRequired, "", "This has to be confirmed, and there is nobody to ask here.", e)
            {
                Remedy = "Answer beforehand with -Confirm:$false" + (MyInvocation.MyCommand.Parameters?.ContainsKey("Force") == true ? " or -Force." : "."),
            }));
            return false;
        }
    }

    /// <summary>The settings of the process, for parameters of derived cmdlets.</summary>
    protected KdumpPreference Preference => _preference;

    /// <summary>The store that was named, or that of the settings where none was.</summary>
    /// <exception cref="HostException">InvalidInput: neither names one.</exception>
    protected (string StoreHost, string ExportPath, string? DumpPath) PreferredStore(string? storeHost, string? exportPath, string? dumpPath)
    {
        try
        {
            return Preference.StoreOr(storeHost, exportPath, dumpPath);
        }
        catch (HostException e)
        {
            throw Refused(e.What, "Name it: -StoreHost storage -ExportPath /data/nfs_share, or once with Set-KdumpPreference.", e);
        }
    }

    /// <summary>Whether a parameter has a value from the command line or from $PSDefaultParameterValues.</summary>
    protected bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    /// <summary>Takes settings of the process for parameters that were not given.</summary>
    private void ApplyPreferences(KdumpPreference preference)
    {
        _preference = preference;
        Transport = IsGiven(nameof(Transport)) ? Transport : preference.Transport ?? Transport;
        HostKeyPolicy = IsGiven(nameof(HostKeyPolicy)) ? HostKeyPolicy : preference.HostKeyPolicy ?? HostKeyPolicy;
        KnownHostsFile = IsGiven(nameof(KnownHostsFile)) ? KnownHostsFile : preference.KnownHostsFile?.ToArray() ?? KnownHostsFile;
        SshConfigFile = IsGiven(nameof(SshConfigFile)) ? SshConfigFile : preference.SshConfigFile ?? SshConfigFile;
        Sudo = IsGiven(nameof(Sudo)) ? Sudo : preference.Sudo ?? Sudo;
        ThrottleLimit = IsGiven(nameof(ThrottleLimit)) ? ThrottleLimit : preference.ThrottleLimit ?? ThrottleLimit;
        ConnectingTimeout = IsGiven(nameof(ConnectingTimeout)) ? ConnectingTimeout : preference.ConnectingTimeout ?? ConnectingTimeout;
        OperationTimeout = IsGiven(nameof(OperationTimeout)) ? OperationTimeout : preference.OperationTimeout ?? OperationTimeout;
        if (Credential is not null && CredentialName is not null)
        {
            throw Refused("-Credential and -CredentialName both say who logs in.", "Give one of them.");
        }

        // A session has logged in already: nobody is asked for a secret that nothing needs.
        var name = CredentialName ?? (Credential is null && !IsGiven("Session") ? preference.CredentialName : null);
        if (name is { Length: > 0 })
        {
            var user = MyInvocation.BoundParameters.TryGetValue("UserName", out var given) ? given as string : null;
            Credential = SecretVault.Credential(InvokeCommand, name, user ?? preference.UserName);
        }
    }

    // Who gives a credential means that, and not the key of the settings as well.
    private string? PreferredKey => IsGiven(nameof(Credential)) || IsGiven(nameof(CredentialName)) ? null : _preference.KeyFilePath;

    private FleetProgress Bars => _progress ??= new FleetProgress(MyInvocation.MyCommand.Name, WriteProgress);

    // What was begun to prepare (a first look at a store) is none of the hosts.
    private void ShowFleet() => Bars.Fleet(Fleet.Started - _startedBefore, Fleet.InWork, _inputEnded ? Fleet.Started - _startedBefore : null);

    private static void Note(PSObject result, string name, object? value)
    {
        if (value is not null && result.Properties[name] is null)
        {
            result.Properties.Add(new PSNoteProperty(name, value));
        }
    }

    private SshOptions Options()
    {
        if (ThrottleLimit is < 1 or > 4096)
        {
            throw Refused($"The throttle limit {ThrottleLimit.ToString(CultureInfo.InvariantCulture)} is not between 1 and 4096.", "Give the number of hosts to work on at once.");
        }

        var config = SshConfigFile is { Length: > 0 } file ? ResolveFile(file, nameof(SshConfigFile)) : null;
        if (config is not null && !File.Exists(config))
        {
            throw Refused($"The file '{Printable.Escape(config)}' does not exist.", "Give -SshConfigFile the path of an ssh_config file.");
        }

        return new SshOptions
        {
            Transport = Transport,
            HostKeyPolicy = HostKeyPolicy,
            KnownHostsFiles = [.. (KnownHostsFile ?? []).Select(f => ResolveFile(f, nameof(KnownHostsFile)))],
            ConfigFile = config,
            Credential = Credential?.GetNetworkCredential(),
            ConnectTimeout = Limit(ConnectingTimeout, nameof(ConnectingTimeout)),
            OperationTimeout = Limit(OperationTimeout, nameof(OperationTimeout)),
            Sudo = Sudo || SudoPassword is not null,
            SudoPassword = SudoPassword is null ? null : new Secret(SudoPassword, "sudo password"),
            KeyPassphrase = KeyPassphrase is null ? null : new Secret(KeyPassphrase, "key passphrase"),
        };
    }

    /// <summary>A limit that timers can count: more than nothing, at most 24 days.</summary>
    private static TimeSpan Limit(TimeSpan value, string parameter) => value > TimeSpan.Zero && value.TotalMilliseconds < int.MaxValue ? value
        : throw Refused($"-{parameter} is not between 1 ms and 24 days.", "Give milliseconds or a TimeSpan: 30000, or (New-TimeSpan -Seconds 30).");
}
