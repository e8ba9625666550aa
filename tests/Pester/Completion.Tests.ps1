BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $files = New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) "kdumpnfs-tab-$([Guid]::NewGuid().ToString('n'))")
    Set-Content "$files/more.conf" "Host db01"
    Set-Content "$files/config" "Include $files/more.conf`nHost web01 web02 !web03 *.example.com`n  User admin"
    Set-Content "$files/known" @('|1|c2FsdA==|aGFzaA== ssh-ed25519 AAAA', '[192.0.2.9]:2222,node9 ssh-ed25519 AAAA', '@revoked evil ssh-ed25519 AAAA')
    $hosts = "-SshConfigFile $files/config -KnownHostsFile $files/known"

    function Tab([string] $line) { (TabExpansion2 $line $line.Length).CompletionMatches }
}

AfterAll { Remove-Item -LiteralPath $files -Recurse -Force }

Describe 'A Tab' {
    It 'offers the hosts of ssh_config with its includes and of known_hosts' {
        (Tab "Get-KdumpStatus $hosts -HostName ").CompletionText | Should -Be 'db01', 'web01', 'web02', '192.0.2.9', 'node9'
        (Tab "Get-KdumpStatus $hosts -HostName we").CompletionText | Should -Be 'web01', 'web02'
        (Tab "Get-Vmcore $hosts -StoreHost nod")[0].ToolTip | Should -Be 'known_hosts'
        (Tab "Get-KdumpStatus $hosts -HostName 192")[0].ToolTip | Should -Be 'known_hosts, port 2222'
    }

    It 'offers hosts for <_>' -ForEach @(
        'Test-KdumpReadiness -HostName', 'Set-KdumpNfsTarget -NfsServer', 'Find-UncapturedCrash -StoreHost', 'Invoke-KdumpDrill -StoreHost',
        'Send-Sysrq -ConsoleHost', 'Receive-Vmcore -StoreHost', 'Set-KdumpSshTarget -SshServer', 'New-KdumpSession -HostName', 'Export-VmcoreBundle -CrashedHost'
    ) {
        $command, $parameter = -split $_
        (Tab "$command $hosts $parameter db").CompletionText | Should -Be 'db01'
    }

    It 'offers words that a kernel or makedumpfile knows, with what they mean' {
        $choices = Tab 'Set-KernelPanicPolicy web01 -PanicTimeout '
        $choices.CompletionText | Should -Be '10', '0', '-1'
        $choices[1].ToolTip | Should -Match '^Never'
        (Tab 'Set-KdumpNfsTarget web01 -MessageLevel 3').CompletionText | Should -Be '31'
        (Tab 'Send-Sysrq web01 -Key w')[0].ToolTip | Should -Match 'wait'
        (Tab 'Set-KernelPanicPolicy web01 -Scope ').CompletionText | Should -Be 'Boot', 'Persistent'
        (Tab 'Set-KdumpNfsTarget web01 -Compression Z').CompletionText | Should -Be 'Zlib', 'Zstd'
        (Tab 'Set-KdumpNfsTarget web01 -DumpLevel F').CompletionText | Should -Be 'Free'
    }

    It 'offers <second> for <line>, with what it means' -ForEach @(
        @{ line = 'Enable-Sysrq web01 -Mask 8'; second = '8'; means = 'drill' }
        @{ line = 'Set-CrashKernelReservation web01 -Size 25'; second = '256M'; means = '64 GiB' }
        @{ line = 'Set-CrashKernelReservation web01 -Size 2G'; second = "'2G-64G:256M,64G-:512M'"; means = 'kdump-utils' }
        @{ line = 'Enable-NfsExport storage -Option rw,no_r'; second = 'no_root_squash'; means = 'written by root' }
        @{ line = 'Set-KdumpNfsTarget web01 -BatchSize 1,2'; second = "'25%'"; means = 'quarter' }
        @{ line = 'Invoke-KdumpDrill web01 -BatchSize 5'; second = '5'; means = 'Five' }
        @{ line = 'Set-KdumpLocalTarget web01 -FileSystem x'; second = 'xfs'; means = 'RHEL' }
        @{ line = 'Set-KdumpNfsTarget web01 -DumpPath /va'; second = '/var/crash'; means = 'default' }
    ) {
        $choices = @(Tab $line)
        $choices[0].CompletionText | Should -Be $second
        $choices[0].ToolTip | Should -Match $means
        # What is offered can be bound: nothing that PowerShell would read as something else.
        $null = [scriptblock]::Create(($line -replace '[^ ,]+$', $choices[0].CompletionText))
    }

    It 'offers journals of drills from where they are made' {
        $state = $env:XDG_STATE_HOME
        try {
            $env:XDG_STATE_HOME = "$files/state"
            $null = New-Item -ItemType Directory "$files/state/kdumpnfs/drills"
            'drill-20261101T101112Z-aaaaaa.jsonl', 'drill-20261102T101112Z-bbbbbb.jsonl', 'drill-20261102T101112Z-bbbbbb.jsonl.lock' | ForEach-Object { Set-Content "$files/state/kdumpnfs/drills/$_" 'x' }
            Split-Path -Leaf (Tab 'Resume-KdumpDrill -JournalPath ').CompletionText | Should -Be 'drill-20261102T101112Z-bbbbbb.jsonl', 'drill-20261101T101112Z-aaaaaa.jsonl'
        } finally { $env:XDG_STATE_HOME = $state }
    }

    It 'offers dumps that this session has seen, those that cmdlets read by their file' {
        $directory = "$files/store/192.0.2.7-2026-11-22-10:11:12"
        $null = New-Item -ItemType Directory $directory
        Set-Content "$directory/vmcore-incomplete" 'x'
        $null = Get-Vmcore -LiteralPath "$files/store"
        $line = "Get-VmcoreReport -InputObject $files"
        (Tab $line).CompletionText | Should -Contain "$directory/vmcore-incomplete"
        (Tab $line).ToolTip | Where-Object { $_ -like '192.0.2.7,*' } | Should -Not -BeNullOrEmpty
        (Tab "Set-VmcoreHold -InputObject $files").CompletionText | Should -Contain $directory
    }

    It 'offers exports that this session has seen, and connects to nobody' {
        $server = Start-TestServer -Stub @{ exportfs = 'printf "/data/tab_share\t192.0.2.0/24(rw,sync)\n"' }
        if (Skip-Without $server) { return }
        try {
            $connection = $server.Connection
            $null = Get-NfsExport 127.0.0.1 @connection
            # Logins, not lines: the end of the one above may be told late.
            function Get-Login { @(Select-String -Path "$($server.Log)" -Pattern '^(Accepted|Connection from)|Accepted publickey').Count }
            $logged = Get-Login
            (Tab 'Set-KdumpNfsTarget web01 -NfsServer 127.0.0.1 -Export ').CompletionText | Should -Contain '/data/tab_share'
            # A name that nobody asked: what is known of others is offered all the same.
            (Tab 'Get-Vmcore -StoreHost unknown.invalid -ExportPath /data/t').CompletionText | Should -Contain '/data/tab_share'
            (Tab 'Disable-NfsExport 127.0.0.1 -ExportPath /data/tab_share -Client 192.0.2.').ToolTip | Should -Be '127.0.0.1: may mount /data/tab_share'
            $logged | Should -BeGreaterThan 0
            Get-Login | Should -Be $logged
        } finally { Stop-TestServer $server }
    }

    It 'offers sessions by their numbers' {
        $server = Start-TestServer
        if (Skip-Without $server) { return }
        try {
            $connection = $server.Connection
            $session = New-KdumpSession 127.0.0.1 @connection
            $choice = Tab 'Get-KdumpSession -Id ' | Where-Object CompletionText -EQ $session.Id
            $choice.ToolTip | Should -Match '^127\.0\.0\.1, .*Opened'
            (Tab 'Remove-KdumpSession -Id ').CompletionText | Should -Contain "$($session.Id)"
            (Tab "Get-KdumpStatus $hosts -HostName 127").ToolTip | Should -Match "session $($session.Id)"
            Remove-KdumpSession -Session $session
        } finally { Stop-TestServer $server }
    }

    It 'offers targets, dump paths and copies that hosts of this session have' {
        # As the cmdlets note what they give; no host with a target is at hand here.
        $note = [KdumpNfs.PowerShell.ConnectingCmdlet].Assembly.GetType('KdumpNfs.PowerShell.SeenOnStores').GetMethod('Note')
        $target = [KdumpNfs.Kdump.KdumpTarget] @{ Kind = 'Nfs'; Store = 'tabstore'; Export = '/data/tab'; DumpPath = '/dumps/tab' }
        $null = $note.Invoke($null, @([KdumpNfs.Kdump.KdumpStatus] @{ HostName = 'tab01'; State = 'Configured'; Target = $target }))
        foreach ($name in 'tab01', 'tab02') { $null = $note.Invoke($null, @([KdumpNfs.Kdump.KdumpBackup] @{ HostName = $name; Path = "/etc/kdump.conf.kdumpnfs-$name.bak"; Time = '2026-11-22T10:00:00Z'; Target = $target })) }
        (Tab 'Get-KdumpStatus tab01 -ExpectedTarget tabs').CompletionText | Should -Be 'tabstore:/data/tab/dumps/tab'
        (Tab 'Set-KdumpNfsTarget tab02 -NfsServer tabstore -Export /data/tab -DumpPath /d').CompletionText | Should -Be '/dumps/tab'
        $choice = Tab 'Restore-KdumpConfiguration tab01 -Backup /etc'
        $choice.CompletionText | Should -Be '/etc/kdump.conf.kdumpnfs-tab01.bak'
        $choice.ToolTip | Should -Match '^tab01, 2026-11-22 .*tabstore'
    }
}
