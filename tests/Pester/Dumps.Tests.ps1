BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $samples = Join-Path $PSScriptRoot '../Unit/Vmcore/samples'
    $dump = (Resolve-Path "$samples/lzo.mini").Path
}

Describe 'Reading dumps' {
    It 'reports on a path, a file and an object of Get-Vmcore alike' {
        $crash = New-Item -ItemType Directory "TestDrive:/10.0.0.7-2026-11-22-10:00:00"
        Copy-Item $dump "$crash/vmcore"
        $reports = @(Get-VmcoreReport $dump) + @(Get-Item $dump | Get-VmcoreReport) + @(Get-Vmcore -LiteralPath (Split-Path $crash) | Get-VmcoreReport)
        $reports.Count | Should -Be 3
        @($reports | Group-Object Signature).Count | Should -Be 1
        $reports[0].Kind | Should -Be 'Sysrq'
        $reports[0].CrashedHost | Should -Be 'node1'
        $reports[2].Path | Should -Be "$($crash.FullName)/vmcore"
    }

    It 'shows a report from the top down, and JSON keeps every field' {
        $report = Get-VmcoreReport $dump
        $text = $report | Out-String
        $text | Should -Match '(?s)^\s*What\s+Sysrq.*Reason.*Signature.*Host\s+node1.*Call trace.*sysrq_handle_crash.*Next'
        $json = $report | ConvertTo-Json -Depth 5 | ConvertFrom-Json
        $json.Signature | Should -Be $report.Signature
        $json.CallTrace.Count | Should -Be $report.CallTrace.Count
        ($json.PSObject.Properties.Name | Sort-Object) | Should -Be ($report.PSObject.Properties.Name | Sort-Object)
    }

    It 'reports on a saved log' {
        (Get-VmcoreReport "$samples/rhel-lzo.dmesg.txt").TaskName | Should -Be 'bash'
    }

    It 'gives the log as records, as text and as a file, all the same' {
        $records = @(Get-VmcoreDmesg $dump)
        $raw = Get-VmcoreDmesg $dump -Raw
        $file = Get-VmcoreDmesg $dump -OutFile TestDrive:/dmesg.txt
        [IO.File]::ReadAllText($file.FullName) | Should -Be $raw
        $records.Count | Should -BeGreaterThan 100
        $records[-1].Text | Should -Not -BeNullOrEmpty
        ($raw -split "`n")[0] | Should -Match '^\[    0\.000000\] Linux version'
        "$($records[0])" | Should -Match '^Linux version'
    }

    It 'tests a dump, also for if' {
        Test-Vmcore $dump -Quiet | Should -BeTrue
        $full = Test-Vmcore $dump -Full
        $full.Passed | Should -BeTrue
        $full.Pages | Should -BeGreaterThan 50
        [IO.File]::WriteAllBytes("$TestDrive/cut", [IO.File]::ReadAllBytes($dump)[0..200000])
        Test-Vmcore "$TestDrive/cut" -Quiet | Should -BeFalse
        (Test-Vmcore "$TestDrive/cut").Problem | Should -Not -BeNullOrEmpty
    }

    It 'says which file cannot be read, and goes on' {
        $reports = @("$TestDrive/none", $dump | Get-VmcoreReport -ErrorVariable failures -ErrorAction SilentlyContinue)
        $reports.Count | Should -Be 1
        $failures[0].FullyQualifiedErrorId | Should -Be 'FileNotReadable,KdumpNfs.PowerShell.GetVmcoreReportCommand'
        { Get-VmcoreReport $PSScriptRoot/Fixture.ps1 -ErrorAction Stop } | Should -Not -Throw
        { [IO.File]::WriteAllBytes("$TestDrive/zeros", [byte[]]::new(9000)); Get-VmcoreReport "$TestDrive/zeros" -ErrorAction Stop } |
            Should -Throw -ErrorId 'VmcoreNotReadable,KdumpNfs.PowerShell.GetVmcoreReportCommand'
    }

    It 'packs a crash for whoever gets the case, and nothing with -WhatIf' {
        $crash = New-Item -ItemType Directory "TestDrive:/bundle/10.0.0.8-2026-11-22-10:00:00"
        Copy-Item $dump "$crash/vmcore"
        'mount -o password=geheimwort' | Set-Content "$crash/kexec-dmesg.log"
        $cases = New-Item -ItemType Directory TestDrive:/cases
        Get-Vmcore -LiteralPath (Split-Path $crash) | Export-VmcoreBundle -Destination $cases -WhatIf
        Get-ChildItem $cases | Should -BeNullOrEmpty

        $bundle = Get-Vmcore -LiteralPath (Split-Path $crash) | Export-VmcoreBundle -Destination $cases
        $bundle | Should -BeOfType KdumpNfs.Vmcores.VmcoreBundle
        $bundle.Archive | Should -Be "$($cases.FullName)/node1-20261122T100550Z.tar.gz"
        $bundle.Entries.Name | Should -Contain 'capture/kexec-dmesg.log'
        $bundle.MaskedSecrets | Should -Be 1
        ($bundle | Format-Table | Out-String) | Should -Match 'node1.*Sysrq.*KiB'
        ($bundle | Format-List | Out-String) | Should -Match 'SHA256SUMS'
        Push-Location $TestDrive
        try {
            tar -xzf $bundle.Archive
            Set-Location node1-20261122T100550Z
            sha256sum -c SHA256SUMS --quiet
            $LASTEXITCODE | Should -Be 0
            Get-Content capture/kexec-dmesg.log | Should -Be 'mount -o password=***'
        }
        finally {
            Pop-Location
        }

        { Export-VmcoreBundle $dump -Destination $cases -ErrorAction Stop } | Should -Throw -ErrorId 'LocalFileExists,KdumpNfs.PowerShell.ExportVmcoreBundleCommand'
        (Export-VmcoreBundle $dump $cases -IncludeDump -Force).Entries.Name | Should -Contain 'dump/lzo.mini'
    }

    It 'converts only what is flattened, and nothing with -WhatIf' {
        { Convert-Vmcore $dump "$TestDrive/plain" -ErrorAction Stop } | Should -Throw -ErrorId 'VmcoreNotReadable,KdumpNfs.PowerShell.ConvertVmcoreCommand'
        Convert-Vmcore $dump "$TestDrive/plain" -WhatIf
        Test-Path "$TestDrive/plain" | Should -BeFalse
    }

    It 'reads through a connection without copying' {
        $server = Start-TestServer
        if (-not $server) { Set-ItResult -Skipped -Because 'there is no sshd'; return }
        try {
            $connection = $server.Connection
            $report = Get-VmcoreReport $dump -StoreHost 127.0.0.1 @connection -Transport OpenSsh
            $report.StoreHost | Should -Be '127.0.0.1'
            $report.Signature | Should -Be (Get-VmcoreReport $dump).Signature

            $session = New-KdumpSession 127.0.0.1 @connection -Transport OpenSsh
            (Get-VmcoreReport $dump -Session $session).Signature | Should -Be $report.Signature
            $bundle = Export-VmcoreBundle $dump -Session $session -Destination $TestDrive -CrashedHost $session -WarningVariable warnings -WarningAction SilentlyContinue
            $bundle.StoreHost | Should -Be '127.0.0.1'
            # This machine is not the one that crashed.
            "$warnings" | Should -Match 'node1 crashed'
            Remove-KdumpSession $session
        }
        finally {
            Stop-TestServer $server
        }
    }
}
