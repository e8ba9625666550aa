# A crash of these hosts ends as a usable vmcore: one test a check and host. Needs Pester 5 or later and the module KdumpNfs.
#
#   $container = New-PesterContainer -Path Kdump.Acceptance.Tests.ps1 -Data @{ HostName = 'web01', 'web02'; Probe = $true }
#   Invoke-Pester -Container $container -Output Detailed
#
# Connection holds parameters of the connection (UserName, Sudo, KeyFilePath, ThrottleLimit…). With Strict warnings fail, too.
param(
    [Parameter(Mandatory)] [string[]] $HostName,
    [bool] $Probe = $true,
    [bool] $Strict = $false,
    [string] $ExpectedTarget,
    [hashtable] $Connection = @{}
)

BeforeDiscovery {
    $machines = $HostName | ForEach-Object { @{ Machine = $_ } }
}

BeforeAll {
    if ($env:KDUMPNFS_MODULE) { Import-Module $env:KDUMPNFS_MODULE } else { Import-Module KdumpNfs }
    $expected = if ($ExpectedTarget) { @{ ExpectedTarget = $ExpectedTarget } } else { @{} }
    # All hosts at once: the tests below only look at what came.
    $script:Readiness = @{}
    $HostName | Test-KdumpReadiness -Probe:$Probe @expected @Connection -IncludeFailed -ErrorAction SilentlyContinue | ForEach-Object { $script:Readiness[$_.HostName] = $_ }

    function Confirm-Check([string] $Name) {
        $result = $script:Readiness[$Machine]
        if ($result.ErrorId) { Set-ItResult -Inconclusive -Because "the host could not be asked: $($result.ErrorId)" }
        $check = $result.Check($Name)
        $check | Should -Not -BeNullOrEmpty
        if ($check.Outcome -eq 'NotChecked') { Set-ItResult -Skipped -Because $check.Evidence }
        $bad = if ($Strict) { 'Fail', 'Warn' } else { 'Fail' }
        "$($check.Outcome)" | Should -Not -BeIn $bad -Because "$($check.Evidence) $($check.Remedy)"
    }
}

Describe 'A crash of <Machine> ends as a usable vmcore' -ForEach $machines {
    It 'can be asked' { $Readiness[$Machine].Message | Should -BeNullOrEmpty -Because "$($Readiness[$Machine].ErrorId)" }

    Context 'its own kdump' {
        It 'is a mechanism that is judged here' { Confirm-Check Mechanism }
        It 'has its tools' { Confirm-Check Tools }
        It 'has a configuration that its tools accept' { Confirm-Check Configuration }
        It 'keeps its configuration over a reboot' { Confirm-Check ChangesSurviveReboot }
        It 'has memory reserved for the capture kernel' { Confirm-Check MemoryReserved }
        It 'has enough of it' { Confirm-Check MemoryEnough }
        It 'has its service running' { Confirm-Check ServiceActive }
        It 'starts its service with the next boot' { Confirm-Check ServiceEnabled }
        It 'has a crash kernel loaded' { Confirm-Check CrashKernelLoaded }
        It 'reserves memory with the next boot, too' { Confirm-Check BootParameters }
    }

    Context 'the capture image' {
        It 'is newer than all that it is made from' { Confirm-Check ImageCurrent }
        It 'is the one that is loaded' { Confirm-Check LoadedImage }
        It 'dumps to the target of today' { Confirm-Check ImageTarget }
        It 'brings up the network of today' { Confirm-Check ImageNetwork }
        It 'has the modules for it' { Confirm-Check ImageModules }
    }

    Context 'the target' {
        It 'is on the network' { Confirm-Check Target }
        It 'has a name that resolves' { Confirm-Check TargetResolves }
        It 'can be mounted from the host' { Confirm-Check ExportMountable }
        It 'has the directory for dumps' { Confirm-Check DumpPathExists }
        It 'lets root of the host write there' { Confirm-Check DumpPathWritable }
        It 'asks for no ticket' { Confirm-Check SecurityFlavour }
        It 'has room for a dump' { Confirm-Check FreeSpace }
        It 'is written by a collector that works here' { Confirm-Check CoreCollector }
    }

    Context 'what could come between' {
        It 'is fenced by nobody while it dumps' { Confirm-Check Fencing }
        It 'is reset by no watchdog while it dumps' { Confirm-Check Watchdog }
        It 'comes back after the dump' { Confirm-Check AfterDump }
        It 'has the right time' { Confirm-Check Clock }
        It 'panics when it should' { Confirm-Check PanicPolicy }
        It 'can be crashed from its console' { Confirm-Check Sysrq }
        It 'has no dead NFS mounts' { Confirm-Check NfsMounts }
    }

    It 'was proven by a drill that still holds' { Confirm-Check LastDrill }
}
