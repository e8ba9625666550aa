using System.Globalization;
using System.Text;
using System.Text.Json;
using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>Reads plans that were kept: JSON of ConvertTo-Json or of the command's --json, or the properties of an object that came back from Clixml.</summary>
public static class KdumpPlanReader
{
    private const int MaxFileBytes = 64 << 20;

    /// <summary>Reads a file: one plan, an array of them, or one a line.</summary>
    /// <exception cref="HostException">PlanInvalid.</exception>
    public static IReadOnlyList<KdumpPlan> ReadFile(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw Invalid($"'{Printable.Escape(path)}' is too large for a file of plans.");
            }

            return ReadJson(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid($"'{Printable.Escape(path)}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads text: one plan, an array of them, or one a line.</summary>
    /// <exception cref="HostException">PlanInvalid.</exception>
    public static IReadOnlyList<KdumpPlan> ReadJson(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.TrimStart().StartsWith("<Objs", StringComparison.Ordinal))
        {
            throw new HostException(ErrorIds.PlanInvalid, "", "The file is one of Export-Clixml, not JSON.") { Remedy = "Import-Clixml FILE | Invoke-KdumpPlan" };
        }

        try
        {
            var plans = new List<KdumpPlan>();
            for (ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text.Trim()); !rest.IsEmpty;)
            {
                // Reads one value and looks no further; the next one begins behind it.
                var reader = new Utf8JsonReader(rest);
                using var document = JsonDocument.ParseValue(ref reader);
                rest = rest[(int)reader.BytesConsumed..].TrimStart(" \t\r\n"u8);
                var root = document.RootElement;
                plans.AddRange((root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().AsEnumerable() : [root]).Select(Read));
            }

            return plans.Count > 0 ? plans : throw Invalid("There is no plan in it.");
        }
        catch (JsonException e)
        {
            throw Invalid($"This is no JSON: {e.Message}", e);
        }
    }

    /// <summary>Makes a plan of properties, those of the request as <c>Request.NAME</c>.</summary>
    /// <param name="value">Gives a property as text (enums by name or number); null when it is missing or empty.</param>
    /// <exception cref="HostException">PlanInvalid.</exception>
    public static KdumpPlan Read(Func<string, string?> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var schema = Number<int>(value, "SchemaVersion");
        if (schema is null || value("NewSha256") is null)
        {
            throw Invalid("This is no plan.");
        }

        if (schema != KdumpPlan.CurrentSchema)
        {
            throw Invalid($"The plan is of version {schema.Value.ToString(CultureInfo.InvariantCulture)}; this version reads {KdumpPlan.CurrentSchema.ToString(CultureInfo.InvariantCulture)}.");
        }

        return new KdumpPlan
        {
            HostName = Required(value, "HostName"),
            UserName = value("UserName"),
            Port = Number<int>(value, "Port"),
            KeyFilePath = value("KeyFilePath"),
            MachineId = value("MachineId"),
            Family = Name<HostFamily>(value, "Family") ?? throw Invalid("The plan has no Family."),
            ImageRoot = value("ImageRoot"),
            Path = Required(value, "Path"),
            OldSha256 = value("OldSha256"),
            NewSha256 = Required(value, "NewSha256"),
            Kind = Name<KdumpPlanKind>(value, "Kind") ?? throw Invalid("The plan has no Kind."),
            WritesFile = Flag(value, "WritesFile"),
            OnlyActivates = Flag(value, "OnlyActivates"),
            Target = value("Target"),
            PreviousTarget = value("PreviousTarget"),
            AlsoChanges = value("AlsoChanges") ?? "",
            Diff = value("Diff") ?? "",
            CreatedBy = value("CreatedBy") ?? "",
            CreatedAt = DateTimeOffset.TryParse(value("CreatedAt"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time) ? time : default,
            Request = new KdumpPlanRequest
            {
                NfsServer = value("Request.NfsServer"),
                Export = value("Request.Export"),
                DumpPath = value("Request.DumpPath"),
                NfsTimeoutSeconds = Number<double>(value, "Request.NfsTimeoutSeconds"),
                NfsRetrans = Number<int>(value, "Request.NfsRetrans"),
                Device = value("Request.Device"),
                FileSystem = value("Request.FileSystem"),
                SshServer = value("Request.SshServer"),
                SshUser = value("Request.SshUser"),
                DumpKeyPath = value("Request.DumpKeyPath"),
                FromAddress = value("Request.FromAddress"),
                DumpKeyLimit = Name<DumpKeyLimit>(value, "Request.DumpKeyLimit"),
                CreateUser = Flag(value, "Request.CreateUser"),
                StoreHost = value("Request.StoreHost"),
                StoreUserName = value("Request.StoreUserName"),
                StorePort = Number<int>(value, "Request.StorePort"),
                StoreKeyFilePath = value("Request.StoreKeyFilePath"),
                Backup = value("Request.Backup"),
                DumpLevel = Number<int>(value, "Request.DumpLevel"),
                Compression = Name<VmcoreCompression>(value, "Request.Compression"),
                MessageLevel = Number<int>(value, "Request.MessageLevel"),
                FailureAction = Name<FailureAction>(value, "Request.FailureAction"),
                CreatePath = Flag(value, "Request.CreatePath"),
            },
        };
    }

    private static KdumpPlan Read(JsonElement element) => Read(name =>
    {
        var at = element;
        foreach (var part in name.Split('.'))
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(part, out at))
            {
                return null;
            }
        }

        return at.ValueKind != JsonValueKind.Null && at.ToString() is { Length: > 0 } text ? text : null;
    });

    private static string Required(Func<string, string?> value, string name) => value(name) ?? throw Invalid($"The plan has no {name}.");

    private static T? Number<T>(Func<string, string?> value, string name)
        where T : struct, System.Numerics.INumber<T> =>
        value(name) is not { } text ? null : T.TryParse(text, NumberStyles.Float & ~NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number) ? number
            : throw Invalid($"The plan's {name} is '{Printable.Escape(text)}', which is no number that fits.");

    private static T? Name<T>(Func<string, string?> value, string name)
        where T : struct, Enum =>
        value(name) is not { } text ? null : Enum.TryParse<T>(text, ignoreCase: true, out var named) && Enum.IsDefined(named) ? named
            : throw Invalid($"The plan's {name} is '{Printable.Escape(text)}', which this version does not know.");

    private static bool Flag(Func<string, string?> value, string name) => bool.TryParse(value(name), out var flag) && flag;

    private static HostException Invalid(string what, Exception? inner = null) => new(ErrorIds.PlanInvalid, "", what, inner)
    {
        Remedy = "Make it again: Set-KdumpNfsTarget … -PassPlan | ConvertTo-Json -AsArray, or kdumpnfs set-nfs-target … --pass-plan --json",
    };
}
