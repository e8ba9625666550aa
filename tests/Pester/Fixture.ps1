# Dot-sourced by the tests: the module as a user imports it, and a real SSH server on this machine that belongs to the test alone.

$moduleFolder = $env:KDUMPNFS_MODULE ? $env:KDUMPNFS_MODULE : (Join-Path $PSScriptRoot '../../out/module/KdumpNfs')
Import-Module $moduleFolder -Force:$false

function Find-Sshd {
    foreach ($path in '/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/lib/ssh/sshd') {
        if (Test-Path -LiteralPath $path) { return $path }
    }
}

function Get-FreePort {
    $listener = [System.Net.Sockets.TcpListener]::new([System.Net.IPAddress]::Loopback, 0)
    $listener.Start()
    try { $listener.LocalEndpoint.Port } finally { $listener.Stop() }
}

# Starts sshd with the keys host, user and authorized of a folder, and waits until it answers; its configuration and log lie there too, under a name.
# The folder is the home of its sessions: what this machine's user has in start-up files belongs to no test, and may take seconds for each session.
function Start-Sshd([string] $Folder, [string] $Address, [int] $Port, [string] $Environment = '', [string[]] $More, [string] $Name = 'sshd') {
    @"
Port $Port
ListenAddress $Address
HostKey $Folder/host
AuthorizedKeysFile $Folder/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
SetEnv HOME=$Folder $Environment
$($More -join "`n")
"@ | Set-Content "$Folder/$Name.conf"
    if ([Environment]::UserName -eq 'root') { $null = New-Item -ItemType Directory -Force /run/sshd }
    $process = Start-Process -FilePath (Find-Sshd) -ArgumentList '-D', '-f', "$Folder/$Name.conf", '-E', "$Folder/$Name.log" -PassThru
    for ($i = 0; $i -lt 300; $i++) {
        try { [System.Net.Sockets.TcpClient]::new(($Address -replace '^0.0.0.0$', '127.0.0.1'), $Port).Dispose(); return $process } catch { Start-Sleep -Milliseconds 100 }
    }
    Stop-Sshd $process
    throw "sshd did not start: $(Get-Content "$Folder/$Name.log" -Raw -ErrorAction Ignore)"
}

# Ends a server with every session on it, as a machine that dies does: sessions are its children and do not end with it.
function Stop-Sshd($Process) {
    $sessions = @(Get-Process -Name 'sshd*' -ErrorAction Ignore | Where-Object { $_.Parent.Id -eq $Process.Id })
    if (-not $Process.HasExited) { $Process.Kill() }
    $sessions.ForEach({ $_.Kill($true) })
}

# Starts an SSH server; null where there is none. Programs named in -Stub shadow the machine's own in its sessions.
function Start-TestServer {
    param([hashtable] $Stub = @{})
    if (-not (Find-Sshd)) { return $null }
    $folder = New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) "kdumpnfs-$([Guid]::NewGuid().ToString('n'))")
    $port = Get-FreePort
    foreach ($key in 'host', 'user', 'stranger') { ssh-keygen -q -t ed25519 -N '' -C test -f "$folder/$key" }
    Copy-Item "$folder/user.pub" "$folder/authorized"
    $path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    if ($Stub.Count) {
        $null = New-Item -ItemType Directory "$folder/bin"
        foreach ($name in $Stub.Keys) {
            Set-Content -LiteralPath "$folder/bin/$name" -Value "#!/bin/sh`n$($Stub[$name])"
            chmod 755 "$folder/bin/$name"
        }
        $path = "$folder/bin:$path"
    }
    chmod 600 "$folder/authorized"
    "[127.0.0.1]:$port $((Get-Content "$folder/host.pub") -replace ' test$')" | Set-Content "$folder/known_hosts"
    "[127.0.0.1]:$port $((Get-Content "$folder/stranger.pub") -replace ' test$')" | Set-Content "$folder/changed_hosts"
    $null = New-Item "$folder/no_hosts"
    $process = Start-Sshd $folder 127.0.0.1 $port "PATH=$path"
    [pscustomobject]@{ Process = $process; Folder = "$folder"; Log = "$folder/sshd.log"; Port = $port; Connection = @{
            UserName = [Environment]::UserName; Port = $port; KeyFilePath = "$folder/user"; KnownHostsFile = "$folder/known_hosts"
        } }
}

function Stop-TestServer($server) {
    if (-not $server) { return }
    Stop-Sshd $server.Process
    Remove-Item -LiteralPath $server.Folder -Recurse -Force
}

# A server that accepts connections and never says a word.
function Start-SilentServer {
    $listener = [System.Net.Sockets.TcpListener]::new([System.Net.IPAddress]::Loopback, 0)
    $listener.Start(50)
    $listener
}

function Skip-Without($server) {
    if (-not $server) { Set-ItResult -Skipped -Because 'there is no sshd on this machine' }
    -not $server
}

# Fails when ssh clients that this process has started still run. The last ones may be dying as the prompt comes back.
function Assert-NoSshClient {
    for ($i = 0; $i -lt 20; $i++) {
        $left = @(Get-Process -Name ssh -ErrorAction Ignore | Where-Object { $_.Parent.Id -eq $PID })
        if ($left.Count -eq 0) { return }
        Start-Sleep -Milliseconds 100
    }
    throw "$($left.Count) ssh processes are left behind."
}
