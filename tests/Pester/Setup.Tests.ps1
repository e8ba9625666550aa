# Reservations and packages through the module: a host of stubs, no guest.
BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    # A host that was started by a hypervisor and has an apt with one package.
    $server = Start-TestServer -Stub @{
        'grubby'     = 'exit 1'
        'dpkg-query' = 'exit 1'
        'apt-get'    = 'for name; do case $name in -*|install) ;; *) echo "Inst $name (1.0 Debian [amd64])" ;; esac; done'
        'uname'      = 'case $1 in -r) echo 6.1.0-lab ;; -m) echo x86_64 ;; *) exec /usr/bin/uname "$@" ;; esac'
    }
}

AfterAll { Stop-TestServer $server }

Describe 'A host on the way' {
    It 'tells its reservation without changing anything' {
        if (Skip-Without $server) { return }
        $connection = $server.Connection
        $told = Get-CrashKernelReservation 127.0.0.1 @connection
        $told.HostName | Should -Be 127.0.0.1
        $told.KernelRelease | Should -Be 6.1.0-lab
        $told.MemoryBytes | Should -BeGreaterThan 1MB
        @($told.Findings).Count | Should -BeGreaterThan 0
        ($told | Format-Table | Out-String) | Should -Match 'NextBoot'
        ($told | Format-List | Out-String) | Should -Match 'BootEvidence'
    }

    It 'refuses a reservation that its boot loader does not decide, with the argument to use' {
        if (Skip-Without $server) { return }
        $connection = $server.Connection
        if (-not (Test-Path /sys/kernel/kexec_crash_size)) { Set-ItResult -Skipped -Because 'this kernel has no kdump'; return }
        if ((Get-CrashKernelReservation 127.0.0.1 @connection).BootSource -ne 'Elsewhere') { Set-ItResult -Skipped -Because 'this machine boots by itself'; return }
        $failure = $null
        Set-CrashKernelReservation 127.0.0.1 @connection -Size 1G-4G:192M,4G-:256M -WhatIf -ErrorVariable failure -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'NotOwnBootLoader,*'
        $failure[0].Exception.Remedy | Should -Match 'crashkernel=1G-4G:192M,4G-:256M'
    }
}
