# Real relays: sshds of this test with PowerShell as their subsystem, and another sshd that is every host of 127.0.2.0/24.
BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $script = Join-Path $PSScriptRoot '../../docs/runbooks/Invoke-Sharded.ps1'
    $sshd = Find-Sshd
    $pwsh = (Get-Command pwsh -CommandType Application | Select-Object -First 1).Source
    $user = [Environment]::UserName
    $started = [Collections.Generic.List[object]]::new()

    function Start-Relay([string] $Name, [string] $Address, [string] $ModulePath) {
        $port = Get-FreePort
        $process = Start-Sshd $keys $Address $port "PSModulePath=$ModulePath" "Subsystem powershell $pwsh -sshs -NoLogo -NoProfile" $Name
        $started.Add($process)
        "[$Address]:$port $hostKey" | Add-Content "$keys/known_relays"
        [pscustomobject]@{ HostName = $Address; Port = $port; UserName = $user; KeyFilePath = "$keys/user"; Name = $Name; Process = $process }
    }

    function Skip-WithoutRelay {
        if (-not $sshd) { Set-ItResult -Skipped -Because 'there is no sshd on this machine' }
        elseif ($IsWindows) { Set-ItResult -Skipped -Because 'relays are Linux machines' }
        else { return $false }
        $true
    }

    if ($sshd -and -not $IsWindows) {
        $keys = "$(New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "kdumpnfs-$([Guid]::NewGuid().ToString('n'))"))"
        foreach ($key in 'host', 'user') { ssh-keygen -q -t ed25519 -N '' -C test -f "$keys/$key" }
        Copy-Item "$keys/user.pub" "$keys/authorized"
        chmod 600 "$keys/authorized"
        $hostKey = (Get-Content "$keys/host.pub") -replace ' test$'
        # What the relays use has a name that breaks where anything is spliced.
        $odd = "$keys/it's a `"relay`" `$HOME"
        $null = New-Item -ItemType Directory $odd
        Copy-Item "$keys/user" "$odd/user"
        chmod 600 "$odd/user"
        $fleetPort = Get-FreePort
        "[127.0.2.*]:$fleetPort $hostKey" | Set-Content "$odd/known hosts"
        # 127.0.2.9 answers when it is let to.
        $started.Add((Start-Sshd $keys 0.0.0.0 $fleetPort '' 'Match LocalAddress 127.0.2.9', "ForceCommand while [ ! -e $keys/go ] && [ -d $keys ]; do sleep 0.1; done; exec sh -c `"`$SSH_ORIGINAL_COMMAND`"" fleet))
        $modules = Split-Path (Convert-Path $moduleFolder)
        $one = Start-Relay one 127.0.1.1 $modules
        $two = Start-Relay two 127.0.1.2 $modules
        $bare = Start-Relay bare 127.0.1.3 $keys
        $login = @{ UserName = $user; Port = $fleetPort; KeyFilePath = "$odd/user"; KnownHostsFile = "$odd/known hosts"; ConnectingTimeout = 90000 }
        $way = @{ ConnectingTimeout = 60000; RelayOption = @{ UserKnownHostsFile = "$keys/known_relays" } }
    }
}

AfterAll {
    foreach ($process in $started) { Stop-Sshd $process }
    if ($keys) { Remove-Item -LiteralPath $keys -Recurse -Force }
}

Describe 'A list over relays' {
    It 'comes back merged, with views, error ids and one answer for each host; relays that cannot be used say why' {
        if (Skip-WithoutRelay) { return }
        $dead = [pscustomobject]@{ HostName = '127.0.1.4'; Port = Get-FreePort; UserName = $user; KeyFilePath = "$keys/user"; Name = 'dead' }
        $hosts = 1..6 | ForEach-Object { "127.0.2.$_" }
        $out = $hosts + 'no such host' + $hosts[0] |
            & $script Get-KdumpStatus $login -Relay $one, $two, $bare, $dead @way -Split Hash -SliceSize 2 -ThrottleLimit 6 -ErrorAction SilentlyContinue -ErrorVariable failed -WarningAction SilentlyContinue -WarningVariable warned

        $out.HostName | Sort-Object | Should -Be $hosts -Because "every one is answered; errors: $failed"
        $out.Relay | Sort-Object -Unique | Should -Be one, two
        $out.ForEach({ $_.psobject.TypeNames[0] }) | Sort-Object -Unique | Should -Be 'Deserialized.KdumpNfs.Kdump.KdumpStatus'
        $table = $out | Format-Table | Out-String -Width 120
        $table | Should -Match 'HostName +State +Reserved +Target +NotReadyReason'
        $table | Should -Not -Match 'Relay|PSComputerName'
        $out[0].CheckedAt | Should -Not -BeNullOrEmpty
        "$warned" | Should -BeLike '*127.0.2.1 is in the list more than once*'

        # The id and target of the cmdlet there; not an error more.
        $byId = $failed | Group-Object { $_.FullyQualifiedErrorId -replace ',.*' } -AsHashTable -AsString
        $byId.Keys | Sort-Object | Should -Be InvalidInput, RelayModuleMissing, RelayUnreachable
        $byId.Values | ForEach-Object { $_ | Should -HaveCount 1 }
        $byId.InvalidInput.FullyQualifiedErrorId | Should -Be 'InvalidInput,KdumpNfs.PowerShell.GetKdumpStatusCommand'
        $byId.InvalidInput.TargetObject | Should -Be 'no such host'
        $byId.InvalidInput.OriginInfo.PSComputerName | Should -BeLike 127.0.1.*
        $byId.RelayModuleMissing.TargetObject | Should -Be bare
        $byId.RelayModuleMissing.ErrorDetails.RecommendedAction | Should -BeLike "*$((Get-Module KdumpNfs).Version)*"
        $byId.RelayUnreachable.TargetObject | Should -Be dead
        $byId.RelayUnreachable.ErrorDetails.RecommendedAction | Should -BeLike "*ssh -s -p $($dead.Port) $user@127.0.1.4 powershell*"
        Assert-NoSshClient
    }

    It 'is a change: of a relay that dies, what has no answer is Unknown and goes nowhere else' {
        if (Skip-WithoutRelay) { return }
        $victim = Start-Relay victim 127.0.1.5 $modules
        $parameter = $login + @{ NfsServer = 'storage'; Export = '/data/nfs_share' }
        $out = '127.0.2.1', '127.0.2.9' | & $script Set-KdumpNfsTarget $parameter -Relay $victim @way -ErrorAction Continue 2>&1 | ForEach-Object {
            # The first answer comes while the other host is still at work.
            if ($_.TargetObject -eq '127.0.2.1') { Stop-Sshd $victim.Process }
            $_
        }
        $failed = @($out | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] })
        $failed | Where-Object { $_.TargetObject -eq '127.0.2.1' } | ForEach-Object { $_.FullyQualifiedErrorId } | Should -BeLike '*,KdumpNfs.PowerShell.SetKdumpNfsTargetCommand'
        ($failed | Where-Object { $_.TargetObject -eq '127.0.2.9' }).FullyQualifiedErrorId | Should -BeLike 'AnswerLost,*'
        ($failed | Where-Object { $_.TargetObject -eq 'victim' }).FullyQualifiedErrorId | Should -BeLike 'RelayLost,*'
        $failed | Should -HaveCount 3
        $unknown = @($out | Where-Object { $_ -isnot [System.Management.Automation.ErrorRecord] })
        $unknown | Should -HaveCount 1
        $unknown.HostName, $unknown.State, $unknown.ErrorId, $unknown.Relay | Should -Be '127.0.2.9', 'Unknown', 'AnswerLost', 'victim'
        ($unknown | Format-Table | Out-String -Width 120) | Should -Match '127\.0\.2\.9 +Unknown +AnswerLost'
    }

    It 'is a read: the hosts of a relay that dies go to another one' {
        if (Skip-WithoutRelay) { return }
        $victim = Start-Relay again 127.0.1.6 $modules
        $hosts = 1..4 + 9 | ForEach-Object { "127.0.2.$_" }
        $out = $hosts | & $script Get-KdumpStatus $login -Relay $victim, $one @way -ErrorAction SilentlyContinue -ErrorVariable failed -WarningAction SilentlyContinue | ForEach-Object {
            if (-not $victim.Process.HasExited) {
                Stop-Sshd $victim.Process
                $null = New-Item "$keys/go"
            }
            $_
        }
        $out.HostName | Sort-Object | Should -Be $hosts -Because "every one is answered; errors: $failed"
        $failed.FullyQualifiedErrorId | Should -BeLike 'RelayLost,*'
        $failed.TargetObject | Should -Be again
        ($out | Where-Object HostName -EQ '127.0.2.9').Relay | Should -Be one
    }

    It 'runs a script block, stops after too many failures, and leaves nobody without an answer' {
        if (Skip-WithoutRelay) { return }
        $hosts = 1..12 | ForEach-Object { [pscustomobject]@{ HostName = "h$_"; Rack = "it's `"$_`"" } }
        $out = $hosts | & $script -Relay $one @way -OneEach -SliceSize 4 -ThrottleLimit 4 -MaxFailure 2 -ArgumentList 'a "b" c''d $e' -ErrorAction SilentlyContinue -ErrorVariable failed -ScriptBlock {
            param($word)
            foreach ($h in $input) {
                if ($h.HostName -in 'h2', 'h3', 'h4') { Write-Error "no $($h.HostName)" -ErrorId Broken -TargetObject $h.HostName; continue }
                if ($h.HostName -eq 'h1') { [pscustomobject]@{ HostName = $h.HostName; Word = $word; Rack = $h.Rack; Pid = $PID } }
            }
        }
        $first = $out | Where-Object HostName -EQ h1
        $first.Word, $first.Rack | Should -Be 'a "b" c''d $e', "it's `"1`""
        ($out | Where-Object State -EQ NotStarted).HostName | Should -Be (5..12 | ForEach-Object { "h$_" })
        @($out) | Should -HaveCount 9
        @($failed | Where-Object { $_.FullyQualifiedErrorId -like 'Broken*' }).TargetObject | Should -Be h2, h3, h4
        @($failed | Where-Object { $_.FullyQualifiedErrorId -like 'NotStarted,*' }) | Should -HaveCount 8
    }

    It 'ends on its relays when it is stopped' {
        if (Skip-WithoutRelay) { return }
        Remove-Item "$keys/go" -ErrorAction Ignore
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript({
                    param($module, $script, $login, $relay, $way)
                    Import-Module $module
                    '127.0.2.1', '127.0.2.9' | & $script Get-KdumpStatus $login -Relay $relay @way
                }).AddArgument((Convert-Path $moduleFolder)).AddArgument($script).AddArgument($login).AddArgument($one).AddArgument($way)
            $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
            $run = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
            for ($i = 0; $i -lt 1200 -and $output.Count -eq 0; $i++) { Start-Sleep -Milliseconds 50 }
            # By index: enumerating a collection that is still open waits for its end.
            $output[0].HostName | Should -Be 127.0.2.1
            $run.IsCompleted | Should -BeFalse -Because 'results come while others are still waited for'
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 5
        }
        finally {
            $shell.Dispose()
        }
        Assert-NoSshClient
        for ($i = 0; $i -lt 60; $i++) {
            $left = @(Get-Process -Name 'sshd*' -ErrorAction Ignore | Where-Object { $_.Parent.Id -eq $one.Process.Id })
            if ($left.Count -eq 0) { break }
            Start-Sleep -Milliseconds 50
        }
        $left | Should -HaveCount 0 -Because 'the session on the relay has ended'
    }

    It 'refuses what cannot be sharded before it connects' {
        $password = ConvertTo-SecureString x -AsPlainText -Force
        { 'a' | & $script Get-KdumpStatus @{ SudoPassword = $password } -Relay r } | Should -Throw '*secret*' -ErrorId 'InvalidInput,Invoke-Sharded.ps1'
        { 'a' | & $script Get-KdumpStatus @{ Nonsense = 1 } -Relay r } | Should -Throw '*no parameter -Nonsense*'
        { 'a' | & $script Set-KdumpNfsTarget @{ BatchSize = 1 } -Relay r } | Should -Throw '*-BatchSize*'
        { 'a' | & $script Invoke-KdumpDrill -Relay r } | Should -Throw '*one machine*'
        { 'a' | & $script Convert-Vmcore -Relay r } | Should -Throw '*takes no hosts*'
        { 'a' | & $script Get-Process -Relay r } | Should -Throw '*no cmdlet of KdumpNfs*'
        { 'a' | & $script -ScriptBlock { $using:password } -Relay r } | Should -Throw '*-ArgumentList*'
        { 'a' | & $script Get-KdumpStatus -Relay 'a b' } | Should -Throw '*no relay*'
        { 'a' | & $script Get-KdumpStatus -Relay r, r } | Should -Throw '*twice*'
        'a' | & $script Set-KdumpNfsTarget @{ NfsServer = 'storage' } -Relay 127.0.1.9 -WhatIf | Should -BeNullOrEmpty
    }
}
