using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.PowerShell;

/// <summary>Wait-Vmcore: waits until the dumps of crashed hosts are complete, have failed or are overdue.</summary>
/// <remarks>
/// <para>Looks at the store again and again until each host that crashed has a dump that was read and is whole, or one that failed, or none in time.
/// Gives each dump as it ends, whatever the order. Progress tells how much of each has come.</para>
/// <para>In a pipeline behind Invoke-SysrqCrash this cmdlet begins before any trigger is pulled. It lists the store then: that is how it knows
/// new dumps from old ones without comparing clocks. It also means that an unreachable store ends the pipeline while all hosts are up.</para>
/// </remarks>
/// <example>
/// <code>
/// Invoke-SysrqCrash web01 | Wait-Vmcore -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash
/// </code>
/// <para>Crashes a host and gives its dump when it is complete.</para>
/// </example>
/// <example>
/// <code>
/// Wait-Vmcore storage /data/nfs_share -InputObject web01, 10.0.0.7 -TimeoutSec 3600 | Receive-Vmcore -Destination ./dumps
/// </code>
/// <para>Waits up to an hour for new dumps of two hosts that crash by themselves, and fetches them.</para>
/// </example>
/// <note>A dump that is overdue, or that failed, is an error for its host (VmcoreTimeout for one that did not come in time); others are waited
/// for.</note>
/// <seealso cref="InvokeSysrqCrashCommand"/>
/// <seealso cref="GetVmcoreCommand"/>
/// <seealso cref="InvokeKdumpDrillCommand"/>
[Cmdlet(VerbsLifecycle.Wait, "Vmcore", DefaultParameterSetName = StoreSet)]
[OutputType(typeof(VmcoreDump))]
public sealed class WaitVmcoreCommand : StoreCmdlet
{
    private VmcoreWatch? _watch;
    private StoreListing? _before;
    private DateTimeOffset _listedAt;
    private TimeSpan _timeout;

    /// <summary>The crashes to wait for: output of Invoke-SysrqCrash, or names and addresses of hosts.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [Alias("CrashedHost")]
    [AllowNull]
    public object[] InputObject { get; set; } = null!;

    /// <summary>Seconds to wait for each dump.</summary>
    [Parameter]
    public int TimeoutSec { get; set; } = 1800;

    /// <inheritdoc/>
    protected override void Prepare()
    {
        _timeout = Seconds(TimeoutSec, nameof(TimeoutSec));
        _watch = new VmcoreWatch(MakeStore());
        HostException? failure = null;
        Fleet.Start(StoreName, async (context, token) =>
        {
            try
            {
                _listedAt = DateTimeOffset.UtcNow;
                _before = await _watch.BeforeAsync(context, token);
            }
            catch (HostException e)
            {
                failure = e;
            }
        });
        Fleet.Finish(this);
        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var input in InputObject ?? [null!])
        {
            if (CrashReference.From(input) is not { } crash)
            {
                Failed(CrashReference.Refusal(input));
                continue;
            }

            // The listing from the start knows old from new only for crashes after it.
            var later = crash.TriggeredAt is { } triggered && triggered >= _listedAt;
            var request = new WaitVmcoreRequest
            {
                Host = new HostIdentity(crash.Identities),
                Before = later ? _before : null,
                CrashedAfter = later ? null : crash.TriggeredAt,
                Timeout = _timeout,
            };
            Fleet.Add(this, crash.Name, async (context, token) => context.Output(await WaitVmcoreOperation.RunAsync(_watch!, request, context, token)));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && _watch is not null)
        {
            CleanUp(_watch);
        }
    }
}
