using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-KdumpPreference: the defaults of this process for user, key, transport, store and limits.</summary>
/// <remarks>
/// <para>Shows what Set-KdumpPreference set, or what the file holds that the environment variable KDUMPNFS_PREFERENCE names. Values that are empty say
/// nothing: the parameter's own default holds. A parameter that is given wins over $PSDefaultParameterValues, and that over these settings.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-KdumpPreference
/// </code>
/// <para>The settings, as a list.</para>
/// </example>
/// <example>
/// <code>
/// Get-KdumpPreference | Select-Object -ExcludeProperty Source | ConvertTo-Json | Set-Content ./fleet.json
/// </code>
/// <para>Keeps them in a file for runbooks, which load it with Set-KdumpPreference -LiteralPath or KDUMPNFS_PREFERENCE.</para>
/// </example>
/// <note>They belong to the process: all its runspaces see them, jobs of Start-Job do not.</note>
/// <seealso cref="SetKdumpPreferenceCommand"/>
/// <seealso href="about_KdumpNfs_Transports"/>
[Cmdlet(VerbsCommon.Get, "KdumpPreference")]
[OutputType(typeof(KdumpPreference))]
public sealed class GetKdumpPreferenceCommand : PSCmdlet
{
    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            WriteObject(Preferences.Current);
        }
        catch (HostException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
        }
    }
}

/// <summary>Set-KdumpPreference: sets defaults of this process for user, key, transport, store and limits.</summary>
/// <remarks>
/// <para>Sets what is given and leaves the rest; an empty value takes a setting back. -LiteralPath reads all of them from a file instead, a JSON object with the
/// properties of Get-KdumpPreference; a name that is not known is refused. Runbooks can also name that file in the environment variable
/// KDUMPNFS_PREFERENCE. -Reset forgets everything.</para>
/// <para>Order: a parameter that is given, then an object's own UserName, Port and KeyFilePath in a pipeline, then $PSDefaultParameterValues, then these settings, then
/// the default. StoreHost, ExportPath and DumpPath are for cmdlets that look at dumps; where hosts are to send their dumps is always said by the
/// command that changes it.</para>
/// </remarks>
/// <example>
/// <code>
/// Set-KdumpPreference -UserName admin -KeyFilePath ~/.ssh/fleet -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash -ThrottleLimit 64
/// </code>
/// <para>From now on Get-Vmcore needs no parameter, and every host is reached as admin with that key.</para>
/// </example>
/// <example>
/// <code>
/// Set-KdumpPreference -LiteralPath ./fleet.json -WhatIf
/// </code>
/// <para>Reads and checks a file, and sets nothing.</para>
/// </example>
/// <note>No secret is kept here: -CredentialName names one of a vault of Microsoft.PowerShell.SecretManagement, which is asked for it by each cmdlet.</note>
/// <seealso cref="GetKdumpPreferenceCommand"/>
/// <seealso cref="NewKdumpSessionCommand"/>
/// <seealso href="about_KdumpNfs_Transports"/>
[Cmdlet(VerbsCommon.Set, "KdumpPreference", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low, DefaultParameterSetName = ValueSet)]
[OutputType(typeof(KdumpPreference))]
public sealed class SetKdumpPreferenceCommand : PSCmdlet
{
    private const string ValueSet = "Value";
    private const string FileSet = "File";
    private const string ResetSet = "Reset";

    /// <summary>A JSON file with all settings.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = FileSet)]
    public string LiteralPath { get; set; } = "";

    /// <summary>Forgets all settings, those of KDUMPNFS_PREFERENCE too.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ResetSet)]
    public SwitchParameter Reset { get; set; }

    /// <summary>Login name on hosts and stores.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowEmptyString]
    [AllowNull]
    public string? UserName { get; set; }

    /// <summary>Private key file.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [Alias("IdentityFilePath")]
    [AllowEmptyString]
    [AllowNull]
    public string? KeyFilePath { get; set; }

    /// <summary>Name of a secret of Microsoft.PowerShell.SecretManagement that holds the credential, or VAULT\NAME.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowEmptyString]
    [AllowNull]
    public string? CredentialName { get; set; }

    /// <summary>Which SSH implementation carries the connections.</summary>
    /// <value>As it is</value>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowNull]
    public SshTransport? Transport { get; set; }

    /// <summary>What to do about a host whose key is not known yet.</summary>
    /// <value>As it is</value>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowNull]
    public HostKeyPolicy? HostKeyPolicy { get; set; }

    /// <summary>known_hosts files instead of OpenSSH's.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowNull]
    [AllowEmptyCollection]
    public string[]? KnownHostsFile { get; set; }

    /// <summary>An ssh_config file instead of the user's.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowEmptyString]
    [AllowNull]
    public string? SshConfigFile { get; set; }

    /// <summary>Whether commands run through sudo.</summary>
    /// <value>As it is</value>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowNull]
    public bool? Sudo { get; set; }

    /// <summary>How many hosts are worked on at once, 1 to 4096.</summary>
    /// <value>As it is</value>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowNull]
    public int? ThrottleLimit { get; set; }

    /// <summary>Time until a connection is up: milliseconds or a TimeSpan.</summary>
    /// <value>As it is</value>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowNull]
    [TimeoutTransformation]
    public TimeSpan? ConnectingTimeout { get; set; }

    /// <summary>Time that one command on a host may take: milliseconds or a TimeSpan.</summary>
    /// <value>As it is</value>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowNull]
    [TimeoutTransformation]
    public TimeSpan? OperationTimeout { get; set; }

    /// <summary>The storage server, for cmdlets that look at its dumps.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    [AllowEmptyString]
    [AllowNull]
    public string? StoreHost { get; set; }

    /// <summary>The exported directory, as a path on the store.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [ArgumentCompleter(typeof(ExportCompleter))]
    [AllowEmptyString]
    [AllowNull]
    public string? ExportPath { get; set; }

    /// <summary>Directory for dumps inside the export.</summary>
    [Parameter(ParameterSetName = ValueSet)]
    [AllowEmptyString]
    [AllowNull]
    [ArgumentCompleter(typeof(DumpPathCompleter))]
    public string? DumpPath { get; set; }

    /// <summary>Gives the settings as they are then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        KdumpPreference changed;
        try
        {
            changed = ParameterSetName switch
            {
                FileSet => Preferences.Read(Resolve(LiteralPath)!),
                ResetSet => new KdumpPreference(),
                _ => Preferences.Checked(Changed(Preferences.Current)),
            };
        }
        catch (HostException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
            return;
        }

        if (ShouldProcess(ParameterSetName == FileSet ? $"Settings of {changed.Source}" : "Settings of this process", "Set"))
        {
            Preferences.Current = changed;
        }

        if (PassThru)
        {
            WriteObject(Preferences.Current);
        }
    }

    private KdumpPreference Changed(KdumpPreference old) => old with
    {
        UserName = Of(nameof(UserName), UserName, old.UserName),
        KeyFilePath = Of(nameof(KeyFilePath), Resolve(KeyFilePath), old.KeyFilePath),
        CredentialName = Of(nameof(CredentialName), CredentialName, old.CredentialName),
        Transport = Given(nameof(Transport)) ? Transport : old.Transport,
        HostKeyPolicy = Given(nameof(HostKeyPolicy)) ? HostKeyPolicy : old.HostKeyPolicy,
        KnownHostsFile = !Given(nameof(KnownHostsFile)) ? old.KnownHostsFile : KnownHostsFile is { Length: > 0 } files ? [.. files.Select(f => Resolve(f)!)] : null,
        SshConfigFile = Of(nameof(SshConfigFile), Resolve(SshConfigFile), old.SshConfigFile),
        Sudo = Given(nameof(Sudo)) ? Sudo : old.Sudo,
        ThrottleLimit = Given(nameof(ThrottleLimit)) ? ThrottleLimit : old.ThrottleLimit,
        ConnectingTimeout = Given(nameof(ConnectingTimeout)) ? ConnectingTimeout : old.ConnectingTimeout,
        OperationTimeout = Given(nameof(OperationTimeout)) ? OperationTimeout : old.OperationTimeout,
        StoreHost = Of(nameof(StoreHost), StoreHost, old.StoreHost),
        ExportPath = Of(nameof(ExportPath), ExportPath, old.ExportPath),
        DumpPath = Of(nameof(DumpPath), DumpPath, old.DumpPath),
        Source = null,
    };

    private bool Given(string name) => MyInvocation.BoundParameters.ContainsKey(name);

    private string? Of(string name, string? given, string? old) => !Given(name) ? old : string.IsNullOrEmpty(given) ? null : given;

    private string? Resolve(string? path) => string.IsNullOrEmpty(path) ? null : SessionState.Path.GetUnresolvedProviderPathFromPSPath(path);
}
