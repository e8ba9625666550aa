BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $connection = $server.Connection
    $private = Join-Path $moduleFolder private
    # A stand-in with the name of SSH.NET's assembly and another version, as another module would bring it.
    $standIn = "$TestDrive/stand-in/Renci.SshNet.dll"
    $null = New-Item -ItemType Directory "$TestDrive/stand-in", "$TestDrive/copy"
    # Add-Type chooses an assembly's name itself; .NET 9 can write one with any name and version.
    if ('System.Reflection.Emit.PersistedAssemblyBuilder' -as [type]) {
        $builder = [System.Reflection.Emit.PersistedAssemblyBuilder]::new([System.Reflection.AssemblyName] 'Renci.SshNet, Version=2020.0.1.0', [object].Assembly)
        $null = $builder.DefineDynamicModule('Renci.SshNet').DefineType('Renci.SshNet.SshClient', 'Public').CreateType()
        $builder.Save($standIn)
    }
    if (Test-Path "$private/Renci.SshNet.dll") { Copy-Item "$private/Renci.SshNet.dll", "$private/BouncyCastle.Cryptography.dll" "$TestDrive/copy" }

    # Assemblies stay loaded: each order of things needs a process of its own.
    function Invoke-Fresh([scriptblock] $Script, [object[]] $Argument) { & pwsh -NoProfile -NonInteractive -Command $Script -args $Argument }
    function Skip-WithoutSshNet {
        if (-not (Test-Path "$private/Renci.SshNet.dll")) { Set-ItResult -Skipped -Because 'this build has no SSH.NET'; return $true }
        Skip-Without $server
    }
}

AfterAll { Stop-TestServer $server }

Describe 'Another copy of SSH.NET in the session' {
    It 'may be there first: <Name>' -ForEach @(
        @{ Name = 'another version'; Folder = 'stand-in'; Version = '2020.0.1.0' }
        @{ Name = 'the same version from another place'; Folder = 'copy'; Version = '' }
    ) {
        if (Skip-WithoutSshNet) { return }
        if (-not (Test-Path "$TestDrive/$Folder/Renci.SshNet.dll")) { Set-ItResult -Skipped -Because 'this PowerShell cannot write an assembly with a given version'; return }
        $out = Invoke-Fresh -Argument $moduleFolder, $connection, "$TestDrive/$Folder/Renci.SshNet.dll" {
            param($module, $connection, $other)
            $ErrorActionPreference = 'Stop'
            Add-Type -Path $other
            Import-Module $module
            $session = New-KdumpSession 127.0.0.1 @connection -Transport SshNet
            (Get-KdumpStatus -Session $session).HostName
            $session | Remove-KdumpSession
            [Renci.SshNet.SshClient].Assembly.Location
            "$([Renci.SshNet.SshClient].Assembly.GetName().Version)"
            @([AppDomain]::CurrentDomain.GetAssemblies().Where({ $_.GetName().Name -eq 'Renci.SshNet' })).Count
        }
        $out[0] | Should -Be 127.0.0.1
        $out[1] | Should -Be "$TestDrive/$Folder/Renci.SshNet.dll" -Because 'the other module keeps its own'
        if ($Version) { $out[2] | Should -Be $Version }
        $out[3] | Should -Be 2
    }

    It 'may come afterwards: <Name>' -ForEach @(
        @{ Name = 'another version'; Folder = 'stand-in' }
        @{ Name = 'the same version from another place'; Folder = 'copy' }
    ) {
        if (Skip-WithoutSshNet) { return }
        if (-not (Test-Path "$TestDrive/$Folder/Renci.SshNet.dll")) { Set-ItResult -Skipped -Because 'this PowerShell cannot write an assembly with a given version'; return }
        $out = Invoke-Fresh -Argument $moduleFolder, $connection, "$TestDrive/$Folder/Renci.SshNet.dll" {
            param($module, $connection, $other)
            $ErrorActionPreference = 'Stop'
            Import-Module $module
            $session = New-KdumpSession 127.0.0.1 @connection -Transport SshNet
            Add-Type -Path $other
            [Renci.SshNet.SshClient].Assembly.Location
            # What is connected goes on, and what is new connects.
            (Get-KdumpStatus -Session $session).HostName
            (Get-KdumpStatus 127.0.0.1 @connection -Transport SshNet).HostName
        }
        $out | Should -Be "$TestDrive/$Folder/Renci.SshNet.dll", '127.0.0.1', '127.0.0.1'
    }
}

Describe 'Remove-Module' {
    It 'ends the connections of all sessions on the server too, and the module can be imported again: <_>' -ForEach 'OpenSsh', 'SshNet' {
        if (Skip-Without $server) { return }
        if ($_ -eq 'SshNet' -and (Skip-WithoutSshNet)) { return }
        $out = Invoke-Fresh -Argument $moduleFolder, $connection, $_ {
            param($module, $connection, $transport)
            $ErrorActionPreference = 'Stop'
            Import-Module $module
            $port = $connection.Port
            function Get-Connection { @([Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpConnections().Where({ $_.RemoteEndPoint.Port -eq $port -and $_.State -eq 'Established' })).Count }
            $null = 1..3 | ForEach-Object { New-KdumpSession 127.0.0.1 @connection -Transport $transport }
            Get-Connection
            Remove-Module KdumpNfs
            # The server closes its end a moment later.
            for ($i = 0; $i -lt 100 -and (Get-Connection); $i++) { Start-Sleep -Milliseconds 100 }
            Get-Connection
            Import-Module $module
            @(Get-KdumpSession).Count
            (Get-KdumpStatus 127.0.0.1 @connection -Transport $transport).HostName
        }
        $out | Should -Be 3, 0, 0, '127.0.0.1'
    }
}
