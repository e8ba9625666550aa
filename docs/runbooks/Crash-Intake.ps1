<#
.SYNOPSIS
Takes in the crashes that came to the store since the last run: fetched, verified, explained, grouped by cause; and finds those that left no dump.

.DESCRIPTION
Made for a timer: each run does what is new and nothing twice. A run that was cut goes on where it ended.

1. Lists the store. A dump is new when the record does not have its directory, or has it with another size or time. What is being written is left for
   the next run.
2. Fetches new crash directories into -Destination, each file compared with the store's size and SHA-256, and reads the dump (all pages with -Full).
3. Makes the report of each: kind, reason, function, signature. A dump that cannot be read is explained from the kernel log beside it.
4. With -BundlePath packs each into an archive for whoever gets the case, secrets masked, without the dump.
5. With -HostList looks at the history of the fleet for crashes that left no dump (Find-UncapturedCrash).
6. Groups all crashes in the record by signature and writes -Report.

Exit status: 0 everything new is taken in; 1 something wants a person: a dump that is not whole or a crash without one (told once), a dump that could
not be fetched or a host that could not be asked (told in each run); 2 the intake could not be made.

.PARAMETER Destination
The directory of this machine that crash directories are fetched into; made if it is missing.

.PARAMETER Record
File with what was taken in before; the first run makes it. One run at a time holds it.

.PARAMETER StoreHost
The storage server; without it, that of the settings.

.PARAMETER ExportPath
The exported directory on it; without it, that of the settings.

.PARAMETER DumpPath
Directory for dumps inside the export.

.PARAMETER StoreUserName
Login name on the store.

.PARAMETER StorePort
Port of the store's SSH server.

.PARAMETER StoreKeyFilePath
Private key file for the store.

.PARAMETER Since
Only crashes since then; for a first run on a store that is full of old ones.

.PARAMETER BundlePath
The directory that masked bundles are put into; made if it is missing. Without it there are none.

.PARAMETER HostList
CSV or JSON of the fleet (HostName, and where needed UserName, Port, KeyFilePath), to look for crashes that left no dump.

.PARAMETER UncapturedDays
How far back that look goes.

.PARAMETER Full
Reads all pages of each dump, not only its structure.

.PARAMETER Report
File for the summary: JSON with the crashes of this run, the groups and what went wrong.

.PARAMETER Settings
A file of Set-KdumpPreference with user, keys, store and limits, instead of the one that KDUMPNFS_PREFERENCE names.

.PARAMETER KnownHostsFile
known_hosts files instead of OpenSSH's.

.PARAMETER ThrottleLimit
How many hosts are asked at once.

.PARAMETER Sudo
Runs commands through sudo.

.PARAMETER PassThru
Gives the summary as an object instead of printing it.

.EXAMPLE
pwsh -NoProfile -NonInteractive -File Crash-Intake.ps1 -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash -Destination /srv/crashes -Record /var/lib/kdump-intake/record.json -HostList /etc/kdump-hosts.csv -BundlePath /srv/cases -Report /srv/crashes/summary.json

From a timer, every quarter of an hour.

.EXAMPLE
./Crash-Intake.ps1 -StoreHost storage -ExportPath /data/nfs_share -Destination ./crashes -Record ./record.json -WhatIf

Shows what is new. Nothing is fetched or written.
#>
#Requires -Version 7.4
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [string] $Destination,
    [Parameter(Mandatory)] [string] $Record,
    [string] $StoreHost,
    [string] $ExportPath,
    [string] $DumpPath,
    [string] $StoreUserName,
    [int] $StorePort,
    [string] $StoreKeyFilePath,
    [datetimeoffset] $Since,
    [string] $BundlePath,
    [string] $HostList,
    [ValidateRange(1, 3650)] [int] $UncapturedDays = 7,
    [switch] $Full,
    [string] $Report,
    [string] $Settings,
    [string[]] $KnownHostsFile,
    [int] $ThrottleLimit,
    [switch] $Sudo,
    [switch] $PassThru
)
$ErrorActionPreference = 'Stop'
trap {
    [Console]::Error.WriteLine("The intake could not be made: $_")
    exit 2
}

Import-Module ($env:KDUMPNFS_MODULE ? $env:KDUMPNFS_MODULE : 'KdumpNfs') -Verbose:$false
Import-Module (Join-Path $PSScriptRoot Runbook.psm1) -Verbose:$false
if ($Settings) { Set-KdumpPreference -LiteralPath $Settings -WhatIf:$false }
$more = Select-Given $PSBoundParameters KnownHostsFile, ThrottleLimit, Sudo
$place = Select-Given $PSBoundParameters StoreHost, ExportPath, DumpPath
$login = Select-Given $PSBoundParameters UserName, Port, KeyFilePath -Prefix Store
$storeLogin = Select-Given $PSBoundParameters StoreUserName, StorePort, StoreKeyFilePath
$hosts = $HostList ? @(Import-HostList $HostList) : @()

$session = $null
$lock = $WhatIfPreference ? $null : (Lock-Record $Record)
try {
    $known = Import-Record $Record
    $known.Crashes ??= @{}
    $known.Uncaptured ??= @{}
    $run = [datetimeoffset]::Now
    $failures = [Collections.Generic.List[object]]::new()
    $findings = [Collections.Generic.List[string]]::new()
    $new = [Collections.Generic.List[object]]::new()

    # 1. What is new. A store that cannot be listed ends the run here.
    $filter = Select-Given $PSBoundParameters Since
    $name = $StoreHost ? $StoreHost : (Get-KdumpPreference).StoreHost
    if (-not $name) { throw 'Name the store: -StoreHost, or StoreHost of the settings.' }
    $session = New-KdumpSession $name @login @more
    $inside = $place.Clone()
    $inside.Remove('StoreHost')
    $all = @(Get-Vmcore -Session $session @inside @filter)
    # Ticks: JSON gives times back as what it likes.
    $due = @($all | Where-Object { $_.State -ne 'Writing' } | Where-Object {
            $before = $known.Crashes[$_.Path]
            -not $before -or $before.Bytes -ne $_.Bytes -or $before.Changed -ne $_.LastChange.UtcTicks
        })
    $writing = @($all | Where-Object State -EQ Writing)
    Write-Verbose "$($all.Count) crash directories on the store, $($due.Count) new, $($writing.Count) being written."

    if ($due -and $PSCmdlet.ShouldProcess("$($due.Count) crash directories: $($due.Path -join ', ')", "Take in to $Destination")) {
        foreach ($folder in @($Destination) + @($BundlePath | Where-Object { $_ })) { $null = New-Item -ItemType Directory -Path $folder -Force }
        foreach ($dump in $due) {
            # 2. One at a time: a run that is cut has lost one at most, and that one is continued.
            $errors = $null
            $here = $dump | Receive-Vmcore -Destination $Destination -Session $session -ErrorAction SilentlyContinue -ErrorVariable errors
            if (-not $here) {
                $errors | Format-Failure | ForEach-Object { $failures.Add($_) }
                continue
            }

            $problem = $null
            if ($here.DumpFile -and $dump.State -eq 'Complete') {
                $test = Test-Vmcore $here.DumpFile -Full:$Full -ErrorAction SilentlyContinue -ErrorVariable errors
                $problem = $test.Passed ? $null : (@($test.Problem) + @($errors | ForEach-Object { "$_" }) -join ' ')
            }
            else {
                $problem = $dump.Reason ? $dump.Reason : 'There is no dump in the directory.'
            }

            # 3. The dump tells most; where it cannot be read, the log that the capture saved before it.
            $told = $null
            $sources = @($problem ? $null : $here.DumpFile) + @($here.Files.Path | Where-Object { (Split-Path -Leaf $_) -match 'dmesg' -and (Split-Path -Leaf $_) -notmatch '^kexec' })
            foreach ($source in $sources | Where-Object { $_ }) {
                $told = Get-VmcoreReport $source -ErrorAction SilentlyContinue
                if ($told) { break }
            }

            # 4. The bundle of the same crash has the same bytes: what a cut run left is replaced.
            $bundle = $null
            if ($BundlePath -and $told) {
                $bundle = Export-VmcoreBundle $told.Path -Destination $BundlePath -Force -ErrorAction SilentlyContinue -ErrorVariable errors
                if (-not $bundle) { $errors | Format-Failure | ForEach-Object { $failures.Add($_) } }
            }

            $crash = [ordered] @{
                CrashedHost = $told.CrashedHost ? $told.CrashedHost : $dump.CrashedHost
                CrashTime = $dump.CrashTime ? $dump.CrashTime.ToString('o') : $null
                Whole = -not $problem
                Problem = $problem
                Kind = "$($told.Kind)"
                Reason = $told.Reason
                Function = $told.FaultingFunction
                Kernel = $told.Release
                Signature = $told.Signature
                StorePath = $dump.Path
                LocalPath = $here.LocalPath
                Bundle = $bundle.Archive
                Bytes = $dump.Bytes
                Changed = $dump.LastChange.UtcTicks
                TakenIn = $run.ToString('o')
            }
            if ($problem) { $findings.Add("$($crash.CrashedHost): the dump $($dump.Path) is not whole: $problem") }
            $new.Add([pscustomobject] $crash)
            $known.Crashes[$dump.Path] = $crash
            Export-Record $Record $known
        }
    }

    # 5. Crashes without a dump. What was told once is not told again.
    $uncaptured = [Collections.Generic.List[object]]::new()
    if ($hosts -and -not $WhatIfPreference) {
        $errors = $null
        # A window of days: a boot that ended while nobody looked is found later, too.
        $found = @($hosts | Find-UncapturedCrash @place @storeLogin @more -Since $run.AddDays(-$UncapturedDays) -ErrorAction SilentlyContinue -ErrorVariable errors)
        $errors | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | Format-Failure | ForEach-Object { $failures.Add($_) }
        foreach ($boot in $found | Where-Object Verdict -EQ Uncaptured) {
            $id = "$($boot.HostName) $($boot.BootId ? $boot.BootId : $boot.NextBootAt.UtcTicks)"
            if ($known.Uncaptured[$id]) { continue }
            $entry = [ordered] @{
                HostName = $boot.HostName; EndedAt = $boot.EndedAt ? $boot.EndedAt.ToString('o') : $null; PanicReason = $boot.PanicReason
                Evidence = @($boot.Evidence); FoundAt = $run.ToString('o')
            }
            $uncaptured.Add([pscustomobject] $entry)
            $findings.Add("$($boot.HostName): a boot ended without a shutdown at $($entry.EndedAt), and there is no dump of it.")
            $known.Uncaptured[$id] = $entry
        }
    }

    # 6. Which cause how often, where, since when: over everything that the record has.
    $groups = @($known.Crashes.Values | Where-Object { $_.Signature } | Group-Object { $_.Signature } | ForEach-Object {
            $times = @($_.Group.CrashTime | Where-Object { $_ } | ForEach-Object { [datetimeoffset] $_ } | Sort-Object)
            [pscustomobject] @{
                Signature = $_.Name
                Count = $_.Count
                New = @($_.Group | Where-Object { $_.StorePath -in $new.StorePath }).Count
                Hosts = @($_.Group.CrashedHost | Sort-Object -Unique)
                Reason = $_.Group[0].Reason
                First = $times ? $times[0].ToString('o') : $null
                Last = $times ? $times[-1].ToString('o') : $null
            }
        } | Sort-Object @{ Expression = 'Count'; Descending = $true }, Signature)
    $summary = [pscustomobject] @{
        RunAt = $run.ToString('o')
        New = @($new)
        Pending = @(($WhatIfPreference ? $due + $writing : $writing) | ForEach-Object { $_.Path })
        Uncaptured = @($uncaptured)
        Findings = @($findings)
        Failures = @($failures)
        Groups = $groups
    }
    if (-not $WhatIfPreference) {
        Export-Record $Record $known
        if ($Report) { Export-Record $Report $summary }
    }
}
finally {
    if ($session) { Remove-KdumpSession $session -WhatIf:$false -Confirm:$false }
    if ($lock) { $lock.Dispose() }
}

if ($PassThru) { $summary }
else {
    # Printed here: pwsh -File drops what is still being formatted when exit is reached.
    "$($new.Count) crashes taken in, $($uncaptured.Count) without a dump found, $($failures.Count) failures." | Out-Host
    $new | Format-Table CrashedHost, CrashTime, Whole, Reason, Signature -Wrap | Out-Host
    $groups | Format-Table Count, New, Signature, Reason, Hosts -Wrap | Out-Host
    @($findings) + @($failures | ForEach-Object { "$($_.ErrorId): $($_.Message)" }) | Out-Host
}
exit [int] ($findings.Count + $failures.Count -gt 0)
