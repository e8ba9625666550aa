using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Set-KdumpNfsTarget: probe, plan, ask, apply.</summary>
public sealed class SetNfsTargetOperation(HostAccess access, NfsTargetRequest request) : TargetChangeOperation(access, request)
{
}
