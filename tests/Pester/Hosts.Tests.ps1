BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $connection = $server.Connection
    $transports = @('OpenSsh') + $(if (Test-Path (Join-Path $moduleFolder private)) { 'SshNet' })

    function Get-Failure([hashtable] $Change, [string] $Transport) {
        $parameters = $connection.Clone()
        foreach ($name in $Change.Keys) { $parameters[$name] = $Change[$name] }
        # Nothing listens on the second address: the other host has a fate of its own.
        $failures = $null
        $null = '127.0.0.1', '127.0.0.2' | Get-KdumpStatus @parameters -Transport $Transport -ErrorAction SilentlyContinue -ErrorVariable failures
        $ids = $failures.FullyQualifiedErrorId -replace ',.*'
        $ids | Should -HaveCount 2
        $ids | Should -Contain Unreachable
        $failures | Where-Object FullyQualifiedErrorId -NotLike 'Unreachable,*'
    }
}

AfterAll { Stop-TestServer $server }

Describe 'A real SSH server' {
    It 'answers through each transport' {
        if (Skip-Without $server) { return }
        foreach ($transport in $transports + 'Auto') {
            $status = Get-KdumpStatus 127.0.0.1 @connection -Transport $transport
            $status | Should -BeOfType KdumpNfs.Kdump.KdumpStatus
            $status.HostName | Should -Be 127.0.0.1
            $status.KernelRelease | Should -Be (uname -r)
            if ($status.State -eq 'NotReady') { $status.NotReadyReason.Count | Should -BeGreaterThan 0 }
        }
    }

    It 'keeps SSH.NET and what is below it out of the default load context' {
        if (Skip-Without $server) { return }
        $null = Get-KdumpStatus 127.0.0.1 @connection
        $default = [System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.ForEach({ $_.GetName().Name })
        $default | Should -Contain KdumpNfs
        $default | Should -Not -Contain Renci.SshNet
        $default | Should -Not -Contain BouncyCastle.Cryptography
        'Renci.SshNet.SshClient' -as [type] | Should -BeNullOrEmpty
    }

    It 'works without SSH.NET' {
        if (Skip-Without $server) { return }
        Copy-Item -Recurse $moduleFolder $TestDrive/KdumpNfs
        Remove-Item -Recurse $TestDrive/KdumpNfs/private -ErrorAction Ignore
        $script = {
            param($module, $connection)
            Import-Module $module
            (Get-KdumpStatus 127.0.0.1 @connection).HostName
            try { Get-KdumpStatus 127.0.0.1 @connection -Transport SshNet } catch { $_.FullyQualifiedErrorId }
        }
        # Assemblies cannot be unloaded: another copy of the module needs another process.
        $out = & pwsh -NoProfile -NonInteractive -Command $script -args "$TestDrive/KdumpNfs", $connection
        $out | Should -Be '127.0.0.1', 'TransportNotAvailable,KdumpNfs.PowerShell.GetKdumpStatusCommand'
    }

    It 'tells the story of a host with -Verbose, secrets aside' {
        if (Skip-Without $server) { return }
        $story = Get-KdumpStatus 127.0.0.1 @connection -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }
        "$story" | Should -Match '\[127\.0\.0\.1\] Connected through'
    }

    It 'refuses an unknown host key' {
        if (Skip-Without $server) { return }
        foreach ($transport in $transports) {
            $failure = Get-Failure @{ KnownHostsFile = "$($server.Folder)/no_hosts" } $transport
            $failure.FullyQualifiedErrorId | Should -BeLike 'HostKeyUnknown,*'
            $failure.CategoryInfo.Category | Should -Be SecurityError
        }
    }

    It 'refuses a changed host key, with AcceptNew as well' {
        if (Skip-Without $server) { return }
        foreach ($transport in $transports) {
            $failure = Get-Failure @{ KnownHostsFile = "$($server.Folder)/changed_hosts"; HostKeyPolicy = 'AcceptNew' } $transport
            $failure.FullyQualifiedErrorId | Should -BeLike 'HostKeyChanged,*'
        }
    }

    It 'adds a new host key with AcceptNew' {
        if (Skip-Without $server) { return }
        foreach ($transport in $transports) {
            $file = "$TestDrive/new_$transport"
            $parameters = $connection.Clone()
            $parameters.KnownHostsFile = $file
            (Get-KdumpStatus 127.0.0.1 @parameters -Transport $transport -HostKeyPolicy AcceptNew).HostName | Should -Be 127.0.0.1
            Get-Content $file | Should -Not -BeNullOrEmpty
            (Get-KdumpStatus 127.0.0.1 @parameters -Transport $transport).HostName | Should -Be 127.0.0.1
        }
    }

    It 'says that authentication was refused' {
        if (Skip-Without $server) { return }
        foreach ($transport in $transports) {
            $failure = Get-Failure @{ KeyFilePath = "$($server.Folder)/stranger" } $transport
            $failure.FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed,*'
            $failure.CategoryInfo.Category | Should -Be AuthenticationError
            $failure.TargetObject | Should -Be 127.0.0.1
        }
    }

    It 'hands user, port and key on to the next command' {
        if (Skip-Without $server) { return }
        $status = Get-KdumpStatus 127.0.0.1 @connection
        $again = $status | Get-KdumpStatus -KnownHostsFile $connection.KnownHostsFile
        $again.BootId | Should -Be $status.BootId
        $copy = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($status))
        ($copy | Get-KdumpStatus -KnownHostsFile $connection.KnownHostsFile).BootId | Should -Be $status.BootId
    }

    It 'takes a key file relative to the session''s location' {
        if (Skip-Without $server) { return }
        $parameters = $connection.Clone()
        $parameters.KeyFilePath = './user'
        $process = [Environment]::CurrentDirectory
        Push-Location $server.Folder
        try {
            [Environment]::CurrentDirectory = '/'
            (Get-KdumpStatus 127.0.0.1 @parameters).HostName | Should -Be 127.0.0.1
        }
        finally {
            [Environment]::CurrentDirectory = $process
            Pop-Location
        }
    }

    It 'refuses another machine under the same name' {
        if (Skip-Without $server) { return }
        $host2 = [pscustomobject]@{ HostName = '127.0.0.1'; MachineId = '00000000000000000000000000000000' }
        $host2 | Set-KdumpNfsTarget @connection -NfsServer storage -Export /data -WhatIf -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -BeLike 'MachineIdMismatch,*'
    }
}
