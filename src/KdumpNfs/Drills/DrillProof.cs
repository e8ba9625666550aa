using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>Keeps the outcome of a drill on the host, where Get-KdumpStatus and Test-KdumpReadiness find it.</summary>
internal static class DrillProof
{
    /// <summary>Writes it; false (and a warning) where the host does not take it. The verdict stands all the same.</summary>
    public static async Task<bool> KeepAsync(HostAccess access, SshHost host, KdumpDrill drill, DrillSubject subject, HostContext context, CancellationToken cancellationToken)
    {
        var record = new DrillRecord
        {
            KernelRelease = subject.KernelRelease,
            ImagePath = subject.Image?.Path,
            ImageTime = subject.Image?.Time,
            TargetText = subject.Target ?? "",
            BootId = subject.BootId,
            CompletedAt = drill.CompletedAt,
            Verdict = drill.Verdict == DrillVerdict.Proven ? DrillRecord.CapturedVerdict : drill.Verdict.ToString(),
            Vmcore = drill.Vmcore?.Path,
            CaptureSeconds = drill.CaptureTime?.TotalSeconds,
        };
        try
        {
            var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var data = Convert.ToBase64String(Encoding.UTF8.GetBytes(record.ToJson() + "\n"));
                var reply = await HostReply.RunAsync(connection, HostScript.Load("drillproof", ("file", DrillRecord.Path), ("data", data)), cancellationToken).ConfigureAwait(false);
                if (reply.Text("failed") is not { } words)
                {
                    return true;
                }

                context.Warning($"{host.HostName} does not keep the outcome of its drill in {DrillRecord.Path}: {words}");
            }
        }
        catch (HostException e)
        {
            context.Warning($"{host.HostName} does not keep the outcome of its drill in {DrillRecord.Path}: {e.What}");
        }

        return false;
    }
}
