using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Set-CrashKernelReservation: reserves memory for the capture kernel from the next boot on. Reboots nothing.</summary>
/// <remarks>
/// <para>Sets crashkernel= in the host's boot loader, with the distribution's own tool where it has one. Other arguments stay. The reservation comes with
/// the next boot; nothing is rebooted here. A host that boots from elsewhere (the network, a hypervisor's kernel) is refused and told the
/// argument.</para>
/// </remarks>
/// <example>
/// <code>
/// Set-CrashKernelReservation web01 -Recommended -WhatIf
/// </code>
/// <para>Shows what the distribution's default would change.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Set-CrashKernelReservation -Size 512M -BatchSize 1, 25%
/// </code>
/// <para>Reserves 512 MiB, on one host first, then on a quarter of all at a time.</para>
/// </example>
/// <example>
/// <code>
/// Set-CrashKernelReservation db01 -Size '1G,high', '256M,low'
/// </code>
/// <para>Reserves memory above 4 GiB and some below.</para>
/// </example>
/// <example>
/// <code>
/// Set-CrashKernelReservation build01 -ImageRoot /images/web -Size '1G-4G:192M,4G-64G:256M,64G-:512M'
/// </code>
/// <para>Puts it into an image on its build host, for hosts of any memory.</para>
/// </example>
/// <seealso cref="GetCrashKernelReservationCommand"/>
/// <seealso cref="InstallKdumpCommand"/>
[Cmdlet(VerbsCommon.Set, "CrashKernelReservation", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = SizeSet)]
[OutputType(typeof(CrashKernelChange))]
public sealed class SetCrashKernelReservationCommand : ChangeCmdlet
{
    private const string SizeSet = "Size";
    private const string RecommendedSet = "Recommended";
    private SetCrashKernelOperation _operation = null!;

    /// <summary>What stands after <c>crashkernel=</c>: <c>256M</c>, <c>1G-4G:192M,4G-:256M</c>, or <c>512M,high</c> and <c>128M,low</c>.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SizeSet)]
    [AllowEmptyString]
    [AllowEmptyCollection]
    [ArgumentCompleter(typeof(CrashKernelSizeCompleter))]
    public string[] Size { get; set; } = [];

    /// <summary>What each distribution's own tools set by default.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RecommendedSet)]
    public SwitchParameter Recommended { get; set; }

    /// <summary>Takes your word that a host boots from its own boot loader although nothing shows it.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <summary>A directory on the host, which is a build host then: the files of the image tree there are changed instead of the host itself, and the image's own update-grub or
    /// grub2-mkconfig runs where the tree has a menu. The image's hosts have the reservation from their first boot on.</summary>
    [Parameter]
    public string? ImageRoot { get; set; }

    /// <inheritdoc/>
    protected override bool IsForced => Force;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new SetCrashKernelOperation(
        Access, CrashKernelRequest.Create(ParameterSetName == SizeSet ? Size : null, Recommended))
    {
        TrustBootLoader = Force,
        ImageRoot = ImageRoot is null ? null : TargetInput.CheckImageRoot(ImageRoot),
    };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => _operation.RunAsync(host, machineId, context, token);
    }
}
