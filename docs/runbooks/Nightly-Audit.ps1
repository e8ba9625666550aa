# A nightly audit: would a crash of each host be captured, and what became worse since the night before?
#
#   pwsh -NoProfile -NonInteractive -File Nightly-Audit.ps1 -HostList hosts.csv -Record /var/lib/kdump-audit/last.json
#
# HostList is a CSV (or JSON) with a column HostName and, where needed, UserName, Port and KeyFilePath. Record keeps what failed; the first run makes it,
# and for a host that is not in it every failed check counts as new. Prints each host that has failed checks or lost some; with -PassThru as objects.
# Exit status: 0 nothing became worse, 1 something did (with -All: something is wrong at all), 2 the audit could not be made.
param(
    [Parameter(Mandatory)] [string] $HostList,
    [Parameter(Mandatory)] [string] $Record,
    [string] $ExpectedTarget,
    [string[]] $KnownHostsFile,
    [int] $ThrottleLimit = 32,
    [switch] $Sudo,
    [switch] $NoProbe,
    [switch] $All,
    [switch] $PassThru
)
$ErrorActionPreference = 'Stop'
trap {
    [Console]::Error.WriteLine("The audit could not be made: $_")
    exit 2
}

Import-Module ($env:KDUMPNFS_MODULE ? $env:KDUMPNFS_MODULE : 'KdumpNfs')
Import-Module (Join-Path $PSScriptRoot Runbook.psm1)
$more = @{ ThrottleLimit = $ThrottleLimit; Sudo = $Sudo; Probe = -not $NoProbe }
if ($ExpectedTarget) { $more.ExpectedTarget = $ExpectedTarget }
if ($KnownHostsFile) { $more.KnownHostsFile = $KnownHostsFile }
$before = Import-Record $Record

# What is wrong with each host: the names of its failed checks, or the error's id where it could not be asked.
$now = [ordered]@{}
Import-HostList $HostList | Test-KdumpReadiness @more -IncludeFailed -ErrorAction SilentlyContinue |
    ForEach-Object { $now[$_.HostName] = @($_.ErrorId ? $_.ErrorId : $_.Failed) }

$worse = $false
$changes = foreach ($name in $now.Keys) {
    $failed = @($now[$name])
    $known = @($before[$name])
    $new = @($failed | Where-Object { $_ -notin $known })
    $mended = @($known | Where-Object { $_ -and $_ -notin $failed })
    $worse = $worse -or $new.Count -gt 0 -or ($All -and $failed.Count -gt 0)
    if ($failed.Count + $mended.Count -gt 0) {
        [pscustomobject]@{ HostName = $name; New = $new -join ', '; Still = @($failed | Where-Object { $_ -in $known }) -join ', '; Mended = $mended -join ', ' }
    }
}

Export-Record $Record $now
# Printed here: pwsh -File drops what is still being formatted when exit is reached.
if ($PassThru) { $changes } else { $changes | Format-List | Out-Host }
exit [int] $worse
