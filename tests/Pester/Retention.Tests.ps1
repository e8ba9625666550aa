BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    if ($server) {
        $store = @{ StoreHost = '127.0.0.1'; ExportPath = "$($server.Folder)/share" }
        $connection = $server.Connection
        foreach ($month in 1..4) {
            $name = "10.0.0.1-2026-0$month-01-10:00:00"
            $null = New-Item -ItemType Directory "$($server.Folder)/share/$name"
            Set-Content "$($server.Folder)/share/$name/vmcore" 'x'
            Get-ChildItem "$($server.Folder)/share/$name" | ForEach-Object { $_.LastWriteTimeUtc = [datetime]::new(2026, $month, 1, 10, 0, 0, [DateTimeKind]::Utc) }
            (Get-Item "$($server.Folder)/share/$name").LastWriteTimeUtc = [datetime]::new(2026, $month, 1, 10, 0, 0, [DateTimeKind]::Utc)
        }
    }
    function Get-Name { (Get-ChildItem "$($server.Folder)/share" -Directory).Name | Sort-Object }
}

AfterAll { Stop-TestServer $server }

Describe 'Keeping dumps' {
    It 'lists with -WhatIf and removes nothing' {
        if (Skip-Without $server) { return }
        # What -WhatIf says goes to the host's screen.
        $said = pwsh -NoProfile -c "Import-Module '$moduleFolder'; Remove-Vmcore 127.0.0.1 '$($store.ExportPath)' -KeepLast 1 -WhatIf -UserName $($connection.UserName) -Port $($connection.Port) -KeyFilePath '$($connection.KeyFilePath)' -KnownHostsFile '$($connection.KnownHostsFile)'" | Out-String
        $said | Should -Match 'Remove 2 crash directories'
        $said | Should -Match '10\.0\.0\.1-2026-02-01-10:00:00  0\.0 MiB'
        $said | Should -Not -Match '2026-01-01|2026-04-01'
        (Get-Name).Count | Should -Be 4
    }

    It 'refuses a store that is a path, no limit, and a plain number as an age' {
        { Remove-Vmcore -LiteralPath /tmp -KeepLast 1 } | Should -Throw -ErrorId 'InvalidInput,*'
        { Remove-Vmcore 127.0.0.1 /data } | Should -Throw -ErrorId 'InvalidInput,*'
        { Remove-Vmcore 127.0.0.1 /data -OlderThan 90 } | Should -Throw -ErrorId 'InvalidInput,*'
        { Remove-Vmcore 127.0.0.1 data -KeepLast 1 } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'does nothing when the pipeline brings nothing' {
        Get-Item /nowhere -ErrorAction Ignore | Remove-Vmcore 127.0.0.1 /data -Confirm:$false | Should -BeNullOrEmpty
    }

    It 'fetches what Get-Vmcore gives, holds and removes it' {
        if (Skip-Without $server) { return }
        $here = "$($server.Folder)/here"
        $received = @(Get-Vmcore @store @connection | Receive-Vmcore -Destination $here @connection)
        $received.Count | Should -Be 4
        $received[0] | Should -BeOfType KdumpNfs.Collection.ReceivedVmcore
        Get-Content "$here/10.0.0.1-2026-02-01-10%3A00%3A00/vmcore" | Should -Be 'x'
        (Get-Vmcore -LiteralPath $here).Count | Should -Be 4

        $held = Get-Vmcore @store @connection | Where-Object Path -Like '*2026-02*' | Set-VmcoreHold -Reason 'case 4711' @connection
        $held.Changed | Should -BeTrue
        $removed = Remove-Vmcore @store @connection -KeepLast 1 -Confirm:$false
        ($removed | Where-Object Outcome -EQ Removed).Path | Should -BeLike '*2026-03-01-10:00:00'
        ($removed | Where-Object { $_.Outcome -eq 'Kept' -and $_.Path -like '*2026-02*' }).Reason | Should -Match 'held: .* case 4711$'
        Get-Name | Should -Be @('10.0.0.1-2026-01-01-10:00:00', '10.0.0.1-2026-02-01-10:00:00', '10.0.0.1-2026-04-01-10:00:00')
        "$($store.ExportPath)/10.0.0.1-2026-02-01-10:00:00" | Clear-VmcoreHold -StoreHost 127.0.0.1 @connection -Confirm:$false | ForEach-Object Held | Should -BeFalse
    }
}
