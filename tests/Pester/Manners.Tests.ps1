BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $connection = $server.Connection
    $transports = @('OpenSsh') + $(if (Test-Path (Join-Path $moduleFolder private)) { 'SshNet' })
    $dead = Get-FreePort
    $commands = Get-Command -Module KdumpNfs
    $common = [System.Management.Automation.PSCmdlet]::CommonParameters + [System.Management.Automation.PSCmdlet]::OptionalCommonParameters
    function Invoke-Fresh([scriptblock] $Script, [object[]] $Argument) { & pwsh -NoProfile -NonInteractive -Command $Script -args $Argument }
}

AfterAll {
    Get-KdumpSession | Remove-KdumpSession
    Stop-TestServer $server
}

Describe 'The face of the cmdlets' {
    It 'has singular nouns' {
        # English nouns that end in s without being many.
        $commands.Noun | Where-Object { $_ -match '[^s]s$' -and $_ -notin 'KdumpStatus', 'KdumpReadiness', 'KdumpInitramfs' } | Should -BeNullOrEmpty
    }

    It 'takes only what a command is about by position, in one order' {
        foreach ($command in $commands) {
            foreach ($set in $command.ParameterSets) {
                $positional = $set.Parameters | Where-Object { $_.Position -ge 0 } | Sort-Object Position
                $positional.Count | Should -BeLessOrEqual 2 -Because $command.Name
                $positional.Position | Select-Object -Unique | Should -HaveCount @($positional).Count -Because "$($command.Name): no two have one place"
                $positional | Where-Object { $_.ParameterType -eq [switch] } | Should -BeNullOrEmpty -Because $command.Name
            }
        }
    }

    It 'has no parameter that is named in another way than PowerShell''s own' {
        foreach ($command in $commands) {
            foreach ($parameter in $command.Parameters.Values | Where-Object Name -NotIn $common) {
                $parameter.Name | Should -Match '^[A-Z][A-Za-z0-9]+$' -Because $command.Name
                if ($parameter.ParameterType -eq [bool]) { throw "$($command.Name) -$($parameter.Name) is a bool; PowerShell people write a switch." }
                if ($parameter.Name -match '(Password|Passphrase)$') { $parameter.ParameterType | Should -Be ([securestring]) }
            }
        }
    }

    It 'asks before what is dangerous' {
        (Get-Command Invoke-SysrqCrash, Invoke-KdumpDrill, Remove-Vmcore, Disable-Kdump).ForEach({ [System.Management.Automation.CommandMetadata]::new($_).ConfirmImpact }) | Select-Object -Unique | Should -Be High
        foreach ($command in $commands | Where-Object { $_.Parameters.ContainsKey('WhatIf') }) {
            [System.Management.Automation.CommandMetadata]::new($command).ConfirmImpact | Should -BeIn 'Medium', 'High', 'Low' -Because $command.Name
        }
    }
}

Describe 'Errors and streams' {
    It 'fill -ErrorVariable and -OutVariable, and + adds to them' {
        if (Skip-Without $server) { return }
        $null = '127.0.0.1', 'no such host' | Get-KdumpStatus @connection -OutVariable out -ErrorVariable failed -ErrorAction SilentlyContinue
        $null = '127.0.0.1' | Get-KdumpStatus @connection -OutVariable +out -ErrorVariable +failed -ErrorAction SilentlyContinue
        $out | Should -HaveCount 2
        $out[0] | Should -BeOfType KdumpNfs.Kdump.KdumpStatus
        $failed | Should -HaveCount 1
        $failed[0].TargetObject | Should -Be 'no such host'
    }

    It 'end a pipeline with -ErrorAction Stop, and leave nothing behind' {
        { 1..5 | ForEach-Object { '127.0.0.1' } | Get-KdumpStatus -Port $dead -Transport OpenSsh -ErrorAction Stop } | Should -Throw -ErrorId 'Unreachable,*'
        Assert-NoSshClient
    }

    It 'keep objects, errors, warnings, stories and what is for information apart' {
        if (Skip-Without $server) { return }
        $all = '127.0.0.1', 'no such host' | Get-KdumpStatus @connection -ErrorAction Continue -Verbose -Debug *>&1
        @($all | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] }) | Should -HaveCount 1
        @($all | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }).Count | Should -BeGreaterThan 0
        @($all | Where-Object { $_ -is [System.Management.Automation.InformationRecord] }) | Should -HaveCount 0 -Because 'nothing is written to the host'
        @($all | Where-Object { $_ -isnot [System.Management.Automation.ErrorRecord] -and $_.GetType().Name -notlike '*Record' }) | Should -BeOfType KdumpNfs.Kdump.KdumpStatus
        # Not a byte goes past the streams of PowerShell.
        $folder = New-Item -ItemType Directory "$TestDrive/streams"
        Set-Content "$folder/run.ps1" 'param($module, $user, $port, $key, $known) Import-Module $module; $null = "127.0.0.1", "no such host" | Get-KdumpStatus -UserName $user -Port $port -KeyFilePath $key -KnownHostsFile $known -ErrorAction SilentlyContinue'
        $said = & pwsh -NoProfile -NonInteractive -File "$folder/run.ps1" $moduleFolder $connection.UserName $connection.Port $connection.KeyFilePath $connection.KnownHostsFile 2>&1
        $said | Should -BeNullOrEmpty
    }

    It 'never hold a password, in transcripts, stories and errors included' {
        if (Skip-Without $server) { return }
        Invoke-Fresh -Argument $moduleFolder, $connection, "$TestDrive/transcript.txt", $transports {
            param($module, $connection, $file, $transports)
            Import-Module $module
            $secure = { ConvertTo-SecureString "xyzzy-$args" -AsPlainText -Force }
            $password, $sudo, $passphrase = (& $secure password), (& $secure sudo), (& $secure passphrase)
            $credential = [pscredential]::new($connection.UserName, $password)
            $null = Start-Transcript $file -IncludeInvocationHeader
            foreach ($transport in $transports) {
                Get-KdumpStatus 127.0.0.1 @connection -Transport $transport -SudoPassword $sudo -KeyPassphrase $passphrase -Verbose -Debug
                $session = New-KdumpSession 127.0.0.1 @connection -Transport $transport -KeyPassphrase $passphrase -Verbose
                $session | Format-List * | Out-String
                $session | ConvertTo-Json -Depth 5 -WarningAction SilentlyContinue
            }
            Get-KdumpStatus 127.0.0.1 -Port $connection.Port -KnownHostsFile $connection.KnownHostsFile -Credential $credential -Verbose -Debug
            $Error | Format-List * -Force | Out-String -Width 500
            $Error.ForEach({ "$($_.Exception)" })
            $null = Stop-Transcript
        } *> "$TestDrive/said.txt"
        Get-Content "$TestDrive/transcript.txt", "$TestDrive/said.txt" -Raw | Should -Not -Match 'xyzzy'
        Get-Content "$TestDrive/transcript.txt" -Raw | Should -Match 'Get-KdumpStatus|Connected through'
    }
}

Describe 'Work beside the prompt' {
    It 'goes with ForEach-Object -Parallel' {
        if (Skip-Without $server) { return }
        $names = 1..4 | ForEach-Object -ThrottleLimit 4 -Parallel {
            Import-Module $using:moduleFolder
            $connection = $using:connection
            (Get-KdumpStatus 127.0.0.1 @connection).HostName
        }
        $names | Should -Be (@('127.0.0.1') * 4)
    }

    It 'goes with <_>, and what comes back is shown by its view' -ForEach 'Start-Job', 'Start-ThreadJob' {
        if (Skip-Without $server) { return }
        if (-not (Get-Command $_ -ErrorAction Ignore)) { Set-ItResult -Skipped -Because "this PowerShell has no $_"; return }
        $job = & $_ -ScriptBlock {
            param($module, $connection)
            Import-Module $module
            Get-KdumpStatus 127.0.0.1 @connection
        } -ArgumentList $moduleFolder, $connection
        try {
            $status = $job | Wait-Job -Timeout 120 | Receive-Job
            $status.HostName | Should -Be 127.0.0.1
            ($status | Format-Table | Out-String -Width 120) | Should -Match 'NotReadyReason'
        }
        finally {
            $job | Remove-Job -Force
        }
    }
}

Describe 'Sessions with rules of their own' {
    It 'may be in ConstrainedLanguage' {
        if (Skip-Without $server) { return }
        $out = Invoke-Fresh -Argument $moduleFolder, $connection {
            param($module, $connection)
            Import-Module $module
            $ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
            $status = Get-KdumpStatus 127.0.0.1 @connection
            $status.HostName
            ($status | Format-Table | Out-String -Width 120) -match 'NotReadyReason'
            ($status | Format-List | Out-String -Width 120) -match 'BootId|KernelRelease'
            try { [System.IO.File]::Exists('/') } catch { 'constrained' }
        }
        $out | Should -Be '127.0.0.1', $true, $true, 'constrained'
    }

    It 'may have nothing but this module' {
        if (Skip-Without $server) { return }
        $state = [initialsessionstate]::Create()
        $state.LanguageMode = 'FullLanguage'
        # Without this provider PowerShell itself finds no module.
        $state.Providers.Add([initialsessionstate]::CreateDefault2().Providers.Where({ $_.Name -eq 'FileSystem' })[0])
        $state.ImportPSModule((Join-Path $moduleFolder KdumpNfs.psd1))
        $state.ThrowOnRunspaceOpenError = $true
        $space = [runspacefactory]::CreateRunspace($state)
        $space.Open()
        try {
            $shell = [powershell]::Create($space)
            $null = $shell.AddCommand('Get-KdumpStatus').AddParameter('HostName', '127.0.0.1').AddParameters($connection)
            $status = $shell.Invoke()
            "$($shell.Streams.Error)" | Should -BeNullOrEmpty
            $status.HostName | Should -Be 127.0.0.1
            $space.SessionStateProxy.InvokeCommand.GetCommands('*', 'Cmdlet, Function, Alias', $true).Name | Sort-Object | Should -Be ($commands.Name | Sort-Object)
            $shell.Dispose()
        }
        finally {
            $space.Dispose()
        }
    }

    It 'may speak <_>: what hosts say and what is given means the same' -ForEach 'tr-TR', 'de-DE', 'ar-SA' {
        if (Skip-Without $server) { return }
        $out = Invoke-Fresh -Argument $moduleFolder, $connection, $_ {
            param($module, $connection, $culture)
            $ErrorActionPreference = 'Stop'
            [cultureinfo]::CurrentCulture = $culture
            [cultureinfo]::CurrentUICulture = $culture
            [cultureinfo]::DefaultThreadCurrentCulture = $culture
            Import-Module $module
            [cultureinfo]::CurrentCulture.Name
            $status = Get-KdumpStatus 127.0.0.1 @connection
            "$($status.State) $($status.KernelRelease) $($status.ReservedBytes) $($status.NotReadyReason -join ' ')"
            # 'i' and 'I' are not a pair in Turkish; ',' separates decimals in German.
            try { Remove-Vmcore 127.0.0.1 @connection -ExportPath /nowhere -MaxBytes 1.5GB -WhatIf } catch { $_.FullyQualifiedErrorId }
            [KdumpNfs.Kdump.DumpLevel] 'free, zero'
        }
        $here = Get-KdumpStatus 127.0.0.1 @connection
        $out[0] | Should -Be $_
        $out[1] | Should -Be "$($here.State) $($here.KernelRelease) $($here.ReservedBytes) $($here.NotReadyReason -join ' ')"
        [KdumpNfs.Kdump.DumpLevel] "$($out[-1])" | Should -Be ([KdumpNfs.Kdump.DumpLevel] 17)
    }
}

Describe 'What a cmdlet gives' {
    It 'is shown by the same view after it was deserialized' {
        foreach ($type in $commands.OutputType.Type | Where-Object { $_.Namespace -like 'KdumpNfs*' } | Sort-Object -Unique FullName) {
            if (Get-FormatData -TypeName $type.FullName -PowerShellVersion 7.4) {
                Get-FormatData -TypeName "Deserialized.$($type.FullName)" -PowerShellVersion 7.4 | Should -Not -BeNullOrEmpty -Because $type.FullName
            }
        }
    }

    It 'can be made by a mock, which the next cmdlet takes: with -Property, ::new or a hashtable' {
        function Test-Rack { @(Get-KdumpStatus rack7).Where({ $_.State -eq 'NotReady' }) }
        Mock Get-KdumpStatus {
            [KdumpNfs.Kdump.KdumpStatus] @{ HostName = 'web01'; State = 'NotReady'; Family = 'RedHat'; NotReadyReason = [KdumpNfs.Kdump.NotReadyReason[]] @('TargetMissing', 'MemoryNotReserved') }
            New-Object KdumpNfs.Kdump.KdumpStatus -Property @{ HostName = 'web02'; State = 'Configured'; ReservedBytes = 256MB }
        }
        $bad = Test-Rack
        $bad.HostName | Should -Be web01
        $bad.NotReadyReason | Should -Contain TargetMissing
        ($bad | Format-Table | Out-String -Width 120) | Should -Match 'web01 +NotReady'
        Should -Invoke Get-KdumpStatus -Times 1 -Exactly
    }

    It 'can be made by a test: <_>' -ForEach @(
        'KdumpNfs.Kdump.KdumpStatus', 'KdumpNfs.Kdump.KdumpTargetChange', 'KdumpNfs.Collection.VmcoreDump', 'KdumpNfs.Crash.SysrqCrash', 'KdumpNfs.Nfs.NfsExport'
        'KdumpNfs.Readiness.HostReadiness', 'KdumpNfs.Fleet.FailedHost', 'KdumpNfs.Drills.KdumpDrill'
    ) {
        $type = $_ -as [type]
        $type | Should -Not -BeNullOrEmpty
        $type.GetConstructors().Count | Should -BeGreaterThan 0 -Because 'New-Object and ::new need one'
    }
}
