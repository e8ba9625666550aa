BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $package = if ($env:KDUMPNFS_PACKAGE) { Get-Item "$env:KDUMPNFS_PACKAGE/KdumpNfs.[0-9]*.nupkg" -ErrorAction Ignore }
    function Skip-WithoutPackage {
        if (-not $package) { Set-ItResult -Skipped -Because 'there is no package: ./build.sh package makes it' }
        -not $package
    }
}

Describe 'The package' {
    It 'is found and installed by PSResourceGet from a repository' {
        if (Skip-WithoutPackage) { return }
        if (-not (Get-Command Save-PSResource -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'this PowerShell has no PSResourceGet'; return }
        # The list of repositories is the user's: the test has a home of its own.
        $out = & {
            $env:HOME, $home_before = "$TestDrive", $env:HOME
            try {
                $null = New-Item -ItemType Directory "$TestDrive/repository", "$TestDrive/modules"
                Copy-Item $package "$TestDrive/repository"
                & pwsh -NoProfile -NonInteractive -Command {
                    param($folder)
                    $ErrorActionPreference = 'Stop'
                    Register-PSResourceRepository here -Uri "$folder/repository" -Trusted
                    $found = Find-PSResource KdumpNfs -Repository here
                    Save-PSResource KdumpNfs -Repository here -Path "$folder/modules" -TrustRepository
                    $env:PSModulePath = "$folder/modules"
                    Import-Module KdumpNfs
                    [pscustomobject]@{
                        Name = $found.Name; Tags = $found.Tags -join ' '; Type = "$($found.Type)"; Notes = $found.ReleaseNotes
                        Path = (Get-Module KdumpNfs).ModuleBase; Commands = (Get-Command -Module KdumpNfs).Count
                        License = "$((Get-Module KdumpNfs).LicenseUri)"; ModuleNotes = (Get-Module KdumpNfs).ReleaseNotes
                        Help = (Get-Help Get-KdumpStatus).Synopsis; Files = (Get-ChildItem -Recurse -File (Get-Module KdumpNfs).ModuleBase).Name -join ' '
                    }
                } -args "$TestDrive"
            }
            finally { $env:HOME = $home_before }
        }
        $out.Name, $out.Type | Should -Be 'KdumpNfs', 'Module'
        $out.Tags | Should -Match 'kdump'
        $out.Path | Should -BeLike "$TestDrive/modules/KdumpNfs/*"
        $out.Commands | Should -Be (Get-Command -Module KdumpNfs).Count
        $out.License | Should -Match 'MIT'
        $out.Notes | Should -Match 'Get-KdumpStatus'
        $out.ModuleNotes | Should -Match 'Get-KdumpStatus'
        $out.Help | Should -Not -BeLike '*Get-KdumpStatus `[*' -Because 'that is what Get-Help makes up where there is no help'
        $out.Files | Should -Match 'KdumpNfs.cdx.json'
    }

    It 'is found by its name in a module path that has nothing else' {
        if (Skip-WithoutPackage) { return }
        [IO.Compression.ZipFile]::ExtractToDirectory("$package", "$TestDrive/path/KdumpNfs")
        $out = & pwsh -NoProfile -NonInteractive -Command {
            param($path)
            $env:PSModulePath = $path
            (Get-KdumpSession | Measure-Object).Count
            (Get-Module KdumpNfs).ModuleBase
            (Get-Module KdumpNfs).ReleaseNotes.Length -gt 100
        } -args "$TestDrive/path"
        $out | Should -Be 0, "$TestDrive/path/KdumpNfs", $true
    }

    It 'has a bill of materials of exactly the assemblies in it' {
        if (Skip-WithoutPackage) { return }
        $folder = "$TestDrive/unpacked"
        [IO.Compression.ZipFile]::ExtractToDirectory("$package", $folder)
        $bill = Get-Content "$folder/KdumpNfs.cdx.json" -Raw | ConvertFrom-Json
        $bill.bomFormat | Should -Be CycloneDX
        $named = $bill.components | ForEach-Object { "$($_.properties.Where({ $_.name -eq 'kdumpnfs:path' }).value) $($_.hashes.content)" } | Sort-Object
        $there = Get-ChildItem -Recurse -Filter *.dll $folder | ForEach-Object { "$([IO.Path]::GetRelativePath($folder, $_.FullName)) $((Get-FileHash $_).Hash.ToLower())" } | Sort-Object
        $named | Should -Be $there
        $bill.components.purl | Should -Contain 'pkg:nuget/ZstdSharp.Port@0.8.8'
        if (Test-Path "$folder/private") {
            $sshNet = $bill.components | Where-Object name -EQ SSH.NET
            $sshNet.purl | Should -BeLike 'pkg:nuget/SSH.NET@*'
            ($bill.dependencies | Where-Object ref -EQ $sshNet.purl).dependsOn | Should -Contain ($bill.components | Where-Object name -EQ BouncyCastle.Cryptography).purl
        }
    }

    It 'has its symbols, and no path of the machine that built it' {
        if (Skip-WithoutPackage) { return }
        $folder = "$TestDrive/symbols"
        [IO.Compression.ZipFile]::ExtractToDirectory("$package", $folder)
        foreach ($file in Get-ChildItem -Recurse -Filter KdumpNfs*.dll $folder) {
            $reader = [System.Reflection.PortableExecutable.PEReader]::new([IO.File]::OpenRead($file))
            try {
                $entry = $reader.ReadDebugDirectory().Where({ $_.Type -eq 'EmbeddedPortablePdb' })
                $entry | Should -HaveCount 1 -Because $file.Name
                $pdb = [System.Reflection.Metadata.MetadataReaderProvider] $reader.ReadEmbeddedPortablePdbDebugDirectoryData($entry[0])
                $metadata = $pdb.GetMetadataReader()
                $paths = foreach ($handle in $metadata.Documents) { $metadata.GetString($metadata.GetDocument($handle).Name) }
                $paths.Count | Should -BeGreaterThan 1
                $paths | Where-Object { $_ -notlike '/_/*' } | Should -BeNullOrEmpty
            }
            finally { $reader.Dispose() }
        }
    }
}
