# Drills as a user starts and resumes them. Their verdicts are proven in the lab; here nobody is crashed.
BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    if ($server) {
        $store = @{ StoreHost = '127.0.0.1'; ExportPath = "$($server.Folder)/share" }
        $connection = $server.Connection
        $null = New-Item -ItemType Directory "$($server.Folder)/share"
    }

    # The journal of a controller that was lost after its trigger: the host has been away since, and stays so.
    function New-LostJournal([string] $Name) {
        $now = [DateTimeOffset]::UtcNow.ToString('o')
        $way = @{ HostName = '127.0.0.1'; UserName = $connection.UserName; Port = Get-FreePort; KeyFilePath = $connection.KeyFilePath }
        $plan = @{
            Format = 1; Id = 'aabbccddeeff'; Root = $store.ExportPath; MaxDown = 1; CaptureTimeout = '00:00:20'; ReturnTimeout = '00:00:02'; RearmTimeout = '00:00:01'
            Store = @{ HostName = '127.0.0.1'; UserName = $connection.UserName; Port = $connection.Port; KeyFilePath = $connection.KeyFilePath }
        }
        $subject = @{ Identities = @('10.0.0.1'); BootId = 'before'; KernelRelease = '6.1.0'; Before = @{ Now = $now; Directories = @(); Truncated = $false; Ignored = @() }; TriggeredAt = $now }
        $path = "$TestDrive/$Name.jsonl"
        @{ At = $now; Step = 'Begun'; Plan = $plan }, @{ At = $now; Step = 'Listed'; HostName = '127.0.0.1'; Host = @{ Host = $way } },
        @{ At = $now; Step = 'Triggering'; HostName = '127.0.0.1'; Subject = $subject }, @{ At = $now; Step = 'Triggered'; HostName = '127.0.0.1' } |
            ForEach-Object { $_ | ConvertTo-Json -Compress -Depth 5 } | Set-Content -LiteralPath $path
        $path
    }
}

AfterAll { Stop-TestServer $server }

Describe 'Drills' {
    It 'refuses limits and scripts that mean nothing before it contacts anybody' {
        $common = @{ HostName = 'nobody'; StoreHost = 'nobody'; ExportPath = '/data' }
        { Invoke-KdumpDrill @common -MaxDown 0 } | Should -Throw -ErrorId 'InvalidInput,*'
        { Invoke-KdumpDrill @common -BatchSize 0 } | Should -Throw -ErrorId 'InvalidInput,*'
        { Invoke-KdumpDrill @common -Group 5 } | Should -Throw -ErrorId 'InvalidInput,*'
        { Invoke-KdumpDrill @common -PowerCycle 5 } | Should -Throw -ErrorId 'InvalidInput,*'
        { Invoke-KdumpDrill @common -LeasePath relative } | Should -Throw -ErrorId 'InvalidInput,*'
        { Resume-KdumpDrill /nowhere/drill.jsonl } | Should -Throw -ErrorId 'JournalFailed,*'
    }

    It 'gives NotReady as an object and as an error, and crashes nobody' {
        if (Skip-Without $server) { return }
        $folder = "$($server.Folder)/journals"
        $drill = [pscustomobject]@{ HostName = '127.0.0.1'; Rack = 'r1' } |
            Invoke-KdumpDrill @store @connection -Group Rack -Force -JournalPath "$folder/drill.jsonl" -ErrorVariable failed -ErrorAction SilentlyContinue
        $drill | Should -BeOfType KdumpNfs.Drills.KdumpDrill
        $drill.Verdict | Should -Be NotReady
        # This machine captures no crash: the checks that say so are on the result, each with its remedy.
        $drill.FailedChecks.Count | Should -BeGreaterThan 0
        $drill.FailedChecks | ForEach-Object { $_.Outcome | Should -Be Fail; $_.Remedy | Should -Not -BeNullOrEmpty }
        $drill.Reason | Should -Match ([regex]::Escape($drill.FailedChecks[0].Name))
        $failed[0].FullyQualifiedErrorId | Should -Be 'NotReady,KdumpNfs.PowerShell.InvokeKdumpDrillCommand'
        Test-Path $folder | Should -BeFalse
    }

    It 'cycles the power of a host that does not come back by a script block, on the thread and with the variables of the prompt' {
        if (Skip-Without $server) { return }
        $cycled = [Collections.Generic.List[object]]::new()
        $thread = [Environment]::CurrentManagedThreadId
        $block = { param($name) $cycled.Add(@($_, $name, ([Environment]::CurrentManagedThreadId -eq $thread))) }
        $drill = New-LostJournal block | Resume-KdumpDrill -Force -PowerCycle $block -KnownHostsFile $connection.KnownHostsFile -ErrorVariable failed -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
        $cycled.Count | Should -Be 1
        $cycled[0] | Should -Be '127.0.0.1', '127.0.0.1', $true
        $drill.Verdict | Should -Be HostNotBack
        $drill.Phases.Phase | Should -Contain PowerCycle
        $failed[0].FullyQualifiedErrorId | Should -Be 'HostDidNotReturn,KdumpNfs.PowerShell.ResumeKdumpDrillCommand'
        # Its verdict is in the journal: there is nothing left to resume.
        Get-Content "$TestDrive/block.jsonl" -Tail 1 | Should -Match '"Step":"Verdict".*"HostNotBack"'
    }

    It 'says what a power cycle that fails said: <Kind>' -ForEach @(
        @{ Kind = 'a script block'; Cycle = { throw "no rack for $_" }; Said = 'The script of -PowerCycle failed: no rack for 127.0.0.1' }
        @{ Kind = 'a command'; Cycle = 'echo "no BMC of $KDUMPNFS_HOST" >&2; exit 7'; Said = 'The command ended with status 7: .*' }
    ) {
        if (Skip-Without $server) { return }
        $drill = New-LostJournal "failing-$($Kind -replace ' ')" | Resume-KdumpDrill -Force -PowerCycle $Cycle -KnownHostsFile $connection.KnownHostsFile -ErrorVariable failed -ErrorAction SilentlyContinue -WarningVariable warned -WarningAction SilentlyContinue
        $drill.Verdict | Should -Be HostNotBack
        $drill.Reason | Should -Match "Its power could not be cycled: $Said"
        "$warned" | Should -Match 'did not come back; its power is cycled'
        if ($Cycle -is [string]) { "$warned" | Should -Match 'no BMC of 127\.0\.0\.1' }
    }
}
