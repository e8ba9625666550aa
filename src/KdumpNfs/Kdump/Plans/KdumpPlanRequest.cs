using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>What a plan was asked for. Which of the values count is up to the plan's kind.</summary>
public sealed record KdumpPlanRequest
{
    /// <summary>The NFS server.</summary>
    public string? NfsServer { get; init; }

    /// <summary>Its export.</summary>
    public string? Export { get; init; }

    /// <summary>The dump directory.</summary>
    public string? DumpPath { get; init; }

    /// <summary>Seconds until an NFS request is sent again.</summary>
    public double? NfsTimeoutSeconds { get; init; }

    /// <summary>How often it is sent again.</summary>
    public int? NfsRetrans { get; init; }

    /// <summary>The device of a local target.</summary>
    public string? Device { get; init; }

    /// <summary>Its file system.</summary>
    public string? FileSystem { get; init; }

    /// <summary>The store of ssh targets, as the hosts reach it.</summary>
    public string? SshServer { get; init; }

    /// <summary>The account on it.</summary>
    public string? SshUser { get; init; }

    /// <summary>The dump key on the host.</summary>
    public string? DumpKeyPath { get; init; }

    /// <summary>Addresses or patterns from which the store takes the key, separated by commas; null for the host's own.</summary>
    public string? FromAddress { get; init; }

    /// <summary>How far the key is limited on the store.</summary>
    public DumpKeyLimit? DumpKeyLimit { get; init; }

    /// <summary>Whether a missing account is made.</summary>
    public bool CreateUser { get; init; }

    /// <summary>The store as the controller reaches it.</summary>
    public string? StoreHost { get; init; }

    /// <summary>Login name on it; null for what ssh_config says.</summary>
    public string? StoreUserName { get; init; }

    /// <summary>Its TCP port; null for what ssh_config says.</summary>
    public int? StorePort { get; init; }

    /// <summary>Private key file for it; null for the default identities.</summary>
    public string? StoreKeyFilePath { get; init; }

    /// <summary>The backup of a restore; the plan names it even where the request did not.</summary>
    public string? Backup { get; init; }

    /// <summary>What the dump leaves out, as makedumpfile's number.</summary>
    public int? DumpLevel { get; init; }

    /// <summary>How pages are compressed.</summary>
    public VmcoreCompression? Compression { get; init; }

    /// <summary>What makedumpfile prints.</summary>
    public int? MessageLevel { get; init; }

    /// <summary>What follows a dump that failed.</summary>
    public FailureAction? FailureAction { get; init; }

    /// <summary>Whether a missing dump directory is made.</summary>
    public bool CreatePath { get; init; }

    internal static KdumpPlanKind KindOf(TargetRequest request) => request switch
    {
        NfsTargetRequest => KdumpPlanKind.Nfs,
        LocalTargetRequest => KdumpPlanKind.Local,
        RestoreRequest => KdumpPlanKind.Restore,
        SshTargetRequest => KdumpPlanKind.Ssh,
        _ => throw new ArgumentOutOfRangeException(nameof(request), request, null),
    };

    internal static KdumpPlanRequest From(TargetRequest request, string? restoredFrom, SshHost? store)
    {
        var plan = new KdumpPlanRequest
        {
            DumpLevel = (int?)request.Options.DumpLevel,
            Compression = request.Options.Compression,
            MessageLevel = request.Options.MessageLevel,
            FailureAction = request.Options.FailureAction,
            CreatePath = request.CreatePath,
        };
        return request switch
        {
            NfsTargetRequest nfs => plan with
            {
                NfsServer = nfs.Target.Server, Export = nfs.Target.Export, DumpPath = nfs.Target.DumpPath,
                NfsTimeoutSeconds = nfs.Timeout?.TotalSeconds, NfsRetrans = nfs.Retrans,
            },
            LocalTargetRequest local => plan with { DumpPath = local.DumpPath, Device = local.Device, FileSystem = local.FileSystem },
            RestoreRequest restore => plan with { Backup = restoredFrom ?? restore.Backup },
            SshTargetRequest ssh => plan with
            {
                SshServer = ssh.Server, SshUser = ssh.User, DumpPath = ssh.DumpPath, DumpKeyPath = ssh.KeyPath,
                FromAddress = ssh.FromAddress.Count > 0 ? string.Join(',', ssh.FromAddress) : null, DumpKeyLimit = ssh.Limit, CreateUser = ssh.CreateUser,
                StoreHost = store?.HostName, StoreUserName = store?.UserName, StorePort = store?.Port, StoreKeyFilePath = store?.KeyFilePath,
            },
            _ => plan,
        };
    }

    /// <summary>The store of an ssh target, as the plan reaches it.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    internal SshHost ToStore() => new SshHost(StoreHost ?? SshServer ?? "", StoreUserName, StorePort, StoreKeyFilePath).Validated();

    /// <summary>The request again, checked like one from a command line.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    internal TargetRequest ToRequest(KdumpPlanKind kind) => kind switch
    {
        KdumpPlanKind.Nfs => NfsTargetRequest.Create(NfsServer ?? "", Export ?? "", DumpPath, DumpLevel, Compression, CreatePath, MessageLevel, FailureAction,
            NfsTimeoutSeconds is { } seconds ? TimeSpan.FromMilliseconds(Math.Round(Math.Clamp(seconds, -1, 1e6) * 1000)) : null, NfsRetrans),
        KdumpPlanKind.Local => LocalTargetRequest.Create(DumpPath, Device, FileSystem, CaptureOptions.Create(DumpLevel, Compression, MessageLevel, FailureAction), CreatePath),
        KdumpPlanKind.Restore => RestoreRequest.Create(Backup, CreatePath),
        KdumpPlanKind.Ssh => SshTargetRequest.Create(SshServer ?? "", SshUser ?? "", DumpPath ?? "", DumpKeyPath, FromAddress?.Split(','), DumpKeyLimit ?? default, CreateUser, CreatePath,
            CaptureOptions.Create(DumpLevel, Compression, MessageLevel, FailureAction)),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
