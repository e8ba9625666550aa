using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>Get-VmcoreDmesg: the kernel's log of a dump, as records, as one text, or into a file.</summary>
/// <remarks>
/// <para>Reads the kernel's log out of a dump, without crash and without debug symbols, in whichever of its three forms the kernel kept it. Records have
/// time, level and text; -Raw and -OutFile give the text as makedumpfile --dump-dmesg writes it. On a store only the bytes that are needed cross the
/// network.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-VmcoreDmesg ./vmcore | Where-Object Level -le 3 | Select-Object -Last 20
/// </code>
/// <para>The last 20 errors before the end.</para>
/// </example>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash -Maximum 1 | Get-VmcoreDmesg -Raw
/// </code>
/// <para>The whole log of the dump that changed last, read on the store.</para>
/// </example>
/// <example>
/// <code>
/// Get-VmcoreDmesg ./vmcore -OutFile ./vmcore-dmesg.txt -Caller
/// </code>
/// <para>Saves it, with the column of who wrote each message.</para>
/// </example>
/// <seealso cref="GetVmcoreReportCommand"/>
/// <seealso cref="GetVmcoreCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsCommon.Get, "VmcoreDmesg", DefaultParameterSetName = RecordSet)]
[OutputType(typeof(KernelLogRecord), ParameterSetName = [RecordSet])]
[OutputType(typeof(string), ParameterSetName = [RawSet])]
[OutputType(typeof(FileInfo), ParameterSetName = [FileSet])]
public sealed class GetVmcoreDmesgCommand : DumpCmdlet
{
    private const string RecordSet = "Record", RawSet = "Raw", FileSet = "File";

    // A pipeline takes its time; what waits in between stays bounded.
    private const int RecordsAtOnce = 500;

    private string? _file;

    /// <summary>Gives the text as makedumpfile --dump-dmesg writes it, as one string.</summary>
    [Parameter(Mandatory = true, ParameterSetName = RawSet)]
    public SwitchParameter Raw { get; set; }

    /// <summary>Writes the text as makedumpfile --dump-dmesg does, byte for byte, into this file.</summary>
    [Parameter(Mandatory = true, ParameterSetName = FileSet)]
    public string OutFile { get; set; } = "";

    /// <summary>Adds the column of who wrote each message, as makedumpfile has it since 1.7.3.</summary>
    [Parameter(ParameterSetName = RawSet)]
    [Parameter(ParameterSetName = FileSet)]
    public SwitchParameter Caller { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _file = OutFile.Length == 0 ? null : ResolveFile(OutFile, nameof(OutFile));

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(DumpPlace place)
    {
        var (raw, caller, file) = (Raw.IsPresent, Caller.IsPresent, _file);
        return async (context, token) =>
        {
            var log = await VmcoreDmesgOperation.RunAsync(Dumps, place, context, token);
            if (file is not null)
            {
                Save(log, file, caller);
                context.Output(new FileInfo(file));
            }
            else if (raw)
            {
                context.Output(log.ToText(caller));
            }
            else
            {
                var count = 0;
                foreach (var record in log.Records)
                {
                    context.Output(record);
                    if (++count % RecordsAtOnce == 0)
                    {
                        await Task.Yield();
                        token.ThrowIfCancellationRequested();
                    }
                }
            }
        };
    }

    private static void Save(KernelLog log, string file, bool caller)
    {
        try
        {
            using var stream = File.Create(file);
            log.WriteTo(stream, caller);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException(ErrorIds.WriteFailed, "", $"{Printable.Escape(file)} could not be written: {e.Message}", e) { Remedy = "Check space and permissions." };
        }
    }
}
