using System.Globalization;
using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Invoke-KdumpPlan: applies plans of -PassPlan that were looked at, to hosts that are still as they were.</summary>
/// <remarks>
/// <para>Applies plans that -PassPlan of the target cmdlets made, after somebody looked at them. A plan holds hashes and a diff, not the file: a host
/// whose file, machine or family is no longer the plan's is refused (PlanDrifted, MachineIdMismatch), and so is a plan that was edited
/// (PlanInvalid).</para>
/// </remarks>
/// <example>
/// <code>
/// Invoke-KdumpPlan -LiteralPath ./plans.json -BatchSize 1, 10
/// </code>
/// <para>Applies plans from a file: one host first, then ten at a time.</para>
/// </example>
/// <example>
/// <code>
/// Import-Clixml ./plans.xml | Where-Object HostName -like 'web*' | Invoke-KdumpPlan -WhatIf
/// </code>
/// <para>Shows the diffs of some of the plans again.</para>
/// </example>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
/// <seealso cref="SetKdumpSshTargetCommand"/>
/// <seealso cref="RestoreKdumpConfigurationCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsLifecycle.Invoke, "KdumpPlan", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpTargetChange))]
public sealed class InvokeKdumpPlanCommand : ChangeCmdlet
{
    private readonly Dictionary<SshHost, KdumpPlan> _ofFiles = new(ReferenceEqualityComparer.Instance);
    private ApplyPlanOperation _operation = null!;

    /// <summary>Plans: as -PassPlan gave them, or back from Export-Clixml or ConvertFrom-Json.</summary>
    [Parameter(ValueFromPipeline = true)]
    [AllowNull]
    public PSObject? InputObject { get; set; }

    /// <summary>Files of plans as JSON: one, an array of them, or one a line.</summary>
    [Parameter]
    public string[]? LiteralPath { get; set; }

    /// <summary>How many hosts probe a store and rebuild their capture image for it at once, whatever -ThrottleLimit says.</summary>
    [Parameter]
    public int StoreLimit { get; set; } = SharedLimit.DefaultForStores;

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        if (LiteralPath is not null && (MyInvocation.ExpectingInput || HostName is not null || InputObject is not null))
        {
            throw Refused("-LiteralPath names plans, and others are given as well.", "Give the files, or plans from the pipeline.");
        }

        if (LiteralPath is null && !MyInvocation.ExpectingInput && InputObject is null)
        {
            throw Refused("No plan was given.", "Pipe the output of -PassPlan, or name a file of plans: -LiteralPath plans.json");
        }

        _operation = new ApplyPlanOperation(Access) { Stores = SharedLimit.ForStores(StoreLimit) };
        foreach (var plan in (LiteralPath ?? []).SelectMany(path => KdumpPlanReader.ReadFile(ResolveFile(path, nameof(LiteralPath)))))
        {
            _ofFiles.Add(HostOf(plan), plan);
        }

        // A plan that is given as an argument names its host, as one from the pipeline does.
        if (InputObject is not null && HostName is null)
        {
            var plan = Read(InputObject);
            _ofFiles.Add(HostOf(plan), plan);
        }
    }

    /// <inheritdoc/>
    protected override IEnumerable<SshHost> HostsWithoutName() => _ofFiles.Keys;

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        if (_ofFiles.TryGetValue(host, out var kept))
        {
            return (context, token) => _operation.RunAsync(kept, host, context, token);
        }

        // What is no plan is wrong for its own host only.
        try
        {
            var plan = Read(InputObject);
            return (context, token) => _operation.RunAsync(plan, host, context, token);
        }
        catch (HostException e)
        {
            return (_, _) => throw e.For(host.HostName);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && _operation is not null)
        {
            // A connection that does not close must not hold the prompt.
            _operation.DisposeAsync().AsTask().Wait(CloseLimit);
        }
    }

    private SshHost HostOf(KdumpPlan plan)
    {
        if (Session is not null)
        {
            return Resolve(plan.HostName) with { };
        }

        var bound = MyInvocation.BoundParameters;
        return MakeHost(
            plan.HostName,
            bound.ContainsKey(nameof(UserName)) ? UserName : plan.UserName,
            bound.ContainsKey(nameof(Port)) ? Port : plan.Port,
            bound.ContainsKey(nameof(KeyFilePath)) ? KeyFilePath : plan.KeyFilePath);
    }

    private static KdumpPlan Read(PSObject? input) => input?.BaseObject as KdumpPlan ?? KdumpPlanReader.Read(name =>
    {
        object? at = input;
        foreach (var part in name.Split('.'))
        {
            at = at is null ? null : PSObject.AsPSObject(at).Properties[part]?.Value;
        }

        return (at is PSObject wrapped ? wrapped.BaseObject : at) switch
        {
            null => null,
            DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
            DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
            var value => Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : null,
        };
    });
}
