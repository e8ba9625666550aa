using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>Export-VmcoreBundle: packs what is known of a crash for whoever gets the case, secrets masked.</summary>
/// <remarks>
/// <para>Makes one tar.gz for each crash: the report as text and JSON, the kernel's log, what the capture left beside the dump, with -CrashedHost the
/// kdump configuration and state of the host, and SHA256SUMS. README.txt in it says what is not there and why. The dump itself is packed only with
/// -IncludeDump.</para>
/// <para>Passwords, tokens, keys and the like are masked in all texts. Nothing is masked in a dump. Archives are readable for their owner alone.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash -Since (Get-Date).AddDays(-1) | Export-VmcoreBundle -Destination ./cases
/// </code>
/// <para>Packs the crashes of the last day.</para>
/// </example>
/// <example>
/// <code>
/// Export-VmcoreBundle /data/nfs_share/var/crash/10.0.0.7-2026-11-22-10:05:50/vmcore -StoreHost storage -CrashedHost web01 -IncludeDump
/// </code>
/// <para>Packs one crash with its dump and with the configuration of the host.</para>
/// </example>
/// <note>The directory of -Destination has to be there.</note>
/// <seealso cref="GetVmcoreReportCommand"/>
/// <seealso cref="ReceiveVmcoreCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsData.Export, "VmcoreBundle", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(VmcoreBundle))]
public sealed class ExportVmcoreBundleCommand : DumpCmdlet
{
    private ExportVmcoreBundleOperation _operation = null!;

    /// <summary>The directory of this machine that archives are put into; it must be there.</summary>
    [Parameter(Position = 1)]
    public string Destination { get; set; } = ".";

    /// <summary>Packs the dump itself, too. It is the memory of a server: nothing in it is masked.</summary>
    [Parameter]
    public SwitchParameter IncludeDump { get; set; }

    /// <summary>Replaces an archive of the same name.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>The host that crashed, or a session to it: its kdump configuration and state are packed. One that does not answer is left out with a warning.</summary>
    [Parameter]
    [HostNameTransformation]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string[]? CrashedHost { get; set; }

    /// <summary>Login name on the host that crashed.</summary>
    [Parameter]
    public string? CrashedHostUserName { get; set; }

    /// <summary>Port of its SSH server.</summary>
    [Parameter]
    [PortTransformation]
    public int? CrashedHostPort { get; set; }

    /// <summary>Private key file for it.</summary>
    [Parameter]
    public string? CrashedHostKeyFilePath { get; set; }

    /// <summary>How many of the log's last lines the report has.</summary>
    [Parameter]
    [ValidateRange(0, 100_000)]
    public int LogLines { get; set; } = ReportBuilder.DefaultLogLines;

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        if (CrashedHost is { Length: > 1 })
        {
            throw Refused("More than one crashed host was given.", "Give the host of the crash; pipe dumps of one host at a time.");
        }

        _operation = new ExportVmcoreBundleOperation(Access, Dumps)
        {
            Destination = ResolveFile(Destination, nameof(Destination)),
            IncludeDump = IncludeDump,
            Force = Force,
            CrashedHost = CrashedHost is [{ } host] ? MakeHost(host, CrashedHostUserName, CrashedHostPort, CrashedHostKeyFilePath) : null,
            LogLines = LogLines,
        };
    }

    /// <inheritdoc/>
    protected override bool Agreed(DumpPlace place) =>
        Ask(() => ShouldProcess(place.Store is null ? place.Path : $"{place.Name}:{place.Path}", $"Pack into {_operation.Destination}"));

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(DumpPlace place) =>
        async (context, token) => context.Output(await _operation.RunAsync(place, context, token));
}
