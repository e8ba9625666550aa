BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $connection = $server.Connection
    $transports = @('OpenSsh') + $(if (Test-Path (Join-Path $moduleFolder private)) { 'SshNet' })
}

AfterAll {
    Get-KdumpSession | Remove-KdumpSession
    Stop-TestServer $server
}

Describe 'A recorded session' {
    AfterEach { Get-KdumpSession | Remove-KdumpSession }

    It 'answers without the host: <_>' -ForEach 'OpenSsh', 'SshNet' {
        if (Skip-Without $server) { return }
        if ($_ -notin $transports) { Set-ItResult -Skipped -Because 'this build has no SSH.NET'; return }
        $file = "$TestDrive/$_.recording"
        $own = Start-TestServer
        try {
            $own_connection = $own.Connection
            $live = New-KdumpSession 127.0.0.1 @own_connection -Transport $_ -RecordPath $file
            $status = Get-KdumpStatus -Session $live
            $null = Get-NfsExport -Session $live -ErrorAction SilentlyContinue -ErrorVariable refused
            $null = Set-KdumpNfsTarget -Session $live -NfsServer storage -Export /data/nfs_share -PassPlan -ErrorAction SilentlyContinue -ErrorVariable +refused
            $live | Remove-KdumpSession
        }
        finally {
            Stop-TestServer $own
        }

        $replayed = New-KdumpSession -ReplayPath $file
        $replayed.HostName, $replayed.BootId, $replayed.MachineId | Should -Be 127.0.0.1, $live.BootId, $live.MachineId
        $again = Get-KdumpStatus -Session $replayed
        ($again | Select-Object * -ExcludeProperty UserName, Port, KeyFilePath, CheckedAt | ConvertTo-Json -Depth 4) | Should -Be ($status | Select-Object * -ExcludeProperty UserName, Port, KeyFilePath, CheckedAt | ConvertTo-Json -Depth 4)
        $null = Get-NfsExport -Session $replayed -ErrorAction SilentlyContinue -ErrorVariable refusedAgain
        $null = Set-KdumpNfsTarget -Session $replayed -NfsServer storage -Export /data/nfs_share -PassPlan -ErrorAction SilentlyContinue -ErrorVariable +refusedAgain
        $refusedAgain.FullyQualifiedErrorId | Should -Be $refused.FullyQualifiedErrorId
        Assert-NoSshClient
    }

    It 'says what it was not asked, and which hosts it has' {
        if (Skip-Without $server) { return }
        $file = "$TestDrive/short.recording"
        $live = New-KdumpSession 127.0.0.1 @connection -RecordPath $file
        $null = Get-KdumpStatus -Session $live
        $replayed = New-KdumpSession 127.0.0.1 -ReplayPath $file
        $null = Get-VmcoreEstimate -Session $replayed -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.FullyQualifiedErrorId | Should -BeLike 'NotRecorded,*'
        New-KdumpSession web07 -ReplayPath $file -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.FullyQualifiedErrorId | Should -BeLike 'NotRecorded,*'
        "$($failed[0].ErrorDetails.RecommendedAction) $failed" | Should -Match '127\.0\.0\.1'
    }

    It 'is for its owner alone, replaces no file, and what is none is refused' {
        if (Skip-Without $server) { return }
        $file = "$TestDrive/own.recording"
        $null = New-KdumpSession 127.0.0.1 @connection -RecordPath $file
        if (-not $IsWindows) { "$((Get-Item $file).UnixFileMode)" | Should -Be 'UserWrite, UserRead' }
        { New-KdumpSession 127.0.0.1 @connection -RecordPath $file } | Should -Throw -ErrorId 'InvalidInput,*'
        { New-KdumpSession 127.0.0.1 @connection -RecordPath "$TestDrive/two" -ReplayPath $file } | Should -Throw -ErrorId 'InvalidInput,*'
        Set-Content "$TestDrive/none" '{"format":"something else"}'
        { New-KdumpSession -ReplayPath "$TestDrive/none" } | Should -Throw -ErrorId 'RecordingInvalid,*'
        { New-KdumpSession -ReplayPath "$TestDrive/not there" } | Should -Throw -ErrorId 'RecordingInvalid,*'
    }
}
