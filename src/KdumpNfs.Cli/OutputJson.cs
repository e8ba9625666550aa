using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KdumpNfs.Cli.Commands;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Readiness;
using KdumpNfs.Setup;
using KdumpNfs.Storms;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Cli;

/// <summary>The shape of objects as JSON: the same property names as in PowerShell, enums by name. Written by the compiler, for the command has no reflection where it is native code.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(CrashKernelChange))]
[JsonSerializable(typeof(CrashKernelReservation))]
[JsonSerializable(typeof(FailedHost))]
[JsonSerializable(typeof(HostReadiness))]
[JsonSerializable(typeof(HostVmcoreEstimate))]
[JsonSerializable(typeof(KdumpBackup))]
[JsonSerializable(typeof(KdumpDisabling))]
[JsonSerializable(typeof(KdumpDrill))]
[JsonSerializable(typeof(KdumpInitramfsChange))]
[JsonSerializable(typeof(KdumpInstallation))]
[JsonSerializable(typeof(KdumpPlan))]
[JsonSerializable(typeof(KdumpPreference))]
[JsonSerializable(typeof(KdumpStatus))]
[JsonSerializable(typeof(KdumpStorm))]
[JsonSerializable(typeof(KdumpTargetChange))]
[JsonSerializable(typeof(KernelLogRecord))]
[JsonSerializable(typeof(KernelPanicPolicy))]
[JsonSerializable(typeof(KernelPanicPolicyChange))]
[JsonSerializable(typeof(NfsExport))]
[JsonSerializable(typeof(NfsExportChange))]
[JsonSerializable(typeof(NfsExportRemoval))]
[JsonSerializable(typeof(ReceivedVmcore))]
[JsonSerializable(typeof(StoreReadiness))]
[JsonSerializable(typeof(StormDrillLine))]
[JsonSerializable(typeof(StormEstimateLine))]
[JsonSerializable(typeof(SysrqAnswer))]
[JsonSerializable(typeof(SysrqChange))]
[JsonSerializable(typeof(SysrqCrash))]
[JsonSerializable(typeof(UncleanBoot))]
[JsonSerializable(typeof(VmcoreBundle))]
[JsonSerializable(typeof(VmcoreConversion))]
[JsonSerializable(typeof(VmcoreDump))]
[JsonSerializable(typeof(VmcoreHold))]
[JsonSerializable(typeof(VmcoreRemoval))]
[JsonSerializable(typeof(VmcoreReport))]
[JsonSerializable(typeof(VmcoreTest))]
internal sealed partial class OutputJson : JsonSerializerContext
{
    /// <summary>The one that everything is written and read with.</summary>
    public static OutputJson Shared { get; } = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The form of a type of result.</summary>
    public static JsonTypeInfo Of(Type type) => Shared.GetTypeInfo(type) ?? throw new InvalidOperationException($"Results of type {type.Name} have no form as JSON.");
}
