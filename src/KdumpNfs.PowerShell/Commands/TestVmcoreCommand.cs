using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>Test-Vmcore: whether a dump can be read.</summary>
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
