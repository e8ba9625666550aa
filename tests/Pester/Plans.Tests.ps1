BeforeAll {
    . $PSScriptRoot/Fixture.ps1
    $server = Start-TestServer
    $connection = $server.Connection
    $dead = Get-FreePort

    # As -PassPlan gives it; made here because this machine has no kdump to make plans for.
    function New-TestPlan([string] $HostName = '127.0.0.1') {
        $plan = [KdumpNfs.Kdump.KdumpPlanReader]::ReadJson((@{
                    SchemaVersion = 1; HostName = $HostName; UserName = $connection.UserName; Port = $dead; KeyFilePath = $connection.KeyFilePath; MachineId = 'a' * 32
                    Family = 'RedHat'; Path = '/etc/kdump.conf'; OldSha256 = '1' * 64; NewSha256 = '2' * 64; Kind = 'Nfs'; WritesFile = $true
                    Request = @{ NfsServer = 'storage'; Export = '/data'; DumpLevel = 31; Compression = 'Lzo'; CreatePath = $false }
                    Target = 'nfs storage:/data'; Diff = "-path /a`n+path /b`n"; CreatedAt = '2026-11-22T22:00:00+00:00'; CreatedBy = 'KdumpNfs 0.1.0'
                } | ConvertTo-Json))[0]
        $plan
    }
    function Get-Id($failure) { $failure.FullyQualifiedErrorId -replace ',.*' }
}

AfterAll { Stop-TestServer $server }

Describe 'Plans that were kept' {
    It 'come back from Clixml and from JSON as they were' {
        $plan = New-TestPlan
        $plan | Export-Clixml "$TestDrive/plan.xml"
        $plan | ConvertTo-Json | Set-Content "$TestDrive/plan.json"
        , @($plan, (New-TestPlan 127.0.0.2)) | ConvertTo-Json | Set-Content "$TestDrive/plans.json"

        # Each of them is understood, and its host then contacted, where nobody listens.
        foreach ($try in @(
                { $plan | Invoke-KdumpPlan -WhatIf -ErrorAction Continue }
                { Import-Clixml "$TestDrive/plan.xml" | Invoke-KdumpPlan -WhatIf -ErrorAction Continue }
                { Get-Content "$TestDrive/plan.json" | ConvertFrom-Json | Invoke-KdumpPlan -WhatIf -ErrorAction Continue }
                { Invoke-KdumpPlan -LiteralPath "$TestDrive/plan.json" -WhatIf -ErrorAction Continue }
                { Invoke-KdumpPlan -InputObject $plan -WhatIf -ErrorAction Continue }
            )) {
            $failure = & $try 2>&1
            Get-Id $failure | Should -Be Unreachable -Because "$try"
            $failure.TargetObject | Should -Be 127.0.0.1
        }
        $failure = Invoke-KdumpPlan -LiteralPath "$TestDrive/plans.json" -WhatIf -BatchSize 1 -ErrorAction Continue 2>&1
        Get-Id $failure | Should -Be Unreachable, NotStarted
    }

    It 'are refused for another machine' {
        if (Skip-Without $server) { return }
        $failure = New-TestPlan | Invoke-KdumpPlan -Port $server.Port -KnownHostsFile $connection.KnownHostsFile -ConnectingTimeout 120000 -WhatIf -ErrorAction Continue 2>&1
        Get-Id $failure | Should -Be MachineIdMismatch
    }

    It 'are told from what is none, for that object alone' {
        $failure = [pscustomobject]@{ HostName = 'web01' }, (New-TestPlan) | Invoke-KdumpPlan -WhatIf -ErrorAction Continue 2>&1
        Get-Id $failure | Sort-Object | Should -Be PlanInvalid, Unreachable
        { Invoke-KdumpPlan -LiteralPath "$TestDrive/none.json" } | Should -Throw -ErrorId 'PlanInvalid,*'
        { Invoke-KdumpPlan } | Should -Throw -ErrorId 'InvalidInput,*'
        Set-Content "$TestDrive/odd.json" '{ "HostName": "web01" }'
        { Invoke-KdumpPlan -LiteralPath "$TestDrive/odd.json" } | Should -Throw -ErrorId 'PlanInvalid,*'
    }

    It 'are shown as a table and a list' {
        $plan = New-TestPlan
        ($plan | Format-Table | Out-String -Width 120) | Should -Match 'storage:/data'
        ($plan | Format-List | Out-String) | Should -Match '\+path /b'
    }
}
