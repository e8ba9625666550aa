using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>Test-Vmcore: whether a dump can be read.</summary>
/// <remarks>
/// <para>Opens a dump and checks what a program for analysis would need: headers, notes, the map of pages, the kernel's log. -Full unpacks every page.
/// Problem says what is wrong; damaged and missing pages are counted.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-ChildItem ./dumps -Recurse -Filter vmcore | Test-Vmcore -Full | Where-Object { -not $_.Passed }
/// </code>
/// <para>Dumps of this machine with damaged pages.</para>
/// </example>
/// <example>
/// <code>
/// Test-Vmcore /data/nfs_share/var/crash/10.0.0.7-2026-11-22-10:05:50/vmcore -StoreHost storage -Quiet
/// </code>
/// <para>$true or $false for a dump on the store.</para>
/// </example>
/// <seealso cref="GetVmcoreCommand"/>
/// <seealso cref="ReceiveVmcoreCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsDiagnostic.Test, "Vmcore")]
[OutputType(typeof(VmcoreTest), typeof(bool))]
public sealed class TestVmcoreCommand : DumpCmdlet
{
    /// <summary>Reads and unpacks every page, on all cores; without it, the structure and the kernel's log.</summary>
    [Parameter]
    public SwitchParameter Full { get; set; }

    /// <summary>Gives only $true or $false. A file that cannot be opened is $false, and an error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    public override void Output(object value) => base.Output(Quiet && value is VmcoreTest test ? test.Passed : value);

    /// <inheritdoc/>
    public override void Failed(HostException failure)
    {
        base.Failed(failure);
        if (Quiet)
        {
            WriteObject(false);
        }
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(DumpPlace place)
    {
        var full = Full.IsPresent;
        return async (context, token) => context.Output(await TestVmcoreOperation.RunAsync(Dumps, place, full, context, token));
    }
}
