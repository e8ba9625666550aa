#Requires -Version 7.4
<#
.SYNOPSIS
Spreads a host list over relay machines by PowerShell's remoting over SSH, runs a cmdlet of KdumpNfs there and merges the results as they come.
.DESCRIPTION
Each relay is a Linux machine with PowerShell and this module, and reaches its hosts with its own keys and known_hosts: no credential leaves this machine,
and agents are not forwarded. Relays take the list in slices, each as it is ready for the next one, so that a slow relay does not hold up the others.

Results are the cmdlet's own objects, deserialized, with their views, and a property Relay. Errors keep their id, target object and advice; OriginInfo
names the relay's address. Every host is answered once. Of a relay that is lost, the hosts without an answer go to other relays if the command reads (Get-, Test-,
Find-, Measure-, or with -PassPlan; or as often as -Retry says). Otherwise nobody knows what happened there: they are an error AnswerLost and an object with
State Unknown each. A relay that cannot be used is an error with the relay as its target object.

docs/sharding.md tells how relays are set up and what scales how.
.PARAMETER InputObject
The hosts: names, or objects with HostName and, where needed, UserName, Port and KeyFilePath (a path on the relay). Import-Csv makes such ones.
.PARAMETER Command
A cmdlet of KdumpNfs that takes hosts from the pipeline.
.PARAMETER Parameter
Its parameters. Passwords and credentials are refused: relays have their own (-CredentialName names one in the relay's vault).
.PARAMETER ScriptBlock
What to run on a relay instead, once a slice, with the hosts as its pipeline: { $input | Get-KdumpStatus | Where-Object State -eq NotReady }
.PARAMETER ArgumentList
Arguments of the script block.
.PARAMETER Relay
The relays: NAME, USER@NAME or USER@NAME:PORT (an IPv6 address in brackets), or objects or hashtables with HostName, UserName, Port, KeyFilePath, Weight (how many times as much it takes) and Name.
.PARAMETER RelayOption
More options of ssh for the way to the relays, for instance @{ UserKnownHostsFile = '/etc/kdump/relays' }. Unknown host keys are refused.
.PARAMETER Module
The module on the relays, by name or path. Its version has to be that of the module here.
.PARAMETER ThrottleLimit
Hosts at once on each relay, times its weight.
.PARAMETER SliceSize
The most hosts that a relay of weight 1 takes at a time; four times -ThrottleLimit if not given. Near the end slices become smaller.
.PARAMETER Split
Dynamic: a host goes to whichever relay is ready. Hash: always to the same relay, as long as that is there and not far behind.
.PARAMETER Retry
How often a host whose relay was lost is given to another one: 2 for reads, 0 for everything else.
.PARAMETER OneEach
Promises that the script block gives one object or error a host, so that results come one by one. Without, those of a script block with -Retry, and of cmdlets that
give several objects a host, come when their slice is whole: what a lost relay began is forgotten and done again.
.PARAMETER MaxFailure
Hosts that may fail; beyond, no more are started, and each one left is an error NotStarted.
.PARAMETER ConnectingTimeout
Milliseconds for a relay to answer, as in New-PSSession, and as many again to load the module.
.PARAMETER SliceTimeout
Seconds after which a relay counts as lost though its connection lives.
.EXAMPLE
Import-Csv hosts.csv | ./Invoke-Sharded.ps1 Get-KdumpStatus -Relay audit@relay1, audit@relay2 | Export-Csv status.csv
.EXAMPLE
Get-Content hosts.txt | ./Invoke-Sharded.ps1 Set-KdumpNfsTarget @{ NfsServer = 'storage'; Export = '/data/nfs_share'; Sudo = $true } -Relay (Import-Csv relays.csv) -MaxFailure 3
#>
[CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'Command')]
param(
    [Parameter(Mandatory, ValueFromPipeline)] [Alias('HostName')] [object[]] $InputObject,
    [Parameter(Mandatory, Position = 0, ParameterSetName = 'Command')] [string] $Command,
    [Parameter(Position = 1, ParameterSetName = 'Command')] [hashtable] $Parameter = @{},
    [Parameter(Mandatory, Position = 0, ParameterSetName = 'ScriptBlock')] [scriptblock] $ScriptBlock,
    [Parameter(ParameterSetName = 'ScriptBlock')] [object[]] $ArgumentList = @(),
    [Parameter(ParameterSetName = 'ScriptBlock')] [switch] $OneEach,
    [Parameter(Mandatory)] [object[]] $Relay,
    [hashtable] $RelayOption = @{},
    [string] $Module = 'KdumpNfs',
    [ValidateRange(1, 1024)] [int] $ThrottleLimit = 32,
    [ValidateRange(1, 100000)] [int] $SliceSize,
    [ValidateSet('Dynamic', 'Hash')] [string] $Split = 'Dynamic',
    [ValidateRange(0, 100)] [int] $Retry,
    [ValidateRange(0, [int]::MaxValue)] [int] $MaxFailure = [int]::MaxValue,
    [ValidateRange(1, 3600000)] [int] $ConnectingTimeout = 30000,
    [ValidateRange(1, 604800)] [int] $SliceTimeout = 3600
)

begin {
    # One object or error a host: it can be passed on at once, because nothing more can come of that host.
    $oneEachReads = 'Get-KdumpStatus', 'Test-KdumpReadiness', 'Get-CrashKernelReservation', 'Get-KernelPanicPolicy', 'Get-VmcoreEstimate'
    # What keeps order, limits or files for all hosts of a run has to see all hosts.
    $oneController = 'Invoke-KdumpDrill', 'Resume-KdumpDrill', 'Invoke-SysrqCrash', 'New-KdumpSession', 'Remove-KdumpSession', 'Invoke-KdumpPlan'
    $notSharded = @{
        BatchSize = 'Batches count within one slice. Start with a short list, and use -MaxFailure of this script.'
        MaxFailure = 'It would count within one slice. Use -MaxFailure of this script.'
        Session = 'Sessions do not leave their process. Relays connect by themselves.'
        HostName = 'Hosts come from the pipeline.'
        Quiet = 'It gives one answer for all hosts of a slice.'
        WhatIf = 'Use -WhatIf of this script, or -PassPlan, whose objects come back.'
        Confirm = 'Use -Confirm of this script.'
    }

    function Stop-Refused([string] $Message, [object] $Target) {
        $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new([ArgumentException]::new($Message), 'InvalidInput', 'InvalidArgument', $Target))
    }

    function Write-Failure([string] $Id, [string] $Category, [string] $Target, [string] $Message, [string] $Advice, [Exception] $Cause) {
        $record = [Management.Automation.ErrorRecord]::new([InvalidOperationException]::new($Message, $Cause), $Id, $Category, $Target)
        $record.ErrorDetails = [Management.Automation.ErrorDetails]::new($Message)
        $record.ErrorDetails.RecommendedAction = $Advice
        $PSCmdlet.WriteError($record)
    }

    # The script's own answer for a host that has none.
    function Write-HostAnswer([string] $Id, [string] $Category, [hashtable] $Entry, [string] $State, [string] $Message, [string] $Advice, [string] $RelayName, [Exception] $Cause) {
        $script:answered++
        $script:failed++
        Write-Failure $Id $Category $Entry.Name $Message $Advice $Cause
        $PSCmdlet.WriteObject([pscustomobject]@{ PSTypeName = 'KdumpNfs.Fleet.FailedHost'; HostName = $Entry.Name; State = $State; ErrorId = $Id; Message = $Message; Relay = $RelayName })
    }

    # Values as remoting carries them unchanged; secrets stay here.
    function ConvertTo-Sendable([object] $Value, [string] $Name) {
        $plain = $Value -is [psobject] ? $Value.psobject.BaseObject : $Value
        if ($plain -is [securestring] -or $plain -is [pscredential]) {
            Stop-Refused "-$Name is a secret, and secrets stay on this machine. Relays have their own: keys, or -CredentialName with a vault there." $Name
        }
        if ($plain -is [switch]) { return $plain.IsPresent }
        if ($plain -is [enum]) { return "$plain" }
        if ($plain -is [datetimeoffset]) { return $plain.ToString('o') }
        if ($plain -is [IO.FileSystemInfo] -or $plain -is [Net.IPAddress]) { return "$plain" }
        if ($plain -is [Collections.IList] -and $plain -isnot [byte[]]) { return , @($plain | ForEach-Object { ConvertTo-Sendable $_ $Name }) }
        $Value
    }

    function ConvertTo-Relay([object] $From) {
        $value = if ($From -is [string]) {
            if ($From -notmatch '^(?:(?<user>[^@\s]+)@)?(?<host>\[[^\]]+\]|[^@:\s\[\]]+|[0-9A-Fa-f:]+)(?::(?<port>\d+))?$') { Stop-Refused "'$From' is no relay. Write NAME, USER@NAME or USER@NAME:PORT." $From }
            @{ HostName = $Matches.host.Trim('[', ']'); UserName = $Matches.user; Port = $Matches.port; Name = $From }
        }
        else { $From }
        $port = $value.Port ? [int] $value.Port : 22
        $weight = $value.Weight ? [int] $value.Weight : 1
        if (-not $value.HostName -or $port -notin 1..65535 -or $weight -notin 1..1000) { Stop-Refused 'A relay needs HostName; Port is 1 to 65535 and Weight 1 to 1000.' $From }
        if ($value.KeyFilePath -and -not (Test-Path -LiteralPath $value.KeyFilePath)) { Stop-Refused "There is no key file $($value.KeyFilePath)." $From }
        @{
            Name = $value.Name ? [string] $value.Name : [string] $value.HostName; HostName = [string] $value.HostName; Port = $port; Weight = $weight
            UserName = $value.UserName ? [string] $value.UserName : $null; KeyFilePath = $value.KeyFilePath ? (Convert-Path -LiteralPath $value.KeyFilePath) : $null
            Phase = 'Opening'; Space = $null; Session = $null; Job = $null; Open = @{}; Held = $null; Queue = [Collections.Generic.Queue[hashtable]]::new(); Deadline = $null; Taken = 0
        }
    }

    # Rendezvous hashing: when a relay leaves, only its own hosts move.
    function Get-HomeRelay([string] $Name, [object[]] $Among) {
        $best, $most = $null, -1.0
        foreach ($one in $Among) {
            $bytes = [Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes("$($one.Name)`n$($Name.ToLowerInvariant())"))
            $share = ([BitConverter]::ToUInt32($bytes, 0) + 1.0) / 4294967297.0
            $score = - $one.Weight / [math]::Log($share)
            if ($score -gt $most) { $best, $most = $one, $score }
        }
        $best
    }

    function Close-Relay([hashtable] $One) {
        $One.Phase = 'Gone'
        if ($One.Space -and $One.Space.RunspaceStateInfo.State -in 'Opened', 'Opening', 'Connecting') { $One.Space.CloseAsync() }
    }

    # What was said about a connection is in the innermost exception, and in what ssh said.
    function Get-Words([Exception] $From) { ($From ? $From.GetBaseException().Message : 'nothing was said') -replace '\s+', ' ' }

    function Stop-Relay([hashtable] $One, [string] $Id, [string] $Category, [string] $Message, [string] $Advice, [Exception] $Cause) {
        $lost = @($One.Open.Values)
        $One.Open, $One.Held = @{}, $null
        Close-Relay $One
        foreach ($entry in $lost) {
            $entry.Tries++
            if ($entry.Tries -le $retries) { $shared.Enqueue($entry) }
        }
        while ($One.Queue.Count) { $shared.Enqueue($One.Queue.Dequeue()) }
        Write-Failure $Id $Category $One.Name $Message $Advice $Cause
        foreach ($entry in $lost | Where-Object { $_.Tries -gt $retries }) {
            Write-HostAnswer AnswerLost ConnectionError $entry Unknown "The relay $($One.Name) was lost before $($entry.Name) was answered; what was done there is not known." `
                'Look again: Get-KdumpStatus says what the host is now. A change that had begun ends by itself or is undone there; running it again is safe.' $One.Name $Cause
        }
    }

    function Stop-LostRelay([hashtable] $One, [string] $Words, [Exception] $Cause) {
        Stop-Relay $One RelayLost ConnectionError "The relay $($One.Name) was lost: $Words" 'Look at the machine and its sshd. It gets no more hosts of this run.' $Cause
    }

    function Start-Relay([hashtable] $One) {
        $options = @{ BatchMode = 'yes'; StrictHostKeyChecking = 'yes'; ServerAliveInterval = 15; ServerAliveCountMax = 3; ConnectTimeout = [math]::Max(1, [int] ($ConnectingTimeout / 1000)) }
        foreach ($key in $RelayOption.Keys) { $options[$key] = $RelayOption[$key] }
        $options.ForwardAgent = 'no'
        $way = [Management.Automation.Runspaces.SSHConnectionInfo]::new($One.UserName, $One.HostName, $One.KeyFilePath, $One.Port, 'powershell', $ConnectingTimeout, $options)
        $One.Space = [runspacefactory]::CreateRunspace($way, $Host, [Management.Automation.Runspaces.TypeTable]::LoadDefaultTypeFiles())
        $One.Deadline = [datetime]::UtcNow.AddMilliseconds($ConnectingTimeout + 2000)
        # Opened beside the others: New-PSSession would wait for the slowest.
        $One.Space.OpenAsync()
    }

    function Start-Check([hashtable] $One) {
        $One.Phase = 'Checking'
        $One.Job = Invoke-Command -Session $One.Session -AsJob -ArgumentList $Module {
            param($module)
            $ProgressPreference = 'SilentlyContinue'
            try { @{ Version = (Import-Module $module -PassThru -ErrorAction Stop).Where({ $_.Name -eq 'KdumpNfs' })[0].Version.ToString() } }
            catch { @{ Why = "$_" } }
        }
    }

    function Read-Check([hashtable] $One) {
        $child = $One.Job.ChildJobs[0]
        $reason = $child.JobStateInfo.Reason
        $there = $child.Output.ReadAll() | Select-Object -Last 1
        Remove-Job $One.Job -Force
        $One.Job = $null
        if ($One.Space.RunspaceStateInfo.State -ne 'Opened' -or $reason -is [Management.Automation.Remoting.PSRemotingTransportException]) {
            Stop-LostRelay $One (Get-Words $reason) $reason
        }
        elseif (-not $there) {
            # A session that has just begun may still be busy with itself and refuse its first command.
            if ([datetime]::UtcNow -lt $One.Deadline) { $One.Phase = 'Waiting' } else { Stop-LostRelay $One (Get-Words $reason) $reason }
        }
        elseif (-not $there.Version) {
            Stop-Relay $One RelayModuleMissing ObjectNotFound "The module $Module cannot be loaded on the relay $($One.Name): $($there.Why)" `
                "Install version $version there for all users (Install-PSResource KdumpNfs -Version $version -Scope AllUsers, or a copy of its folder below a directory of PSModulePath), or say where it is: -Module /path/to/KdumpNfs" $reason
        }
        elseif ($there.Version -ne $version) {
            Stop-Relay $One RelayModuleMismatch InvalidResult "The relay $($One.Name) has version $($there.Version) of the module, this machine has $version." `
                "Install version $version there, or say where it is with -Module." $null
        }
        else { $One.Phase = 'Ready' }
    }

    # Its own hosts first, then anybody's; of another relay's, only if that has more than it can take at once.
    function Get-NextQueue([hashtable] $One) {
        if ($One.Queue.Count) { return , $One.Queue }
        if ($shared.Count) { return , $shared }
        $longest = $null
        foreach ($other in $relays) { if ($other.Queue.Count -gt ($longest ? $longest.Queue.Count : $ThrottleLimit)) { $longest = $other } }
        if ($longest) { return , $longest.Queue }
    }

    function Start-Slice([hashtable] $One) {
        $queue = Get-NextQueue $One
        if (-not $queue) { return }
        $weights = ($relays.Where({ $_.Phase -ne 'Gone' }).Weight | Measure-Object -Sum).Sum
        $share = [math]::Ceiling($queue.Count * ([object]::ReferenceEquals($queue, $One.Queue) ? 1 : $One.Weight / $weights))
        $size = [math]::Min($most * $One.Weight, [math]::Max([math]::Ceiling($share / 2), [math]::Min($ThrottleLimit * $One.Weight, $share)))
        # Answers are told apart by name: the same name with another port has to wait for another slice.
        $put = [Collections.Generic.List[hashtable]]::new()
        $list = [Collections.Generic.List[object]]::new()
        for ($seen = $queue.Count; $seen -gt 0 -and $One.Open.Count -lt $size; $seen--) {
            $entry = $queue.Dequeue()
            if ($One.Open.ContainsKey($entry.Name)) {
                $put.Add($entry)
                continue
            }
            $One.Open[$entry.Name] = $entry
            $list.Add($entry.Item)
        }
        foreach ($entry in $put) { $queue.Enqueue($entry) }
        $items = $list.ToArray()
        $bound = $sendable.Clone()
        if ($takesThrottle) { $bound.ThrottleLimit = $ThrottleLimit * $One.Weight }
        $One.Taken += $items.Count
        $One.Held = $streams ? $null : [Collections.Generic.List[object]]::new()
        $One.Deadline = [datetime]::UtcNow.AddSeconds($SliceTimeout)
        $One.Phase = 'Working'
        Write-Verbose "$($One.Name): $($items.Count) hosts"
        $One.Job = Invoke-Command -Session $One.Session -AsJob -ArgumentList $Command, $bound, $items, "$ScriptBlock", $ArgumentList, $tells {
            param($command, $bound, $items, $script, $arguments, $tells)
            $ProgressPreference = 'SilentlyContinue'
            $ErrorActionPreference = 'Continue'
            # Asked here already; nobody is there to be asked.
            $ConfirmPreference = 'None'
            if ($tells) { $VerbosePreference = 'Continue' }
            if ($command) { $items | & "KdumpNfs\$command" @bound }
            else { $items | & ([scriptblock]::Create($script)) @arguments }
        }
    }

    function Write-Answer([hashtable] $One, [object] $Answer) {
        if ($Answer -is [Management.Automation.ErrorRecord]) {
            $script:failed++
            $PSCmdlet.WriteError($Answer)
        }
        else { $PSCmdlet.WriteObject($Answer) }
    }

    # Passes on what has come, and says whether anything had.
    function Read-Slice([hashtable] $One) {
        $child = $One.Job.ChildJobs[0]
        $answers = @($child.Output.ReadAll()) + @($child.Error.ReadAll())
        foreach ($record in $child.Warning.ReadAll()) { Write-Warning "$($One.Name): $($record.Message)" }
        foreach ($record in $child.Verbose.ReadAll()) { Write-Verbose "$($One.Name): $($record.Message)" }
        foreach ($record in $child.Information.ReadAll()) { $PSCmdlet.WriteInformation($record) }
        foreach ($answer in $answers) {
            if ($null -eq $answer) { continue }
            if ($answer -is [Management.Automation.ErrorRecord]) {
                # A connection that dies may say so as an error of the job as well; that is the relay's, not a host's.
                if ($answer.Exception -is [Management.Automation.Remoting.PSRemotingTransportException]) { continue }
                $name = $answer.TargetObject -is [string] ? $answer.TargetObject : [string] $answer.TargetObject.HostName
            }
            else {
                # Marks of the job; with them PowerShell would print the relay's address under every object.
                foreach ($mark in 'PSComputerName', 'RunspaceId', 'PSShowComputerName') { $answer.psobject.Properties.Remove($mark) }
                $answer.psobject.Properties.Add([psnoteproperty]::new('Relay', $One.Name), $true)
                $name = [string] $answer.HostName
            }
            if ($streams) {
                if ($name -and $One.Open.ContainsKey($name)) {
                    $One.Open.Remove($name)
                    $script:answered++
                }
                Write-Answer $One $answer
            }
            else { $One.Held.Add($answer) }
        }
        $answers.Count -gt 0
    }

    function Complete-Slice([hashtable] $One) {
        $null = Read-Slice $One
        $child = $One.Job.ChildJobs[0]
        $reason = $child.JobStateInfo.Reason
        $state = $child.JobStateInfo.State
        Remove-Job $One.Job -Force
        $One.Job = $null
        if ($One.Space.RunspaceStateInfo.State -ne 'Opened' -or $reason -is [Management.Automation.Remoting.PSRemotingTransportException]) {
            Stop-LostRelay $One (Get-Words $reason) $reason
            return
        }
        foreach ($answer in $One.Held) { Write-Answer $One $answer }
        $left = @($One.Open.Values)
        $One.Open, $One.Held = @{}, $null
        $One.Phase = 'Ready'
        if ($state -ne 'Completed') {
            # The command ended for all: what it said is the answer of each host that has no other.
            $said = $reason.ErrorRecord
            $id = $said ? ($said.FullyQualifiedErrorId -split ',')[0] : 'CommandFailed'
            foreach ($entry in $left) {
                Write-HostAnswer $id ($said ? $said.CategoryInfo.Category : 'NotSpecified') $entry Failed (Get-Words $reason) "$($said.ErrorDetails.RecommendedAction)" $One.Name $reason
            }
        }
        elseif ($oneEachHere) {
            foreach ($entry in $left) {
                Write-HostAnswer NoAnswer InvalidResult $entry Unknown "The relay $($One.Name) finished without a word about $($entry.Name)." 'Look again.' $One.Name $null
            }
        }
        else { $script:answered += $left.Count }
    }

    $found = Get-Module KdumpNfs | Select-Object -First 1
    if (-not $found) { $found = Import-Module ($env:KDUMPNFS_MODULE ? $env:KDUMPNFS_MODULE : 'KdumpNfs') -Global -PassThru }
    $version = "$($found.Version)"

    $reads = $false
    $known = $null
    if ($Command) {
        $known = $found.ExportedCmdlets[($Command -replace '^KdumpNfs\\')]
        if (-not $known) { Stop-Refused "$Command is no cmdlet of KdumpNfs. For anything else give a script block." $Command }
        $Command = $known.Name
        if ($Command -in $oneController) { Stop-Refused "$Command keeps order, limits or connections for all hosts of a run. Run it from one machine." $Command }
        if (-not $known.Parameters.HostName.Attributes.Where({ $_.ValueFromPipeline })) { Stop-Refused "$Command takes no hosts from the pipeline." $Command }
        foreach ($name in $Parameter.Keys) {
            if (-not $known.Parameters.ContainsKey($name)) { Stop-Refused "$Command has no parameter -$name." $name }
            if ($notSharded.ContainsKey($name)) { Stop-Refused "-$name cannot be sharded. $($notSharded[$name])" $name }
        }
        $reads = $known.Verb -in 'Get', 'Test', 'Find', 'Measure' -or $Parameter.PassPlan
    }
    elseif ($ScriptBlock.Ast.FindAll({ $args[0] -is [Management.Automation.Language.UsingExpressionAst] }, $true)) {
        Stop-Refused 'A script block here has no $using:. Give the values with -ArgumentList.' $ScriptBlock
    }
    $sendable = @{}
    foreach ($name in $Parameter.Keys) { $sendable[$name] = ConvertTo-Sendable $Parameter[$name] $name }
    $ArgumentList = @($ArgumentList | ForEach-Object { ConvertTo-Sendable $_ 'ArgumentList' })
    $takesThrottle = $known -and $known.Parameters.ContainsKey('ThrottleLimit') -and -not $Parameter.ContainsKey('ThrottleLimit')
    $retries = $PSBoundParameters.ContainsKey('Retry') ? $Retry : ($reads ? 2 : 0)
    # With -IncludeFailed a host that failed is an error and an object: together they are one answer.
    $oneEachHere = ($OneEach -or $Command -in $oneEachReads -or ($Command -and -not $reads)) -and -not $Parameter.IncludeFailed
    $streams = $retries -eq 0 -or $oneEachHere
    $most = $SliceSize ? $SliceSize : 4 * $ThrottleLimit
    $tells = $VerbosePreference -eq 'Continue'
    $relays = @($Relay | ForEach-Object { ConvertTo-Relay $_ })
    $twice = $relays | Group-Object { $_.Name } | Where-Object Count -GT 1
    if ($twice) { Stop-Refused "Relays need names of their own; $($twice[0].Name) is there twice (Name tells them apart)." $twice[0].Name }

    $entries = [Collections.Generic.List[hashtable]]::new()
    $once = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
    $shared = [Collections.Generic.Queue[hashtable]]::new()
    $script:answered = 0
    $script:failed = 0
}

process {
    foreach ($item in $InputObject) {
        $name = $item -is [string] -or $item -is [Net.IPAddress] ? "$item" : [string] ($item.HostName ? $item.HostName : ($item.ComputerName ? $item.ComputerName : $item.Cn))
        if (-not $name) {
            Write-Failure HostNameMissing InvalidArgument "$item" "'$item' has no property HostName." 'Pipe host names as text, or objects with a property HostName.' $null
            continue
        }
        if (-not $once.Add("$name`n$($item.UserName)`n$($item.Port)")) {
            Write-Warning "$name is in the list more than once; it is asked once."
            continue
        }
        $plain = $item
        if ($item -isnot [string]) {
            $plain = @{ HostName = $name }
            foreach ($property in 'UserName', 'Port', 'KeyFilePath') { if ($item.$property) { $plain.$property = $item.$property } }
            # Script blocks may want the other columns of a list; a status object's own would only cost the way.
            if ($ScriptBlock -and $item -is [Management.Automation.PSCustomObject]) { foreach ($property in $item.psobject.Properties) { $plain[$property.Name] = ConvertTo-Sendable $property.Value $property.Name } }
            $plain = [pscustomobject] $plain
        }
        $entries.Add(@{ Name = $name; Item = $plain; Tries = 0 })
    }
}

end {
    if ($entries.Count -eq 0) { return }
    $what = $Command ? $Command : 'a script block'
    if (-not $reads) {
        if (-not $PSCmdlet.ShouldProcess("$($entries.Count) hosts ($(($entries | Select-Object -First 5).ForEach({ $_.Name }) -join ', ')$($entries.Count -gt 5 ? ', ...' : '')) through $($relays.Count) relays", $what)) { return }
        $asks = $known -and [Management.Automation.CommandMetadata]::new($known).ConfirmImpact -eq 'High' -and -not $PSBoundParameters.ContainsKey('Confirm')
        if ($asks -and -not $PSCmdlet.ShouldContinue("$what on $($entries.Count) hosts?", 'Confirm')) { return }
    }
    foreach ($entry in $entries) { ($Split -eq 'Hash' ? (Get-HomeRelay $entry.Name $relays).Queue : $shared).Enqueue($entry) }
    $count = $entries.Count
    $entries.Clear()
    foreach ($one in $relays) { Start-Relay $one }

    while ($true) {
        $busy = $false
        foreach ($one in $relays) {
            switch ($one.Phase) {
                'Opening' {
                    $state = $one.Space.RunspaceStateInfo
                    if ($state.State -eq 'Opened' -and $one.Space.RunspaceAvailability -eq 'Available') {
                        $one.Session = [Management.Automation.Runspaces.PSSession]::Create($one.Space, 'SSH', $PSCmdlet)
                        $one.Deadline = [datetime]::UtcNow.AddMilliseconds($ConnectingTimeout)
                        Start-Check $one
                        $busy = $true
                    }
                    elseif ($state.State -in 'Broken', 'Closed' -or [datetime]::UtcNow -gt $one.Deadline) {
                        Stop-Relay $one RelayUnreachable ConnectionError "The relay $($one.Name) cannot be used: $($state.Reason ? (Get-Words $state.Reason) : "no answer in $($ConnectingTimeout / 1000) s")" `
                            "Try: ssh -s$($one.Port -ne 22 ? " -p $($one.Port)" : '') $($one.UserName ? "$($one.UserName)@" : '')$($one.HostName) powershell. Its sshd needs the line 'Subsystem powershell /path/to/pwsh -sshs -NoLogo -NoProfile', its host key has to be in known_hosts here, and your key in its authorized_keys." $state.Reason
                    }
                }
                'Waiting' { Start-Check $one }
                'Checking' {
                    if ($one.Job.State -in 'Completed', 'Failed', 'Stopped') {
                        Read-Check $one
                        $busy = $true
                    }
                    elseif ($one.Job.State -eq 'Blocked' -or [datetime]::UtcNow -gt $one.Deadline) { Stop-LostRelay $one 'the module was not loaded in time.' $null }
                }
                'Working' {
                    # The state first: what comes before it is then read below.
                    $ended = $one.Job.State -in 'Completed', 'Failed', 'Stopped'
                    if ($ended) {
                        Complete-Slice $one
                        $busy = $true
                    }
                    else {
                        $busy = (Read-Slice $one) -or $busy
                        if ($one.Job.State -eq 'Blocked') { Stop-LostRelay $one 'the command there asks something, and nobody is there to answer.' $null }
                        elseif ([datetime]::UtcNow -gt $one.Deadline) { Stop-LostRelay $one "a slice took more than $SliceTimeout seconds." $null }
                    }
                }
            }
            if ($one.Phase -eq 'Ready' -and $one.Space.RunspaceAvailability -eq 'Available' -and $script:failed -le $MaxFailure) { Start-Slice $one }
        }
        Write-Progress -Activity $what -Status "$($script:answered) of $count hosts, $($relays.Where({ $_.Phase -ne 'Gone' }).Count) relays" -PercentComplete ([math]::Min(100, 100 * $script:answered / $count))
        $waiting = $shared.Count
        foreach ($one in $relays) { $waiting += $one.Queue.Count }
        $working = $relays.Where({ $_.Phase -eq 'Working' }).Count
        $stopped = $script:failed -gt $MaxFailure
        $able = $relays.Where({ $_.Phase -ne 'Gone' }).Count
        if ($working -eq 0 -and ($waiting -eq 0 -or $stopped -or $able -eq 0)) { break }
        if (-not $busy) { Start-Sleep -Milliseconds 50 }
    }
    Write-Progress -Activity $what -Completed

    foreach ($queue in @($relays.ForEach({ , $_.Queue })) + , $shared) {
        while ($queue.Count) {
            $entry = $queue.Dequeue()
            $why = $stopped ? "More than $MaxFailure hosts failed before its turn came." : 'No relay is left.'
            $advice = $stopped ? 'Mend what failed, and run again.' : 'Mend a relay, and run again.'
            Write-HostAnswer NotStarted OperationStopped $entry NotStarted "$($entry.Name) was not $($entry.Tries ? 'answered' : 'started'): $why" $advice '' $null
        }
    }
}

clean {
    # Also after Ctrl-C. A session that is closed ends what runs in it, on the relay.
    foreach ($one in $relays) { Close-Relay $one }
    $until = [datetime]::UtcNow.AddSeconds(2)
    foreach ($one in $relays | Where-Object { $_.Space }) {
        while ($one.Space.RunspaceStateInfo.State -eq 'Closing' -and [datetime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
        # What does not answer is left to ssh's own timeout, which ends the job as well.
        if ($one.Space.RunspaceStateInfo.State -eq 'Closing') { continue }
        if ($one.Job) { Remove-Job $one.Job -Force }
        $one.Space.Dispose()
    }
}
