namespace KdumpNfs;

/// <summary>Stable ids of everything that can go wrong. Scripts may compare them; they do not change between versions.</summary>
public static class ErrorIds
{
#pragma warning disable CS1591 // The names are the documentation; docs/errors.md says what to do about each.

    // Refused before any host is contacted.
    public const string InvalidInput = nameof(InvalidInput);
    public const string HostNameMissing = nameof(HostNameMissing);
    public const string TransportNotAvailable = nameof(TransportNotAvailable);
    public const string ConfirmationRequired = nameof(ConfirmationRequired);

    // The way to the host.
    public const string Unreachable = nameof(Unreachable);
    public const string NameNotResolved = nameof(NameNotResolved);
    public const string ConnectionLost = nameof(ConnectionLost);
    public const string ConnectionReset = nameof(ConnectionReset);
    public const string NotAdmitted = nameof(NotAdmitted);
    public const string Timeout = nameof(Timeout);
    public const string HostKeyUnknown = nameof(HostKeyUnknown);
    public const string HostKeyChanged = nameof(HostKeyChanged);
    public const string HostKeyRevoked = nameof(HostKeyRevoked);
    public const string HostCertificateNotSupported = nameof(HostCertificateNotSupported);
    public const string AuthenticationFailed = nameof(AuthenticationFailed);
    public const string KeyPassphraseWrong = nameof(KeyPassphraseWrong);
    public const string SudoRefused = nameof(SudoRefused);
    public const string SudoPasswordWrong = nameof(SudoPasswordWrong);
    public const string NotRoot = nameof(NotRoot);
    public const string NoShell = nameof(NoShell);
    public const string ProtocolError = nameof(ProtocolError);
    public const string SshClientMissing = nameof(SshClientMissing);
    public const string Cancelled = nameof(Cancelled);
    public const string SessionNotFound = nameof(SessionNotFound);
    public const string SessionClosed = nameof(SessionClosed);
    public const string FileNotReadable = nameof(FileNotReadable);

    // What the host is.
    public const string NotSupported = nameof(NotSupported);
    public const string KdumpNotInstalled = nameof(KdumpNotInstalled);
    public const string NotExpressible = nameof(NotExpressible);
    public const string ConfigurationInvalid = nameof(ConfigurationInvalid);
    public const string CompressionNotSupported = nameof(CompressionNotSupported);
    public const string MachineIdMismatch = nameof(MachineIdMismatch);
    public const string NotReady = nameof(NotReady);

    // Changes.
    public const string NotStarted = nameof(NotStarted);
    public const string PlanDrifted = nameof(PlanDrifted);
    public const string PlanInvalid = nameof(PlanInvalid);
    public const string ExportNotMountable = nameof(ExportNotMountable);
    public const string DumpPathMissing = nameof(DumpPathMissing);
    public const string DumpPathNotWritable = nameof(DumpPathNotWritable);
    public const string DumpDeviceNotUsable = nameof(DumpDeviceNotUsable);
    public const string SshTargetRefused = nameof(SshTargetRefused);
    public const string DumpKeyFailed = nameof(DumpKeyFailed);
    public const string DumpUserMissing = nameof(DumpUserMissing);
    public const string ImageRootMissing = nameof(ImageRootMissing);
    public const string BackupMissing = nameof(BackupMissing);
    public const string FileChanged = nameof(FileChanged);
    public const string WriteFailed = nameof(WriteFailed);
    public const string FileSystemReadOnly = nameof(FileSystemReadOnly);
    public const string NoSpace = nameof(NoSpace);
    public const string ActivationFailed = nameof(ActivationFailed);
    public const string ChangeRolledBack = nameof(ChangeRolledBack);
    public const string RollbackFailed = nameof(RollbackFailed);
    public const string ApplyUnfinished = nameof(ApplyUnfinished);
    public const string HostRebooted = nameof(HostRebooted);
    public const string ApplyInProgress = nameof(ApplyInProgress);

    // The boot loader and packages.
    public const string NotOwnBootLoader = nameof(NotOwnBootLoader);
    public const string BootLoaderFailed = nameof(BootLoaderFailed);
    public const string PackagesNotAvailable = nameof(PackagesNotAvailable);
    public const string WouldChangePackages = nameof(WouldChangePackages);
    public const string InstallFailed = nameof(InstallFailed);

    // The NFS server.
    public const string NfsServerNotInstalled = nameof(NfsServerNotInstalled);
    public const string ExportPathMissing = nameof(ExportPathMissing);
    public const string NotAMountPoint = nameof(NotAMountPoint);
    public const string ExportFailed = nameof(ExportFailed);
    public const string ExportInUse = nameof(ExportInUse);
    public const string FirewallFailed = nameof(FirewallFailed);

    // Estimates, crashes, vmcores.
    public const string EstimateNotPossible = nameof(EstimateNotPossible);
    public const string SysrqFailed = nameof(SysrqFailed);
    public const string KernelSettingRefused = nameof(KernelSettingRefused);
    public const string SysrqDisabled = nameof(SysrqDisabled);
    public const string SysrqNoAnswer = nameof(SysrqNoAnswer);
    public const string ConsoleNotAvailable = nameof(ConsoleNotAvailable);
    public const string ConsoleMismatch = nameof(ConsoleMismatch);
    public const string CrashDidNotHappen = nameof(CrashDidNotHappen);
    public const string HostDidNotReturn = nameof(HostDidNotReturn);
    public const string VmcoreDirectoryMissing = nameof(VmcoreDirectoryMissing);
    public const string VmcoreNotReadable = nameof(VmcoreNotReadable);
    public const string FlattenedNotIndexed = nameof(FlattenedNotIndexed);
    public const string VmcoreFailed = nameof(VmcoreFailed);
    public const string VmcoreTimeout = nameof(VmcoreTimeout);

    // Keeping dumps.
    public const string VmcoreMissing = nameof(VmcoreMissing);
    public const string VmcoreWriting = nameof(VmcoreWriting);
    public const string LocalFileExists = nameof(LocalFileExists);
    public const string LocalWriteFailed = nameof(LocalWriteFailed);
    public const string ReceiveFailed = nameof(ReceiveFailed);
    public const string RemoveFailed = nameof(RemoveFailed);

    // Drills.
    public const string JournalFailed = nameof(JournalFailed);
    public const string LeaseFailed = nameof(LeaseFailed);
    public const string CommandFailed = nameof(CommandFailed);
    public const string DrillNotProven = nameof(DrillNotProven);
    public const string DrillNotStarted = nameof(DrillNotStarted);

    // Settings and credentials of the controller.
    public const string VaultNotAvailable = nameof(VaultNotAvailable);
    public const string SecretNotFound = nameof(SecretNotFound);
    public const string NotRecorded = nameof(NotRecorded);
    public const string RecordingInvalid = nameof(RecordingInvalid);
    public const string UnexpectedReply = nameof(UnexpectedReply);
    public const string Unexpected = nameof(Unexpected);
#pragma warning restore CS1591

    /// <summary>Whether a connection that was there, or about to be, has ended by itself: broken off, reset, or not let in.</summary>
    internal static bool IsLost(string id) => id is ConnectionLost or ConnectionReset or NotAdmitted;

    /// <summary>Whether the host is not to be reached at the moment, for whatever reason: what waits for it asks again.</summary>
    internal static bool IsAway(string id) => IsLost(id) || id is Timeout or Unreachable;
}
