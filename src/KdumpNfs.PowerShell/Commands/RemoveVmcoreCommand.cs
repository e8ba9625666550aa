using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Remove-Vmcore: removes dumps of a store by age, number or size, or those that are named; never what is written, held, first or newest.</summary>
/// <remarks>
/// <para>Keeps a store from filling up. Limits by age, number and size choose for each host; or dumps that are named are removed. Whatever the limits
/// say, these stay: what is being written, what is held (Set-VmcoreHold), and of each host the first dump, the newest and the newest complete one. Ages
/// go by the store's clock.</para>
/// </remarks>
/// <example>
/// <code>
/// Remove-Vmcore storage /data/nfs_share -DumpPath /var/crash -OlderThan 90.00:00:00 -MaxBytes 200GB -WhatIf
/// </code>
/// <para>Shows what would go: dumps of more than 90 days, and the oldest of a host beyond 200 GB.</para>
/// </example>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash -State Incomplete | Remove-Vmcore storage /data/nfs_share -DumpPath /var/crash -Confirm:$false
/// </code>
/// <para>Removes named dumps, here the incomplete ones, without a question.</para>
/// </example>
/// <note>Dumps are removed on their store only: -Session and -LiteralPath, which the other cmdlets of a store take, are refused. A share that is mounted is
/// reached as -StoreHost with a host that has it.</note>
/// <seealso cref="SetVmcoreHoldCommand"/>
/// <seealso cref="GetVmcoreCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsCommon.Remove, "Vmcore", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = StoreSet)]
[OutputType(typeof(VmcoreRemoval))]
public sealed class RemoveVmcoreCommand : StoreCmdlet
{
    private readonly HashSet<string> _chosen = new(StringComparer.Ordinal);
    private SshHost _store = null!;

    /// <summary>Dumps to remove: objects of Get-Vmcore, or paths. Without any the limits choose.</summary>
    [Parameter(ValueFromPipeline = true)]
    [Alias("Path")]
    [AllowNull]
    [ArgumentCompleter(typeof(VmcoreCompleter))]
    public object[]? InputObject { get; set; }

    /// <summary>Removes dumps that did not change for longer than this, by the store's clock.</summary>
    [Parameter]
    public TimeSpan? OlderThan { get; set; }

    /// <summary>Removes dumps of a host beyond its newest so many.</summary>
    [Parameter]
    public int? KeepLast { get; set; }

    /// <summary>Removes the oldest dumps of a host until its directories have at most so many bytes together.</summary>
    [Parameter]
    public long? MaxBytes { get; set; }

    /// <summary>Lets dumps that were named go even when they are the first or the newest of their host.</summary>
    [Parameter]
    public SwitchParameter AllowFirstAndNewest { get; set; }

    /// <inheritdoc/>
    protected override bool TakesPreferredStore => false;

    /// <inheritdoc/>
    protected override void Prepare()
    {
        if (ParameterSetName != StoreSet)
        {
            throw Refused("Dumps are removed on their store only.", "Name the store, or a host that has the share mounted: -StoreHost web01 -ExportPath /mnt/share");
        }

        TakeStore();
        _store = MakeHost(StoreHost, UserName, Port, KeyFilePath);
        RemoteVmcoresRoot();
        if (!MyInvocation.ExpectingInput && InputObject is null)
        {
            Policy().Validated();
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var input in InputObject ?? [])
        {
            try
            {
                _chosen.Add(DumpReference.From(input).Path);
            }
            catch (HostException e)
            {
                Failed(e);
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // Where dumps were to come from the pipeline and none came, there is nothing to remove.
        if (_chosen.Count > 0 || (!MyInvocation.ExpectingInput && InputObject is null))
        {
            RemoveVmcoreOperation operation;
            try
            {
                operation = new RemoveVmcoreOperation(Access, Policy());
            }
            catch (HostException e)
            {
                ThrowTerminatingError(ErrorRecords.From(e));
                return;
            }

            Fleet.Start(StoreHost, (context, token) => operation.RunAsync(_store, ExportPath, DumpPath, context, token));
        }

        base.EndProcessing();
    }

    private void RemoteVmcoresRoot() => CleanUp(MakeStore());

    private RetentionPolicy Policy() => new()
    {
        OlderThan = OlderThan,
        KeepLast = KeepLast,
        MaxBytes = MaxBytes,
        Chosen = _chosen.Count > 0 ? _chosen : null,
        AllowFirstAndNewest = AllowFirstAndNewest,
    };
}
