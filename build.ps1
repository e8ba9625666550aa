#requires -Version 7.4
<#
.SYNOPSIS
The tasks of this repository from PowerShell; build.sh has the same without it.
.EXAMPLE
./build.ps1 -Task Test -Full
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Package', 'Demo', 'Bench', 'Clean')]
    [string] $Task = 'Build',

    # With -Task Test: the long scenarios as well.
    [switch] $Full
)
$ErrorActionPreference = 'Stop'
if (-not (Get-Command bash -ErrorAction Ignore)) {
    throw 'The tasks run on Linux: bash is missing. On Windows the module builds with: dotnet build KdumpNfs.sln'
}
$arguments = @("$PSScriptRoot/build.sh", $Task.ToLowerInvariant())
if ($Full) { $arguments += 'full' }
& bash @arguments
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
