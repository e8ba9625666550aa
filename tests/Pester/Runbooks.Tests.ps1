# The runbooks of docs/runbooks: crash intake against a real SSH server with real dumps; drill rotation with drills that are played, because nobody crashes
# this machine. The rack that is played here is taken in for real by tests/Integration/Fleet/RackTests.cs.
BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $runbooks = (Resolve-Path "$PSScriptRoot/../../docs/runbooks").Path
    $samples = (Resolve-Path "$PSScriptRoot/../Unit/Vmcore/samples").Path

    # Runs a runbook as a script of this process; gives its exit status, and in $script:out what it gave.
    function Invoke-Runbook([string] $name, [hashtable] $with) {
        $global:LASTEXITCODE = $null
        $script:out = & "$runbooks/$name.ps1" @with -PassThru
        $LASTEXITCODE
    }
}

Describe 'The runbooks' {
    It 'have help for every parameter and an example: <_>' -ForEach 'Add-Rack', 'Crash-Intake', 'Drill-Rotation' {
        $help = Get-Help "$runbooks/$_.ps1" -Full
        $help.Synopsis | Should -Not -BeNullOrEmpty
        @($help.examples.example).Count | Should -BeGreaterThan 1
        $own = (Get-Command "$runbooks/$_.ps1").Parameters.Keys | Where-Object { $_ -notin [Management.Automation.Cmdlet]::CommonParameters -and $_ -notin 'WhatIf', 'Confirm' }
        ($help.parameters.parameter | Where-Object { -not $_.description.Text -and $_.name -notin 'WhatIf', 'Confirm' }).name | Should -BeNullOrEmpty
        $own | Where-Object { $_ -notin $help.parameters.parameter.name } | Should -BeNullOrEmpty
    }

    It 'read lists of hosts as CSV and as JSON alike, and refuse what is none' {
        Import-Module "$runbooks/Runbook.psm1"
        try {
            Set-Content "$TestDrive/list.csv" '# rack 7', 'HostName,Port,Cluster', 'web01,2222,a', '', 'web02,,b'
            Set-Content "$TestDrive/list.json" '[ { "HostName": "web01", "Port": 2222, "Cluster": "a" }, "web02" ]'
            foreach ($list in 'list.csv', 'list.json') {
                $read = Import-HostList "$TestDrive/$list"
                $read.HostName | Should -Be 'web01', 'web02'
                "$($read[0].Port)", $read[0].Cluster | Should -Be '2222', 'a'
                $read[1].PSObject.Properties['Port'] | Should -BeNullOrEmpty
            }
            foreach ($bad in 'HostName', "Name`nweb01", "HostName`nweb01`nWEB01") {
                Set-Content "$TestDrive/bad.csv" $bad
                { Import-HostList "$TestDrive/bad.csv" } | Should -Throw
            }
            $lock = Lock-Record "$TestDrive/record"
            try { { Lock-Record "$TestDrive/record" } | Should -Throw '*Another run*' } finally { $lock.Dispose() }
            Export-Report "$TestDrive/report.csv" @([pscustomobject] @{ HostName = 'web01'; Changed = @('Install', 'Target') })
            (Import-Csv "$TestDrive/report.csv").Changed | Should -Be 'Install; Target'
        }
        finally { Remove-Module Runbook }
    }
}

Describe 'The crash intake' {
    BeforeAll {
        $server = Start-TestServer
        $store = "$TestDrive/store"
        $dumps = "$store/var/crash"
        function Add-Crash([string] $name, [hashtable] $files, [datetime] $time = (Get-Date).AddHours(-3)) {
            $null = New-Item -ItemType Directory "$dumps/$name" -Force
            foreach ($file in $files.Keys) {
                Copy-Item "$samples/$($files[$file])" "$dumps/$name/$file" -Force
                (Get-Item "$dumps/$name/$file").LastWriteTime = $time
            }
            (Get-Item "$dumps/$name").LastWriteTime = $time
        }
        Add-Crash '192.0.2.7-2026-11-22-10:11:12' @{ vmcore = 'lzo.mini' }
        Add-Crash '192.0.2.8-2026-11-22-11:11:12' @{ vmcore = 'lzo.mini' }
        Add-Crash '192.0.2.9-2026-11-22-12:11:12' @{ 'vmcore-incomplete' = 'lzo.mini'; 'vmcore-dmesg.txt' = 'rhel-lzo.dmesg.txt' }
        if ($server) {
            $with = @{
                StoreHost = '127.0.0.1'; ExportPath = $store; DumpPath = '/var/crash'; StoreUserName = $server.Connection.UserName; StorePort = $server.Port
                StoreKeyFilePath = $server.Connection.KeyFilePath; KnownHostsFile = $server.Connection.KnownHostsFile
                Destination = "$TestDrive/here"; Record = "$TestDrive/intake.json"; BundlePath = "$TestDrive/cases"; Report = "$TestDrive/summary.json"
            }
        }
    }

    AfterAll { Stop-TestServer $server }

    It 'shows what is new and writes nothing with -WhatIf' {
        if (Skip-Without $server) { return }
        Invoke-Runbook Crash-Intake ($with + @{ WhatIf = $true }) | Should -Be 0
        $out.Pending.Count | Should -Be 3
        "$TestDrive/here", "$TestDrive/intake.json", "$TestDrive/intake.json.lock", "$TestDrive/summary.json" | Where-Object { Test-Path $_ } | Should -BeNullOrEmpty
    }

    It 'fetches, verifies, explains, groups and packs what is new' {
        if (Skip-Without $server) { return }
        Invoke-Runbook Crash-Intake $with | Should -Be 1 -Because 'one dump is not whole'
        $out.Failures | Should -BeNullOrEmpty
        $out.New.Count | Should -Be 3
        foreach ($name in '192.0.2.7-2026-11-22-10', '192.0.2.8-2026-11-22-11') {
            $one = $out.New | Where-Object StorePath -Like "*$name*"
            $one.Whole, $one.Kind, $one.CrashedHost | Should -Be $true, 'Sysrq', 'node1'
            (Get-FileHash "$($one.LocalPath)/vmcore").Hash | Should -Be (Get-FileHash "$samples/lzo.mini").Hash
            tar -tzf $one.Bundle | Should -Contain 'node1-20261122T100550Z/report.json'
        }
        $cut = $out.New | Where-Object StorePath -Like '*192.0.2.9*'
        $cut.Whole | Should -BeFalse
        $cut.Signature | Should -Not -BeNullOrEmpty -Because 'the log beside the dump tells why'
        $out.Findings | Should -HaveCount 1
        $out.Findings | Should -Match '192\.0\.2\.9.*not whole'
        # The log of the third tells of the same cause.
        $out.Groups | Should -HaveCount 1
        $out.Groups[0].Count, $out.Groups[0].New, ($out.Groups[0].Hosts -join ' ') | Should -Be 3, 3, '192.0.2.9 node1'
        $saved = Get-Content "$TestDrive/summary.json" -Raw | ConvertFrom-Json
        $saved.New.Count, $saved.Groups.Count | Should -Be 3, $out.Groups.Count
    }

    It 'does nothing twice' {
        if (Skip-Without $server) { return }
        $files = Get-ChildItem "$TestDrive/here", "$TestDrive/cases" -Recurse -File | Select-Object FullName, LastWriteTimeUtc
        Invoke-Runbook Crash-Intake $with | Should -Be 0
        $out.New | Should -BeNullOrEmpty
        $out.Groups[0].Count, $out.Groups[0].New | Should -Be 3, 0
        Get-ChildItem "$TestDrive/here", "$TestDrive/cases" -Recurse -File | Select-Object FullName, LastWriteTimeUtc | ConvertTo-Json | Should -Be ($files | ConvertTo-Json)
    }

    It 'takes in what has changed and leaves what is being written' {
        if (Skip-Without $server) { return }
        Remove-Item "$dumps/192.0.2.9-2026-11-22-12:11:12/vmcore-incomplete"
        Add-Crash '192.0.2.9-2026-11-22-12:11:12' @{ vmcore = 'lzo.mini' } (Get-Date).AddHours(-1)
        Add-Crash '192.0.2.10-2026-11-22-13:11:12' @{ 'vmcore-incomplete' = 'lzo.mini' } (Get-Date)
        Invoke-Runbook Crash-Intake $with | Should -Be 0
        $out.New.StorePath | Should -BeLike '*192.0.2.9*'
        $out.New.Whole | Should -BeTrue
        $out.Pending | Should -BeLike '*192.0.2.10*'
        $out.Groups[0].Count, $out.Groups[0].New, ($out.Groups[0].Hosts -join ' ') | Should -Be 3, 1, 'node1'
    }

    It 'tells what it could not fetch, and goes on in the next run' {
        if (Skip-Without $server) { return }
        Move-Item $dumps "$TestDrive/before"
        Add-Crash '192.0.2.11-2026-11-22-14:11:12' @{ vmcore = 'lzo.mini' }
        # What stands in the way here: a file where the directory is to be.
        Set-Content "$TestDrive/here/192.0.2.11-2026-11-22-14%3A11%3A12" 'in the way'
        Invoke-Runbook Crash-Intake $with | Should -Be 1
        $out.New | Should -BeNullOrEmpty
        $out.Failures | Should -HaveCount 1
        Remove-Item "$TestDrive/here/192.0.2.11-2026-11-22-14%3A11%3A12"
        Invoke-Runbook Crash-Intake $with | Should -Be 0
        $out.New.Whole | Should -BeTrue
        Remove-Item "$dumps/*" -Recurse
    }

    It 'finds crashes without a dump, tells of each once, and of hosts that cannot be asked always' {
        if (Skip-Without $server) { return }
        $boots = 1..2 | ForEach-Object {
            [KdumpNfs.Crash.UncleanBoot] @{
                HostName = 'web01'; BootId = "boot$_"; LastSeenAt = (Get-Date).AddDays(-$_); NextBootAt = (Get-Date).AddDays(-$_).AddMinutes(2)
                Verdict = $_ -eq 1 ? 'Uncaptured' : 'Unknown'; Evidence = [string[]] 'The journal ends without a shutdown.'
            }
        }
        Mock Find-UncapturedCrash { if ($HostName -eq 'web01') { $boots } elseif ($HostName -eq 'web02') { Write-Error 'web02 does not answer.' -ErrorId Unreachable -TargetObject web02 } }
        Set-Content "$TestDrive/fleet.csv" 'HostName', 'web01', 'web02'
        $fleet = $with + @{ HostList = "$TestDrive/fleet.csv"; UncapturedDays = 3 }
        Invoke-Runbook Crash-Intake $fleet | Should -Be 1
        $out.Uncaptured.HostName, $out.Uncaptured.Evidence | Should -Be 'web01', 'The journal ends without a shutdown.'
        $out.Failures.HostName, $out.Failures.ErrorId | Should -Be 'web02', 'Unreachable'
        Should -Invoke Find-UncapturedCrash -Times 2 -Exactly -ParameterFilter { $ExportPath -eq $store -and $StorePort -eq $server.Port -and [math]::Abs(((Get-Date) - $Since.LocalDateTime).TotalDays - 3) -lt 0.1 }
        Set-Content "$TestDrive/fleet.csv" 'HostName', 'web01'
        Invoke-Runbook Crash-Intake $fleet | Should -Be 0
        $out.Uncaptured | Should -BeNullOrEmpty
    }

    It 'ends with 2 when it cannot be made' {
        if (Skip-Without $server) { return }
        Invoke-Runbook Crash-Intake ($with + @{ ThrottleLimit = 0 }) | Should -Be 2
        $closed = $with.Clone()
        $closed.StorePort = Get-FreePort
        Invoke-Runbook Crash-Intake $closed | Should -Be 2
        $held = [IO.File]::Open("$TestDrive/intake.json.lock", 'OpenOrCreate', 'ReadWrite', 'None')
        try { Invoke-Runbook Crash-Intake $with | Should -Be 2 } finally { $held.Dispose() }
    }
}

Describe 'The drill rotation' {
    BeforeAll {
        # A fleet as its hosts tell of themselves, and drills that are played. What the record says of each comes from drills before.
        function Get-Played([string] $name, [string] $state, [double] $days) {
            $status = @{ HostName = $name; State = $state; MachineId = "machine-$name"; BootId = 'boot'; CheckedAt = [datetimeoffset]::Now }
            if ($state -eq 'Proven') { $status.ProvenAt = [datetimeoffset]::Now.AddDays(-$days) }
            if ($state -eq 'NotReady') { $status.NotReadyReason = [KdumpNfs.Kdump.NotReadyReason[]] 'TargetMissing'; $status.Findings = [string[]] 'No network target is configured.' }
            if ($state -eq 'Unknown') { $status.ErrorId = 'Unreachable'; $status.Findings = [string[]] 'It does not answer.' }
            [KdumpNfs.Kdump.KdumpStatus] $status
        }
        function Set-Fleet([hashtable] $states, [hashtable] $last = @{}) {
            Remove-Item "$TestDrive/rotation*" -Force -ErrorAction Ignore
            $script:fleet = $states
            $script:verdicts = @{}
            $script:crashed = [Collections.Generic.List[object]]::new()
            $states.Keys | Sort-Object | ForEach-Object { [pscustomobject] @{ HostName = $_; Cluster = $_[0] } } | Export-Csv "$TestDrive/fleet.csv"
            $hosts = @{}
            foreach ($name in $last.Keys) { $hosts[$name] = @{ At = [datetimeoffset]::Now.AddDays(-$last[$name][1]).UtcTicks; Verdict = $last[$name][0] } }
            if ($last.Count) { @{ Hosts = $hosts } | ConvertTo-Json -Depth 4 | Set-Content "$TestDrive/rotation.json" }
        }
        function Get-Record { (Get-Content "$TestDrive/rotation.json" -Raw | ConvertFrom-Json -AsHashtable).Hosts }
        $with = @{ HostList = "$TestDrive/fleet.csv"; Record = "$TestDrive/rotation.json"; StoreHost = 'storage'; ExportPath = '/data'; DumpPath = '/var/crash'; Report = "$TestDrive/rotation.csv" }
    }

    BeforeEach {
        Mock Get-KdumpStatus { $fleet["$HostName"] }
        Mock Invoke-KdumpDrill {
            $crashed.Add([pscustomobject] @{ HostName = "$HostName"; MachineId = $MachineId })
            $verdict = $verdicts["$HostName"] ? $verdicts["$HostName"] : 'Proven'
            [KdumpNfs.Drills.KdumpDrill] @{
                HostName = "$HostName"; Verdict = $verdict; Reason = $verdict -eq 'Proven' ? $null : "It was $verdict."; CompletedAt = [datetimeoffset]::UtcNow; CaptureTime = [timespan]::FromSeconds(40)
            }
            if ($verdict -ne 'Proven') { Write-Error "It was $verdict." -ErrorId $verdict -TargetObject "$HostName" }
        }
        Mock Resume-KdumpDrill { throw 'Nothing was cut.' }
    }

    It 'crashes nobody when nothing is due, and says so by its status' {
        Set-Fleet @{ a1 = Get-Played a1 Proven 3; b1 = Get-Played b1 Proven 80; c1 = Get-Played c1 NotSupported 0 }
        Invoke-Runbook Drill-Rotation $with | Should -Be 0
        Should -Invoke Invoke-KdumpDrill -Times 0 -Exactly
        $out.Verdict | Where-Object { $_ } | Should -BeNullOrEmpty
        ($out | Where-Object HostName -EQ c1).Why | Should -Match 'something else'
        Invoke-Runbook Drill-Rotation ($with + @{ MaxAgeDays = 60 }) | Should -Be 0
        $crashed.HostName | Should -Be 'b1'
    }

    It 'takes new and changed hosts first, then the oldest, and no more than -Count' {
        Set-Fleet @{
            a1 = Get-Played a1 Proven 100; a2 = Get-Played a2 Proven 200; b1 = Get-Played b1 Configured 0; b2 = Get-Played b2 Configured 0; c1 = Get-Played c1 Configured 0; d1 = Get-Played d1 Proven 5
        } @{ b1 = 'Proven', 20; b2 = 'NotCaptured', 150; d1 = 'Proven', 5 }
        foreach ($expected in 'c1 b1', 'a2 b2', 'a1', '') {
            $crashed.Clear()
            Invoke-Runbook Drill-Rotation ($with + @{ Count = 2 }) | Should -Be 0
            $crashed.HostName -join ' ' | Should -Be $expected
            # What was drilled is proven from now on, and says so itself.
            foreach ($one in $crashed) { $fleet[$one.HostName] = Get-Played $one.HostName Proven 0 }
        }
        Set-Fleet @{ b1 = Get-Played b1 Configured 0 } @{ b1 = 'Proven', 20 }
        $null = Invoke-Runbook Drill-Rotation $with
        $out[0].Why | Should -Match 'kernel, image or target changed'
    }

    It 'passes on the limits, the groups and the machine that was looked at' {
        Set-Fleet @{ a1 = Get-Played a1 Configured 0; a2 = Get-Played a2 Configured 0 }
        Invoke-Runbook Drill-Rotation ($with + @{ MaxDown = 2; MaxFailure = 1; Group = 'Cluster'; PowerCycle = 'cycle' }) | Should -Be 0
        $crashed.MachineId | Should -Be 'machine-a1', 'machine-a2'
        Should -Invoke Invoke-KdumpDrill -Times 2 -Exactly -ParameterFilter {
            $StoreHost -eq 'storage' -and $DumpPath -eq '/var/crash' -and $MaxDown -eq 2 -and $MaxFailure -eq 1 -and $Group -eq 'Cluster' -and $PowerCycle -eq 'cycle' -and $Force -and $JournalPath -like "$TestDrive/rotation.json.*.journal"
        }
        $broken = $with + @{ Group = 'Rack' }
        Invoke-Runbook Drill-Rotation $broken | Should -Be 2 -Because 'no host has that column'
    }

    It 'ends with 1 for any verdict but Proven, keeps it, and forgets nobody whose turn did not come' {
        Set-Fleet @{ a1 = Get-Played a1 Configured 0; a2 = Get-Played a2 Configured 0; a3 = Get-Played a3 Configured 0 } @{ a3 = 'Proven', 20 }
        $verdicts.a1, $verdicts.a3 = 'NotCaptured', 'NotStarted'
        Invoke-Runbook Drill-Rotation $with | Should -Be 1
        ($out | Sort-Object HostName).Verdict | Should -Be 'NotCaptured', 'Proven', 'NotStarted'
        $record = Get-Record
        $record.a1.Verdict, $record.a2.Verdict, $record.a3.Verdict | Should -Be 'NotCaptured', 'Proven', 'Proven'
        [datetimeoffset]::new([long] $record.a3.At, [timespan]::Zero) | Should -BeLessThan ([datetimeoffset]::Now.AddDays(-19))
        $saved = Import-Csv "$TestDrive/rotation.csv"
        ($saved | Where-Object HostName -EQ a1).Reason, ($saved | Where-Object HostName -EQ a2).CaptureSeconds | Should -Be 'It was NotCaptured.', '40'
    }

    It 'tells of hosts that are not ready or do not answer, and drills others instead' {
        Set-Fleet @{ a1 = Get-Played a1 NotReady 0; a2 = Get-Played a2 Unknown 0; a3 = Get-Played a3 Configured 0 }
        Invoke-Runbook Drill-Rotation ($with + @{ Count = 1 }) | Should -Be 1
        $crashed.HostName | Should -Be 'a3'
        ($out | Sort-Object HostName).Verdict | Should -Be 'NotReady', 'NotAsked', 'Proven'
        ($out | Where-Object HostName -EQ a1).Reason | Should -Be 'TargetMissing: No network target is configured.'
    }

    It 'looks first what became of a run that was cut, and crashes nobody after a failure' {
        Set-Fleet @{ a1 = Get-Played a1 Configured 0; a2 = Get-Played a2 Configured 0 }
        Set-Content "$TestDrive/rotation.journal" 'as it was left'
        @{ Hosts = @{}; Journal = "$TestDrive/rotation.journal" } | ConvertTo-Json | Set-Content "$TestDrive/rotation.json"
        Mock Resume-KdumpDrill { [KdumpNfs.Drills.KdumpDrill] @{ HostName = 'a1'; Verdict = 'NotCaptured'; Reason = 'No dump.'; CompletedAt = [datetimeoffset]::UtcNow } }
        Invoke-Runbook Drill-Rotation $with | Should -Be 1
        Should -Invoke Resume-KdumpDrill -Times 1 -Exactly -ParameterFilter { $JournalPath -eq "$TestDrive/rotation.journal" -and $NoCrash }
        $crashed | Should -BeNullOrEmpty
        (Get-Record).a1.Verdict | Should -Be 'NotCaptured'
        # The next run begins anew: the cut one is over.
        Invoke-Runbook Drill-Rotation $with | Should -Be 0
        Should -Invoke Resume-KdumpDrill -Times 1 -Exactly
        $crashed.HostName | Should -Be 'a2', 'a1'
    }

    It 'writes nothing and crashes nobody with -WhatIf' {
        Set-Fleet @{ a1 = Get-Played a1 Configured 0 }
        Invoke-Runbook Drill-Rotation ($with + @{ WhatIf = $true }) | Should -Be 0
        Should -Invoke Invoke-KdumpDrill -Times 1 -Exactly -ParameterFilter { $WhatIf -and -not $Force }
        Get-ChildItem "$TestDrive/rotation*" | Should -BeNullOrEmpty
        $out[0].Why | Should -Be 'never drilled'
    }

    It 'ends with 2 when the drill cannot be made' {
        Set-Fleet @{ a1 = Get-Played a1 Configured 0 }
        Mock Invoke-KdumpDrill { throw 'The lease directory cannot be made.' }
        Invoke-Runbook Drill-Rotation $with | Should -Be 2
        Set-Content "$TestDrive/fleet.csv" 'HostName'
        Invoke-Runbook Drill-Rotation $with | Should -Be 2
    }
}

Describe 'The onboarding of a rack' {
    BeforeAll {
        # A rack of hosts that answer as they are told to: what a host lacks is in its row, and a step that is made takes it away.
        function Set-Rack([hashtable] $lacking) {
            Remove-Item "$TestDrive/rack*" -Force -ErrorAction Ignore
            $script:rack = $lacking
            $lacking.Keys | Sort-Object | ForEach-Object { [pscustomobject] @{ HostName = $_; Port = 2222 } } | ConvertTo-Json -AsArray | Set-Content "$TestDrive/rack.json"
        }
        function Get-Host([string] $name) { $out | Where-Object HostName -EQ $name }
        $with = @{ HostList = "$TestDrive/rack.json"; StoreHost = 'storage'; NfsServer = 'fd00::1'; ExportPath = '/data'; DumpPath = '/var/crash'; Client = 'fd00::/64'; Report = "$TestDrive/rack.csv" }
    }

    BeforeEach {
        Mock Enable-NfsExport { [KdumpNfs.Nfs.NfsExportChange] @{ HostName = 'storage'; Changed = $true; ExportPath = '/data'; Client = 'fd00::/64' } }
        Mock Get-KdumpStatus {
            $lacks = $rack["$HostName"]
            if ('answer' -in $lacks) { Write-Error 'It does not answer.' -ErrorId Unreachable -TargetObject "$HostName"; return }
            [KdumpNfs.Kdump.KdumpStatus] @{
                HostName = "$HostName"; State = $lacks ? 'NotReady' : 'Configured'; MachineId = "machine-$HostName"; BootId = 'boot'; ReservedBytes = 'memory' -in $lacks ? 0 : 256MB
                NotReadyReason = [KdumpNfs.Kdump.NotReadyReason[]] @('package' -in $lacks ? 'NotInstalled' : @())
            }
        }
        Mock Install-Kdump {
            if ('repository' -in $rack["$HostName"]) { Write-Error 'kexec-tools would upgrade glibc.' -ErrorId PackagesRefused -TargetObject "$HostName"; return }
            $rack["$HostName"] = @($rack["$HostName"] -ne 'package')
            [KdumpNfs.Setup.KdumpInstallation] @{ HostName = "$HostName"; Changed = $true }
        }
        Mock Set-CrashKernelReservation {
            $changed = 'reboot' -notin $rack["$HostName"]
            $rack["$HostName"] = @($rack["$HostName"]) + 'reboot'
            [KdumpNfs.Setup.CrashKernelChange] @{ HostName = "$HostName"; Changed = $changed; RebootRequired = $true; CrashKernel = [string[]] 'crashkernel=256M' }
        }
        Mock Set-KdumpNfsTarget { [KdumpNfs.Kdump.KdumpTargetChange] @{ HostName = "$HostName"; Changed = $true } }
        Mock Enable-Sysrq { [KdumpNfs.Crash.SysrqChange]::new("$HostName", $true, 1, 16, 'Persistent', $null, '') }
        Mock Set-KernelPanicPolicy { [KdumpNfs.Crash.KernelPanicPolicyChange] @{ HostName = "$HostName"; Changed = $false } }
        Mock Test-KdumpReadiness {
            $bad = 'watchdog' -in $rack["$HostName"]
            [KdumpNfs.Readiness.HostReadiness] @{
                HostName = "$HostName"; Passed = -not $bad; State = $bad ? 'NotReady' : 'Probed'
                Checks = [KdumpNfs.Readiness.ReadinessCheck[]] @(if ($bad) { [KdumpNfs.Readiness.ReadinessCheck]::new('Watchdog', 'Fail', 'iTCO_wdt is armed.', 'Stop it.') })
            }
        }
        Mock Invoke-KdumpDrill { [KdumpNfs.Drills.KdumpDrill] @{ HostName = "$HostName"; Verdict = 'broken' -in $rack["$HostName"] ? 'NotCaptured' : 'Proven'; Reason = 'broken' -in $rack["$HostName"] ? 'No dump.' : $null } }
    }

    It 'takes each host as far as it goes, and on from there after its reboot' {
        Set-Rack @{ a1 = @(); a2 = 'package', 'memory'; a3 = 'memory' }
        Invoke-Runbook Add-Rack $with | Should -Be 3
        (Get-Host a1).Result, ((Get-Host a1).Changed -join ' ') | Should -Be 'Ready', 'Target'
        (Get-Host a2).Result, ((Get-Host a2).Changed -join ' ') | Should -Be 'RebootRequired', 'Install Reserve'
        (Get-Host a3).Reason | Should -Match 'crashkernel=256M'
        Should -Invoke Install-Kdump -Times 1 -Exactly -ParameterFilter { "$HostName" -eq 'a2' -and $MachineId -eq 'machine-a2' -and $Port -eq 2222 }
        Should -Invoke Set-KdumpNfsTarget -Times 1 -Exactly -ParameterFilter { $NfsServer -eq 'fd00::1' -and $Export -eq '/data' -and $DumpPath -eq '/var/crash' -and $MachineId -eq 'machine-a1' }
        Should -Invoke Test-KdumpReadiness -Times 1 -Exactly -ParameterFilter { $Probe -and $ExpectedTarget -eq '[fd00::1]:/data/var/crash' }
        Should -Invoke Enable-Sysrq -Times 0 -Exactly
        (Import-Csv "$TestDrive/rack.csv" | Where-Object HostName -EQ a2).Changed | Should -Be 'Install; Reserve'

        # Before the reboot nothing is done anew; after it the rest is.
        Invoke-Runbook Add-Rack $with | Should -Be 3
        (Get-Host a3).Changed | Should -BeNullOrEmpty
        $rack.a2 = $rack.a3 = @()
        Invoke-Runbook Add-Rack $with | Should -Be 0
        $out.Result | Should -Be 'Ready', 'Ready', 'Ready'
        Should -Invoke Install-Kdump -Times 1 -Exactly
    }

    It 'sets keys, panics and batches as asked' {
        Set-Rack @{ a1 = @() }
        Invoke-Runbook Add-Rack ($with + @{ Sysrq = 1; PanicOn = 'SoftlockupPanic,PanicOnOops'; PanicTimeout = 10; BatchSize = '1', '25%'; DumpLevel = '31' }) | Should -Be 0
        Should -Invoke Enable-Sysrq -Times 1 -Exactly -ParameterFilter { $Mask -eq 1 -and "$BatchSize" -eq '1 25%' }
        Should -Invoke Set-KernelPanicPolicy -Times 1 -Exactly -ParameterFilter { $SoftlockupPanic -and $PanicOnOops -and -not $HungTaskPanic -and $PanicTimeout -eq 10 -and $Force }
        Should -Invoke Set-KdumpNfsTarget -Times 1 -Exactly -ParameterFilter { [int] $DumpLevel -eq 31 }
        $out.Changed | Should -Be 'Target', 'Sysrq'
    }

    It 'tells why a host failed, at which step, and takes the others on' {
        Set-Rack @{ a1 = 'answer'; a2 = 'package', 'repository'; a3 = 'watchdog'; a4 = @() }
        Invoke-Runbook Add-Rack $with | Should -Be 1
        (Get-Host a1).Step, (Get-Host a1).ErrorId | Should -Be 'Look', 'Unreachable'
        (Get-Host a2).Step, (Get-Host a2).Reason | Should -Be 'Install', 'kexec-tools would upgrade glibc.'
        (Get-Host a3).Result, (Get-Host a3).Reason | Should -Be 'NotReady', 'Watchdog: iTCO_wdt is armed. Stop it.'
        (Get-Host a4).Result | Should -Be 'Ready'
        Should -Invoke Set-KdumpNfsTarget -Times 0 -Exactly -ParameterFilter { "$HostName" -in 'a1', 'a2' }
    }

    It 'drills only what is ready, and believes the verdict' {
        Set-Rack @{ a1 = @(); a2 = 'broken'; a3 = 'watchdog' }
        Invoke-Runbook Add-Rack ($with + @{ Drill = $true; MaxDown = 2 }) | Should -Be 1
        $out.Result | Should -Be 'Proven', 'Failed', 'NotReady'
        (Get-Host a2).ErrorId, (Get-Host a2).Reason | Should -Be 'NotCaptured', 'No dump.'
        Should -Invoke Invoke-KdumpDrill -Times 2 -Exactly -ParameterFilter { $StoreHost -eq 'storage' -and $MaxDown -eq 2 -and $Force -and "$HostName" -ne 'a3' }
    }

    It 'changes nothing with -WhatIf' {
        Set-Rack @{ a1 = @(); a2 = 'package', 'memory' }
        Mock Install-Kdump {}
        Mock Set-CrashKernelReservation {}
        Mock Set-KdumpNfsTarget {}
        Invoke-Runbook Add-Rack ($with + @{ WhatIf = $true; Drill = $true }) | Should -Be 0
        foreach ($command in 'Enable-NfsExport', 'Install-Kdump', 'Set-CrashKernelReservation', 'Set-KdumpNfsTarget') { Should -Invoke $command -Times 1 -Exactly }
        foreach ($command in 'Test-KdumpReadiness', 'Invoke-KdumpDrill') { Should -Invoke $command -Times 0 -Exactly }
        (Get-Host a2).Result | Should -Be 'NotDone'
        Test-Path "$TestDrive/rack.csv" | Should -BeFalse
    }

    It 'ends with 2 when the store or the parameters are not right, before any host is changed' {
        Set-Rack @{ a1 = @() }
        Mock Enable-NfsExport { Write-Error 'The store has no such disk.' -ErrorAction Stop }
        Invoke-Runbook Add-Rack $with | Should -Be 2
        $without = $with.Clone()
        $without.Remove('Client')
        Invoke-Runbook Add-Rack $without | Should -Be 2
        Invoke-Runbook Add-Rack ($with + @{ PanicOn = 'Always' }) | Should -Be 2
        Should -Invoke Get-KdumpStatus -Times 0 -Exactly
        Invoke-Runbook Add-Rack ($without + @{ NoExport = $true }) | Should -Be 0
    }
}
