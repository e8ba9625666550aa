using System.Globalization;
using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>What Set-KdumpNfsTarget was asked for, checked before any host is contacted.</summary>
/// <param name="Target">Server, export and dump path.</param>
public sealed record NfsTargetRequest(TargetInput Target) : TargetRequest
{
    /// <summary>How long a request waits for the server before it is sent again (nfs(5), timeo); null to leave it.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often it is sent again before the mount gives up (nfs(5), retrans); null to leave it.</summary>
    public int? Retrans { get; init; }

    /// <summary>Checks everything that is wrong on every host.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static NfsTargetRequest Create(string nfsServer, string export, string? dumpPath, int? dumpLevel, VmcoreCompression? compression, bool createPath,
        int? messageLevel = null, FailureAction? failureAction = null, TimeSpan? nfsTimeout = null, int? nfsRetrans = null)
    {
        // The kernel counts timeo in tenths of a second and takes no more than ten minutes (NFS_MAX_TCP_TIMEOUT).
        if (nfsTimeout is { } timeout && (timeout < TimeSpan.FromMilliseconds(100) || timeout > TimeSpan.FromMinutes(10) || timeout.TotalMilliseconds % 100 != 0))
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"The NFS timeout {timeout} is not between 0.1 and 600 seconds, in tenths.")
            {
                Remedy = "Give milliseconds or a TimeSpan: 60000, or (New-TimeSpan -Seconds 60).",
            };
        }

        if (nfsRetrans is < 0 or > 1000)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"{nfsRetrans} NFS retransmissions are not between 0 and 1000.") { Remedy = "3 is the usual number." };
        }

        return new NfsTargetRequest(TargetInput.Create(nfsServer, export, dumpPath))
        {
            Options = CaptureOptions.Create(dumpLevel, compression, messageLevel, failureAction),
            CreatePath = createPath,
            Timeout = nfsTimeout,
            Retrans = nfsRetrans,
        };
    }

    internal override bool NeedsFileAlone => true;

    internal override byte[] Content(HostFacts facts)
    {
        var content = (facts.Configuration?.Content ?? default).Span;
        switch (facts.Family)
        {
            case HostFamily.RedHat:
                RefuseTimeouts(facts, "kdump.conf has no directive for NFS mount options; kdumpctl takes them from /etc/fstab or from the mount that is there.");
                return Finish(facts, KdumpConf.Parse(content).WithNfsTarget(Target.Server, Target.Export, Target.DumpPath));
            case HostFamily.Debian:
                return Finish(KdumpToolsDefaults.Parse(content).WithNfsTarget(Target.Server, Target.Export, Target.DumpPath)
                    .WithNumber("NFS_TIMEO", (int?)(Timeout?.TotalMilliseconds / 100)).WithNumber("NFS_RETRANS", Retrans));
            case HostFamily.Suse when Timeout is null && Retrans is null:
                return Finish(KdumpSysconfig.Parse(content).WithNfsTarget(Target.Server, Target.Export, Target.DumpPath));
            case HostFamily.Suse:
                throw new HostException(ErrorIds.NotExpressible, facts.HostName, "SUSE's kdump mounts with fixed options (mkdumprd gives nolock and nothing else).")
                {
                    Remedy = "Leave the timeouts out for this host.",
                };
            default:
                throw NoEditor(facts);
        }
    }

    private void RefuseTimeouts(HostFacts facts, string why)
    {
        if (Timeout is null && Retrans is null)
        {
            return;
        }

        // "noauto" behind another option, because kdumpctl looks for ",noauto"; it drops it for the capture.
        var options = "defaults,noauto" +
            (Timeout is { } timeout ? string.Create(CultureInfo.InvariantCulture, $",timeo={(int)(timeout.TotalMilliseconds / 100)}") : "") +
            (Retrans is { } retrans ? string.Create(CultureInfo.InvariantCulture, $",retrans={retrans}") : "");
        throw new HostException(ErrorIds.NotExpressible, facts.HostName, why)
        {
            Remedy = $"Leave the timeouts out, make the directory /mnt/kdump on the host and add this line to its /etc/fstab: " +
                $"{KdumpTarget.Bracketed(Target.Server)}:{Target.Export.Replace(" ", "\\040", StringComparison.Ordinal)} /mnt/kdump nfs {options} 0 0",
        };
    }
}
