# The acceptance test of docs/acceptance and the nightly audit of docs/runbooks, run as an admin runs them: on hosts that pass, and on one with a fault.
BeforeAll {
    Import-Module $env:KDUMPNFS_MODULE -Force
    $script:Docs = Join-Path $PSScriptRoot '../../docs'
    $script:Nodes = $env:KDUMPNFS_LAB_NODE1_HOST, $env:KDUMPNFS_LAB_NODE2_HOST
    $script:Shell = (Get-Command pwsh -CommandType Application | Select-Object -First 1).Source

    # In a process of its own: Pester is not made to run inside itself.
    function Invoke-Acceptance([string[]] $HostName) {
        $names = ($HostName | ForEach-Object { "'$_'" }) -join ', '
        $said = & $Shell -NoProfile -NonInteractive -Command @"
Import-Module Pester -MinimumVersion 5.0
`$connection = @{ UserName = '$env:KDUMPNFS_LAB_USER'; Port = $env:KDUMPNFS_LAB_PORT; KeyFilePath = '$env:KDUMPNFS_LAB_KEY_FILE'; KnownHostsFile = '$env:KDUMPNFS_LAB_KNOWN_HOSTS' }
`$container = New-PesterContainer -Path '$Docs/acceptance/Kdump.Acceptance.Tests.ps1' -Data @{ HostName = $names; Connection = `$connection }
`$result = Invoke-Pester -Container `$container -PassThru -Output None
ConvertTo-Json -Compress @(`$result.Tests | ForEach-Object { @{ Result = "`$(`$_.Result)"; Name = `$_.Name; Why = "`$(`$_.ErrorRecord)" } })
"@
        ($said | Select-Object -Last 1) | ConvertFrom-Json
    }

    function Invoke-Node2([string] $Command) {
        ssh -p $env:KDUMPNFS_LAB_PORT -i $env:KDUMPNFS_LAB_KEY_FILE -o "UserKnownHostsFile=$env:KDUMPNFS_LAB_KNOWN_HOSTS" -o BatchMode=yes "$env:KDUMPNFS_LAB_USER@$($Nodes[1])" $Command
        if ($LASTEXITCODE) { throw "$Command ended with $LASTEXITCODE on node2." }
    }
}

Describe 'The acceptance test' -Tag Long {
    It 'passes on hosts that would be captured, one test a check and host' {
        $tests = Invoke-Acceptance $Nodes
        $tests.Count | Should -Be 64
        ($tests | Where-Object Result -EQ Failed).Why | Should -BeNullOrEmpty
        foreach ($name in 'can be asked', 'can be mounted from the host', 'lets root of the host write there', 'has a crash kernel loaded', 'dumps to the target of today') {
            # What lies in Debian's capture image is the host's own root: only the RHEL family's can be looked into.
            $expected = $name -like 'dumps to*' ? 1 : 2
            @($tests | Where-Object { $_.Name -eq $name -and $_.Result -eq 'Passed' }).Count | Should -BeGreaterOrEqual $expected -Because $name
        }
    }

    It 'fails by name on a host that would not' {
        Invoke-Node2 'systemctl disable -q kdump'
        try { $tests = Invoke-Acceptance $Nodes[1] } finally { Invoke-Node2 'systemctl enable -q kdump' }
        ($tests | Where-Object Result -EQ Failed).Name | Should -Be 'starts its service with the next boot'
    }
}

Describe 'The nightly audit' -Tag Long {
    It 'ends with 0 on hosts that pass, with 1 on a regression once, and says what was mended' {
        $Nodes | ForEach-Object { [pscustomobject]@{ HostName = $_; UserName = $env:KDUMPNFS_LAB_USER; Port = $env:KDUMPNFS_LAB_PORT; KeyFilePath = $env:KDUMPNFS_LAB_KEY_FILE } } | Export-Csv "$TestDrive/hosts.csv"
        $audit = { & $Shell -NoProfile -NonInteractive -File "$Docs/runbooks/Nightly-Audit.ps1" -HostList "$TestDrive/hosts.csv" -Record "$TestDrive/last.json" -KnownHostsFile $env:KDUMPNFS_LAB_KNOWN_HOSTS }
        & $audit | Should -BeNullOrEmpty
        $LASTEXITCODE | Should -Be 0
        Invoke-Node2 'systemctl disable -q kdump'
        try {
            $said = & $audit | Out-String
            $LASTEXITCODE | Should -Be 1
            $said | Should -Match 'ServiceEnabled'
            $null = & $audit
            $LASTEXITCODE | Should -Be 0
        }
        finally {
            Invoke-Node2 'systemctl enable -q kdump'
        }
        & $audit | Out-String | Should -Match 'ServiceEnabled'
        $LASTEXITCODE | Should -Be 0
    }
}
