BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $connection = $server.Connection
    $dropIn = '/etc/sysctl.d/kernel_debug.conf'
    # Nothing listens there.
    $closed = Get-FreePort
}

AfterAll { Stop-TestServer $server }

Describe 'Panic policy' {
    It 'reads what is in force' {
        if (Skip-Without $server) { return }
        $policy = Get-KernelPanicPolicy 127.0.0.1 @connection
        $policy | Should -BeOfType KdumpNfs.Crash.KernelPanicPolicy
        $policy.PanicOnOops | Should -Be ((Get-Content /proc/sys/kernel/panic_on_oops) -ne '0')
        $policy.PanicTimeout | Should -Be ([int](Get-Content /proc/sys/kernel/panic))
        $policy.Settings | Should -HaveCount 10
        ($policy | Format-Table | Out-String -Width 120) | Should -Match 'RebootAfter'
    }

    It 'shows the change with -WhatIf and makes none' {
        if (Skip-Without $server) { return }
        $before = Test-Path $dropIn
        $wanted = [int](Get-Content /proc/sys/kernel/panic) + 7
        Set-KernelPanicPolicy 127.0.0.1 @connection -PanicTimeout $wanted -WhatIf | Should -BeNullOrEmpty
        Get-Content /proc/sys/kernel/panic | Should -Be ($wanted - 7)
        Test-Path $dropIn | Should -Be $before
        Test-Path /var/lib/kdumpnfs/panic.before | Should -BeFalse
    }

    It 'wants a second word for panics at warnings, which -Confirm:$false is not' {
        if (Skip-Without $server) { return }
        if ((Get-Content /proc/sys/kernel/panic_on_warn) -ne '0') { Set-ItResult -Skipped -Because 'this machine panics at warnings already'; return }
        { Set-KernelPanicPolicy 127.0.0.1 @connection -PanicOnWarn -Scope Boot -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'ConfirmationRequired,*'
        Get-Content /proc/sys/kernel/panic_on_warn | Should -Be 0
    }

    It 'asks before each change unless told not to' {
        (Get-Command Set-KernelPanicPolicy).ImplementingType.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $true).ConfirmImpact | Should -Be High
    }
}

Describe 'Serial consoles' {
    It 'contacts nobody with -WhatIf' {
        Send-Sysrq 127.0.0.1 -Port $closed -Key h -ConsoleHost 127.0.0.1 -ConsolePort $closed -WhatIf -ErrorAction Stop | Should -BeNullOrEmpty
    }

    It 'wants a second word for keys that are not harmless' {
        { Send-Sysrq 127.0.0.1 -Port $closed -Key b -ConsoleHost 127.0.0.1 -ConsolePort $closed -Confirm:$false -ErrorAction Stop } | Should -Throw -ErrorId 'ConfirmationRequired,*'
    }

    It 'takes hosts and consoles from a list, and names the host that has no console server' {
        $failures = $null
        [pscustomobject]@{ HostName = '127.0.0.1'; Port = $closed; Console = 'c1' } | Send-Sysrq -Key h -Confirm:$false -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'InvalidInput,*'
        $failures[0].TargetObject | Should -Be 127.0.0.1
    }
}

Describe 'Uncaptured crashes' {
    It 'needs a place to look for dumps, and boots within reason' {
        { Find-UncapturedCrash 127.0.0.1 -Port $closed -LiteralPath '' } | Should -Throw -ErrorId 'InvalidInput,*'
        { Find-UncapturedCrash 127.0.0.1 -Port $closed -LiteralPath $TestDrive -Maximum 0 } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'gives an answer for this machine' {
        if (Skip-Without $server) { return }
        $failures = $null
        $boots = @(Find-UncapturedCrash 127.0.0.1 @connection -LiteralPath $TestDrive -WarningAction SilentlyContinue -ErrorAction SilentlyContinue -ErrorVariable failures)
        # A container remembers nothing of boots, which is an error; any other machine gives boots or none.
        if ($failures) { $failures[0].FullyQualifiedErrorId | Should -BeLike 'NotSupported,*' }
        foreach ($boot in $boots) { $boot.Verdict | Should -BeIn 'Uncaptured', 'Unknown' }
    }
}

Describe 'Drills that are resumed' {
    It 'says for each host of a drill what going on would do, and leaves the journal as it is, even with -Force' {
        if (Skip-Without $server) { return }
        $journal = "$TestDrive/drill.jsonl"
        # web01 was triggered, this machine had not its turn. Neither web01 nor the store is there: who asked them would fail.
        $login = $connection.UserName, $connection.Port, $connection.KeyFilePath
        $drill = [KdumpNfs.Drills.DrillPlan]::For([KdumpNfs.Ssh.SshHost]::new('nobody.invalid', $login[0], $login[1], $login[2]), '/data', [NullString]::Value)
        $hosts = 'web01.invalid', '127.0.0.1' | ForEach-Object { [KdumpNfs.Ssh.SshHost]::new($_, $login[0], $login[1], $login[2]) }
        $made = [KdumpNfs.Drills.DrillJournal]::Create($journal, $drill, [KdumpNfs.Drills.DrillHost[]]@($hosts.ForEach({ [KdumpNfs.Drills.DrillHost]::new($_, [NullString]::Value, $null) })))
        $at = [datetimeoffset]'2026-11-22T10:11:12Z'
        $made.Append([KdumpNfs.Drills.DrillEvent]@{
                Step = 'Triggering'; HostName = 'web01.invalid'
                Subject = [KdumpNfs.Drills.DrillSubject]@{
                    Identities = [string[]]@('web01.invalid'); BootId = 'boot-1'; TriggeredAt = $at
                    Before = [KdumpNfs.Collection.StoreListing]::new($at, [KdumpNfs.Collection.CrashDirectory[]]@())
                }
            })
        $made.Dispose()
        $before = (Get-FileHash $journal).Hash
        # What-if texts go to the host, not to a stream: only another process shows them.
        $shell = (Get-Command pwsh -CommandType Application | Select-Object -First 1).Source
        $out = & $shell -NoProfile -NonInteractive -Command "`$PSStyle.OutputRendering = 'PlainText'; Import-Module '$moduleFolder'; Resume-KdumpDrill '$journal' -KnownHostsFile '$($connection.KnownHostsFile)' -AllowNotReady -WhatIf -Force -PowerCycle 'touch $TestDrive/cycled'" 2>&1 | Out-String
        $lines = @($out -split "`n" | Where-Object { $_.Trim() })
        $lines[0] | Should -Be 'What if: Observe the outcome of web01.invalid, which was triggered at 2026-11-22 10:11:12Z; it is not triggered again'
        $lines[1] | Should -Match '^What if: Crash 127\.0\.0\.1 \(.*, whose turn had not come'
        $lines | Should -HaveCount 2
        (Get-FileHash $journal).Hash | Should -Be $before
        "$TestDrive/cycled" | Should -Not -Exist
    }
}
