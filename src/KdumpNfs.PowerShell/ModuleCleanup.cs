using System.Management.Automation;

namespace KdumpNfs.PowerShell;

/// <summary>Runs at Remove-Module.</summary>
public sealed class ModuleCleanup : IModuleAssemblyCleanup
{
    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        Sessions.CloseAll();
        Connectors.Release();
    }
}
