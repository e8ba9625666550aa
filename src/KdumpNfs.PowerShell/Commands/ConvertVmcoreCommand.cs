using System.Management.Automation;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>Convert-Vmcore: rearranges a flattened dump of this machine (makedumpfile -F) into the format inside it.</summary>
/// <remarks>
/// <para>A dump that makedumpfile wrote with -F, through a pipe, is flattened: a chain of records that most programs cannot read. This cmdlet puts the
/// records where they belong, as makedumpfile -R does, without a copy in memory. The new file appears under its name when it is whole.</para>
/// <para>The other cmdlets read flattened dumps as they are; convert only for programs that do not, such as crash or drgn.</para>
/// </remarks>
/// <example>
/// <code>
/// Convert-Vmcore ./vmcore.flat ./vmcore
/// </code>
/// <para>Makes a dump that crash can open.</para>
/// </example>
/// <example>
/// <code>
/// Get-ChildItem ./dumps -Recurse -Filter vmcore.flat | ForEach-Object { Convert-Vmcore $_.FullName "$($_.DirectoryName)/vmcore" -Force }
/// </code>
/// <para>Converts all flattened dumps below a directory, each beside its source.</para>
/// </example>
/// <note>A dump on a store has to be fetched first, with Receive-Vmcore.</note>
/// <seealso cref="TestVmcoreCommand"/>
/// <seealso cref="ReceiveVmcoreCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsData.Convert, "Vmcore", SupportsShouldProcess = true)]
[OutputType(typeof(VmcoreConversion))]
public sealed class ConvertVmcoreCommand : ConnectingCmdlet
{
    private string _path = "", _destination = "";

    /// <summary>The flattened dump.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [Alias("Path", "PSPath")]
    public string LiteralPath { get; set; } = "";

    /// <summary>The new file.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    public string Destination { get; set; } = "";

    /// <summary>Replaces a file that is there already.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Not used: the dump is on this machine. Here so that all commands take the same parameters.</summary>
    [Parameter(DontShow = true)]
    public string? UserName { get; set; }

    /// <summary>Not used, like UserName.</summary>
    [Parameter(DontShow = true)]
    [PortTransformation]
    public int? Port { get; set; }

    /// <summary>Not used, like UserName.</summary>
    [Parameter(DontShow = true)]
    [Alias("IdentityFilePath")]
    public string? KeyFilePath { get; set; }

    /// <inheritdoc/>
    protected override void Prepare()
    {
        if (string.IsNullOrWhiteSpace(LiteralPath) || string.IsNullOrWhiteSpace(Destination))
        {
            throw Refused("A path is empty.", "Give the flattened dump and the new file.");
        }

        _path = ResolveFile(LiteralPath, nameof(LiteralPath));
        _destination = ResolveFile(Destination, nameof(Destination));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (ShouldProcess(_destination, "Convert-Vmcore"))
        {
            var force = Force.IsPresent;
            Fleet.Start(_path, async (context, token) => context.Output(await ConvertVmcoreOperation.RunAsync(_path, _destination, force, context, token)));
        }

        base.EndProcessing();
    }
}
