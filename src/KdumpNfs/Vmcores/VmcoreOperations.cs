using KdumpNfs.Fleet;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcore.Report;

namespace KdumpNfs.Vmcores;

/// <summary>Tells what happened, from a dump or a saved log.</summary>
public static class VmcoreReportOperation
{
    /// <summary>Reports.</summary>
    /// <param name="access">The way to the dump.</param>
    /// <param name="place">The dump, or a log as text.</param>
    /// <param name="logLines">How many of the log's last lines to give.</param>
    /// <param name="context">The front end.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<VmcoreReport> RunAsync(DumpAccess access, DumpPlace place, int logLines, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(place);
        var report = await access.RunAsync(
            place,
            image => ReportBuilder.FromDump(image, place.Path, logLines),
            text => ReportBuilder.FromLog(text, place.Path, logLines),
            context,
            cancellationToken).ConfigureAwait(false);
        return report with { StoreHost = place.Store?.HostName };
    }
}

/// <summary>Reads the kernel's log of a dump.</summary>
public static class VmcoreDmesgOperation
{
    /// <summary>Reads it.</summary>
    public static Task<KernelLog> RunAsync(DumpAccess access, DumpPlace place, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(place);
        return access.RunAsync(
            place,
            image =>
            {
                var log = image.ReadLog();
                if (image.Damage is { } damage)
                {
                    context.Warning($"{Printable.Escape(place.Path)}: {damage}");
                }

                if (log.MissingBytes > 0)
                {
                    context.Warning($"{Printable.Escape(place.Path)}: {log.MissingBytes} bytes of the kernel log are not in the dump.");
                }

                if (log.Damage is { } broken)
                {
                    context.Warning($"{Printable.Escape(place.Path)}: {broken}");
                }

                return log;
            },
            onText: null,
            context,
            cancellationToken);
    }
}

/// <summary>The outcome of Test-Vmcore.</summary>
public sealed record VmcoreTest
{
    /// <summary>The storage server; null for a file of this machine.</summary>
    public string? StoreHost { get; init; }

    /// <summary>Path of the dump.</summary>
    public required string Path { get; init; }

    /// <summary>Whether the dump is good as far as it was looked at.</summary>
    public required bool Passed { get; init; }

    /// <summary>Whether every page was read.</summary>
    public bool Full { get; init; }

    /// <summary>Format of the dump.</summary>
    public VmcoreFormat Format { get; init; }

    /// <summary>Compression of its pages.</summary>
    public PageCompression Compression { get; init; }

    /// <summary>Pages that were read and unpacked; null without a full test.</summary>
    public long? Pages { get; init; }

    /// <summary>Pages that should be there and are not; null without a full test.</summary>
    public long? MissingPages { get; init; }

    /// <summary>Pages that cannot be unpacked; null without a full test.</summary>
    public long? DamagedPages { get; init; }

    /// <summary>Messages in the kernel's log; null when it could not be read.</summary>
    public int? LogRecords { get; init; }

    /// <summary>What is wrong, one sentence each; empty when nothing is.</summary>
    public IReadOnlyList<string> Problem { get; init; } = [];
}

/// <summary>Tells whether a dump can be read: its structure and its kernel log, or every page.</summary>
public static class TestVmcoreOperation
{
    /// <summary>Tests. A dump that is bad is a result, not an error; a file that cannot be opened is an error.</summary>
    public static async Task<VmcoreTest> RunAsync(DumpAccess access, DumpPlace place, bool full, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(context);
        var result = new VmcoreTest { Path = place.Path, StoreHost = place.Store?.HostName, Passed = false, Full = full };
        try
        {
            return await access.RunAsync(place, image => Look(image, result, full, context, cancellationToken), null, context, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e) when (e is { ErrorId: ErrorIds.VmcoreNotReadable, InnerException: VmcoreFormatException inner })
        {
            return result with { Problem = [inner.Message] };
        }
        finally
        {
            context.Progress("Test-Vmcore", "", done: true);
        }
    }

    private static VmcoreTest Look(VmcoreImage image, VmcoreTest result, bool full, HostContext context, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        if (image.Damage is { } damage)
        {
            problems.Add(damage);
        }

        if (image.Header.MarkedIncomplete)
        {
            problems.Add("makedumpfile marked the dump as incomplete: the target was full.");
        }

        if (image.CheckEnd() is { } cut)
        {
            problems.Add(cut);
        }

        if (image.CheckStructure() is { } broken)
        {
            problems.Add(broken);
        }

        int? records = null;
        try
        {
            var log = image.ReadLog();
            records = log.Count;
            if (log.MissingBytes > 0)
            {
                problems.Add($"{log.MissingBytes} bytes of the kernel log are not in the dump.");
            }

            if (log.Damage is { } unreadable)
            {
                problems.Add(unreadable);
            }
        }
        catch (VmcoreFormatException e)
        {
            problems.Add(e.Message);
        }

        VmcoreScanResult? scan = null;
        if (full)
        {
            try
            {
                scan = VmcoreScan.Run(image, 0, part => context.Progress("Test-Vmcore", "Reading every page", part), cancellationToken);
                if (scan.FirstProblem is { } problem)
                {
                    problems.Add($"{scan.Missing} pages are missing and {scan.Damaged} are damaged; the first: {problem}");
                }
            }
            catch (VmcoreFormatException e)
            {
                problems.Add(e.Message);
            }
        }

        return result with
        {
            Passed = problems.Count == 0,
            Format = image.Header.Format,
            Compression = image.Header.Compression,
            LogRecords = records,
            Pages = scan?.Pages,
            MissingPages = scan?.Missing,
            DamagedPages = scan?.Damaged,
            Problem = problems.Distinct().ToList(),
        };
    }
}
