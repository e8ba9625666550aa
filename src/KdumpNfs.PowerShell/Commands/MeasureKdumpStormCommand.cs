using System.Management.Automation;
using KdumpNfs.Storms;

namespace KdumpNfs.PowerShell;

/// <summary>Measure-KdumpStorm: how long hosts stay down and how much space the store needs when many of them crash.</summary>
/// <remarks>
/// <para>A mass crash is limited by the storage server: all capture kernels write at once and share its bandwidth, and no host is back before its dump is
/// written. This simulates it, from the sizes of dumps (Get-VmcoreEstimate, or a CSV), the bandwidth of the store and of a host, and the times to boot. No host is
/// contacted.</para>
/// <para>Without more, all hosts crash at the same moment (-Within spreads them). With -MaxDown they are crashed on purpose, so many at a time, as a drill does. With
/// -CrashesPerDay they crash now and then for a -Period, and -KeepFor removes old dumps.</para>
/// </remarks>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-VmcoreEstimate -Coarse | Measure-KdumpStorm -StoreBandwidth 10Gbit -HostBandwidth 120MB -FreeBytes 2TB
/// </code>
/// <para>The whole fleet panics at once: how long it is down, and whether all dumps fit.</para>
/// </example>
/// <example>
/// <code>
/// Measure-KdumpStorm -HostCount 5000 -DumpBytes 3GB -StoreBandwidth 25Gbit -MaxDown 40 -RestartTime (New-TimeSpan -Minutes 8)
/// </code>
/// <para>How long a drill of five thousand hosts takes with forty of them down at a time.</para>
/// </example>
/// <example>
/// <code>
/// $drills = Import-Clixml ./drills.xml
/// Get-VmcoreEstimate web01, web02, web03 | Measure-KdumpStorm -Drill $drills -StoreBandwidth 1Gbit -CrashesPerDay 0.2 -Period 365.00:00 -KeepFor 90.00:00
/// </code>
/// <para>What a year of crashes needs, with speeds and times that drills have shown.</para>
/// </example>
/// <note>What the figures rest on is in Assumptions, every crash in Crashes. The same input and -Seed give the same storm.</note>
/// <seealso cref="GetVmcoreEstimateCommand"/>
/// <seealso cref="InvokeKdumpDrillCommand"/>
/// <seealso cref="TestKdumpReadinessCommand"/>
[Cmdlet(VerbsDiagnostic.Measure, "KdumpStorm", DefaultParameterSetName = HostSet)]
[OutputType(typeof(KdumpStorm))]
public sealed class MeasureKdumpStormCommand : PSCmdlet, IDisposable
{
    private const string HostSet = "Host";
    private const string CountSet = "Count";
    private readonly List<StormHost> _hosts = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Name of a host.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = HostSet)]
    [Alias("ComputerName", "Cn")]
    [ValidateNotNullOrEmpty]
    public string HostName { get; set; } = "";

    /// <summary>So many hosts, all alike, instead of a list.</summary>
    [Parameter(Mandatory = true, ParameterSetName = CountSet)]
    [ValidateRange(1, StormHost.MostAlike)]
    public int HostCount { get; set; }

    /// <summary>Size of the host's dump in bytes: the high end of an estimate.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("CompressedHighBytes", "Bytes")]
    [ValidateRange(0, long.MaxValue)]
    public long DumpBytes { get; set; }

    /// <summary>The low end of an estimate, for -Estimate Low or Middle.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("CompressedLowBytes")]
    public long? DumpLowBytes { get; set; }

    /// <summary>Which end of an estimate is taken: plan space with High.</summary>
    [Parameter]
    public StormEstimate Estimate { get; set; } = StormEstimate.High;

    /// <summary>What the store takes from all hosts together: bytes a second, or a text such as 10Gbit or 900MB.</summary>
    [Parameter(Mandatory = true)]
    [BandwidthTransformation]
    public double StoreBandwidth { get; set; }

    /// <summary>What one host writes of its dump at most, which is mostly what one processor compresses: bytes a second, or a text such as 120MB. A column of the same name says it
    /// for each host.</summary>
    /// <value>As fast as the store takes it, or as -Drill shows</value>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [BandwidthTransformation]
    public double? HostBandwidth { get; set; }

    /// <summary>From the crash until the capture kernel writes: milliseconds or a TimeSpan.</summary>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan CaptureBootTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>From the end of the dump until the host is back, its firmware's start included: milliseconds or a TimeSpan.</summary>
    /// <value>00:05:00, or as -Drill shows</value>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan? RestartTime { get; set; }

    /// <summary>Results of Invoke-KdumpDrill: what hosts write and how long they take to come back is taken from them.</summary>
    [Parameter]
    public PSObject[]? Drill { get; set; }

    /// <summary>Free space of the store in bytes.</summary>
    /// <value>Enough for all</value>
    [Parameter]
    [ValidateRange(0, long.MaxValue)]
    public long? FreeBytes { get; set; }

    /// <summary>The crashes come within this time instead of all at once: milliseconds or a TimeSpan.</summary>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan Within { get; set; }

    /// <summary>So many hosts are down at once, and no more: drills.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? MaxDown { get; set; }

    /// <summary>Crashes a day of the whole fleet.</summary>
    [Parameter]
    public double? CrashesPerDay { get; set; }

    /// <summary>How long crashes come, with -CrashesPerDay: milliseconds or a TimeSpan.</summary>
    /// <value>30 days</value>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan? Period { get; set; }

    /// <summary>When a dump is removed from the store, from its end: milliseconds or a TimeSpan.</summary>
    /// <value>Never</value>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan? KeepFor { get; set; }

    /// <summary>Chooses the times of crashes; another number gives another storm.</summary>
    [Parameter]
    public int Seed { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Estimate != StormEstimate.High && DumpLowBytes is null)
        {
            ThrowTerminatingError(ErrorRecords.From(new HostException(ErrorIds.InvalidInput, "", "-Estimate Low and Middle need both ends of the estimate.")
            {
                Remedy = "Pipe Get-VmcoreEstimate, or give -DumpLowBytes.",
            }));
        }

        var bytes = StormEstimates.Choose(DumpLowBytes ?? DumpBytes, DumpBytes, Estimate);
        if (ParameterSetName == CountSet)
        {
            _hosts.AddRange(StormHost.Alike(HostCount, bytes));
        }
        else
        {
            _hosts.Add(new StormHost(HostName, bytes, HostBandwidth));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            if (_hosts.Count > 0)
            {
                WriteObject(Simulate());
            }
        }
        catch (HostException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Ctrl-C: the pipeline knows.
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private KdumpStorm Simulate()
    {
        var known = Drill is { Length: > 0 } ? StormCalibration.From(Drill.Select(Learned).OfType<StormDrill>(), CaptureBootTime) : null;
        var request = new StormRequest
        {
            StoreBandwidth = StoreBandwidth,
            HostBandwidth = (ParameterSetName == CountSet ? HostBandwidth : null) ?? known?.HostBandwidth,
            CaptureBootTime = CaptureBootTime,
            RestartTime = RestartTime ?? known?.RestartTime ?? StormRequest.UsualRestartTime,
            Within = Within,
            MaxDown = MaxDown,
            CrashesPerDay = CrashesPerDay,
            Period = Period,
            KeepFor = KeepFor,
            FreeBytes = FreeBytes,
            Seed = Seed,
            Source = known?.Source,
        };
        return StormSimulation.Run([.. _hosts.Select(h => h with { Bandwidth = h.Bandwidth ?? (ParameterSetName == CountSet ? null : known?.BandwidthOf(h.HostName)) })], request, _stop.Token);
    }

    // Drills of today and those that come back from a file have the same properties.
    private static StormDrill? Learned(PSObject drill) =>
        Value(drill, "HostName") is string name && Value(drill, "CaptureTime") is TimeSpan capture && Value(drill, "Away") is TimeSpan away &&
        Value(drill, "Vmcore") is { } dump && Value(PSObject.AsPSObject(dump), "Bytes") is long bytes
            ? new StormDrill(name, bytes, capture, away) : null;

    // Calculated properties have their values wrapped; an object without a type of its own is kept as it is.
    private static object? Value(PSObject from, string name) =>
        from.Properties[name]?.Value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : from.Properties[name]?.Value;
}
