using System.Management.Automation;

namespace KdumpNfs.PowerShell;

/// <summary>Failures of hosts as PowerShell's error records.</summary>
internal static class ErrorRecords
{
    /// <summary>The record: the id comes first in FullyQualifiedErrorId, the host is TargetObject.</summary>
    public static ErrorRecord From(HostException error)
    {
        ArgumentNullException.ThrowIfNull(error);

        // PowerShell shows the recommendation in a line of its own; the exception's message has everything.
        var message = error.Remedy is null ? error.Message : new HostException(error.ErrorId, error.HostName, error.What) { HostSaid = error.HostSaid }.Message;
        return new ErrorRecord(error, error.ErrorId, Category(error.ErrorId), error.HostName.Length == 0 ? null : error.HostName)
        {
            ErrorDetails = new ErrorDetails(message) { RecommendedAction = error.Remedy ?? "" },
        };
    }

    /// <summary>PowerShell's category of an error.</summary>
    public static ErrorCategory Category(string errorId) => errorId switch
    {
        ErrorIds.InvalidInput or ErrorIds.HostNameMissing or ErrorIds.NotExpressible => ErrorCategory.InvalidArgument,
        ErrorIds.NameNotResolved or ErrorIds.SshClientMissing or ErrorIds.KdumpNotInstalled or ErrorIds.NfsServerNotInstalled or
            ErrorIds.ExportPathMissing or ErrorIds.DumpPathMissing or ErrorIds.VmcoreDirectoryMissing or ErrorIds.VmcoreMissing => ErrorCategory.ObjectNotFound,
        ErrorIds.Unreachable or ErrorIds.ConnectionLost or ErrorIds.ConnectionReset or ErrorIds.NotAdmitted => ErrorCategory.ConnectionError,
        ErrorIds.Timeout or ErrorIds.HostDidNotReturn or ErrorIds.VmcoreTimeout => ErrorCategory.OperationTimeout,
        ErrorIds.HostKeyUnknown or ErrorIds.HostKeyChanged or ErrorIds.HostKeyRevoked or ErrorIds.HostCertificateNotSupported or
            ErrorIds.MachineIdMismatch => ErrorCategory.SecurityError,
        ErrorIds.AuthenticationFailed => ErrorCategory.AuthenticationError,
        ErrorIds.SudoRefused or ErrorIds.NotRoot or ErrorIds.DumpPathNotWritable or ErrorIds.ConfirmationRequired => ErrorCategory.PermissionDenied,
        ErrorIds.NoShell or ErrorIds.ProtocolError or ErrorIds.UnexpectedReply => ErrorCategory.ProtocolError,
        ErrorIds.NotSupported or ErrorIds.TransportNotAvailable or ErrorIds.CompressionNotSupported => ErrorCategory.NotImplemented,
        ErrorIds.ConfigurationInvalid => ErrorCategory.InvalidData,
        ErrorIds.Cancelled => ErrorCategory.OperationStopped,
        ErrorIds.ConsoleNotAvailable => ErrorCategory.ResourceUnavailable,
        ErrorIds.ConsoleMismatch => ErrorCategory.SecurityError,
        ErrorIds.SysrqDisabled => ErrorCategory.PermissionDenied,
        ErrorIds.SysrqNoAnswer or ErrorIds.KernelSettingRefused => ErrorCategory.InvalidResult,
        ErrorIds.ApplyInProgress or ErrorIds.VmcoreWriting => ErrorCategory.ResourceBusy,
        ErrorIds.LocalFileExists => ErrorCategory.ResourceExists,
        ErrorIds.WriteFailed or ErrorIds.FileSystemReadOnly or ErrorIds.NoSpace or ErrorIds.LocalWriteFailed or ErrorIds.RemoveFailed => ErrorCategory.WriteError,
        ErrorIds.ExportNotMountable or ErrorIds.NotAMountPoint or ErrorIds.EstimateNotPossible => ErrorCategory.ResourceUnavailable,
        ErrorIds.NotReady or ErrorIds.FileChanged or ErrorIds.ActivationFailed or ErrorIds.ChangeRolledBack or ErrorIds.RollbackFailed or
            ErrorIds.ApplyUnfinished or ErrorIds.HostRebooted or ErrorIds.ExportFailed or ErrorIds.SysrqFailed or ErrorIds.CrashDidNotHappen or ErrorIds.VmcoreFailed or ErrorIds.ReceiveFailed => ErrorCategory.InvalidResult,
        ErrorIds.KeyPassphraseWrong or ErrorIds.SudoPasswordWrong => ErrorCategory.AuthenticationError,
        ErrorIds.SessionNotFound => ErrorCategory.ObjectNotFound,
        ErrorIds.SessionClosed => ErrorCategory.ConnectionError,
        ErrorIds.PlanInvalid => ErrorCategory.InvalidData,
        ErrorIds.PlanDrifted => ErrorCategory.InvalidResult,
        ErrorIds.NotStarted => ErrorCategory.OperationStopped,
        ErrorIds.DrillNotProven => ErrorCategory.InvalidResult,
        ErrorIds.DrillNotStarted => ErrorCategory.OperationStopped,
        ErrorIds.JournalFailed or ErrorIds.LeaseFailed => ErrorCategory.WriteError,
        ErrorIds.CommandFailed => ErrorCategory.FromStdErr,
        _ => ErrorCategory.NotSpecified,
    };
}
