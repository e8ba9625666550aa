using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Set-KdumpLocalTarget: dumps stay on the host's own disks.</summary>
public sealed class SetLocalTargetOperation(HostAccess access, LocalTargetRequest request) : TargetChangeOperation(access, request)
{
}
