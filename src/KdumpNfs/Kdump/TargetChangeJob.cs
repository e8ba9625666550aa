using System.Globalization;
using KdumpNfs.Changes;
using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>The job of settarget.sh for one plan: its values, and what its failures mean.</summary>
internal static class TargetChangeJob
{
    // soft and timed: a dead server must give an error, not a hanging host. nolock as Debian's capture mounts; a probe locks nothing.
    private const string ProbeMountOptions = "soft,nolock,tcp,timeo=100,retrans=1,retry=0";

    public static string Compose(KdumpTargetPlan plan)
    {
        var stamp = DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture) + (plan.Request.IsRestore ? KdumpBackup.RestoreMark : "");
        if (plan.ImageRoot is { } root)
        {
            return HostJob.Compose("imagefile",
                ("root", root), ("file", plan.Path), ("old_sha", plan.OldSha256 ?? ""), ("new_data", Base64(plan.NewContent)), ("stamp", stamp));
        }

        List<(string Name, string Value)> values =
        [
            ("family", FamilyWord(plan.Family)),
            ("file", plan.Path),
            ("write", plan.WritesFile ? "1" : "0"),
            ("old_sha", plan.OldSha256 ?? ""),
            ("old_data", Base64(plan.OldFile?.Content ?? default)),
            ("new_data", Base64(plan.NewContent)),
            ("rebuild", plan.CanRebuildWhileLoaded ? "1" : "0"),
            ("only_check", plan.IsEmpty ? "1" : "0"),
            ("nfs_options", ProbeMountOptions),
            // A fleet probes one directory at once: each host writes and removes a file of its own.
            ("probe", $".kdumpnfs-probe-{Guid.NewGuid():N}"),
            ("stamp", stamp),
        ];
        values.AddRange(CheckOf(plan));
        return HostJob.Compose("settarget", [.. values]);
    }

    public static string FamilyWord(HostFamily family) => family switch { HostFamily.Debian => "debian", HostFamily.Suse => "suse", _ => "rhel" };

    // How to find out, from the host, that the target takes a dump: by the kind of the target that the file will name.
    private static (string Name, string Value)[] CheckOf(KdumpTargetPlan plan)
    {
        var target = plan.View.Target;
        switch (target.Kind)
        {
            case KdumpTargetKind.Nfs when target is { Store: not null, Export: not null }:
                var source = $"{KdumpTarget.Bracketed(target.Store)}:";
                var asked = (plan.Request as NfsTargetRequest)?.Target;
                // The RHEL family mounts the export and goes into the path; the others mount both joined.
                var inside = plan.Family == HostFamily.RedHat ? (target.DumpPath ?? "/").TrimStart('/') : "";
                var create = !plan.Request.CreatePath ? "" : plan.Family == HostFamily.RedHat ? inside : (asked?.DumpPath ?? "").TrimStart('/');
                return
                [
                    ("check", "nfs"), ("check_text", HostScript.Read("checkexport")), ("what", source + target.Export),
                    ("mount_source", source + target.Export), ("inside", inside), ("create_source", source + (asked?.Export ?? target.Export)), ("create_dir", create),
                ];
            case KdumpTargetKind.Local or KdumpTargetKind.FileSystem:
                return
                [
                    ("check", "local"), ("check_text", HostScript.Read("checklocal")), ("what", target.Location), ("device", target.Device ?? ""),
                    ("fstype", target.FileSystem ?? "auto"), ("inside", target.DumpPath ?? "/"), ("create_dir", plan.Request.CreatePath ? target.DumpPath ?? "" : ""),
                ];
            case KdumpTargetKind.Ssh when target is { Store: not null, User: not null }:
                return
                [
                    ("check", "ssh"), ("check_text", HostScript.Read("checkssh")), ("what", target.Location), ("ssh_key", plan.View.SshKey ?? KdumpConf.DefaultSshKey),
                    ("ssh_target", $"{target.User}@{target.Store}"), ("inside", target.DumpPath ?? "/"), ("create_dir", ""),
                ];
            default:
                return [("check", ""), ("check_text", ""), ("what", "")];
        }
    }

    /// <summary>The job's failure with what it means and what to do next.</summary>
    public static HostException Explain(HostException failure, KdumpTargetPlan plan)
    {
        var target = plan.View.Target;
        var local = target.Kind is KdumpTargetKind.Local or KdumpTargetKind.FileSystem;
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.ExportNotMountable => (
                $"The host cannot mount {target.Location}. Nothing was changed.",
                "Check the export for this host's address (Get-NfsExport on the store), the NFS server and the firewall between them."),
            ErrorIds.DumpDeviceNotUsable => (
                $"The host cannot mount {target.Device} as {target.FileSystem}. Nothing was changed.",
                "Look at the name of the device and at its file system on the host (blkid)."),
            ErrorIds.SshTargetRefused => (
                $"The dump key does not open {target.Location} from this host. The configuration was not changed.",
                "Read the words above. Where the store sees the host under another address than the host's own (NAT), give that address with -FromAddress."),
            ErrorIds.DumpPathMissing => (
                $"The dump directory {target.Location} does not exist{(local ? "" : " on the server")}; kdump would not start with it. Nothing was changed.",
                local ? "Make it with -CreatePath." : "Make it with -CreatePath, or on the store with Enable-NfsExport -DumpPath."),
            ErrorIds.DumpPathNotWritable => (
                $"The host's root cannot write to {target.Location}. Nothing was changed.",
                local ? "The file system is read-only or full." : target.Kind == KdumpTargetKind.Ssh
                    ? $"The directory on the store has to belong to {target.User}: Set-KdumpSshTarget -CreatePath makes it so."
                    : "The store probably squashes root or the directory belongs to somebody else: export with no_root_squash (Enable-NfsExport -Option rw,sync,no_root_squash,no_subtree_check) or make the directory there."),
            ErrorIds.FileChanged => (
                $"{plan.Path} is not the file that the plan was made from. Nothing was changed.",
                "Somebody else edits it: look who, then run the command again."),
            var id when WriteFailure.Is(id) => ($"{plan.Path} could not be written. The host is as it was.", WriteFailure.Remedy(id)),
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
        return new HostException(failure.ErrorId, plan.HostName, what) { HostSaid = plan.Mask.Hide(failure.HostSaid), Remedy = remedy, Details = plan };
    }

    private static string Base64(ReadOnlyMemory<byte> bytes) => Convert.ToBase64String(bytes.Span);
}
