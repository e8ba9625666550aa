BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $types = Get-Command -Module KdumpNfs | ForEach-Object { $_.OutputType.Type } | Where-Object { $_ -and $_.Namespace -like 'KdumpNfs*' } | Sort-Object FullName -Unique
    $controls = @{}
    foreach ($type in $types) { $controls[$type.FullName] = @((Get-FormatData -TypeName $type.FullName).FormatViewDefinition.Control) }

    # The type of a property, without Nullable.
    function PropertyType([type] $of, [string] $name) {
        $type = $of.GetProperty($name).PropertyType
        [Nullable]::GetUnderlyingType($type) ?? $type
    }

    $store = Join-Path ([IO.Path]::GetTempPath()) "kdumpnfs-views-$([Guid]::NewGuid().ToString('n'))"
    $null = New-Item -ItemType Directory "$store/192.0.2.7-2026-11-22-10:11:12"
    Set-Content "$store/192.0.2.7-2026-11-22-10:11:12/vmcore-incomplete" ('x' * 3MB)
    $dump = Get-Vmcore -LiteralPath $store
}

AfterAll { Remove-Item -LiteralPath $store -Recurse -Force }

Describe 'The views' {
    It 'are there for every type that a cmdlet gives, as a table and as a list' {
        $types.Count | Should -BeGreaterThan 25
        foreach ($type in $types) {
            $kinds = $controls[$type.FullName] | Where-Object { $_ } | ForEach-Object { $_.GetType().Name }
            $kinds | Should -Contain 'TableControl' -Because $type.FullName
            $kinds | Should -Contain 'ListControl' -Because $type.FullName
        }
    }

    It 'are there for objects that came back from Clixml or a remote session' {
        foreach ($type in $types) {
            Get-FormatData -TypeName "Deserialized.$($type.FullName)" | Should -Not -BeNullOrEmpty -Because $type.FullName
        }
    }

    It 'show only properties that exist, and none in a form that nobody reads' {
        foreach ($type in $types) {
            $entries = foreach ($control in $controls[$type.FullName]) {
                if ($control -is [System.Management.Automation.TableControl]) { $control.Rows.Columns.DisplayEntry }
                if ($control -is [System.Management.Automation.ListControl]) { $control.Entries.Items.DisplayEntry }
            }
            foreach ($name in ($entries | Where-Object ValueType -EQ Property).Value | Sort-Object -Unique) {
                $because = "$($type.Name).$name"
                $type.GetProperty($name) | Should -Not -BeNullOrEmpty -Because $because
                $shown = PropertyType $type $name
                $shown | Should -Not -BeIn ([timespan], [DateTimeOffset]) -Because $because
                if ($name -like '*Bytes') { $shown | Should -Not -Be ([long]) -Because $because }
                # A record that has no text of its own would show its fields in braces.
                if ($shown.Namespace -like 'KdumpNfs*' -and -not $shown.IsEnum) {
                    $shown.GetMethod('ToString', [type[]] @()).CustomAttributes.AttributeType.Name | Should -Not -Contain 'CompilerGeneratedAttribute' -Because $because
                }
            }
        }
    }

    It 'work in a session that may not call methods' {
        foreach ($file in Get-ChildItem $moduleFolder -Filter *.Format.ps1xml) {
            $blocks = ([xml] (Get-Content -Raw $file)).SelectNodes('//ScriptBlock').InnerText | Where-Object { $_ -notlike '*FullLanguage*' }
            $blocks | Where-Object { $_ -match '\[KdumpNfs|\[Environment|\.ToLocalTime\(|\]::' } | Should -BeNullOrEmpty -Because $file.Name
        }
    }

    It 'fit 120 columns' {
        foreach ($type in $types) {
            foreach ($table in $controls[$type.FullName] | Where-Object { $_ -is [System.Management.Automation.TableControl] }) {
                # A column without a width takes what is left: it needs some room.
                ($table.Headers | ForEach-Object { 1 + ($_.Width ? $_.Width : 15) } | Measure-Object -Sum).Sum | Should -BeLessOrEqual 121 -Because $type.Name
            }
        }
    }

    It 'have sizes for people and raw values on the object' {
        $dump.Bytes | Should -BeOfType [long]
        $dump.Bytes | Should -BeGreaterThan 3MB
        $text = $dump | Format-Table | Out-String -Width 120
        $text | Should -Match '3[.,]0 MiB'
        $text | Should -Not -Match '\d{7}'
    }

    It 'have times in the zone of whoever looks' {
        $text = $dump | Format-List | Out-String -Width 120
        $text | Should -Match ([regex]::Escape($dump.LastChange.ToLocalTime().ToString('yyyy-MM-dd HH:mm:ss')))
    }

    It 'say every reason in a line of its own' {
        $status = [KdumpNfs.Kdump.KdumpStatus]::Failed([KdumpNfs.HostException]::new('Unreachable', 'web01', 'no route'))
        ($status | Format-Table | Out-String -Width 120) | Should -Match 'web01 +Unknown +Unreachable'
        $table = [KdumpNfs.Kdump.KdumpStatus].GetProperty('NotReadyReason')
        $table.SetValue($status, [KdumpNfs.Kdump.NotReadyReason[]] ('TargetMissing', 'ImageMissing'))
        [KdumpNfs.Kdump.KdumpStatus].GetProperty('ErrorId').SetValue($status, $null)
        ($status | Format-Table | Out-String -Width 120) | Should -Match '(?m) TargetMissing\s*$[\r\n]+\s+ImageMissing\s*$'
    }

    It 'are the same for what came back from Clixml' {
        $back = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($dump))
        ($back | Format-Table | Out-String -Width 120) | Should -Be ($dump | Format-Table | Out-String -Width 120)
    }
}

Describe 'Colours' {
    BeforeAll {
        # The states of a new shell: what is set here would be the test run's.
        function Show([string] $before, [hashtable] $environment = @{}) {
            $script = "Import-Module '$moduleFolder'; $before; Get-Vmcore -LiteralPath '$store' | Format-Table | Out-String -Width 120"
            $saved = @{}
            if (-not $environment.Contains('NO_COLOR')) { $environment.NO_COLOR = $null }
            $environment.TERM = 'xterm-256color'
            foreach ($name in @($environment.Keys)) { $saved[$name] = [Environment]::GetEnvironmentVariable($name); [Environment]::SetEnvironmentVariable($name, $environment[$name]) }
            try { (pwsh -NoProfile -NonInteractive -Command $script) -join "`n" }
            finally { foreach ($name in @($saved.Keys)) { [Environment]::SetEnvironmentVariable($name, $saved[$name]) } }
        }
        $state = '(Writing|Incomplete)'
    }

    It 'are what $PSStyle says, as the user set it' {
        $text = Show '$PSStyle.OutputRendering = "Ansi"; $PSStyle.Formatting.Error = "`e[35m"; $PSStyle.Formatting.Warning = "`e[35m"'
        $text | Should -Match "`e\[35m$state`e\[0m"
    }

    It 'are not there where $PSStyle says plain text' {
        $text = Show '$PSStyle.OutputRendering = "PlainText"'
        $text | Should -Match $state
        $text | Should -Not -Match "`e"
    }

    It 'are not there in redirected output' {
        $text = Show ''
        $text | Should -Match $state
        $text | Should -Not -Match "`e"
    }

    It 'are not there with NO_COLOR, also when it is set later' {
        Show '' @{ NO_COLOR = '1' } | Should -Not -Match "`e"
        # The header is the shell's own business.
        Show '$PSStyle.OutputRendering = "Ansi"; $env:NO_COLOR = "1"' | Should -Match " $state "
    }
}
