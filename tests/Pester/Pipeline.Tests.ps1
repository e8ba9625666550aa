BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer -Stub @{
        # An NFS server whose every question is answered from here; nothing of this machine's own is asked or changed.
        exportfs  = 'exit 0'
        systemctl = 'printf "Id=nfs-server.service\nNames=nfs-server.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n"'
    }
    $slow = Start-TestServer -Stub @{ exportfs = 'sleep 300' }
    $transports = @('OpenSsh') + $(if (Test-Path (Join-Path $moduleFolder private)) { 'SshNet' })

    # Runs a script in a pipeline of its own, stops it after a while, and tells how long stopping took.
    function Measure-Stop([scriptblock] $Script, [object[]] $Argument, [int] $After = 3000) {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript('param($module) Import-Module $module').AddArgument($moduleFolder).Invoke()
            $shell.Commands.Clear()
            $null = $shell.AddScript($Script)
            $Argument.ForEach({ $null = $shell.AddArgument($_) })
            $run = $shell.BeginInvoke()
            Start-Sleep -Milliseconds $After
            $run.IsCompleted | Should -BeFalse -Because 'there is something to stop'
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            $watch.Elapsed
        }
        finally {
            $shell.Dispose()
        }
    }
}

AfterAll {
    Stop-TestServer $server
    Stop-TestServer $slow
}

Describe 'The end of a pipeline' {
    It 'cleans up after Select-Object -First' {
        if (Skip-Without $server) { return }
        $silent = Start-SilentServer
        try {
            $connection = $server.Connection.Clone()
            $connection.Remove('Port')
            $hosts = @(1..5 | ForEach-Object { [pscustomobject]@{ HostName = '127.0.0.1'; Port = $silent.LocalEndpoint.Port } }) + @([pscustomobject]@{ HostName = '127.0.0.1'; Port = $server.Port })
            foreach ($transport in $transports) {
                $watch = [Diagnostics.Stopwatch]::StartNew()
                $first = $hosts | Get-KdumpStatus @connection -Transport $transport | Select-Object -First 1
                $first.HostName | Should -Be 127.0.0.1
                # The silent ones have 30 seconds left.
                $watch.Elapsed.TotalSeconds | Should -BeLessThan 20
                Assert-NoSshClient
            }
        }
        finally {
            $silent.Stop()
        }
    }

    It 'cleans up after an error upstream' {
        $silent = Start-SilentServer
        try {
            $port = $silent.LocalEndpoint.Port
            { & { '127.0.0.1'; Start-Sleep 1; throw 'upstream' } | Get-KdumpStatus -Port $port -Transport OpenSsh } | Should -Throw 'upstream'
            Assert-NoSshClient
        }
        finally {
            $silent.Stop()
        }
    }

    It 'gives the prompt back within a second of Ctrl-C while connecting' {
        if (Skip-Without $server) { return }
        $silent = Start-SilentServer
        try {
            foreach ($transport in $transports) {
                $took = Measure-Stop { param($port, $key, $transport) 1..20 | ForEach-Object { '127.0.0.1' } | Get-KdumpStatus -Port $port -KeyFilePath $key -Transport $transport } $silent.LocalEndpoint.Port, $server.Connection.KeyFilePath, $transport
                $took.TotalSeconds | Should -BeLessThan 1.5
                Assert-NoSshClient
            }
        }
        finally {
            $silent.Stop()
        }
    }

    It 'gives the prompt back within a second of Ctrl-C while a host works' {
        if (Skip-Without $slow) { return }
        foreach ($transport in $transports) {
            $took = Measure-Stop -After 6000 { param($connection, $transport) '127.0.0.1', '127.0.0.1' | Get-NfsExport @connection -Transport $transport } $slow.Connection, $transport
            $took.TotalSeconds | Should -BeLessThan 1.5
            Assert-NoSshClient
        }
    }

    It 'writes results as they finish' {
        if (Skip-Without $server) { return }
        $silent = Start-SilentServer
        try {
            $connection = $server.Connection.Clone()
            $connection.Remove('Port')
            $seen = [System.Collections.Generic.List[string]]::new()
            [pscustomobject]@{ HostName = 'localhost'; Port = $silent.LocalEndpoint.Port }, [pscustomobject]@{ HostName = '127.0.0.1'; Port = $server.Port } |
                Get-KdumpStatus @connection -ConnectingTimeout 15000 -IncludeFailed -ErrorAction SilentlyContinue | ForEach-Object { $seen.Add($_.HostName) }
            $seen | Should -Be '127.0.0.1', 'localhost'
        }
        finally {
            $silent.Stop()
        }
    }

    It 'survives Export-Clixml and Export-Csv' {
        if (Skip-Without $server) { return }
        $connection = $server.Connection
        $status = Get-KdumpStatus 127.0.0.1 @connection
        $status | Export-Clixml $TestDrive/status.xml
        $copy = Import-Clixml $TestDrive/status.xml
        $copy.PSTypeNames | Should -Contain Deserialized.KdumpNfs.Kdump.KdumpStatus
        $copy.HostName, ($copy.State -as [KdumpNfs.Kdump.KdumpState]), $copy.BootId | Should -Be $status.HostName, $status.State, $status.BootId
        ($copy | Format-Table | Out-String -Width 120) | Should -Match 'NotReadyReason'
        $status | Export-Csv $TestDrive/status.csv
        (Import-Csv $TestDrive/status.csv | Get-KdumpStatus -KnownHostsFile $connection.KnownHostsFile).BootId | Should -Be $status.BootId
    }
}

Describe '-WhatIf and -Confirm' {
    BeforeAll {
        # What-if texts go to the host, not to a stream: only another process shows them.
        function Invoke-Shell([string] $Command, [switch] $Interactive) {
            $setup = "Import-Module '$moduleFolder'; `$c = @{ UserName = '$($server.Connection.UserName)'; Port = $($server.Port); KeyFilePath = '$($server.Folder)/user'; KnownHostsFile = '$($server.Folder)/known_hosts' };"
            $shell = (Get-Command pwsh -CommandType Application | Select-Object -First 1).Source
            & $shell -NoProfile -NonInteractive -Command "`$PSStyle.OutputRendering = 'PlainText'; $setup $Command" 2>&1 | Out-String
        }
    }

    It 'shows the change as a diff and writes nothing' {
        if (Skip-Without $server) { return }
        $before = Get-Content /etc/exports -Raw -ErrorAction Ignore
        $out = Invoke-Shell 'Enable-NfsExport 127.0.0.1 @c -ExportPath /tmp -DumpPath /kdumpnfs -Client 192.0.2.0/24 -WhatIf'
        $out | Should -Match 'What if: Export /tmp to 192\.0\.2\.0/24'
        $out | Should -Match '(?m)^\+/tmp\s+192\.0\.2\.0/24\(.*no_root_squash'
        $out | Should -Match 'starts nfs-server\.service'
        Get-Content /etc/exports -Raw -ErrorAction Ignore | Should -Be $before
        '/tmp/kdumpnfs' | Should -Not -Exist
    }

    It 'honours $WhatIfPreference' {
        if (Skip-Without $server) { return }
        $out = Invoke-Shell '$WhatIfPreference = $true; Enable-NfsExport 127.0.0.1 @c -ExportPath /tmp -DumpPath /kdumpnfs -Client 192.0.2.1'
        $out | Should -Match 'What if:'
        '/tmp/kdumpnfs' | Should -Not -Exist
    }

    It 'lists the hosts before a crash, each machine once, and crashes nobody with -WhatIf, not even with -Force' {
        if (Skip-Without $server) { return }
        $out = Invoke-Shell "'127.0.0.1', 'localhost' | Invoke-SysrqCrash @c -AllowNotReady -WhatIf -Force -HostKeyPolicy Off"
        $out | Should -Match 'What if: Crash the kernel of this host'
        $out | Should -Match 'is the same machine as'
    }

    It 'refuses to crash when nobody can be asked' {
        if (Skip-Without $server) { return }
        $out = Invoke-Shell 'try { Invoke-SysrqCrash 127.0.0.1 @c -AllowNotReady } catch { $_.FullyQualifiedErrorId }'
        $out | Should -Match 'ConfirmationRequired,KdumpNfs.PowerShell.InvokeSysrqCrashCommand'
    }

    It 'refuses a host that is not ready' {
        if (Skip-Without $server) { return }
        $out = Invoke-Shell 'Invoke-SysrqCrash 127.0.0.1 @c -WhatIf -ErrorAction SilentlyContinue -ErrorVariable e; "$($e.FullyQualifiedErrorId)"'
        if ((Get-KdumpStatus 127.0.0.1 -Port $server.Port -KeyFilePath "$($server.Folder)/user" -KnownHostsFile "$($server.Folder)/known_hosts").State -eq 'Configured') {
            Set-ItResult -Skipped -Because 'this machine is ready'
            return
        }
        $out | Should -Match 'NotReady,'
    }
}

Describe 'Dumps of a local path' {
    BeforeAll {
        $store = New-Item -ItemType Directory "$TestDrive/crash"
        $directory = New-Item -ItemType Directory "$store/192.0.2.7-2026-03-01-10:20:30"
        Set-Content "$directory/vmcore" 'no dump at all'
        Set-Content "$directory/vmcore-dmesg.txt" "[   95.1] Kernel panic - not syncing: sysrq triggered crash"
        (Get-ChildItem $directory).ForEach({ $_.LastWriteTime = '2026-03-01' })
        (Get-Item $directory).LastWriteTime = '2026-03-01'
    }

    It 'lists them' {
        $dump = Get-Vmcore -LiteralPath $store
        $dump | Should -BeOfType KdumpNfs.Collection.VmcoreDump
        $dump.CrashedHost | Should -Be 192.0.2.7
        $dump.State | Should -Not -Be Complete
        $dump.PanicReason | Should -Match 'sysrq triggered crash'
    }

    It 'filters by hosts: <Name>' -ForEach @(
        @{ Name = 'an address'; Filter = '192.0.2.7'; Count = 1 }
        @{ Name = 'another address'; Filter = '192.0.2.8'; Count = 0 }
        @{ Name = 'a crash object'; Filter = [pscustomobject]@{ CrashedHost = 'web01'; SourceAddress = '192.0.2.7'; Identities = @() }; Count = 1 }
        @{ Name = 'a status'; Filter = [pscustomobject]@{ HostName = 'web01'; Identities = '10.0.0.1', '192.0.2.7' }; Count = 1 }
    ) {
        $Filter | Get-Vmcore -LiteralPath $store | Should -HaveCount $Count
    }

    It 'does not give all dumps for an object that names no host' {
        42 | Get-Vmcore -LiteralPath $store -ErrorAction SilentlyContinue -ErrorVariable failure | Should -BeNullOrEmpty
        $failure.FullyQualifiedErrorId | Should -BeLike 'HostNameMissing,*'
    }

    It 'says when the directory is missing' {
        Get-Vmcore -LiteralPath "$TestDrive/none" -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -BeLike 'VmcoreDirectoryMissing,*'
    }

    It 'does not even begin to crash when the store cannot be listed' {
        $script:begun = $false
        { & { $script:begun = $true; 'web01' } | Wait-Vmcore -LiteralPath "$TestDrive/none" } | Should -Throw -ErrorId 'VmcoreDirectoryMissing,*'
        $begun | Should -BeFalse
    }

    It 'gives up waiting in time, with an error of its own' {
        'web01' | Wait-Vmcore -LiteralPath $store -TimeoutSec 2 -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -BeLike 'VmcoreTimeout,*'
        $failure.CategoryInfo.Category | Should -Be OperationTimeout
        $failure.TargetObject | Should -Be web01
    }
}
