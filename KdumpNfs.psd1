@{
    RootModule           = 'KdumpNfs.PowerShell.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = 'b7a2f2c4-53a5-4f0e-9a37-6a0f0c8c2d51'
    Author               = 'The KdumpNfs authors'
    CompanyName          = 'KdumpNfs'
    Copyright            = 'The KdumpNfs authors. MIT license.'
    Description          = 'Kernel crash dumps of a fleet of Linux servers on central NFS storage: readiness, configuration, deliberate crashes, collection of vmcores. Works over SSH; the hosts need no agent.'
    PowerShellVersion    = '7.4'
    CompatiblePSEditions = @('Core')
    # The engine's types have to be there for type literals such as [KdumpNfs.Kdump.DumpLevel] before any cmdlet ran.
    RequiredAssemblies   = @('KdumpNfs.dll', 'KdumpNfs.Vmcore.dll')
    FormatsToProcess     = @(
        'KdumpNfs.Format.ps1xml'
        'KdumpNfs.Collection.Format.ps1xml'
        'KdumpNfs.Crash.Format.ps1xml'
        'KdumpNfs.Drills.Format.ps1xml'
        'KdumpNfs.Kdump.Format.ps1xml'
        'KdumpNfs.Nfs.Format.ps1xml'
        'KdumpNfs.Preferences.Format.ps1xml'
        'KdumpNfs.Readiness.Format.ps1xml'
        'KdumpNfs.Sessions.Format.ps1xml'
        'KdumpNfs.Setup.Format.ps1xml'
        'KdumpNfs.Storms.Format.ps1xml'
        'KdumpNfs.Vmcores.Format.ps1xml'
    )
    TypesToProcess       = @('KdumpNfs.Types.ps1xml')
    CmdletsToExport      = @(
        'Clear-VmcoreHold'
        'Convert-Vmcore'
        'Disable-Kdump'
        'Disable-NfsExport'
        'Disable-Sysrq'
        'Enable-NfsExport'
        'Enable-Sysrq'
        'Export-VmcoreBundle'
        'Find-UncapturedCrash'
        'Get-CrashKernelReservation'
        'Get-KdumpPreference'
        'Get-KdumpSession'
        'Get-KdumpStatus'
        'Get-KernelPanicPolicy'
        'Get-NfsExport'
        'Get-Vmcore'
        'Get-VmcoreDmesg'
        'Get-VmcoreEstimate'
        'Get-VmcoreReport'
        'Install-Kdump'
        'Invoke-KdumpDrill'
        'Invoke-KdumpPlan'
        'Invoke-SysrqCrash'
        'Measure-KdumpStorm'
        'New-KdumpSession'
        'Receive-Vmcore'
        'Remove-KdumpSession'
        'Remove-Vmcore'
        'Restore-KdumpConfiguration'
        'Restore-KernelPanicPolicy'
        'Resume-KdumpDrill'
        'Send-Sysrq'
        'Set-CrashKernelReservation'
        'Set-KdumpLocalTarget'
        'Set-KdumpNfsTarget'
        'Set-KdumpPreference'
        'Set-KdumpSshTarget'
        'Set-KernelPanicPolicy'
        'Set-VmcoreHold'
        'Test-KdumpReadiness'
        'Test-Vmcore'
        'Update-KdumpInitramfs'
        'Wait-Vmcore'
    )
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    PrivateData          = @{
        PSData = @{
            Tags = @('Linux', 'kdump', 'vmcore', 'NFS', 'crash', 'kernel', 'SSH', 'PSEdition_Core')
        }
    }
}
