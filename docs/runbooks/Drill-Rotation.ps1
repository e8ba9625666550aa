<#
.SYNOPSIS
Drills a few hosts of a fleet: those whose proof is missing, no longer holds or is the oldest. Run often, it proves the whole fleet and keeps it proven.

.DESCRIPTION
Crashes servers. Read about_KdumpNfs_Safety, try it with -WhatIf, and begin with -Count 1.

1. Finds out what became of hosts that an earlier run had crashed when it was cut (Resume-KdumpDrill -NoCrash). Nobody is crashed twice for it.
2. Asks all hosts for their state. A host is due when it was never drilled; when it was proven and is not any more, because its kernel, capture image or
   target changed; when its last drill did not prove it; or when its proof is older than -MaxAgeDays. The first two come first, then the others, oldest drill first.
3. Drills at most -Count of them with Invoke-KdumpDrill: at most -MaxDown down at once, of each group at most one, and no further host after one that failed
   (-MaxFailure allows more). Hosts that are not ready stay up, are told of and take no place of the -Count.
4. Keeps each verdict in -Record as it comes, and writes -Report.

Exit status: 0 every host drilled is Proven, or none was due; 1 a verdict is another one, a due host is not ready, or a host could not be asked; 2 the
rotation could not be made.

.PARAMETER HostList
CSV or JSON of the fleet: HostName, and where needed UserName, Port, KeyFilePath, the column of -Group, ConsoleHost and Console.

.PARAMETER Record
File with the last drill of each host; the first run makes it. One run at a time holds it. Journals of drills lie beside it.

.PARAMETER StoreHost
The storage server.

.PARAMETER ExportPath
The exported directory on it.

.PARAMETER DumpPath
Directory for dumps inside the export.

.PARAMETER StoreUserName
Login name on the store.

.PARAMETER StorePort
Port of the store's SSH server.

.PARAMETER StoreKeyFilePath
Private key file for the store.

.PARAMETER Count
How many hosts a run drills at most.

.PARAMETER MaxAgeDays
How old a proof may become.

.PARAMETER MaxDown
How many hosts may be down at once, of all controllers that use this store together.

.PARAMETER MaxFailure
How many hosts may fail; one more and no further host is crashed.

.PARAMETER Group
The column that names a host's group (cluster, rack, service): of each at most one is down.

.PARAMETER PowerCycle
A command that cycles the power of a host that does not come back; the host is in KDUMPNFS_HOST.

.PARAMETER Report
File for the table of this run: CSV where it is called *.csv, else JSON.

.PARAMETER Settings
A file of Set-KdumpPreference with user, keys and limits, instead of the one that KDUMPNFS_PREFERENCE names.

.PARAMETER KnownHostsFile
known_hosts files instead of OpenSSH's.

.PARAMETER ThrottleLimit
How many hosts are asked at once.

.PARAMETER Sudo
Runs commands through sudo.

.PARAMETER PassThru
Gives the table as objects instead of printing it.

.EXAMPLE
pwsh -NoProfile -NonInteractive -File Drill-Rotation.ps1 -HostList /etc/kdump-hosts.csv -Record /var/lib/kdump-drills/record.json -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash -Count 3 -Group Cluster -Report /var/lib/kdump-drills/last.csv

From a timer, in the hours in which hosts may be down.

.EXAMPLE
./Drill-Rotation.ps1 -HostList hosts.csv -Record record.json -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash -WhatIf

Shows who is due and why, and what would be crashed. Nothing is written.
#>
#Requires -Version 7.4
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [string] $HostList,
    [Parameter(Mandatory)] [string] $Record,
    [Parameter(Mandatory)] [string] $StoreHost,
    [Parameter(Mandatory)] [string] $ExportPath,
    [string] $DumpPath,
    [string] $StoreUserName,
    [int] $StorePort,
    [string] $StoreKeyFilePath,
    [ValidateRange(1, 1000)] [int] $Count = 3,
    [ValidateRange(1, 3650)] [int] $MaxAgeDays = 90,
    [ValidateRange(1, 1000)] [int] $MaxDown = 1,
    [ValidateRange(0, 1000)] [int] $MaxFailure = 0,
    [string] $Group,
    [string] $PowerCycle,
    [string] $Report,
    [string] $Settings,
    [string[]] $KnownHostsFile,
    [int] $ThrottleLimit,
    [switch] $Sudo,
    [switch] $PassThru
)
$ErrorActionPreference = 'Stop'
trap {
    [Console]::Error.WriteLine("The rotation could not be made: $_")
    exit 2
}

Import-Module ($env:KDUMPNFS_MODULE ? $env:KDUMPNFS_MODULE : 'KdumpNfs') -Verbose:$false
Import-Module (Join-Path $PSScriptRoot Runbook.psm1) -Verbose:$false
if ($Settings) { Set-KdumpPreference -LiteralPath $Settings -WhatIf:$false }
$more = Select-Given $PSBoundParameters KnownHostsFile, ThrottleLimit, Sudo
$hooks = $PowerCycle ? @{ PowerCycle = $PowerCycle } : @{}
$plan = @{ StoreHost = $StoreHost; ExportPath = $ExportPath; MaxDown = $MaxDown; MaxFailure = $MaxFailure }
$plan += Select-Given $PSBoundParameters DumpPath, StoreUserName, StorePort, StoreKeyFilePath, Group
$hosts = @(Import-HostList $HostList)
if ($Group) {
    $without = @($hosts | Where-Object { -not $_.PSObject.Properties[$Group] })
    if ($without) { throw "These hosts have no $($Group): $($without.HostName -join ', '). A host without its group could go down beside its partner." }
}

$lock = $WhatIfPreference ? $null : (Lock-Record $Record)
try {
    $known = Import-Record $Record
    $known.Hosts ??= @{}
    $run = [datetimeoffset]::Now
    $rows = [ordered] @{}
    foreach ($one in $hosts) {
        $rows[$one.HostName] = [pscustomobject] @{ HostName = $one.HostName; Why = ''; LastDrill = $null; Verdict = ''; Reason = $null; CaptureSeconds = $null; AwaySeconds = $null; Vmcore = $null }
    }

    # Writes a verdict down as it comes: a run that is cut loses none.
    function Save-Drill($drill) {
        # Hosts whose turn did not come were not drilled: what is known of them stays.
        if ("$($drill.Verdict)" -notin 'NotStarted', 'NotReady') { $known.Hosts[$drill.HostName] = @{ At = $drill.CompletedAt.UtcTicks; Verdict = "$($drill.Verdict)"; Reason = $drill.Reason } }
        if ($rows.Contains($drill.HostName)) {
            $row = $rows[$drill.HostName]
            $row.Verdict, $row.Reason, $row.Vmcore = "$($drill.Verdict)", $drill.Reason, $drill.Vmcore.Path
            $row.CaptureSeconds = $drill.CaptureTime ? [int] $drill.CaptureTime.TotalSeconds : $null
            $row.AwaySeconds = $drill.Away ? [int] $drill.Away.TotalSeconds : $null
        }

        Export-Record $Record $known
    }

    # 1. Hosts that went down under a run that was cut.
    if ($known.Journal -and -not $WhatIfPreference) {
        if (Test-Path -LiteralPath $known.Journal) {
            Write-Verbose "The drill of $($known.Journal) was cut: its hosts are looked at."
            Resume-KdumpDrill $known.Journal -NoCrash -Force -Confirm:$false @hooks @more -ErrorAction SilentlyContinue | ForEach-Object { Save-Drill $_ }
        }
        $known.Remove('Journal')
        Export-Record $Record $known
    }

    # 2. Who is due, and why.
    $due = foreach ($status in $hosts | Get-KdumpStatus @more -IncludeFailed -ErrorAction SilentlyContinue) {
        $row = $rows[$status.HostName]
        $last = $known.Hosts[$status.HostName]
        $proven = $status.State -eq 'Proven' ? $status.ProvenAt : $null
        $row.LastDrill = $proven ? $proven.ToString('o') : $last ? [datetimeoffset]::new([long] $last.At, [timespan]::Zero).ToString('o') : $null
        if ($row.Verdict) { continue }
        if ($status.State -eq 'Unknown') { $row.Verdict, $row.Reason = 'NotAsked', "$($status.ErrorId): $($status.Findings -join ' ')"; continue }
        if ($status.State -eq 'NotSupported') { $row.Why = 'its dumps are made by something else'; continue }
        $row.Why =
            if ($proven) { $proven -lt $run.AddDays(-$MaxAgeDays) ? "proven more than $MaxAgeDays days ago" : '' }
            elseif (-not $last) { 'never drilled' }
            elseif ($last.Verdict -eq 'Proven') { 'kernel, image or target changed since it was proven' }
            else { "its last drill ended with $($last.Verdict)" }
        if (-not $row.Why) { continue }
        if ($status.State -eq 'NotReady') { $row.Verdict, $row.Reason = 'NotReady', "$($status.NotReadyReason -join ', '): $($status.Findings -join ' ')"; continue }
        [pscustomobject] @{
            HostName = $status.HostName
            MachineId = $status.MachineId
            First = -not $proven -and (-not $last -or $last.Verdict -eq 'Proven')
            Time = $proven ? $proven.UtcTicks : $last ? [long] $last.At : 0
        }
    }

    # 3. As many as a run may, in the order of their turn.
    $chosen = @($due | Sort-Object @{ Expression = 'First'; Descending = $true }, Time, HostName | Select-Object -First $Count)
    $failed = @($rows.Values | Where-Object { $_.Verdict -and $_.Verdict -notin 'Proven', 'NotReady', 'NotAsked' })
    if ($failed.Count -gt $MaxFailure) {
        # Those of the drill that was cut count, too.
        Write-Verbose "Nobody is crashed: $($failed.Count) hosts of the drill that was cut failed."
        $chosen = @()
    }
    Write-Verbose "$(@($due).Count) hosts are due; this run drills $($chosen.Count): $($chosen.HostName -join ', ')"
    if ($chosen) {
        $drilled = foreach ($one in $chosen) {
            # What was looked at is what is crashed, and no other machine under its name.
            $hosts | Where-Object HostName -EQ $one.HostName | Add-Member -NotePropertyName MachineId -NotePropertyValue $one.MachineId -Force -PassThru
        }
        $errors = $null
        if ($WhatIfPreference) {
            $drilled | Invoke-KdumpDrill @plan @hooks @more -WhatIf -ErrorAction SilentlyContinue -ErrorVariable errors | ForEach-Object { $rows[$_.HostName].Verdict, $rows[$_.HostName].Reason = "$($_.Verdict)", $_.Reason }
        }
        else {
            $known.Journal = "$Record.$($run.ToUniversalTime().ToString('yyyyMMddTHHmmssZ')).journal"
            Export-Record $Record $known
            $drilled | Invoke-KdumpDrill @plan @hooks @more -JournalPath $known.Journal -Force -Confirm:$false -ErrorAction SilentlyContinue -ErrorVariable errors | ForEach-Object { Save-Drill $_ }
            $known.Remove('Journal')
            Export-Record $Record $known
        }

        # A host that failed without a verdict: refused, unreachable meanwhile.
        foreach ($failure in $errors | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | Format-Failure) {
            $row = $rows[$failure.HostName]
            if (-not $row) { throw $failure.Message }
            if (-not $row.Verdict) { $row.Verdict, $row.Reason = 'NotStarted', "$($failure.ErrorId): $($failure.Message)" }
        }
    }

    $table = @($rows.Values)
    if ($Report -and -not $WhatIfPreference) { Export-Report $Report $table }
}
finally {
    if ($lock) { $lock.Dispose() }
}

if ($PassThru) { $table }
else {
    # Printed here: pwsh -File drops what is still being formatted when exit is reached.
    $table | Where-Object { $_.Why -or $_.Verdict } | Format-Table HostName, LastDrill, Why, Verdict, CaptureSeconds, AwaySeconds, Reason -Wrap | Out-Host
    "$($table.Count) hosts, $(@($due).Count) due, $($chosen.Count) $($WhatIfPreference ? 'would be drilled' : 'drilled')." | Out-Host
}
exit [int] (@($table | Where-Object { $_.Verdict -and $_.Verdict -ne 'Proven' }).Count -gt 0)
