# The main job on virtual hosts, in PowerShell: a storage server exports a directory, two nodes (one of the Debian, one of the RHEL
# family) send their dumps there, both crash, and both vmcores are there with the reason. Run it by ./build.sh demo, or within
# lab/lab run storage node1 node2 -- pwsh demo/demo.ps1 -Module out/module/KdumpNfs
param(
    [Parameter(Mandatory)] [string] $Module
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3.0
$PSStyle.OutputRendering = 'PlainText'
Import-Module $Module

if (-not $env:KDUMPNFS_LAB_KEY_FILE) { throw 'There is no lab here: run ./build.sh demo.' }
$login = @{
    UserName          = $env:KDUMPNFS_LAB_USER
    Port              = [int] $env:KDUMPNFS_LAB_PORT
    KeyFilePath       = $env:KDUMPNFS_LAB_KEY_FILE
    KnownHostsFile    = $env:KDUMPNFS_LAB_KNOWN_HOSTS
    # Emulated machines on a busy computer take their time.
    ConnectingTimeout = 90000
}
$storage = $env:KDUMPNFS_LAB_STORAGE_HOST
$nodes = $env:KDUMPNFS_LAB_NODE1_HOST, $env:KDUMPNFS_LAB_NODE2_HOST
$share = @{ ExportPath = '/data/nfs_share'; DumpPath = '/var/crash' }
$target = @{ NfsServer = $env:KDUMPNFS_LAB_STORAGE_PRIVATE; Export = '/data/nfs_share'; DumpPath = '/var/crash' }
$begun = [Diagnostics.Stopwatch]::StartNew()

# Runs one step, shows what it gives and how long it took, and passes the objects on.
function Step([string] $Title, [scriptblock] $Script) {
    Write-Host "`n== $Title"
    Write-Host "PS> $($Script.ToString().Trim() -replace '\r?\n\s*', ' ')"
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $result = @(& $Script)
    Show $result
    Write-Host ('   {0:0.0} s' -f $watch.Elapsed.TotalSeconds)
    $result
}

function Show([object[]] $Object, [switch] $List) {
    $text = $List ? ($Object | Format-List | Out-String -Width 120) : ($Object | Format-Table | Out-String -Width 120)
    Write-Host $text.TrimEnd()
}

function Confirm-That([bool] $Condition, [string] $What) {
    if (-not $Condition) { throw "The demo failed: $What" }
}

$export = Step 'The storage server exports a directory to the nodes' {
    Enable-NfsExport $storage @login @share -Client $env:KDUMPNFS_LAB_SUBNET -CreateDirectory
}
Confirm-That $export.Changed 'the export was there already'
Write-Host $export.Diff

$null = Step 'What it exports now' { Get-NfsExport $storage @login }

$before = Step 'Would a crash of the nodes leave a vmcore there?' { $nodes | Get-KdumpStatus @login -ExpectedTarget "$($target.NfsServer):/data/nfs_share/var/crash" }
Confirm-That (@($before | Where-Object NotReadyReason -Contains TargetNotExpected).Count -eq 2) 'a node dumps to the share before it was told to'

$null = Step 'What would change' { $before | Set-KdumpNfsTarget -KnownHostsFile $login.KnownHostsFile @target -WhatIf }

$changes = Step 'The nodes send their dumps there' { $before | Set-KdumpNfsTarget -KnownHostsFile $login.KnownHostsFile @target }
Confirm-That (@($changes | Where-Object Changed).Count -eq 2) 'not both nodes were changed'

$again = Step 'A second time there is nothing to do' { $changes | Set-KdumpNfsTarget -KnownHostsFile $login.KnownHostsFile @target }
Confirm-That (@($again | Where-Object { -not $_.Changed }).Count -eq 2) 'the second run changed something'

$status = Step 'And now?' { $nodes | Get-KdumpStatus @login -ExpectedTarget "$($target.NfsServer):/data/nfs_share/var/crash" }
Show $status -List
Confirm-That (@($status | Where-Object State -EQ Configured).Count -eq 2) 'not both nodes are ready'

$estimates = Step 'How large will the dumps be?' { $nodes | Get-VmcoreEstimate @login }

$null = Step 'Sysrq is allowed' { $nodes | Enable-Sysrq @login }

$crashes = [System.Collections.Generic.List[object]]::new()
$dumps = Step 'Both nodes crash, and their dumps are waited for' {
    $status | Invoke-SysrqCrash -KnownHostsFile $login.KnownHostsFile -ConnectingTimeout $login.ConnectingTimeout -MaxDown 2 -Wait -Confirm:$false |
        ForEach-Object { $crashes.Add($_); $_ } | Wait-Vmcore $storage @login @share -TimeoutSec 900
}
Show $crashes
Confirm-That ($dumps.Count -eq 2) "there are $($dumps.Count) dumps instead of 2"
Confirm-That (@($dumps | Where-Object State -EQ Complete).Count -eq 2) 'a dump is not complete'
Confirm-That (@($crashes | Where-Object { $_.BootIdAfter -and $_.BootIdAfter -ne $_.BootIdBefore }).Count -eq 2) 'a node did not come back'

$all = Step 'What is on the store' { Get-Vmcore $storage @login @share }
Confirm-That ($all.Count -eq 2) "there are $($all.Count) crash directories instead of 2"
Show $all -List

foreach ($crash in $crashes) {
    $dump = $dumps | Where-Object { $_.CrashedHost -in @($crash.SourceAddress) + $crash.Identities }
    $estimate = $estimates | Where-Object HostName -EQ $crash.CrashedHost
    Confirm-That ($null -ne $dump) "there is no dump of $($crash.CrashedHost)"
    Confirm-That ($dump.PanicReason -match 'sysrq') "the dump of $($crash.CrashedHost) does not tell why: $($dump.PanicReason)"
    Confirm-That ($dump.KernelRelease -eq $crash.KernelRelease) "the dump of $($crash.CrashedHost) is of another kernel"
    Write-Host ('{0} ({1}): {2}' -f $crash.CrashedHost, $dump.CrashedHost, $dump.PanicReason)
    Write-Host ('    {0}, {1:N1} MiB, estimated {2:N1} to {3:N1} MiB' -f $dump.Path, ($dump.Bytes / 1MB), ($estimate.CompressedLowBytes / 1MB), ($estimate.CompressedHighBytes / 1MB))
}

Write-Host ("`nThe demo took {0:0} s." -f $begun.Elapsed.TotalSeconds)
