using System.Globalization;
using System.Text;
using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>The job of setsysctl.sh for a plan.</summary>
internal static class SysctlJob
{
    /// <summary>Makes the change on the host; everything or nothing.</summary>
    /// <exception cref="HostException">KernelSettingRefused, FileChanged, WriteFailed (FileSystemReadOnly, NoSpace), and those of <see cref="HostJob"/>.</exception>
    /// <returns>The backup of the drop-in; null if none was made.</returns>
    public static async Task<string?> ApplyAsync(
        SysctlPlan plan, string record, string activity, HostAccess access, SshHost host, IHostConnection connection, HostContext context, CancellationToken cancellationToken)
    {
        var done = await new HostJob(access, host, context).RunAsync(connection, activity, Compose(plan, record), cancellationToken).ConfigureAwait(false);
        if (HostJob.FailureOf(done, host.HostName) is not { } failure)
        {
            return done.Text("backup");
        }

        var undone = done.All("undo.failed");
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.KernelSettingRefused => ("The kernel did not take a value.", "Leave that setting out: this machine or its kernel cannot do it (the NMI watchdog needs performance counters, which many virtual machines lack)."),
            ErrorIds.FileChanged => ($"{EnableSysrqOperation.DropInPath} is not the file that the plan was made from.", "Somebody else edits it: look who, then run the command again."),
            var id when WriteFailure.Is(id) => ("A file could not be written.", WriteFailure.Remedy(id)),
            _ => (failure.What, "Run the command again with -Verbose."),
        };
        throw new HostException(failure.ErrorId, host.HostName, what + (undone.Count == 0 ? " Nothing was changed." : $" Not all could be put back: {string.Join("; ", undone)}."))
        {
            HostSaid = failure.HostSaid,
            Remedy = remedy,
        };
    }

    /// <summary>The job's script.</summary>
    public static string Compose(SysctlPlan plan, string record, string root = "")
    {
        var stamp = DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        if (plan.Facts.ImageRoot is { } image)
        {
            return HostJob.Compose("imagefile",
                ("root", image), ("file", image + EnableSysrqOperation.DropInPath), ("old_sha", plan.Facts.DropIn?.Sha256 ?? ""),
                ("new_data", Convert.ToBase64String(plan.NewContent ?? [])), ("stamp", stamp));
        }

        var write = !plan.WritesFile ? "0" : plan.NewContent is null ? "delete" : "1";
        var writesRecord = plan.NewRecord == plan.Facts.Record ? "0" : plan.NewRecord is null ? "delete" : "1";
        return HostJob.Compose("setsysctl",
            ("root", root),
            ("values", string.Join('\n', plan.Values.Select(v => $"{SysctlFacts.PathOf(v.Key)} {v.Before} {v.After}"))),
            ("write", write),
            ("file", EnableSysrqOperation.DropInPath),
            ("old_sha", plan.Facts.DropIn?.Sha256 ?? ""),
            ("new_data", Convert.ToBase64String(plan.NewContent ?? [])),
            ("stamp", stamp),
            ("record", SysctlFacts.RecordPath(record)),
            ("record_write", writesRecord),
            ("record_data", Base64(plan.NewRecord)),
            ("record_old", Base64(plan.Facts.Record)));
    }

    private static string Base64(SysctlRecord? record) => record is null ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(record.Write()));
}
