using System.Globalization;
using KdumpNfs.Changes;
using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>The job of settarget.sh for one plan: its values, and what its failures mean.</summary>
internal static class NfsTargetJob
{
    // soft and timed: a dead server must give an error, not a hanging host. nolock as Debian's capture mounts; a probe locks nothing.
    private const string ProbeMountOptions = "soft,nolock,tcp,timeo=100,retrans=1,retry=0";

    public static string Compose(NfsTargetPlan plan)
    {
        var target = plan.View.Target;
        var store = KdumpTarget.Bracketed(target.Store!);
        var debian = plan.Family == HostFamily.Debian;
        var asked = plan.Request.Target;
        // Debian mounts export and dump path joined; the RHEL family mounts the export and goes into the path.
        var inside = debian ? "" : (target.DumpPath ?? "/").TrimStart('/');
        var create = !plan.Request.CreatePath ? "" : debian ? (asked.DumpPath ?? "").TrimStart('/') : inside;
        var stamp = DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        return HostJob.Compose("settarget",
            ("family", debian ? "debian" : "rhel"),
            ("file", plan.Path),
            ("write", plan.WritesFile ? "1" : "0"),
            ("old_sha", plan.OldFile?.Sha256 ?? ""),
            ("old_data", Base64(plan.OldFile?.Content ?? default)),
            ("new_data", Base64(plan.NewContent)),
            ("rebuild", plan.CanRebuildWhileLoaded ? "1" : "0"),
            ("mount_source", $"{store}:{target.Export}"),
            ("inside", inside),
            ("create_source", $"{store}:{asked.Export}"),
            ("create_dir", create),
            ("nfs_options", ProbeMountOptions),
            // A fleet probes one directory at once: each host writes and removes a file of its own.
            ("probe", $".kdumpnfs-probe-{Guid.NewGuid():N}"),
            ("stamp", stamp),
            ("check_text", HostScript.Read("checkexport")));
    }

    /// <summary>The job's failure with what it means and what to do next.</summary>
    public static HostException Explain(HostException failure, NfsTargetPlan plan)
    {
        var target = plan.View.Target;
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.ExportNotMountable => (
                $"The host cannot mount {target.Location}. Nothing was changed.",
                "Check the export for this host's address (Get-NfsExport on the store), the NFS server and the firewall between them."),
            ErrorIds.DumpPathMissing => (
                $"The dump directory {target.Location} does not exist on the server; kdump would not start with it. Nothing was changed.",
                "Make it with -CreatePath, or on the store with Enable-NfsExport -DumpPath."),
            ErrorIds.DumpPathNotWritable => (
                $"The host's root cannot write to {target.Location}. Nothing was changed.",
                "The store probably squashes root or the directory belongs to somebody else: export with no_root_squash (Enable-NfsExport -Option rw,sync,no_root_squash,no_subtree_check) or make the directory there."),
            ErrorIds.FileChanged => (
                $"{plan.Path} is not the file that the plan was made from. Nothing was changed.",
                "Somebody else edits it: look who, then run the command again."),
            ErrorIds.WriteFailed => (
                $"{plan.Path} could not be written. The host is as it was.",
                "Look at free space and at whether /etc is read-only on the host."),
            ErrorIds.ChangeRolledBack => (
                $"With the new target the service failed; the old {plan.Path} is back, rebuilt and loaded. The host is armed as before.",
                "Read the service's words above, mend the cause, run the command again."),
            ErrorIds.RollbackFailed => (
                $"The service failed with the new target and also with the old one. The old {plan.Path} is back, but the host is NOT armed.",
                "Log in and look at the service's words: the host was not able to start kdump with its former configuration either."),
            ErrorIds.ActivationFailed => (
                $"{plan.Path} is as asked for, but the service fails with it. The host is not armed.",
                "Read the service's words above and mend the cause."),
            _ => (failure.What, "Run the command again with -Verbose."),
        };
        return new HostException(failure.ErrorId, plan.HostName, what) { HostSaid = failure.HostSaid, Remedy = remedy, Details = plan };
    }

    private static string Base64(ReadOnlyMemory<byte> bytes) => Convert.ToBase64String(bytes.Span);
}
