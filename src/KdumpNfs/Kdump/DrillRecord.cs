using System.Text.Json;
using System.Text.Json.Serialization;
using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>The proof that a drill leaves on the host: a crash of it ended as a dump that was read, with this kernel, image and target.</summary>
/// <remarks>One JSON object in <see cref="Path"/>, written after the host was back. Readers ignore what they do not know. Times are by the
/// host's clock (the image) or the controller's (the drill), ISO 8601.</remarks>
public sealed record DrillRecord
{
    /// <summary>Where the host keeps its last drill.</summary>
    public const string Path = "/var/lib/kdumpnfs/drill.json";

    /// <summary>The verdict of a drill whose dump was read as complete.</summary>
    public const string CapturedVerdict = "Captured";

    /// <summary>Version of this form.</summary>
    public int Format { get; init; } = 1;

    /// <summary>Kernel that crashed (uname -r).</summary>
    public string KernelRelease { get => field ?? ""; init; } = "";

    /// <summary>The capture image that was loaded; null where it is not known.</summary>
    public string? ImagePath { get; init; }

    /// <summary>When that image was built, by the host's clock, to the second.</summary>
    public DateTimeOffset? ImageTime { get; init; }

    /// <summary>Where the dump went: <see cref="KdumpTarget.Location"/>.</summary>
    public string TargetText { get => field ?? ""; init; } = "";

    /// <summary>The boot that crashed.</summary>
    public string BootId { get => field ?? ""; init; } = "";

    /// <summary>When the dump was found to be complete, by the controller's clock.</summary>
    public DateTimeOffset CompletedAt { get; init; }

    /// <summary>How the drill ended; <see cref="CapturedVerdict"/> is the good one.</summary>
    public string Verdict { get => field ?? ""; init; } = "";

    /// <summary>The dump on the store.</summary>
    public string? Vmcore { get; init; }

    /// <summary>Seconds from the trigger to the complete dump; null where it was not measured.</summary>
    public double? CaptureSeconds { get; init; }

    /// <summary>Whether the dump arrived and was read.</summary>
    [JsonIgnore]
    public bool Captured => Verdict == CapturedVerdict;

    /// <summary>Reads a record; null for anything that is none, such as a file that was cut.</summary>
    public static DrillRecord? Parse(string? json)
    {
        if (string.IsNullOrWhiteSpace(json))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(json, DrillRecordJson.Default.DrillRecord);
        }
        catch (JsonException)
        {
            // Another program's file, or one that was cut: no proof, and nothing that the admin has to mend.
            return null;
        }
    }

    /// <summary>The record as the host keeps it, one line.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, DrillRecordJson.Default.DrillRecord);

    /// <summary>The record for a host as it is now, for a drill that ended.</summary>
    public static DrillRecord Of(HostFacts facts, KdumpTarget target, string bootId, DateTimeOffset completedAt, string verdict)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(target);
        return new DrillRecord
        {
            KernelRelease = facts.KernelRelease,
            ImagePath = facts.Image?.Path,
            ImageTime = facts.Image?.Time,
            TargetText = target.Location,
            BootId = bootId,
            CompletedAt = completedAt,
            Verdict = verdict,
        };
    }

    /// <summary>What is no longer as it was in the drill, a phrase each; empty while the record still proves the host.</summary>
    public IReadOnlyList<string> ChangedSince(HostFacts facts, KdumpTarget? target)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var changed = new List<string>();
        if (!Captured)
        {
            changed.Add($"it ended with {Printable.Escape(Verdict)}");
        }

        if (facts.KernelRelease != KernelRelease)
        {
            changed.Add($"the kernel is {facts.KernelRelease}, it was {Printable.Escape(KernelRelease)}");
        }

        if (facts.Image?.Path != ImagePath || facts.Image?.Time != ImageTime)
        {
            changed.Add("the capture image was built anew");
        }

        if (target?.Location != TargetText)
        {
            changed.Add($"dumps went to {Printable.Escape(TargetText)}");
        }

        return changed;
    }
}

/// <summary>The form of the record on a host.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, PropertyNameCaseInsensitive = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DrillRecord))]
internal sealed partial class DrillRecordJson : JsonSerializerContext;
