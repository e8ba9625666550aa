# -WhatIf of every change touches nothing: content and times of files, the services' start, kernel settings and what is loaded are compared on all
# guests. Each change is one that has something to do, which is seen by its giving no object: one would say that nothing was to be done. Two cannot be made
# so: a reservation is refused on guests that their hypervisor boots, and after a restore there is no copy to go back to unless one is named.
BeforeDiscovery {
    $asked = @(
        @{ Name = 'Set-KdumpNfsTarget'; On = 'Nodes'; With = @{ NfsServer = '{store}'; Export = '/data/nfs_share'; DumpPath = '/var/crash/other'; CreatePath = $true; DumpLevel = 1 } }
        @{ Name = 'Set-KdumpLocalTarget'; On = 'Nodes'; With = @{ DumpPath = '/var/kdumpnfs-whatif'; CreatePath = $true } }
        @{ Name = 'Set-KdumpSshTarget'; On = 'Nodes'; With = @{ SshServer = '{store}'; DumpPath = '/data/kdumpnfs-whatif'; SshUser = 'whatif'; CreateUser = $true; CreatePath = $true; StoreHost = '{storage}'; StoreUserName = '{user}'; StorePort = '{port}'; StoreKeyFilePath = '{key}' } }
        @{ Name = 'Restore-KdumpConfiguration'; On = 'Nodes'; With = @{}; MayBeDone = $true }
        @{ Name = 'Update-KdumpInitramfs'; On = 'Nodes'; With = @{} }
        @{ Name = 'Disable-Kdump'; On = 'Nodes'; With = @{} }
        # The nodes have all of it. The store's kdump is not switched on, or not there.
        @{ Name = 'Install-Kdump'; On = 'Storage'; With = @{ Refresh = $true } }
        @{ Name = 'Set-CrashKernelReservation'; On = 'Nodes'; With = @{ Size = '200M'; Force = $true }; Refused = 'NotOwnBootLoader' }
        @{ Name = 'Enable-Sysrq'; On = 'Nodes'; With = @{ Mask = 9 } }
        @{ Name = 'Disable-Sysrq'; On = 'Nodes'; With = @{ Mask = 16 } }
        @{ Name = 'Set-KernelPanicPolicy'; On = 'Nodes'; With = @{ HungTaskPanic = $true; PanicTimeout = 77 } }
        @{ Name = 'Restore-KernelPanicPolicy'; On = 'Nodes'; With = @{} }
        @{ Name = 'Enable-NfsExport'; On = 'Storage'; With = @{ ExportPath = '/data/kdumpnfs-whatif'; Client = '192.0.2.0/24'; DumpPath = '/crash'; CreateDirectory = $true } }
        @{ Name = 'Disable-NfsExport'; On = 'Storage'; With = @{ ExportPath = '/data/nfs_share'; Client = '{subnet}'; Force = $true } }
        @{ Name = 'Invoke-SysrqCrash'; On = 'Nodes'; With = @{ Force = $true } }
        @{ Name = 'Invoke-KdumpDrill'; On = 'Nodes'; With = @{ StoreHost = '{storage}'; ExportPath = '/data/nfs_share'; DumpPath = '/var/crash'; Force = $true } }
    )
}

BeforeAll {
    Import-Module $env:KDUMPNFS_MODULE -Force
    $script:Ssh = @{ UserName = $env:KDUMPNFS_LAB_USER; Port = [int] $env:KDUMPNFS_LAB_PORT; KeyFilePath = $env:KDUMPNFS_LAB_KEY_FILE; KnownHostsFile = $env:KDUMPNFS_LAB_KNOWN_HOSTS }
    $script:Nodes = $env:KDUMPNFS_LAB_NODE1_HOST, $env:KDUMPNFS_LAB_NODE2_HOST
    $script:Storage = $env:KDUMPNFS_LAB_STORAGE_HOST
    $script:Words = @{
        '{store}' = $env:KDUMPNFS_LAB_STORAGE_PRIVATE; '{storage}' = $Storage; '{subnet}' = $env:KDUMPNFS_LAB_SUBNET
        '{user}' = $Ssh.UserName; '{port}' = $Ssh.Port; '{key}' = $Ssh.KeyFilePath
    }

    # What must not move. The store's dumps and the hosts' configuration by content and time, everything else that a change could leave by name.
    $script:Look = @'
for d in /etc /root /var/lib/kdump /var/lib/kdumpnfs /data /usr/local /var/crash /boot; do
  [ -d $d ] && find $d -xdev ! -path /etc/mtab ! -path '*/.ssh' -printf '%p %y %s %m %u %T@\n'
done | sort
find /etc -xdev -type f -exec sha256sum {} + | sort
systemctl show -p Id -p ActiveState -p UnitFileState -p ActiveEnterTimestampMonotonic kdump.service kdump-tools.service nfs-server.service 2>/dev/null
exportfs -s 2>/dev/null
sysctl -a 2>/dev/null | grep -E '^kernel\.(sysrq|.*panic.*|nmi_watchdog|hung_task_timeout_secs)'
cat /sys/kernel/kexec_crash_loaded /proc/sys/kernel/random/boot_id 2>/dev/null
getent passwd
ls /run/kdumpnfs 2>/dev/null
'@
    function Get-Trace {
        foreach ($guest in @($Storage) + $Nodes) {
            "== $guest"
            $Look | ssh -p $Ssh.Port -i $Ssh.KeyFilePath -o "UserKnownHostsFile=$($Ssh.KnownHostsFile)" -o BatchMode=yes "$($Ssh.UserName)@$guest" sh -s
        }
    }
}

Describe '-WhatIf' -Tag Long {
    BeforeAll {
        # A crash of another file may be just over: a host that still boots moves by itself.
        $until = (Get-Date).AddMinutes(10)
        while ($true) {
            $states = Get-KdumpStatus $Nodes @Ssh -ErrorAction SilentlyContinue
            if (@($states | Where-Object State -NE NotReady).Count -eq 2 -and (Get-Date) -le $until) { break }
            if ((Get-Date) -gt $until) { throw "The nodes are not armed: $states" }
            Start-Sleep 3
        }

        # Something to restore, in force for this boot alone.
        $null = Set-KernelPanicPolicy $Nodes @Ssh -PanicTimeout 78 -Scope Boot -Confirm:$false -ErrorAction Stop
        $script:Before = Get-Trace
    }

    AfterAll { $null = Restore-KernelPanicPolicy $Nodes @Ssh -Confirm:$false }

    It 'shows what <Name> would do' -ForEach $asked {
        $more = $Ssh.Clone()
        foreach ($key in $With.Keys) { $more[$key] = $With[$key] -is [string] -and $Words.ContainsKey($With[$key]) ? $Words[$With[$key]] : $With[$key] }
        $more.HostName = $On -eq 'Nodes' ? $Nodes : $Storage
        $failure = $null
        # What-if texts go to the host of the shell, and no object is given: something would be done, and nothing was.
        $result = & $Name @more -WhatIf -ErrorAction SilentlyContinue -ErrorVariable failure
        # A guest for which GRUB's menu was made meanwhile may take what others are refused.
        if ($Refused) { foreach ($one in $failure) { $one.FullyQualifiedErrorId | Should -BeLike "$Refused,*" } } else { "$failure" | Should -BeNullOrEmpty }
        if ($MayBeDone) { $result = $result | Where-Object { $_.Changed } }
        $result | Should -BeNullOrEmpty
    }

    It 'shows what Invoke-KdumpPlan would do with plans that were made before' {
        $failure = $null
        $plans = @(Set-KdumpNfsTarget $Nodes @Ssh -NfsServer $Words['{store}'] -Export /data/nfs_share -DumpPath /var/crash/planned -CreatePath -PassPlan -ErrorAction SilentlyContinue -ErrorVariable failure)
        "$failure" | Should -BeNullOrEmpty
        $plans.Count | Should -Be 2
        $plans.WritesFile | Should -Be $true, $true
        $result = $plans | Invoke-KdumpPlan @Ssh -WhatIf -ErrorAction SilentlyContinue -ErrorVariable failure
        "$failure" | Should -BeNullOrEmpty
        $result | Should -BeNullOrEmpty
    }

    It 'has touched nothing on any guest' {
        $after = Get-Trace
        $before.Count | Should -BeGreaterThan 100
        Compare-Object $Before $after | ForEach-Object { "$($_.SideIndicator) $($_.InputObject)" } | Should -BeNullOrEmpty
    }

    It 'was asked of every change of hosts' -TestCases @{ Asked = $asked.Name } {
        # A console's key is no change of a host; plans have a test of their own; dumps and journals are of the controller and the store.
        $changes = Get-Command -Module KdumpNfs | Where-Object { $_.Parameters.ContainsKey('WhatIf') -and $_.Parameters.ContainsKey('HostName') -and $_.Name -notin 'Send-Sysrq', 'Invoke-KdumpPlan' -and $_.Noun -ne 'KdumpSession' }
        $changes.Name | Sort-Object | Should -Be ($Asked | Sort-Object)
    }
}
