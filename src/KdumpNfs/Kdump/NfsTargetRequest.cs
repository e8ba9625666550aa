namespace KdumpNfs.Kdump;

/// <summary>What Set-KdumpNfsTarget was asked for, checked before any host is contacted.</summary>
/// <param name="Target">Server, export and dump path.</param>
/// <param name="DumpLevel">What to leave out; null to keep what the host has.</param>
/// <param name="Compression">How to compress; null to keep what the host has.</param>
/// <param name="CreatePath">Make the dump directory from the host if it is missing.</param>
public sealed record NfsTargetRequest(TargetInput Target, DumpLevel? DumpLevel, VmcoreCompression? Compression, bool CreatePath)
{
    /// <summary>Checks everything that is wrong on every host.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static NfsTargetRequest Create(string nfsServer, string export, string? dumpPath, int? dumpLevel, VmcoreCompression? compression, bool createPath) =>
        new(TargetInput.Create(nfsServer, export, dumpPath), dumpLevel is { } level ? DumpLevels.FromNumber(level) : null, compression, createPath);
}
