BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    # Nothing listens there: a command that connected in spite of bad input would say Unreachable instead.
    $closed = Get-FreePort
    $target = @{ NfsServer = 'storage'; Export = '/data/nfs_share' }

    function Get-ErrorId([scriptblock] $Command) {
        try { $null = & $Command } catch { return $_.FullyQualifiedErrorId }
        throw 'There was no terminating error.'
    }
}

Describe 'Bad input is refused before any connection' {
    It 'refuses <Name>' -ForEach @(
        @{ Name = 'a newline in the export'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed -NfsServer storage -Export "/data`n/x" } }
        @{ Name = 'a newline in the dump path'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed @target -DumpPath "/var`n/crash" } }
        @{ Name = 'a relative export'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed -NfsServer storage -Export data } }
        @{ Name = 'an empty server'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed -NfsServer '' -Export /data } }
        @{ Name = 'the dump level 32'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed @target -DumpLevel 32 } }
        @{ Name = 'the dump level -1'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed @target -DumpLevel -1 } }
        @{ Name = 'the message level 32'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed @target -MessageLevel 32 } }
        @{ Name = 'an NFS timeout of 50 ms'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed @target -NfsTimeout 50 } }
        @{ Name = 'the host itself as an image'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed @target -ImageRoot / } }
        @{ Name = 'dumps that come in as root'; Command = { Set-KdumpSshTarget 127.0.0.1 -Port $closed -SshServer storage -SshUser root -DumpPath /dumps } }
        @{ Name = 'a dump key in an image'; Command = { Set-KdumpSshTarget 127.0.0.1 -Port $closed -SshServer storage -DumpPath /dumps -ImageRoot /images/x } }
        @{ Name = 'a blank in an ssh path'; Command = { Set-KdumpSshTarget 127.0.0.1 -Port $closed -SshServer storage -DumpPath '/my dumps' } }
        @{ Name = 'a device without its file system'; Command = { Set-KdumpLocalTarget 127.0.0.1 -Port $closed -Device /dev/sdb1 } }
        @{ Name = 'a backup without a name'; Command = { Restore-KdumpConfiguration 127.0.0.1 -Port $closed -Backup ' ' } }
        @{ Name = 'an unknown name of a dump level'; Command = { Set-KdumpNfsTarget 127.0.0.1 -Port $closed @target -DumpLevel Everything } }
        @{ Name = 'a dump level for an estimate'; Command = { Get-VmcoreEstimate 127.0.0.1 -Port $closed -DumpLevel 99 } }
        @{ Name = 'an empty host'; Command = { Get-KdumpStatus '' } }
        @{ Name = 'a null host'; Command = { Get-KdumpStatus $null } }
        @{ Name = 'no host at all'; Command = { Get-KdumpStatus @() } }
        @{ Name = 'one empty host among others'; Command = { Get-KdumpStatus 127.0.0.1, '' -Port $closed } }
        @{ Name = 'an option as a host'; Command = { Get-KdumpStatus '-oProxyCommand=touch /tmp/x' -Port $closed } }
        @{ Name = 'port 70000'; Command = { Get-KdumpStatus 127.0.0.1 -Port 70000 } }
        @{ Name = 'port 0'; Command = { Get-KdumpStatus 127.0.0.1 -Port 0 } }
        @{ Name = 'a key file that is missing'; Command = { Get-KdumpStatus 127.0.0.1 -Port $closed -KeyFilePath "$TestDrive/none" } }
        @{ Name = 'a key file outside of file systems'; Command = { Get-KdumpStatus 127.0.0.1 -Port $closed -KeyFilePath env:HOME } }
        @{ Name = 'a throttle limit of 0'; Command = { Get-KdumpStatus 127.0.0.1 -Port $closed -ThrottleLimit 0 } }
        @{ Name = 'a timeout of nothing'; Command = { Get-KdumpStatus 127.0.0.1 -Port $closed -ConnectingTimeout 0 } }
        @{ Name = 'an expected target without a path'; Command = { Get-KdumpStatus 127.0.0.1 -Port $closed -ExpectedTarget storage } }
        @{ Name = 'a mask of -1 to go back to'; Command = { Disable-Sysrq 127.0.0.1 -Port $closed -Mask -1 } }
        @{ Name = 'no panic setting at all'; Command = { Set-KernelPanicPolicy 127.0.0.1 -Port $closed -Confirm:$false } }
        @{ Name = 'a panic timeout of two days'; Command = { Set-KernelPanicPolicy 127.0.0.1 -Port $closed -PanicTimeout 172800 -Confirm:$false } }
        @{ Name = 'the crash key among harmless ones'; Command = { Send-Sysrq 127.0.0.1 -Port $closed -Key h,c -ConsoleHost 127.0.0.1 } }
        @{ Name = 'a console that is a wildcard'; Command = { Send-Sysrq 127.0.0.1 -Port $closed -Key h -ConsoleHost 127.0.0.1 -Console 'node*' } }
        @{ Name = 'a conmand without a port'; Command = { Send-Sysrq 127.0.0.1 -Port $closed -Key h -ConsoleHost 127.0.0.1 -ConmanDaemon localhost } }
        @{ Name = 'a drill over a console without its server'; Command = { Invoke-KdumpDrill 127.0.0.1 -Port $closed -StoreHost 127.0.0.1 -ExportPath /data -Console node1 } }
        @{ Name = 'a drill over a console that is a wildcard'; Command = { Invoke-KdumpDrill 127.0.0.1 -Port $closed -StoreHost 127.0.0.1 -ExportPath /data -ConsoleHost 127.0.0.1 -Console 'node*' } }
        @{ Name = 'a drill that listens for less than nothing'; Command = { Invoke-KdumpDrill 127.0.0.1 -Port $closed -StoreHost 127.0.0.1 -ExportPath /data -ConsoleHost 127.0.0.1 -ConsoleListenSec 0 } }
        @{ Name = 'a relative password file'; Command = { Send-Sysrq 127.0.0.1 -Port $closed -Key h -ConsoleHost 127.0.0.1 -ConsoleKind Ipmitool -BmcPasswordFile secret } }
        @{ Name = 'a sysrq mask of 512'; Command = { Enable-Sysrq 127.0.0.1 -Port $closed -Mask 512 } }
        @{ Name = 'a relative export path'; Command = { Enable-NfsExport 127.0.0.1 -Port $closed -ExportPath data -Client '*' } }
        @{ Name = 'a client with a blank'; Command = { Enable-NfsExport 127.0.0.1 -Port $closed -ExportPath /data -Client 'a b' } }
        @{ Name = 'a reservation without a unit'; Command = { Set-CrashKernelReservation 127.0.0.1 -Port $closed -Size 256 } }
        @{ Name = 'an empty reservation'; Command = { Set-CrashKernelReservation 127.0.0.1 -Port $closed -Size '' } }
        @{ Name = 'a reservation with a shell in it'; Command = { Set-CrashKernelReservation 127.0.0.1 -Port $closed -Size '256M; reboot' } }
        @{ Name = 'two reservations'; Command = { Set-CrashKernelReservation 127.0.0.1 -Port $closed -Size 256M, 512M } }
        @{ Name = 'a low reservation alone'; Command = { Set-CrashKernelReservation 127.0.0.1 -Port $closed -Size '128M,low' } }
        @{ Name = 'ranges that fall'; Command = { Set-CrashKernelReservation 127.0.0.1 -Port $closed -Size '4G-8G:256M,1G-4G:128M' } }
        @{ Name = 'a relative path whose export ends'; Command = { Disable-NfsExport 127.0.0.1 -Port $closed -ExportPath data -Client h } }
        @{ Name = 'nobody whose export ends'; Command = { Disable-NfsExport 127.0.0.1 -Port $closed -ExportPath /data -Client '' } }
        @{ Name = 'none that may be down'; Command = { Invoke-SysrqCrash 127.0.0.1 -Port $closed -MaxDown 0 -Force } }
        @{ Name = 'a relative path of a store'; Command = { Get-Vmcore 127.0.0.1 data -Port $closed } }
        @{ Name = 'an empty store'; Command = { Get-Vmcore '' /data } }
    ) {
        Get-ErrorId $Command | Should -BeLike 'InvalidInput,KdumpNfs.PowerShell.*Command'
    }

    It 'refuses it whatever the pipeline brings, and before it brings anything' {
        $script:asked = 0
        Get-ErrorId { 1..3 | ForEach-Object { $script:asked++; '127.0.0.1' } | Set-KdumpNfsTarget -Port $closed -NfsServer storage -Export data } | Should -BeLike 'InvalidInput,*'
        $asked | Should -Be 0
    }

    It 'says what to do instead' {
        try { Get-KdumpStatus 127.0.0.1 -Port 70000 } catch { $failure = $_ }
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
        $failure.Exception | Should -BeOfType KdumpNfs.HostException
    }
}

Describe 'Hosts from the pipeline' {
    It 'takes <Name>' -ForEach @(
        @{ Name = 'text'; Hosts = { '127.0.0.1' } }
        @{ Name = 'lines of a file, which carry properties'; Hosts = { Set-Content $TestDrive/hosts 127.0.0.1; Get-Content $TestDrive/hosts } }
        @{ Name = 'an address'; Hosts = { [ipaddress] '127.0.0.1' } }
        @{ Name = 'objects with HostName'; Hosts = { [pscustomobject]@{ HostName = '127.0.0.1' } } }
        @{ Name = 'objects with ComputerName'; Hosts = { [pscustomobject]@{ ComputerName = '127.0.0.1' } } }
        @{ Name = 'rows of a CSV'; Hosts = { "HostName,UserName,Port,KeyFilePath`n127.0.0.1,,," | ConvertFrom-Csv } }
        @{ Name = 'objects back from Clixml'; Hosts = { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize([pscustomobject]@{ HostName = '127.0.0.1' })) } }
    ) {
        & $Hosts | Get-KdumpStatus -Port $closed -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -Be 'Unreachable,KdumpNfs.PowerShell.GetKdumpStatusCommand'
        $failure.TargetObject | Should -Be '127.0.0.1'
    }

    It 'binds user, port and key of a CSV row, of each row its own' {
        $rows = "HostName,Port`n127.0.0.1,$closed`n127.0.0.2,70000`n127.0.0.3,$closed" | ConvertFrom-Csv
        $rows | Get-KdumpStatus -Transport OpenSsh -ErrorAction SilentlyContinue -ErrorVariable failures
        ($failures | Where-Object TargetObject -EQ 127.0.0.1).Exception.HostSaid | Should -Match "$closed"
        ($failures | Where-Object TargetObject -EQ 127.0.0.2).FullyQualifiedErrorId | Should -BeLike 'InvalidInput,*'
        ($failures | Where-Object TargetObject -EQ 127.0.0.3).FullyQualifiedErrorId | Should -BeLike 'Unreachable,*'
        # What the command line says is for all of them.
        $rows | Get-KdumpStatus -Port $closed -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures.FullyQualifiedErrorId -replace ',.*' | Select-Object -Unique | Should -Be Unreachable
    }

    It 'refuses <Name> instead of making text of it, and goes on' -ForEach @(
        @{ Name = 'an object without a host name'; Odd = [pscustomobject]@{ Name = 'web01' } }
        @{ Name = 'a number'; Odd = 42 }
        @{ Name = 'a date'; Odd = Get-Date }
        @{ Name = 'a folder'; Odd = Get-Item $PSScriptRoot }
    ) {
        $Odd, '127.0.0.1' | Get-KdumpStatus -Port $closed -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures.FullyQualifiedErrorId | Should -Be @('HostNameMissing,KdumpNfs.PowerShell.GetKdumpStatusCommand', 'Unreachable,KdumpNfs.PowerShell.GetKdumpStatusCommand')
    }

    It 'refuses an empty line of its own' {
        '', '127.0.0.1' | Get-KdumpStatus -Port $closed -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures.FullyQualifiedErrorId | Should -Be @('InvalidInput,KdumpNfs.PowerShell.GetKdumpStatusCommand', 'Unreachable,KdumpNfs.PowerShell.GetKdumpStatusCommand')
    }

    It 'binds nothing of the settings that a status carries' {
        # DumpLevel, Compression and Target are what the host has, not what is asked for.
        $status = [pscustomobject]@{
            HostName = '127.0.0.1'; DumpLevel = 99; Compression = 'Nonsense'; Export = 'relative'; DumpPath = "bad`npath"; Transport = 'Nonsense'
            Target = [pscustomobject]@{ NfsServer = 'old'; Export = 'relative'; DumpPath = "bad`npath" }
        }
        $status | Set-KdumpNfsTarget @target -Port $closed -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -Be 'Unreachable,KdumpNfs.PowerShell.SetKdumpNfsTargetCommand'
    }

    It 'keeps everybody with -IncludeFailed' {
        $status = '127.0.0.1', '127.0.0.2' | Get-KdumpStatus -Port $closed -IncludeFailed -ErrorAction SilentlyContinue
        $status | Should -HaveCount 2
        $status | ForEach-Object { $_ | Should -BeOfType KdumpNfs.Kdump.KdumpStatus; $_.ErrorId | Should -Be Unreachable; $_.State | Should -Be Unknown }
        $other = Get-NfsExport 127.0.0.1 -Port $closed -IncludeFailed -ErrorAction SilentlyContinue
        $other | Should -BeOfType KdumpNfs.Fleet.FailedHost
        $other.State, $other.ErrorId, $other.HostName | Should -Be 'Failed', 'Unreachable', '127.0.0.1'
    }

    It 'makes a terminating error of a failed host on request' {
        { Get-KdumpStatus 127.0.0.1 -Port $closed -ErrorAction Stop } | Should -Throw -ErrorId 'Unreachable,*'
    }
}
