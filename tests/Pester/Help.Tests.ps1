BeforeDiscovery {
    Import-Module $env:KDUMPNFS_MODULE
    $cmdlets = (Get-Command -Module KdumpNfs -CommandType Cmdlet).Name
    $topics = 'about_KdumpNfs', 'about_KdumpNfs_Safety', 'about_KdumpNfs_Transports', 'about_KdumpNfs_Vmcore'
}

BeforeAll {
    Import-Module $env:KDUMPNFS_MODULE
    . "$PSScriptRoot/Fixture.ps1"

    function Get-Words($paragraphs) { ($paragraphs | ForEach-Object Text | Where-Object { $_ }) -join ' ' }

    # Everything in a script that PowerShell would refuse: syntax, commands that are not there, parameters that a command does not have.
    function Get-Mistake([string] $code) {
        $tokens = $problems = $null
        $tree = [System.Management.Automation.Language.Parser]::ParseInput($code, [ref] $tokens, [ref] $problems)
        $problems | ForEach-Object { $_.Message }
        foreach ($call in $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)) {
            $name = $call.GetCommandName()
            # A program of an admin's own machine.
            if ($name -eq 'ipmi-power') { continue }
            $command = Get-Command $name -ErrorAction Ignore
            if (-not $command) { "There is no command $name"; continue }
            foreach ($parameter in $call.CommandElements | Where-Object { $_ -is [System.Management.Automation.Language.CommandParameterAst] }) {
                try { $null = $command.ResolveParameter($parameter.ParameterName) } catch { "$name has no parameter -$($parameter.ParameterName)" }
            }

            # Parameters that do not go together, and places that nothing takes.
            if ($command.Source -eq 'KdumpNfs') {
                $piped = $call.Parent -is [System.Management.Automation.Language.PipelineAst] -and $call.Parent.PipelineElements.IndexOf($call) -gt 0
                $bound = [System.Management.Automation.Language.StaticParameterBinder]::BindCommand($call, $true)
                foreach ($bad in $bound.BindingExceptions.GetEnumerator()) { "$name $($bad.Key): $($bad.Value.BindingException.Message)" }
                $fits = $command.ParameterSets | Where-Object {
                    $set = $_
                    -not ($set.Parameters | Where-Object {
                        $_.IsMandatory -and -not $bound.BoundParameters.ContainsKey($_.Name) -and -not ($piped -and ($_.ValueFromPipeline -or $_.ValueFromPipelineByPropertyName)) })
                }
                if (-not $fits) { "$name lacks a parameter that is required" }
            }
        }
    }
}

Describe 'The help of <_>' -ForEach $cmdlets {
    BeforeAll {
        $name = $_
        $help = Get-Help $name -Full
        $command = Get-Command $name
        $known = @((Get-Module KdumpNfs).ExportedCmdlets.Keys) + (Get-ChildItem "$env:KDUMPNFS_MODULE/en-US/about_*.help.txt" | ForEach-Object { $_.Name -replace '\.help\.txt$' })
    }

    It 'has a synopsis of its own' {
        $help.Synopsis.Trim() | Should -Not -BeNullOrEmpty
        # What Get-Help makes up where a cmdlet has no help begins with its name.
        $help.Synopsis.Trim() | Should -Not -BeLike "$name*"
    }

    It 'has a description' {
        (Get-Words $help.Description).Length | Should -BeGreaterThan 60
    }

    It 'describes every parameter, and none that is not there' {
        $common = [System.Management.Automation.PSCmdlet]::CommonParameters
        $there = $command.Parameters.Values |
            Where-Object { $_.Name -notin $common -and -not ($_.Attributes | Where-Object { $_ -is [Parameter] -and $_.DontShow }) } | ForEach-Object Name
        $said = @($help.parameters.parameter | Where-Object { $_ })
        $said.name | Sort-Object | Should -Be ($there | Sort-Object)
        # One assertion for all of them: each costs milliseconds, and there are two thousand parameters.
        $said | Where-Object { -not (Get-Words $_.description) } | ForEach-Object name | Should -BeNullOrEmpty -Because 'they need a description'
    }

    It 'says of parameters what PowerShell says' {
        $wrong = foreach ($parameter in $help.parameters.parameter) {
            $use = $command.Parameters[$parameter.name].ParameterSets
            $name = "-$($parameter.name)"
            if ([string] ($use.Values | ForEach-Object { $_.IsMandatory }) -notmatch $parameter.required) { "$name required" }
            if ($parameter.position -ne 'named' -and $use.Values.Position -notcontains [int] $parameter.position) { "$name position" }
            if (($parameter.pipelineInput -match 'ByValue') -ne [bool] ($use.Values | Where-Object ValueFromPipeline)) { "$name pipeline by value" }
            if (($parameter.pipelineInput -match 'ByPropertyName') -ne [bool] ($use.Values | Where-Object ValueFromPipelineByPropertyName)) { "$name pipeline by name" }
            $aliases = @($command.Parameters[$parameter.name].Aliases) -join ', '
            if (($parameter.aliases -eq 'none' ? '' : $parameter.aliases) -cne $aliases) { "$name aliases: $aliases" }
        }
        $wrong | Should -BeNullOrEmpty
        @($help.syntax.syntaxItem).Count | Should -Be $command.ParameterSets.Count
    }

    It 'has outputs, links and at least two examples with an explanation' {
        foreach ($type in $help.returnValues.returnValue) { Get-Words $type.description | Should -Not -BeNullOrEmpty }
        @($help.returnValues.returnValue).Count | Should -Be @($command.OutputType).Count
        $links = @($help.relatedLinks.navigationLink.linkText)
        $links.Count | Should -BeGreaterThan 0
        foreach ($link in $links) { $link | Should -BeIn $known }
        $examples = @($help.examples.example)
        $examples.Count | Should -BeGreaterOrEqual 2
        foreach ($example in $examples) { Get-Words $example.remarks | Should -Not -BeNullOrEmpty }
    }

    It 'has examples that parse, with commands and parameters that exist and go together' {
        foreach ($example in $help.examples.example) {
            $example.code | Should -Match ([regex]::Escape($name))
            Get-Mistake $example.code | Should -BeNullOrEmpty -Because $example.code
        }
    }
}

Describe 'The topic <_>' -ForEach $topics {
    It 'is found by Get-Help, and its commands exist' {
        $text = Get-Help $_
        $text | Should -BeOfType string
        $text | Should -Match "(?m)^TOPIC\s+$_\s*$"
        # Commands stand in lines of their own, indented by eight.
        $code = ($text -split '\r?\n' | Where-Object { $_ -match '^ {8}\S' }) -join "`n"
        $code | Should -Not -BeNullOrEmpty
        Get-Mistake $code | Should -BeNullOrEmpty
        foreach ($name in [regex]::Matches($text, '\b[A-Z][a-z]+-(Kdump|Vmcore|Sysrq|Nfs|Kernel|Crash|Uncaptured)\w*').Value) {
            (Get-Command $name).Source | Should -Be KdumpNfs
        }
    }
}

Describe 'The check of examples' {
    It 'finds what is wrong' {
        (Get-Mistake 'Get-KdumpStatus web01 -NoSuch; Get-ChildItem -NoSuchEither') -join '; ' | Should -Match 'KdumpStatus has no parameter -NoSuch.*ChildItem has no parameter -NoSuchEither'
        Get-Mistake 'Get-NoSuchThing' | Should -Match 'no command'
        Get-Mistake 'Get-KdumpStatus {' | Should -Not -BeNullOrEmpty
        Get-Mistake 'Set-KdumpNfsTarget web01 -NfsServer storage' | Should -Match 'lacks'
        Get-Mistake 'Enable-NfsExport storage /data -Client web01 -ExportPath /data' | Should -Not -BeNullOrEmpty
    }
}
