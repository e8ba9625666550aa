BeforeAll {
    $names = @(
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
    . $PSScriptRoot/Fixture.ps1
}

Describe 'The module' {
    It 'has a valid manifest' {
        $manifest = Test-ModuleManifest (Join-Path $moduleFolder 'KdumpNfs.psd1')
        $manifest.Version | Should -BeGreaterOrEqual ([version]'0.1.0')
        $manifest.PowerShellVersion | Should -Be ([version]'7.4')
    }

    It 'exports exactly its cmdlets' {
        (Get-Command -Module KdumpNfs).Name | Sort-Object | Should -Be $names
        (Get-Module KdumpNfs).ExportedAliases.Count + (Get-Module KdumpNfs).ExportedVariables.Count | Should -Be 0
    }

    It 'uses approved verbs and says what it gives' {
        $approved = (Get-Verb).Verb
        foreach ($command in Get-Command -Module KdumpNfs) {
            $command.Verb | Should -BeIn $approved
            $command.OutputType.Count | Should -BeGreaterThan 0 -Because $command.Name
        }
    }

    It 'supports -WhatIf on every change' {
        foreach ($command in Get-Command -Module KdumpNfs | Where-Object Verb -NotIn 'Get', 'Wait', 'Test', 'Find', 'Measure', 'New') {
            $command.Parameters.Keys | Should -Contain 'WhatIf' -Because $command.Name
            $command.Parameters.Keys | Should -Contain 'Confirm' -Because $command.Name
        }
    }

    It 'bounds what hosts do to one store at once' {
        $bounded = Get-Command -Module KdumpNfs | Where-Object { $_.Parameters.ContainsKey('StoreLimit') } | ForEach-Object Name
        $bounded | Should -Be 'Install-Kdump', 'Invoke-KdumpPlan', 'Restore-KdumpConfiguration', 'Set-KdumpNfsTarget', 'Set-KdumpSshTarget', 'Test-KdumpReadiness', 'Update-KdumpInitramfs'
        { Test-KdumpReadiness 127.0.0.1 -Probe -StoreLimit 0 } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'has the connection parameters of PowerShell''s own remoting' {
        # What only looks at sessions of this process, or simulates, connects to nobody; a journal names its hosts with the way to them.
        foreach ($command in Get-Command -Module KdumpNfs | Where-Object Name -NotIn 'Get-KdumpSession', 'Remove-KdumpSession', 'Resume-KdumpDrill', 'Get-KdumpPreference', 'Set-KdumpPreference', 'Measure-KdumpStorm') {
            foreach ($name in 'UserName', 'Port', 'KeyFilePath', 'ConnectingTimeout', 'ThrottleLimit', 'Credential', 'Sudo', 'IncludeFailed') {
                $command.Parameters.Keys | Should -Contain $name -Because $command.Name
            }
            $command.Parameters['KeyFilePath'].Aliases | Should -Contain 'IdentityFilePath'
        }
        (Get-Command Get-KdumpStatus).Parameters['HostName'].Aliases | Should -Be 'ComputerName', 'Cn'
    }

    It 'binds nothing else from pipeline objects' {
        foreach ($command in Get-Command -Module KdumpNfs) {
            $bound = $command.Parameters.Values | Where-Object { $_.Attributes.ValueFromPipelineByPropertyName -contains $true }
            # Sizes and speeds of a simulated host come from its object.
            $bound.Name | Where-Object { -not ($command.Name -eq 'Measure-KdumpStorm' -and $_ -in 'DumpBytes', 'DumpLowBytes', 'HostBandwidth') } | Where-Object { $_ -notin 'HostName', 'UserName', 'Port', 'KeyFilePath', 'MachineId', 'ConsoleHost', 'Console', 'ConsoleKind' } | Should -BeNullOrEmpty -Because $command.Name
        }
    }

    It 'resolves type literals' {
        [KdumpNfs.Kdump.KdumpStatus].Name | Should -Be 'KdumpStatus'
        [KdumpNfs.Vmcore.VmcoreFormat].IsEnum | Should -BeTrue
        [KdumpNfs.Kdump.DumpLevel] 'Zero, Free' | Should -Be ([KdumpNfs.Kdump.DumpLevel] 17)
    }

    It 'has a table and a list view of at most 120 characters for <_>' -ForEach @(
        'KdumpNfs.Kdump.KdumpStatus'
        'KdumpNfs.Kdump.KdumpTargetChange'
        'KdumpNfs.Kdump.KdumpPlan'
        'KdumpNfs.Kdump.HostVmcoreEstimate'
        'KdumpNfs.Kdump.KdumpBackup'
        'KdumpNfs.Nfs.NfsExport'
        'KdumpNfs.Nfs.NfsExportChange'
        'KdumpNfs.Crash.SysrqChange'
        'KdumpNfs.Crash.SysrqCrash'
        'KdumpNfs.Collection.VmcoreDump'
        'KdumpNfs.Fleet.FailedHost'
        'KdumpNfs.Ssh.Sessions.KdumpSession'
        'KdumpNfs.Setup.CrashKernelReservation'
        'KdumpNfs.Setup.CrashKernelChange'
        'KdumpNfs.Collection.ReceivedVmcore'
        'KdumpNfs.Collection.VmcoreRemoval'
        'KdumpNfs.Collection.VmcoreHold'
        'KdumpNfs.Drills.KdumpDrill'
        'KdumpNfs.Setup.KdumpInstallation'
        'KdumpNfs.Setup.KdumpDisabling'
        'KdumpNfs.Setup.KdumpInitramfsChange'
        'KdumpNfs.Nfs.NfsExportRemoval'
        'KdumpNfs.Vmcores.VmcoreBundle'
    ) {
        $_ -as [type] | Should -Not -BeNullOrEmpty
        $views = Get-FormatData -TypeName $_
        $controls = $views.FormatViewDefinition.Control
        $table = $controls | Where-Object { $_ -is [System.Management.Automation.TableControl] }
        $table | Should -Not -BeNullOrEmpty
        $controls | Where-Object { $_ -is [System.Management.Automation.ListControl] } | Should -Not -BeNullOrEmpty
        # A column without a width takes what is left: it needs some room.
        ($table.Headers | ForEach-Object { 1 + ($_.Width ? $_.Width : 15) } | Measure-Object -Sum).Sum | Should -BeLessOrEqual 121
    }
}
