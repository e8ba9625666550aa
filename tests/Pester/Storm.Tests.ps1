# Measure-KdumpStorm: what it binds, what it says. What it calculates is in tests/Unit/Storms.
Describe 'Measure-KdumpStorm' {
    BeforeAll {
        . $PSScriptRoot/Fixture.ps1
        $fleet = @'
HostName,DumpBytes,HostBandwidth
web01,1000000,
web02,1000000,50000
db01,2000000,50000
'@ | ConvertFrom-Csv
    }

    It 'takes a CSV, with a bandwidth for each host' {
        $storm = $fleet | Measure-KdumpStorm -StoreBandwidth 100000 -CaptureBootTime 10000 -RestartTime 60000
        $storm.CrashCount | Should -Be 3
        $storm.StoreBytes | Should -Be 4000000
        $storm.Crashes.HostName | Should -Be 'web01', 'web02', 'db01'
        # A third of the store for each until 30 s, then a half for db01, which is all that it can write.
        $storm.Crashes[0].WrittenAt.TotalSeconds | Should -BeGreaterThan 39.9
        $storm.Crashes[2].Down.TotalSeconds | Should -BeGreaterThan 119.9
        "$storm" | Should -BeLike '3 crashes, longest down *'
    }

    It 'takes estimates, their high end unless told otherwise' {
        $estimate = [pscustomobject]@{ HostName = 'web01'; CompressedLowBytes = 100; CompressedHighBytes = 300 }
        ($estimate | Measure-KdumpStorm -StoreBandwidth 100).StoreBytes | Should -Be 300
        ($estimate | Measure-KdumpStorm -StoreBandwidth 100 -Estimate Middle).StoreBytes | Should -Be 200
        ($estimate | Measure-KdumpStorm -StoreBandwidth 100 -Estimate Low).StoreBytes | Should -Be 100
        { $fleet | Measure-KdumpStorm -StoreBandwidth 100 -Estimate Low } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'needs no list of hosts' {
        $storm = Measure-KdumpStorm -HostCount 1000 -DumpBytes 3GB -StoreBandwidth 10Gbit -HostBandwidth 120MB -MaxDown 10 -RestartTime (New-TimeSpan -Minutes 8)
        $storm.PeakDown | Should -Be 10
        $storm.Pattern | Should -Be MaxDown
        $storm.LongestDown.TotalMinutes | Should -BeGreaterThan 8.5
        $storm.Assumptions | Should -Contain 'At most 10 hosts are down at once; waiting for a turn is no time down.'
    }

    It 'learns from drills, those from a file too' {
        $drills = foreach ($seconds in 40, 60) {
            [KdumpNfs.Drills.KdumpDrill]::new() | Select-Object -Property @{ n = 'HostName'; e = { "web$seconds" } }, @{ n = 'CaptureTime'; e = { [timespan]::FromSeconds($seconds) } },
                @{ n = 'Away'; e = { [timespan]::FromSeconds(2 * $seconds) } }, @{ n = 'Vmcore'; e = { [pscustomobject]@{ Bytes = 3000L } } }
        }
        $drills | Export-Clixml TestDrive:/drills.xml
        $storm = [pscustomobject]@{ HostName = 'web40'; DumpBytes = 3000 } | Measure-KdumpStorm -StoreBandwidth 1MB -Drill (Import-Clixml TestDrive:/drills.xml)
        # 3000 bytes in 40 - 30 s; back after the median of 40 and 60 s.
        [math]::Round($storm.Crashes[0].Down.TotalSeconds, 1) | Should -Be 90
        $storm.Assumptions[-1] | Should -BeLike '*2 drills*'
        $here = [pscustomobject]@{ HostName = 'web40'; DumpBytes = 3000 } | Measure-KdumpStorm -StoreBandwidth 1MB -Drill $drills
        $here.Crashes[0].Down | Should -Be $storm.Crashes[0].Down
        # What is given wins over what drills have shown: 3000 bytes at 300 a second, after 30 s.
        $told = Measure-KdumpStorm -HostCount 2 -DumpBytes 3000 -HostBandwidth 300 -StoreBandwidth 1MB -Drill $drills
        [math]::Round($told.Crashes[0].WrittenAt.TotalSeconds, 1) | Should -Be 40
        { $fleet | Measure-KdumpStorm -StoreBandwidth 1MB -Drill ([pscustomobject]@{ HostName = 'x' }) } | Should -Throw -ErrorId 'InvalidInput,*'
    }

    It 'refuses <Why>' -ForEach @(
        @{ Why = 'a bandwidth that is none'; With = @{ StoreBandwidth = 'fast' } }
        @{ Why = 'crashes a day with a limit'; With = @{ StoreBandwidth = 1; CrashesPerDay = 1; MaxDown = 1 } }
        @{ Why = 'a limit with a time'; With = @{ StoreBandwidth = 1; Within = 1000; MaxDown = 1 } }
        @{ Why = 'a period alone'; With = @{ StoreBandwidth = 1; Period = 1000 } }
        @{ Why = 'a negative time'; With = @{ StoreBandwidth = 1; RestartTime = -5 } }
    ) {
        { Measure-KdumpStorm -HostCount 2 -DumpBytes 5 @With } | Should -Throw -ErrorId '*MeasureKdumpStormCommand'
    }

    It 'says nothing without hosts' {
        @() | Measure-KdumpStorm -StoreBandwidth 1 | Should -BeNullOrEmpty
    }

    It 'shows times and sizes for people' {
        $storm = Measure-KdumpStorm -HostCount 100 -DumpBytes 2GB -StoreBandwidth 1Gbit -FreeBytes 150GB
        $text = $storm | Out-String -Width 120
        $text | Should -BeLike '*150.0 GiB*'
        $text | Should -BeLike '*min*'
        ($text -split "`n" | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 120
        $storm | Format-List | Out-String | Should -BeLike '*All hosts crash at the same moment.*'
        $storm.Crashes[0..2] | Out-String -Width 120 | Should -BeLike '*host2*'
    }
}
