BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer -Stub @{
        exportfs  = 'exit 0'
        systemctl = 'printf "Id=nfs-server.service\nNames=nfs-server.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n"'
        # Asks as sudo does with -S and runs the command when the answer is right.
        sudo      = @'
prompt=
[ "$1" = -S ] || { echo "sudo: a password is required" >&2; exit 1; }
prompt=$3
shift 4
printf %s "$prompt" >&2
IFS= read -r answer
while [ "$answer" != "open sesame" ]; do
  printf 'Sorry, try again.\n%s' "$prompt" >&2
  IFS= read -r answer || { echo "sudo: no password was provided" >&2; exit 1; }
done
exec "$@"
'@
    }
    $connection = $server.Connection
    $transports = @('OpenSsh') + $(if (Test-Path (Join-Path $moduleFolder private)) { 'SshNet' })
    function Get-LoginCount { @(Select-String -LiteralPath "$($server.Log)" -Pattern 'Accepted publickey' -SimpleMatch).Count }
}

AfterAll {
    Get-KdumpSession | Remove-KdumpSession
    Stop-TestServer $server
}

Describe 'Sessions' {
    AfterEach { Get-KdumpSession | Remove-KdumpSession }

    It 'make a pipeline of three cmdlets one handshake a host' {
        if (Skip-Without $server) { return }
        foreach ($transport in $transports) {
            $before = Get-LoginCount
            $session = New-KdumpSession 127.0.0.1 @connection -Transport $transport
            $result = $session | Get-KdumpStatus | Get-NfsExport -Session $session
            $result = Get-KdumpStatus -Session $session | Enable-NfsExport -Session $session -ExportPath /tmp -Client 192.0.2.1 -WhatIf
            $status = Get-KdumpStatus -Session $session
            $status.HostName, $status.BootId | Should -Be 127.0.0.1, $session.BootId
            (Get-LoginCount) - $before | Should -Be 1
            $session.Transport | Should -Be $transport
            $session | Remove-KdumpSession
        }
    }

    It 'count one login more for each cmdlet without' {
        if (Skip-Without $server) { return }
        $before = Get-LoginCount
        $null = Get-KdumpStatus 127.0.0.1 @connection | Get-KdumpStatus -KnownHostsFile $connection.KnownHostsFile
        (Get-LoginCount) - $before | Should -Be 2
    }

    It 'are listed, found and removed' {
        if (Skip-Without $server) { return }
        $made = '127.0.0.1', 'localhost' | New-KdumpSession @connection -HostKeyPolicy Off
        $made | Should -HaveCount 2
        $made | Should -BeOfType KdumpNfs.Ssh.Sessions.KdumpSession
        (Get-KdumpSession).Id | Should -Be ($made.Id | Sort-Object)
        (Get-KdumpSession local*).HostName | Should -Be localhost
        (Get-KdumpSession -Id $made[0].Id).HostName | Should -Be $made[0].HostName
        Get-KdumpSession -State Broken | Should -BeNullOrEmpty
        $made[0].State, $made[0].UserName | Should -Be Opened, $connection.UserName
        ($made | Format-Table | Out-String -Width 120) | Should -Match 'Opened'
        Remove-KdumpSession -HostName localhost -WhatIf
        Get-KdumpSession | Should -HaveCount 2
        Remove-KdumpSession -HostName localhost
        (Get-KdumpSession).HostName | Should -Be 127.0.0.1
        Get-KdumpSession localhost -ErrorAction SilentlyContinue -ErrorVariable failure | Should -BeNullOrEmpty
        $failure.FullyQualifiedErrorId | Should -BeLike 'SessionNotFound,*'
        Get-KdumpSession none* -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'serve the host that an earlier cmdlet''s object names, and no other' {
        if (Skip-Without $server) { return }
        $session = New-KdumpSession 127.0.0.1 @connection
        $status = '127.0.0.1', 'web01' | Get-KdumpStatus -Session $session -ErrorAction SilentlyContinue -ErrorVariable failure
        $status.HostName | Should -Be 127.0.0.1
        $failure.FullyQualifiedErrorId | Should -BeLike 'SessionNotFound,*'
        $failure.TargetObject | Should -Be web01
    }

    It 'have connected already: <_> is refused beside them' -ForEach 'UserName', 'KeyFilePath', 'KnownHostsFile' {
        if (Skip-Without $server) { return }
        $session = New-KdumpSession 127.0.0.1 @connection
        $more = @{ $_ = $connection[$_] }
        { Get-KdumpStatus -Session $session @more } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'say that they were closed' {
        if (Skip-Without $server) { return }
        $session = New-KdumpSession 127.0.0.1 @connection
        Remove-KdumpSession $session
        $session.State | Should -Be Closed
        Get-KdumpStatus -Session $session -ErrorAction SilentlyContinue -ErrorVariable failure | Should -BeNullOrEmpty
        $failure.FullyQualifiedErrorId | Should -BeLike 'SessionClosed,*'
        $session | Get-KdumpStatus -ErrorAction SilentlyContinue -ErrorVariable failure | Should -BeNullOrEmpty
        $failure.FullyQualifiedErrorId | Should -BeLike 'SessionClosed,*'
    }

    It 'reach a store' {
        if (Skip-Without $server) { return }
        $session = New-KdumpSession 127.0.0.1 @connection
        $null = New-Item -ItemType Directory "$TestDrive/share/192.0.2.7-2026-03-01-10:20:30" -Force
        $before = Get-LoginCount
        (Get-Vmcore -Session $session "$TestDrive/share").CrashedHost | Should -Be 192.0.2.7
        Get-LoginCount | Should -Be $before
    }

    It 'read and keep dumps on a store, and refuse those of another' {
        if (Skip-Without $server) { return }
        $session = New-KdumpSession 127.0.0.1 @connection
        $null = New-Item -ItemType Directory "$TestDrive/share/192.0.2.8-2026-03-01-10:20:30" -Force
        Set-Content "$TestDrive/share/192.0.2.8-2026-03-01-10:20:30/vmcore" 'no dump at all'
        (Get-ChildItem "$TestDrive/share/192.0.2.8-2026-03-01-10:20:30").ForEach({ $_.LastWriteTime = '2026-03-01' })
        (Get-Item "$TestDrive/share/192.0.2.8-2026-03-01-10:20:30").LastWriteTime = '2026-03-01'
        $before = Get-LoginCount
        $dump = Get-Vmcore -Session $session "$TestDrive/share" | Where-Object CrashedHost -EQ 192.0.2.8
        $dump | Test-Vmcore -Session $session -ErrorAction SilentlyContinue -ErrorVariable failure
        ($dump | Receive-Vmcore -Session $session -Destination "$TestDrive/got").LocalPath | Should -Exist
        ($dump | Set-VmcoreHold -Session $session -Reason test).Held | Should -BeTrue
        Test-Path "$($dump.Path)/.hold" | Should -BeTrue
        Get-LoginCount | Should -Be $before
        [pscustomobject]@{ Path = $dump.Path; StoreHost = 'other' } | Clear-VmcoreHold -Session $session -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -BeLike 'SessionNotFound,*'
        { $dump | Get-VmcoreReport -Session $session -StoreHost other } | Should -Throw -ErrorId 'InvalidInput,*'
        { $dump | Get-VmcoreReport -Session $session -UserName other } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'are taken by every cmdlet that connects' {
        # Convert-Vmcore works on this machine, settings belong to it; a journal names its hosts with the way to them.
        $without = Get-Command -Module KdumpNfs | Where-Object { -not $_.Parameters.ContainsKey('Session') } | ForEach-Object Name
        $without | Should -Be 'Convert-Vmcore', 'Get-KdumpPreference', 'Get-KdumpSession', 'Measure-KdumpStorm', 'New-KdumpSession', 'Resume-KdumpDrill', 'Set-KdumpPreference'
    }

    It 'end with the module' {
        if (Skip-Without $server) { return }
        $script = {
            param($module, $connection)
            Import-Module $module
            $session = New-KdumpSession 127.0.0.1 @connection -Transport OpenSsh
            Remove-Module KdumpNfs
            "$($session.State) $(@(Get-Process -Name ssh -ErrorAction Ignore | Where-Object { $_.Parent.Id -eq $PID }).Count)"
        }
        & pwsh -NoProfile -NonInteractive -Command $script -args $moduleFolder, $connection | Should -Be 'Closed 0'
    }
}

Describe 'sudo with a password' {
    It 'gets it when it asks, and nobody else does' {
        if (Skip-Without $server) { return }
        $password = ConvertTo-SecureString 'open sesame' -AsPlainText -Force
        foreach ($transport in $transports) {
            $story = Get-KdumpStatus 127.0.0.1 @connection -Transport $transport -SudoPassword $password -Verbose 4>&1
            ($story | Where-Object { $_ -is [KdumpNfs.Kdump.KdumpStatus] }).HostName | Should -Be 127.0.0.1
            "$story" | Should -Not -Match 'sesame'
        }
    }

    It 'says at once that it is wrong' {
        if (Skip-Without $server) { return }
        foreach ($transport in $transports) {
            Get-KdumpStatus 127.0.0.1 @connection -Transport $transport -SudoPassword (ConvertTo-SecureString 'guess work' -AsPlainText -Force) -ErrorAction SilentlyContinue -ErrorVariable failure
            $failure.FullyQualifiedErrorId | Should -BeLike 'SudoPasswordWrong,*'
            $failure.CategoryInfo.Category | Should -Be AuthenticationError
            "$failure" | Should -Not -Match 'guess work'
        }
    }

    It 'is told what to do without one' {
        if (Skip-Without $server) { return }
        Get-KdumpStatus 127.0.0.1 @connection -Sudo -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -BeLike 'SudoRefused,*'
        $failure[0].ErrorDetails.RecommendedAction | Should -Match '-SudoPassword'
    }
}

Describe 'A key with a passphrase' {
    It 'is opened with -KeyPassphrase' {
        if (Skip-Without $server) { return }
        ssh-keygen -q -t ed25519 -N 'open sesame' -C test -f "$TestDrive/locked"
        Get-Content "$TestDrive/locked.pub" | Add-Content "$($server.Folder)/authorized"
        $locked = $connection.Clone()
        $locked.KeyFilePath = "$TestDrive/locked"
        foreach ($transport in $transports) {
            (Get-KdumpStatus 127.0.0.1 @locked -Transport $transport -KeyPassphrase (ConvertTo-SecureString 'open sesame' -AsPlainText -Force)).HostName | Should -Be 127.0.0.1
            Get-KdumpStatus 127.0.0.1 @locked -Transport $transport -KeyPassphrase (ConvertTo-SecureString 'guess' -AsPlainText -Force) -ErrorAction SilentlyContinue -ErrorVariable failure
            $failure.FullyQualifiedErrorId | Should -BeLike 'KeyPassphraseWrong,*'
        }
    }
}

Describe 'Changes in batches' {
    BeforeAll {
        $dead = Get-FreePort
        function Enable-Test([string[]] $Name, [hashtable] $More) {
            $Name | Enable-Sysrq @More -Port $dead -Scope Boot -WhatIf -ErrorAction SilentlyContinue -ErrorVariable +script:failures
        }
    }
    BeforeEach { $script:failures = @() }

    It 'stop after a canary that failed, and everybody gets an answer' {
        Enable-Test (1..5 | ForEach-Object { "127.0.0.$_" }) @{ BatchSize = 1 }
        $failures.FullyQualifiedErrorId -replace ',.*' | Should -Be 'Unreachable', 'NotStarted', 'NotStarted', 'NotStarted', 'NotStarted'
        $failures[4].TargetObject | Should -Be 127.0.0.5
    }

    It 'grow by a list of sizes, and stop when too many fail' {
        $names = 1..8 | ForEach-Object { "127.0.0.$_" }
        $names | Enable-Sysrq -Port $dead -Scope Boot -WhatIf -BatchSize 1, 2, 50% -MaxFailure 2 -ErrorAction SilentlyContinue -ErrorVariable failures
        @($failures.FullyQualifiedErrorId -like 'Unreachable,*').Count | Should -Be 3
        @($failures.FullyQualifiedErrorId -like 'NotStarted,*').Count | Should -Be 5
    }

    It 'give objects for those not started with -IncludeFailed' {
        $out = '127.0.0.1', '127.0.0.2' | Enable-Sysrq -Port $dead -Scope Boot -WhatIf -BatchSize 1 -IncludeFailed -ErrorAction SilentlyContinue
        $out.ErrorId | Should -Be 'Unreachable', 'NotStarted'
    }

    It 'refuse <_> before any host is contacted' -ForEach '0', 'many', '120%' {
        { Enable-Sysrq 127.0.0.1 -Port $dead -BatchSize $_ -WhatIf } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'are there on every change' {
        # Triggers are bound by -MaxDown; what works on one store or on sessions of this process has no fleet.
        $changes = Get-Command -Module KdumpNfs | Where-Object { $_.Parameters.ContainsKey('WhatIf') -and $_.Parameters.ContainsKey('HostName') -and $_.Noun -notin 'KdumpSession', 'SysrqCrash' -and $_.Name -ne 'Send-Sysrq' }
        $changes.Count | Should -BeGreaterThan 5
        foreach ($command in $changes) {
            $command.Parameters.Keys | Should -Contain 'BatchSize' -Because $command.Name
            $command.Parameters.Keys | Should -Contain 'MaxFailure' -Because $command.Name
        }
    }
}
