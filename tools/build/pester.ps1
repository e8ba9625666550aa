# Runs Pester files against the built module and leaves "passed failed skipped" in a file, and what failed in FILE.failed.
param(
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $CountFile,
    # The folder with the packages; their tests are skipped without.
    [string] $Package,
    [string[]] $ExcludeTag = @()
)
$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0
$env:KDUMPNFS_MODULE = $Module
$env:KDUMPNFS_PACKAGE = $Package
$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Filter.ExcludeTag = $ExcludeTag
$configuration.Output.Verbosity = 'Detailed'
$result = Invoke-Pester -Configuration $configuration
$failed = $result.FailedCount + $result.FailedBlocksCount + $result.FailedContainersCount
# One line for each that failed, for the summary of everything.
@($result.Failed) + @($result.FailedBlocks) + @($result.FailedContainers) | ForEach-Object {
    "$($_.ExpandedPath ?? $_.Item): $($_.ErrorRecord | Select-Object -First 1)" -replace '\s+', ' '
} | Set-Content -LiteralPath "$CountFile.failed"
"$($result.PassedCount) $failed $($result.SkippedCount)" | Set-Content -LiteralPath $CountFile
exit [int]($failed -gt 0)
