# What the runbooks share: lists of hosts, records that survive a run, reports. Lies beside them.
Set-StrictMode -Version 3.0

<#
.SYNOPSIS
Reads a list of hosts: JSON (an array of objects or of names) where the file is called *.json, else CSV. Each host has HostName and, where
needed, UserName, Port, KeyFilePath and whatever else a runbook asks for. Lines that begin with # are left out of a CSV.
#>
function Import-HostList {
    [CmdletBinding()]
    [OutputType([psobject])]
    param([Parameter(Mandatory)] [string] $LiteralPath)
    $rows = if ([IO.Path]::GetExtension($LiteralPath) -eq '.json') {
        Get-Content -LiteralPath $LiteralPath -Raw | ConvertFrom-Json -NoEnumerate | ForEach-Object { $_ } | ForEach-Object { $_ -is [string] ? [pscustomobject] @{ HostName = $_ } : $_ }
    }
    else {
        Get-Content -LiteralPath $LiteralPath | Where-Object { $_ -notmatch '^\s*(#|$)' } | ConvertFrom-Csv
    }

    $names = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
    foreach ($row in $rows) {
        $name = $row.PSObject.Properties['HostName']?.Value
        if (-not $name) { throw "$LiteralPath has a host without HostName." }
        if (-not $names.Add($name)) { throw "$LiteralPath names $name twice." }
        # An empty cell says nothing, which is not an empty user name.
        foreach ($property in @($row.PSObject.Properties | Where-Object Value -In '', $null)) { $row.PSObject.Properties.Remove($property.Name) }
        $row
    }
    if ($names.Count -eq 0) { throw "$LiteralPath names no host." }
}

<#
.SYNOPSIS
Reads what an earlier run left in its record; an empty table before the first one.
#>
function Import-Record {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([Parameter(Mandatory)] [string] $LiteralPath)
    if (Test-Path -LiteralPath $LiteralPath) { Get-Content -LiteralPath $LiteralPath -Raw | ConvertFrom-Json -AsHashtable } else { @{} }
}

<#
.SYNOPSIS
Writes an object as JSON, renamed into place: a record that was cut would make everything new.
#>
function Export-Record {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $LiteralPath, [Parameter(Mandatory)] [AllowEmptyCollection()] [object] $InputObject)
    ConvertTo-Json -InputObject $InputObject -Depth 8 | Set-Content -LiteralPath "$LiteralPath.new" -WhatIf:$false
    Move-Item -LiteralPath "$LiteralPath.new" -Destination $LiteralPath -Force -WhatIf:$false
}

<#
.SYNOPSIS
Writes rows as a report: CSV where the file is called *.csv (lists joined), else JSON. Renamed into place.
#>
function Export-Report {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $LiteralPath, [Parameter(Mandatory)] [AllowEmptyCollection()] [object[]] $Row)
    if ([IO.Path]::GetExtension($LiteralPath) -ne '.csv') { Export-Record $LiteralPath $Row; return }
    $Row | ForEach-Object {
        $line = [ordered] @{}
        foreach ($property in $_.PSObject.Properties) { $line[$property.Name] = $property.Value -is [array] ? $property.Value -join '; ' : $property.Value }
        [pscustomobject] $line
    } | Export-Csv -LiteralPath "$LiteralPath.new" -WhatIf:$false
    Move-Item -LiteralPath "$LiteralPath.new" -Destination $LiteralPath -Force -WhatIf:$false
}

<#
.SYNOPSIS
Takes the lock of a record and gives what holds it, to be disposed: two runs at once would do everything twice.
#>
function Lock-Record {
    [CmdletBinding()]
    [OutputType([IDisposable])]
    param([Parameter(Mandatory)] [string] $LiteralPath)
    $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath("$LiteralPath.lock")
    try { [IO.File]::Open($file, 'OpenOrCreate', 'ReadWrite', 'None') }
    catch [IO.IOException] { throw "Another run holds $file, or it cannot be made: $($_.Exception.GetBaseException().Message)" }
}

<#
.SYNOPSIS
What a runbook was given of some of its parameters, to be splatted: those that were left out stay the cmdlet's own. With -Prefix the parameters of
the runbook have it before their names.
#>
function Select-Given {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([Parameter(Mandatory, Position = 0)] [Collections.IDictionary] $Bound, [Parameter(Mandatory, Position = 1)] [string[]] $Name, [string] $Prefix = '')
    $given = @{}
    foreach ($one in $Name) { if ($Bound.Keys -contains "$Prefix$one") { $given[$one] = $Bound["$Prefix$one"] } }
    $given
}

<#
.SYNOPSIS
One line for each error of a cmdlet: the host that it is about, the id, the first sentence and what to do next.
#>
function Format-Failure {
    [CmdletBinding()]
    [OutputType([psobject])]
    param([Parameter(ValueFromPipeline)] [Management.Automation.ErrorRecord] $ErrorRecord)
    process {
        [pscustomobject] @{
            HostName = "$($ErrorRecord.TargetObject)"
            ErrorId = ($ErrorRecord.FullyQualifiedErrorId -split ',')[0]
            Message = (("$ErrorRecord" -split '\r?\n')[0], $ErrorRecord.ErrorDetails?.RecommendedAction | Where-Object { $_ }) -join ' '
        }
    }
}

Export-ModuleMember -Function Import-HostList, Import-Record, Export-Record, Export-Report, Lock-Record, Select-Given, Format-Failure
