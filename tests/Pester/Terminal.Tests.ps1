BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $files = New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) "kdumpnfs-terminal-$([Guid]::NewGuid().ToString('n'))")

    # A shell of its own, because what decides is how it was started. Variables of this test run that say "plain" or "quiet" are taken away first.
    function Invoke-Shell([string] $script, [hashtable] $environment = @{}, [string[]] $option = @()) {
        Set-Content "$files/script.ps1" "Import-Module '$moduleFolder'; $script"
        foreach ($name in 'NO_COLOR', 'CI', 'TF_BUILD', 'TEAMCITY_VERSION', 'JENKINS_URL') { if (-not $environment.Contains($name)) { $environment[$name] = $null } }
        $environment.TERM = 'xterm-256color'
        $saved = @{}
        foreach ($name in @($environment.Keys)) { $saved[$name] = [Environment]::GetEnvironmentVariable($name); [Environment]::SetEnvironmentVariable($name, $environment[$name]) }
        try { (pwsh -NoProfile @option -File "$files/script.ps1" 2>&1) -join "`n" }
        finally { foreach ($name in @($saved.Keys)) { [Environment]::SetEnvironmentVariable($name, $saved[$name]) } }
    }
}

AfterAll { Remove-Item -LiteralPath $files -Recurse -Force }

Describe 'The diff of -WhatIf' {
    BeforeAll {
        $server = Start-TestServer
        if ($server) {
            $change = "Set-KernelPanicPolicy 127.0.0.1 -Port $($server.Port) -KeyFilePath '$($server.Connection.KeyFilePath)' -UserName $($server.Connection.UserName) " +
                "-KnownHostsFile '$($server.Connection.KnownHostsFile)' -PanicTimeout 4711 -WhatIf"
        }
    }
    AfterAll { Stop-TestServer $server }

    It 'is green and red where the user asks for colours' {
        if (Skip-Without $server) { return }
        $text = Invoke-Shell "`$PSStyle.OutputRendering = 'Ansi'; $change"
        $text | Should -Match "`e\[32m\+kernel\.panic ?= ?4711`e\[0m"
        $text | Should -Match "`e\[36m@@"
    }

    It 'is plain <_>' -ForEach 'in a file', 'with PlainText', 'with NO_COLOR' {
        if (Skip-Without $server) { return }
        $text = switch ($_) {
            'in a file' { Invoke-Shell $change }
            'with PlainText' { Invoke-Shell "`$PSStyle.OutputRendering = 'PlainText'; $change" }
            'with NO_COLOR' { Invoke-Shell "`$PSStyle.OutputRendering = 'Ansi'; $change" @{ NO_COLOR = '1' } }
        }
        $text | Should -Match '(?m)^\+kernel\.panic ?= ?4711$'
        $text | Should -Not -Match "`e\[3[126]m"
    }
}

Describe 'Progress' {
    BeforeAll {
        $null = New-Item -ItemType Directory "$files/store"
        # The records of a wait for two hosts that never crash, seen from inside the shell.
        $wait = @"
`$shell = [powershell]::Create().AddScript({ Import-Module '$moduleFolder'; '192.0.2.1', '192.0.2.2' | Wait-Vmcore -LiteralPath '$files/store' -TimeoutSec 2 })
`$null = `$shell.Invoke()
"failed: `$(`$shell.Streams.Error.Count)"
`$shell.Streams.Progress | ForEach-Object { "`$(`$_.RecordType) `$(`$_.ActivityId) `$(`$_.Activity) | `$(`$_.StatusDescription)" }
"@
    }

    It 'tells of every host how long, and of all hosts together' {
        $text = Invoke-Shell $wait
        $text | Should -Match 'failed: 2'
        $text | Should -Match 'Processing \d+ 192\.0\.2\.1: .* \| nothing yet, .*gives up in \d+ s'
        $text | Should -Match 'Processing 0 Wait-Vmcore \| \d+ of 2 done'
        # No bar stays behind.
        $text | Should -Match 'Completed 0 Wait-Vmcore'
    }

    It 'is quiet <Name>' -ForEach @(
        @{ Name = 'in CI'; Environment = @{ CI = 'true' }; Option = @() }
        @{ Name = 'in a pipeline of Azure'; Environment = @{ TF_BUILD = 'True' }; Option = @() }
        @{ Name = 'with -NonInteractive'; Environment = @{}; Option = @('-NonInteractive') }
    ) {
        $text = Invoke-Shell $wait $Environment.Clone() $Option
        $text | Should -Match 'failed: 2'
        $text | Should -Not -Match 'Processing'
    }
}
