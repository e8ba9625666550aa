# What README offers to copy: the acceptance test and the nightly audit, against this machine, which is no host that would be captured, and one that
# is not there. tests/Lab runs them on hosts that pass.
BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $connection = $server.Connection
    $dead = Get-FreePort
    $docs = Join-Path $PSScriptRoot '../../docs'
    $ready = $server -and (Test-KdumpReadiness 127.0.0.1 @connection -Quiet)
}

AfterAll { Stop-TestServer $server }

Describe 'The acceptance test' {
    It 'has one test a check and host, and fails by name' {
        if (Skip-Without $server) { return }
        # In a process of its own: Pester is not made to run inside itself.
        $said = & pwsh -NoProfile -NonInteractive -Command @"
Import-Module Pester -MinimumVersion 5.0
`$connection = @{ UserName = '$($connection.UserName)'; KeyFilePath = '$($connection.KeyFilePath)'; KnownHostsFile = '$($connection.KnownHostsFile)'; Port = $($server.Port) }
`$container = New-PesterContainer -Path '$docs/acceptance/Kdump.Acceptance.Tests.ps1' -Data @{ HostName = '127.0.0.1', '127.0.0.250'; Probe = `$false; Connection = `$connection }
`$result = Invoke-Pester -Container `$container -PassThru -Output None
ConvertTo-Json -Compress @(`$result.Tests | ForEach-Object { @{ Result = "`$(`$_.Result)"; Name = `$_.ExpandedPath; Why = "`$(`$_.ErrorRecord)" } })
"@
        $tests = ($said | Select-Object -Last 1) | ConvertFrom-Json
        $here, $gone = $tests.Where({ $_.Name -like '*127.0.0.1 ends*' }, 'Split')
        # "can be asked", and every check.
        $here.Count, $gone.Count | Should -Be @(32, 32)
        ($here | Where-Object Name -Like '*can be asked').Result | Should -Be Passed
        ($gone | Where-Object Result -EQ Failed).Name | Should -BeLike '*can be asked'
        ($gone | Where-Object Result -EQ Passed) | Should -BeNullOrEmpty
        if (-not $ready) {
            $checks = (Test-KdumpReadiness 127.0.0.1 @connection).Failed
            @($here | Where-Object Result -EQ Failed).Count | Should -Be $checks.Count
            ($here | Where-Object Result -EQ Failed).Why | ForEach-Object { $_ | Should -Match 'because' }
        }
    }

    It 'has a test for each check there is' {
        $names = Select-String -LiteralPath "$docs/acceptance/Kdump.Acceptance.Tests.ps1" -Pattern '\{ Confirm-Check (\w+) \}' | ForEach-Object { $_.Matches[0].Groups[1].Value }
        $names | Sort-Object | Should -Be ((Test-KdumpReadiness 127.0.0.1 @connection).Checks.Name | Sort-Object)
    }
}

Describe 'The nightly audit' {
    BeforeAll {
        function Invoke-Audit([hashtable] $More = @{}) {
            $global:LASTEXITCODE = $null
            $script:found = & "$docs/runbooks/Nightly-Audit.ps1" -HostList "$TestDrive/hosts.csv" -Record "$TestDrive/last.json" -NoProbe -PassThru @More -KnownHostsFile $connection.KnownHostsFile
            $LASTEXITCODE
        }
        if ($server) {
            [pscustomobject]@{ HostName = '127.0.0.1'; UserName = $connection.UserName; Port = $server.Port; KeyFilePath = $connection.KeyFilePath },
            [pscustomobject]@{ HostName = 'localhost'; UserName = $connection.UserName; Port = $dead; KeyFilePath = $connection.KeyFilePath } | Export-Csv "$TestDrive/hosts.csv"
        }
    }

    It 'ends with 1 when something became worse, with 0 when it only stayed bad' {
        if (Skip-Without $server) { return }
        Invoke-Audit | Should -Be 1
        ($found | Where-Object HostName -EQ localhost).New | Should -Be Unreachable
        Invoke-Audit | Should -Be 0
        ($found | Where-Object HostName -EQ localhost).Still | Should -Be Unreachable
        Invoke-Audit @{ All = $true } | Should -Be 1
        # A host that was fine the night before, or that failed otherwise.
        $record = Get-Content "$TestDrive/last.json" -Raw | ConvertFrom-Json -AsHashtable
        $record['localhost'] = @('FreeSpace')
        $record | ConvertTo-Json | Set-Content "$TestDrive/last.json"
        Invoke-Audit | Should -Be 1
        $one = $found | Where-Object HostName -EQ localhost
        $one.New, $one.Mended | Should -Be 'Unreachable', 'FreeSpace'
    }

    It 'ends with 2 when it cannot be made' {
        if (Skip-Without $server) { return }
        Invoke-Audit @{ ThrottleLimit = 0 } | Should -Be 2
        Set-Content "$TestDrive/hosts.csv" 'HostName'
        Invoke-Audit | Should -Be 2
    }
}
