<#
.SYNOPSIS
Takes the hosts of a rack from whatever they are to "a crash would be captured", as far as each can go in this run. Run it again for the rest.

.DESCRIPTION
Each step is made only where it is missing, so that running it again does no harm and goes on where the last run ended: after a reboot, after a fault was
mended, after it was cut.

1. Store: the export, the directory for dumps, and the service (Enable-NfsExport); not with -NoExport, for appliances.
2. Look: what each host is and what stands against a dump (Get-KdumpStatus).
3. Install: packages and service where they are missing (Install-Kdump). What would upgrade or remove anything is refused.
4. Reserve: memory for the crash kernel where there is none (Set-CrashKernelReservation). Such a host has to reboot, which this script never does; it is
   RebootRequired, and goes on in a run after its reboot.
5. Target: dumps go to the store (Set-KdumpNfsTarget), checked from the host, rolled back if it would not be armed.
6. Policy: with -Sysrq the keys of sysrq, with -PanicOn when the kernel panics by itself.
7. Check: all checks of Test-KdumpReadiness, with the probe. A host that passes is Ready.
8. Drill: with -Drill hosts that are Ready and not yet Proven are crashed on purpose (Invoke-KdumpDrill), at most -MaxDown at a time.

A host that fails a step is told of with the reason and left as it is; the others go on. With -BatchSize a change begins with few hosts and stops when they fail.

Exit status: 0 every host is Ready (with -Drill: Proven); 1 a host failed or is not ready; 3 nothing failed, and hosts wait for their reboot; 2 it could not be
made at all: a parameter, the list, the store.

.PARAMETER HostList
CSV or JSON of the rack: HostName, and where needed UserName, Port, KeyFilePath.

.PARAMETER StoreHost
The storage server, as this machine reaches it over SSH.

.PARAMETER NfsServer
The storage server as the hosts reach it over NFS; without it -StoreHost.

.PARAMETER ExportPath
The directory that is exported.

.PARAMETER DumpPath
Directory for dumps inside the export.

.PARAMETER Client
Who may mount the export: the network of the rack, 192.0.2.0/24. Needed unless -NoExport.

.PARAMETER NoExport
Leaves the store alone.

.PARAMETER StoreUserName
Login name on the store.

.PARAMETER StorePort
Port of the store's SSH server.

.PARAMETER StoreKeyFilePath
Private key file for the store.

.PARAMETER CrashKernel
How much to reserve where nothing is reserved: 256M, or 1G-4G:192M,4G-:256M. Without it what the distribution recommends.

.PARAMETER DumpLevel
What dumps leave out; without it what the host has, or 31.

.PARAMETER Sysrq
The mask of kernel.sysrq to keep: 1 for all keys. Without it, kernel.sysrq stays as it is.

.PARAMETER PanicOn
When the kernel is to panic by itself: SoftlockupPanic, HardlockupPanic, HungTaskPanic, PanicOnIoNmi, PanicOnUnrecoveredNmi, UnknownNmiPanic, PanicOnOops. Each makes
hosts restart that would have lived.

.PARAMETER PanicTimeout
Seconds until a panicked kernel reboots (kernel.panic), for hosts whose crash kernel does not take over.

.PARAMETER Drill
Crashes the hosts that are ready, to prove it.

.PARAMETER MaxDown
How many hosts may be down at once in drills.

.PARAMETER BatchSize
Hosts in the first, second and so on batch of the changes: 1,5,25%.

.PARAMETER Refresh
Fetches the package lists first.

.PARAMETER Report
File for the result of each host: CSV where it is called *.csv, else JSON.

.PARAMETER Settings
A file of Set-KdumpPreference with user, keys and limits, instead of the one that KDUMPNFS_PREFERENCE names.

.PARAMETER KnownHostsFile
known_hosts files instead of OpenSSH's.

.PARAMETER ThrottleLimit
How many hosts are worked on at once.

.PARAMETER Sudo
Runs commands through sudo.

.PARAMETER PassThru
Gives the results as objects instead of printing them.

.EXAMPLE
./Add-Rack.ps1 -HostList rack7.csv -StoreHost storage -NfsServer 192.0.2.1 -ExportPath /data/nfs_share -DumpPath /var/crash -Client 192.0.2.0/24 -WhatIf

Shows what would be changed on the store and on each host, as far as it can be said before anything is.

.EXAMPLE
pwsh -NoProfile -NonInteractive -File Add-Rack.ps1 -HostList rack7.csv -StoreHost storage -NfsServer 192.0.2.1 -ExportPath /data/nfs_share -DumpPath /var/crash -Client 192.0.2.0/24 -BatchSize 1,25% -Sysrq 1 -Report rack7.result.csv

Begins with one host. Reboot those that are RebootRequired, and run it again.
#>
#Requires -Version 7.4
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [string] $HostList,
    [Parameter(Mandatory)] [string] $StoreHost,
    [string] $NfsServer,
    [Parameter(Mandatory)] [string] $ExportPath,
    [string] $DumpPath,
    [string] $Client,
    [switch] $NoExport,
    [string] $StoreUserName,
    [int] $StorePort,
    [string] $StoreKeyFilePath,
    [string[]] $CrashKernel,
    [string] $DumpLevel,
    [int] $Sysrq,
    [string[]] $PanicOn = @(),
    [int] $PanicTimeout,
    [switch] $Drill,
    [ValidateRange(1, 1000)] [int] $MaxDown = 1,
    [string[]] $BatchSize,
    [switch] $Refresh,
    [string] $Report,
    [string] $Settings,
    [string[]] $KnownHostsFile,
    [int] $ThrottleLimit,
    [switch] $Sudo,
    [switch] $PassThru
)
$ErrorActionPreference = 'Stop'
trap {
    [Console]::Error.WriteLine("The rack could not be taken in: $_")
    exit 2
}

Import-Module ($env:KDUMPNFS_MODULE ? $env:KDUMPNFS_MODULE : 'KdumpNfs') -Verbose:$false
Import-Module (Join-Path $PSScriptRoot Runbook.psm1) -Verbose:$false
if (-not $NoExport -and -not $Client) { throw 'Say who may mount the export (-Client 192.0.2.0/24), or -NoExport where it is there already.' }
# pwsh -File gives a list as one word.
$PanicOn = @($PanicOn -split ',' | Where-Object { $_ })
$panics = 'SoftlockupPanic', 'HardlockupPanic', 'HungTaskPanic', 'PanicOnIoNmi', 'PanicOnUnrecoveredNmi', 'UnknownNmiPanic', 'PanicOnOops'
foreach ($name in $PanicOn) { if ($name -notin $panics) { throw "-PanicOn $name is none of $($panics -join ', ')." } }
if ($Settings) { Set-KdumpPreference -LiteralPath $Settings -WhatIf:$false }
$more = Select-Given $PSBoundParameters KnownHostsFile, ThrottleLimit, Sudo
$login = Select-Given $PSBoundParameters UserName, Port, KeyFilePath -Prefix Store
$path = $DumpPath ? @{ DumpPath = $DumpPath } : @{}
$batches = $BatchSize ? @{ BatchSize = $BatchSize } : @{}
# Of everything that asks: this run was agreed to, or shows only what it would do.
$agreed = @{ Confirm = $false }
$server = $NfsServer ? $NfsServer : $StoreHost

$results = [ordered] @{}
foreach ($one in Import-HostList $HostList) {
    $results[$one.HostName] = [pscustomobject] @{ HostName = $one.HostName; Result = ''; Step = ''; Changed = @(); Reason = $null; ErrorId = $null; Host = $one; MachineId = $null }
}

# Hosts that no step has ended for, as the cmdlets want them: with the machine that was looked at first.
function Get-Left {
    foreach ($result in $results.Values | Where-Object { -not $_.Result }) {
        $result.MachineId ? ($result.Host | Add-Member -NotePropertyName MachineId -NotePropertyValue $result.MachineId -Force -PassThru) : $result.Host
    }
}

# Ends a host's way in this run.
function Stop-Way([string] $name, [string] $what, [string] $reason, [string] $id) {
    $results[$name].Result, $results[$name].Reason, $results[$name].ErrorId = $what, $reason, ($id ? $id : $null)
}

# Runs a step for some hosts. A host with an error ends there; what it gives goes to -Each.
function Invoke-Step([string] $name, [object[]] $hosts, [string] $command, [hashtable] $with = @{}, [scriptblock] $each) {
    if (-not $hosts) { return }
    Write-Verbose "$($name): $($hosts.HostName -join ', ')"
    foreach ($one in $hosts) { $results[$one.HostName].Step = $name }
    $errors = $null
    $hosts | & $command @with @more -ErrorAction SilentlyContinue -ErrorVariable errors | ForEach-Object {
        if ($_.PSObject.Properties['Changed'] -and $_.Changed) { $results[$_.HostName].Changed += $name }
        if ($each) { & $each $_ }
    }
    foreach ($failure in $errors | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | Format-Failure) {
        if (-not $results.Contains($failure.HostName)) { throw $failure.Message }
        Stop-Way $failure.HostName ($failure.ErrorId -eq 'NotStarted' ? 'NotStarted' : 'Failed') $failure.Message $failure.ErrorId
    }
}

# 1. The store comes first: kdump's service looks for the directory when it starts.
if (-not $NoExport) {
    $export = Enable-NfsExport $StoreHost -ExportPath $ExportPath -Client $Client -CreateDirectory -Install @path @login @more @agreed
    Write-Verbose "The export on $StoreHost $($export.Changed ? 'was made' : 'is there')."
}

# 2. What each host is.
$reserved = @{}
$installed = @{}
Invoke-Step 'Look' @(Get-Left) 'Get-KdumpStatus' @{} {
    param($status)
    $results[$status.HostName].MachineId = $status.MachineId
    $reserved[$status.HostName] = $status.ReservedBytes
    $installed[$status.HostName] = 'NotInstalled' -notin $status.NotReadyReason
    if ($status.State -eq 'NotSupported') { Stop-Way $status.HostName 'NotSupported' ($status.Findings -join ' ') $null }
}

# 3. Packages and service.
Invoke-Step 'Install' @(Get-Left | Where-Object { -not $installed[$_.HostName] }) 'Install-Kdump' (@{ Refresh = $Refresh } + $batches + $agreed)

# 4. Memory for the crash kernel counts from the next boot on.
$size = $CrashKernel ? @{ Size = $CrashKernel } : @{ Recommended = $true }
Invoke-Step 'Reserve' @(Get-Left | Where-Object { -not $reserved[$_.HostName] }) 'Set-CrashKernelReservation' ($size + $batches + $agreed) {
    param($change)
    if ($change.RebootRequired) { Stop-Way $change.HostName 'RebootRequired' "Reserves $($change.CrashKernel -join ' ') from the next boot on." $null }
}
if ($WhatIfPreference) {
    # What comes after cannot be shown for a host that has not got so far.
    foreach ($one in @(Get-Left | Where-Object { -not $installed[$_.HostName] -or -not $reserved[$_.HostName] })) { Stop-Way $one.HostName 'NotDone' 'What comes after the packages and the reservation is shown when they are there.' $null }
}

# 5. Where dumps go.
$level = $DumpLevel ? @{ DumpLevel = $DumpLevel } : @{}
Invoke-Step 'Target' @(Get-Left) 'Set-KdumpNfsTarget' (@{ NfsServer = $server; Export = $ExportPath } + $path + $level + $batches + $agreed)

# 6. Keys of sysrq, and panics by itself.
if ($PSBoundParameters.ContainsKey('Sysrq')) { Invoke-Step 'Sysrq' @(Get-Left) 'Enable-Sysrq' (@{ Mask = $Sysrq } + $batches + $agreed) }
$policy = @{}
foreach ($name in $PanicOn) { $policy[$name] = $true }
if ($PSBoundParameters.ContainsKey('PanicTimeout')) { $policy.PanicTimeout = $PanicTimeout }
if ($policy.Count) { Invoke-Step 'Policy' @(Get-Left) 'Set-KernelPanicPolicy' (@{ Force = $true } + $policy + $batches + $agreed) }

if (-not $WhatIfPreference) {
    # 7. Would a crash now be captured?
    $target = "$($server -like '*:*' ? "[$server]" : $server):$ExportPath$DumpPath"
    Invoke-Step 'Check' @(Get-Left) 'Test-KdumpReadiness' @{ Probe = $true; ExpectedTarget = $target } {
        param($readiness)
        if (-not $readiness.Passed) {
            $failed = @($readiness.Checks | Where-Object Outcome -EQ Fail)
            Stop-Way $readiness.HostName 'NotReady' (($failed | ForEach-Object { "$($_.Name): $($_.Evidence) $($_.Remedy)" }) -join ' ') ($failed.Name -join ',')
        }
        elseif (-not $Drill -or $readiness.State -eq 'Proven') { Stop-Way $readiness.HostName ($readiness.State -eq 'Proven' ? 'Proven' : 'Ready') $null $null }
    }

    # 8. The proof.
    if ($Drill) {
        $store = @{ StoreHost = $StoreHost; ExportPath = $ExportPath; MaxDown = $MaxDown; Force = $true }
        foreach ($name in $login.Keys) { $store["Store$name"] = $login[$name] }
        Invoke-Step 'Drill' @(Get-Left) 'Invoke-KdumpDrill' ($store + $path + $batches + $agreed) {
            param($verdict)
            Stop-Way $verdict.HostName ($verdict.Verdict -eq 'Proven' ? 'Proven' : 'Failed') $verdict.Reason ($verdict.Verdict -eq 'Proven' ? $null : "$($verdict.Verdict)")
        }
    }
}

$table = @($results.Values | Select-Object HostName, Result, Step, Changed, Reason, ErrorId)
if ($Report -and -not $WhatIfPreference) { Export-Report $Report $table }
if ($PassThru) { $table }
else {
    # Printed here: pwsh -File drops what is still being formatted when exit is reached.
    $table | Format-Table HostName, Result, Step, @{ Name = 'Changed'; Expression = { $_.Changed -join ', ' } }, Reason -Wrap | Out-Host
}
$bad = @($table | Where-Object Result -NotIn 'Ready', 'Proven', 'RebootRequired', 'NotDone', '')
$exit = $bad ? 1 : @($table | Where-Object Result -EQ RebootRequired) ? 3 : 0
exit $exit
