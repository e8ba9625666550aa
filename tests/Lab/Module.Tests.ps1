# The module in real PowerShell against the guests of the virtual lab, imported as a user does. Runs after the scenarios of the xunit
# project, which leave the nodes configured. What crashes a node again has the tag Long.
BeforeAll {
    Import-Module $env:KDUMPNFS_MODULE -Force
    $script:Ssh = @{
        UserName       = $env:KDUMPNFS_LAB_USER
        Port           = [int] $env:KDUMPNFS_LAB_PORT
        KeyFilePath    = $env:KDUMPNFS_LAB_KEY_FILE
        KnownHostsFile = $env:KDUMPNFS_LAB_KNOWN_HOSTS
    }
    $script:Connection = @{ KnownHostsFile = $env:KDUMPNFS_LAB_KNOWN_HOSTS }
    $script:Nodes = $env:KDUMPNFS_LAB_NODE1_HOST, $env:KDUMPNFS_LAB_NODE2_HOST
    $script:Target = @{ NfsServer = $env:KDUMPNFS_LAB_STORAGE_PRIVATE; Export = '/data/nfs_share'; DumpPath = '/var/crash' }
    $script:Store = @{ StoreHost = $env:KDUMPNFS_LAB_STORAGE_HOST; ExportPath = '/data/nfs_share'; DumpPath = '/var/crash' }
}

Describe 'The module against the lab' {
    It 'gives one status object a host, over each transport' {
        foreach ($transport in 'Auto', 'OpenSsh') {
            $status = $Nodes | Get-KdumpStatus @Ssh -Transport $transport
            $status.HostName | Sort-Object | Should -Be ($Nodes | Sort-Object)
            # A drill before may have proven one of them.
            $status.State | ForEach-Object { $_ | Should -BeIn 'Configured', 'Proven' }
        }
    }

    It 'runs through sudo for an account that may' {
        $status = Get-KdumpStatus $Nodes[0] -UserName $env:KDUMPNFS_LAB_SUDO_USER -Port $Ssh.Port -KeyFilePath $Ssh.KeyFilePath @Connection -Sudo
        $status.State | Should -BeIn 'Configured', 'Proven'
    }

    It 'refuses what needs root without it, before anything is changed' {
        $plain = @{ UserName = $env:KDUMPNFS_LAB_PLAIN_USER; Port = $Ssh.Port; KeyFilePath = $Ssh.KeyFilePath }
        $failure = $null
        Get-VmcoreEstimate $Nodes[0] @plain @Connection -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'NotRoot,*'
        Get-VmcoreEstimate $Nodes[0] @plain @Connection -Sudo -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'SudoRefused,*'
    }

    It 'logs in with a password where SSH.NET is built in' {
        if (-not (Test-Path "$env:KDUMPNFS_MODULE/private")) { Set-ItResult -Skipped -Because 'SSH.NET is not built in'; return }
        $secret = ConvertTo-SecureString $env:KDUMPNFS_LAB_PASSWORD -AsPlainText -Force
        $credential = [pscredential]::new($env:KDUMPNFS_LAB_PASSWORD_USER, $secret)
        $status = Get-KdumpStatus $Nodes[0] -Credential $credential -Port $Ssh.Port @Connection -Verbose 4>&1
        ($status | Where-Object { $_ -isnot [System.Management.Automation.VerboseRecord] }).HostName | Should -Be $Nodes[0]
        "$status" | Should -Not -Match $env:KDUMPNFS_LAB_PASSWORD
    }

    It 'pipes status into a change that has nothing to do' {
        $changes = $Nodes | Get-KdumpStatus @Ssh | Set-KdumpNfsTarget @Target @Connection
        $changes.Changed | Should -Be $false, $false
        $changes.Target.Location | Should -Be "$($Target.NfsServer):/data/nfs_share/var/crash", "$($Target.NfsServer):/data/nfs_share/var/crash"
    }

    It 'shows a diff with -WhatIf and gives a plan with -PassPlan, and changes nothing' {
        $before = (Get-KdumpStatus $Nodes @Ssh | Sort-Object HostName).DumpLevel
        $plans = Set-KdumpNfsTarget $Nodes @Ssh @Target -DumpLevel 1 -PassPlan
        $plans.Count | Should -Be 2
        $plans.Diff | ForEach-Object { $_ | Should -Match '(?m)^\+.*-d 1\b' }
        Set-KdumpNfsTarget $Nodes @Ssh @Target -DumpLevel 1 -WhatIf | Should -BeNullOrEmpty
        (Get-KdumpStatus $Nodes @Ssh | Sort-Object HostName).DumpLevel | Should -Be $before
    }

    It 'names its own error for each way a host can fail, and goes on with the others' {
        $failure = $null
        $result = @($Nodes[0], '127.122.0.250') | Get-KdumpStatus @Ssh -IncludeFailed -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure.Count | Should -Be 1
        $failure[0].TargetObject | Should -Be '127.122.0.250'
        ($result | Where-Object HostName -EQ $Nodes[0]).State | Should -BeIn 'Configured', 'Proven'
        ($result | Where-Object HostName -EQ '127.122.0.250').ErrorId | Should -Not -BeNullOrEmpty
    }

    It 'lists complete vmcores with their panic reason' {
        $dumps = Get-Vmcore @Store @Ssh
        ($dumps | Where-Object State -EQ Complete).Count | Should -BeGreaterThan 1
        $dumps.PanicReason | Should -Contain 'Kernel panic - not syncing: sysrq triggered crash'
    }

    It 'crashes a node through the whole pipeline and waits for its vmcore' -Tag Long {
        $dump = Get-KdumpStatus $Nodes[1] @Ssh | Set-KdumpNfsTarget @Target @Connection |
            Invoke-SysrqCrash @Connection -Confirm:$false | Wait-Vmcore @Store @Ssh
        $dump.State | Should -Be Complete
        $dump.PanicReason | Should -Match 'sysrq triggered crash'
    }
}
