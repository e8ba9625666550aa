BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $files = New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) "kdumpnfs-preference-$([Guid]::NewGuid().ToString('n'))")
}

AfterAll {
    Stop-TestServer $server
    Remove-Item -LiteralPath $files -Recurse -Force
}

Describe 'Defaults for a fleet' {
    BeforeEach { Set-KdumpPreference -Reset }
    AfterAll { Set-KdumpPreference -Reset }

    It 'come from $PSDefaultParameterValues' {
        if (Skip-Without $server) { return }
        $PSDefaultParameterValues = @{
            '*-Kdump*:UserName' = $server.Connection.UserName; '*-Kdump*:Port' = $server.Port; '*-Kdump*:KeyFilePath' = $server.Connection.KeyFilePath
            '*-Kdump*:KnownHostsFile' = $server.Connection.KnownHostsFile; '*-Kdump*:Transport' = 'OpenSsh'; '*-Kdump*:ThrottleLimit' = 3
        }
        $session = New-KdumpSession 127.0.0.1
        $session.Transport | Should -Be 'OpenSsh'
        $session | Remove-KdumpSession
        $PSDefaultParameterValues['*-Kdump*:ThrottleLimit'] = 0
        { Get-KdumpStatus 127.0.0.1 } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'come from the settings of the process, for every runspace' {
        if (Skip-Without $server) { return }
        Set-KdumpPreference -UserName $server.Connection.UserName -KeyFilePath $server.Connection.KeyFilePath -KnownHostsFile $server.Connection.KnownHostsFile -Transport OpenSsh
        (Get-KdumpStatus 127.0.0.1 -Port $server.Port).HostName | Should -Be '127.0.0.1'
        $there = 1..2 | ForEach-Object -Parallel { Import-Module $using:moduleFolder; (Get-KdumpStatus 127.0.0.1 -Port $using:server.Port).UserName }
        $there | Should -Be @($server.Connection.UserName, $server.Connection.UserName)
    }

    It 'are beaten by $PSDefaultParameterValues, and that by a parameter' {
        Set-KdumpPreference -ThrottleLimit 7 -UserName setting -StoreHost settings.invalid -ExportPath /setting
        $PSDefaultParameterValues = @{ 'Get-Vmcore:ThrottleLimit' = 0; 'Get-Vmcore:StoreHost' = 'default.invalid' }
        { Get-Vmcore -ExportPath /x } | Should -Throw -ErrorId 'InvalidInput,*'
        { Get-Vmcore -ExportPath /x -ThrottleLimit 1 -ErrorAction Stop } | Should -Throw '*default.invalid*'
        { Get-Vmcore named.invalid /x -ThrottleLimit 1 -ErrorAction Stop } | Should -Throw '*named.invalid*'
        $PSDefaultParameterValues = @{}
        { Get-Vmcore -ErrorAction Stop } | Should -Throw '*settings.invalid*'
    }

    It 'give a store''s export only for that store, and none to what removes' {
        Set-KdumpPreference -StoreHost settings.invalid -ExportPath /setting
        { Get-Vmcore other.invalid } | Should -Throw -ErrorId 'InvalidInput,*'
        { Remove-Vmcore -KeepLast 5 -Confirm:$false } | Should -Throw -ErrorId 'InvalidInput,*'
        Set-KdumpPreference -Reset
        { Get-Vmcore } | Should -Throw -ErrorId 'InvalidInput,*'
        { Find-UncapturedCrash web01 } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'change by what is given, and show what they are' {
        $null = Set-KdumpPreference -UserName one -ThrottleLimit 7 -WhatIf
        (Get-KdumpPreference).UserName | Should -BeNullOrEmpty
        Set-KdumpPreference -UserName one -ConnectingTimeout 2500
        $all = Set-KdumpPreference -ThrottleLimit 9 -PassThru
        $all.UserName, $all.ThrottleLimit, $all.ConnectingTimeout.TotalMilliseconds | Should -Be 'one', 9, 2500
        (Set-KdumpPreference -UserName '' -PassThru).UserName | Should -BeNullOrEmpty
        { Set-KdumpPreference -ThrottleLimit 0 } | Should -Throw -ErrorId 'InvalidInput,*'
        ($all | Out-String) | Should -Match 'UserName +: one'
    }

    It 'come from a file, and go to one and back' {
        Set-KdumpPreference -UserName one -ThrottleLimit 9 -Transport OpenSsh -OperationTimeout (New-TimeSpan -Minutes 3) -KnownHostsFile "$files/known", "$files/known2"
        $before = Get-KdumpPreference
        $before | Select-Object -ExcludeProperty Source | ConvertTo-Json | Set-Content "$files/fleet.json"
        Set-KdumpPreference -Reset
        Set-KdumpPreference "$files/fleet.json"
        $after = Get-KdumpPreference
        $after.Source | Should -Be "$files/fleet.json"
        foreach ($name in 'UserName', 'ThrottleLimit', 'Transport', 'OperationTimeout', 'KnownHostsFile') { $after.$name | Should -Be $before.$name }

        Set-Content "$files/relative.json" '{ "KeyFilePath": "keys/fleet", "ConnectingTimeout": 30, "Transport": "SshNet" }'
        $relative = Set-KdumpPreference -LiteralPath "$files/relative.json" -PassThru
        $relative.KeyFilePath, $relative.ConnectingTimeout | Should -Be "$files/keys/fleet", ([timespan]'00:00:30')
        foreach ($bad in '{ "Password": "x" }', '{ "Transport": "Telnet" }', '{ "ThrottleLimit": 0 }', 'nonsense') {
            Set-Content "$files/bad.json" $bad
            { Set-KdumpPreference -LiteralPath "$files/bad.json" } | Should -Throw -ErrorId 'InvalidInput,*' -Because $bad
        }
        { Set-KdumpPreference -LiteralPath "$files/none.json" } | Should -Throw -ErrorId 'InvalidInput,*'
        (Get-KdumpPreference).Source | Should -Be "$files/relative.json"
    }

    It 'come from the file that the environment names, in a new process' {
        Set-Content "$files/environment.json" '{ "UserName": "runbook" }'
        $env:KDUMPNFS_PREFERENCE = "$files/environment.json"
        try { pwsh -NoProfile -NonInteractive -Command "Import-Module '$moduleFolder'; (Get-KdumpPreference).UserName" | Should -Be 'runbook' }
        finally { $env:KDUMPNFS_PREFERENCE = $null }
    }
}

Describe 'A credential by its name' {
    BeforeAll {
        $module = New-Item -ItemType Directory "$files/modules/Microsoft.PowerShell.SecretManagement"
        Set-Content "$module/Microsoft.PowerShell.SecretManagement.psm1" @'
# This is a stand-in for Microsoft.PowerShell.SecretManagement, for tests: it has the two secrets below and no vault.
function Get-Secret {
    [CmdletBinding()] param([string] $Name, [string] $Vault)
    $password = ConvertTo-SecureString 'not-a-real-password' -AsPlainText -Force
    switch ($Name) {
        'fleet' { if ($Vault -and $Vault -ne 'Main') { throw "Vault $Vault not found" }; [pscredential]::new('vault-user', $password) }
        'password' { $password }
        'text' { 'plain' }
        default { throw "The secret $Name was not found." }
    }
}
Export-ModuleMember -Function Get-Secret
'@
        $path = $env:PSModulePath
    }
    AfterEach { $env:PSModulePath = $path; Remove-Module Microsoft.PowerShell.SecretManagement -ErrorAction Ignore; Set-KdumpPreference -Reset }

    It 'needs the module, and says so' {
        if (Get-Module -ListAvailable Microsoft.PowerShell.SecretManagement) { Set-ItResult -Skipped -Because 'the real module is there'; return }
        { Get-KdumpStatus 127.0.0.1 -CredentialName fleet } | Should -Throw -ErrorId 'VaultNotAvailable,*'
    }

    It 'comes from a vault' {
        $env:PSModulePath = "$files/modules$([IO.Path]::PathSeparator)$path"
        # OpenSSH takes no password from here, and says so: it was given one.
        { Get-KdumpStatus 127.0.0.1 -Port 1 -CredentialName fleet -Transport OpenSsh -ErrorAction Stop } | Should -Throw '*takes no password*'
        { Get-KdumpStatus 127.0.0.1 -CredentialName 'Other\fleet' } | Should -Throw -ErrorId 'SecretNotFound,*'
        { Get-KdumpStatus 127.0.0.1 -CredentialName nothing } | Should -Throw -ErrorId 'SecretNotFound,*'
        { Get-KdumpStatus 127.0.0.1 -CredentialName text } | Should -Throw -ErrorId 'SecretNotFound,*'
        { Get-KdumpStatus 127.0.0.1 -CredentialName password } | Should -Throw -ErrorId 'SecretNotFound,*'
        { Get-KdumpStatus 127.0.0.1 -CredentialName fleet -Credential ([pscredential]::Empty) } | Should -Throw -ErrorId 'InvalidInput,*'
        Set-KdumpPreference -CredentialName nothing
        { Get-KdumpStatus 127.0.0.1 } | Should -Throw -ErrorId 'SecretNotFound,*'
    }

    It 'logs in, and its password is nowhere' {
        if (Skip-Without $server) { return }
        if (-not (Test-Path "$moduleFolder/private/Renci.SshNet.dll")) { Set-ItResult -Skipped -Because 'passwords need SSH.NET, which this build lacks'; return }
        $env:PSModulePath = "$files/modules$([IO.Path]::PathSeparator)$path"
        $failures = $null
        $words = Get-KdumpStatus 127.0.0.1 -Port $server.Port -KnownHostsFile $server.Connection.KnownHostsFile -CredentialName 'Main\fleet' -IncludeFailed -Verbose -ErrorVariable failures -ErrorAction SilentlyContinue 4>&1
        # The server takes no passwords: the user of the vault is refused.
        Get-Content "$($server.Log)" -Raw | Should -Match 'vault-user'
        "$($words | Out-String)$($failures | Out-String)$($failures | Format-List * -Force | Out-String)" | Should -Not -Match 'not-a-real-password'
    }
}

Describe 'A CSV of hosts' {
    It 'binds its columns' {
        if (Skip-Without $server) { return }
        Set-Content "$files/hosts.csv" @(
            'HostName,UserName,Port,KeyFilePath,Rack'
            "127.0.0.1,$($server.Connection.UserName),$($server.Port),$($server.Connection.KeyFilePath),r1"
            "127.0.0.1,,1,,r2"
        )
        $failures = $null
        $there = Import-Csv "$files/hosts.csv" | Get-KdumpStatus -KnownHostsFile $server.Connection.KnownHostsFile -ErrorVariable failures -ErrorAction SilentlyContinue
        @($there).Count | Should -Be 1
        $there.Port, $there.KeyFilePath, $there.UserName | Should -Be $server.Port, $server.Connection.KeyFilePath, $server.Connection.UserName
        $failures.FullyQualifiedErrorId | Should -BeLike 'Unreachable,*'
    }
}
