using System.Text.Json;
using System.Text.Json.Serialization;

namespace KdumpNfs.Fleet;

/// <summary>
/// The settings of this process: one object for all runspaces, so that ForEach-Object -Parallel has them too. Another process (Start-Job, a runbook, the
/// command) gets them from the file that KDUMPNFS_PREFERENCE names, which is read when they are first needed.
/// </summary>
public static class Preferences
{
    /// <summary>The variable of the environment that names a file.</summary>
    public const string Variable = "KDUMPNFS_PREFERENCE";

    private static readonly object Gate = new();
    private static KdumpPreference? _current;

    /// <summary>What is set, without reading a file; null before anything was.</summary>
    public static KdumpPreference? Loaded => Volatile.Read(ref _current);

    /// <summary>What is set.</summary>
    /// <exception cref="HostException">InvalidInput: the file of the environment cannot be read.</exception>
    public static KdumpPreference Current
    {
        get
        {
            lock (Gate)
            {
                return _current ??= Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } file ? Read(file) : new KdumpPreference();
            }
        }

        set
        {
            lock (Gate)
            {
                _current = value;
            }
        }
    }

    /// <summary>Reads a file: a JSON object with the properties of <see cref="KdumpPreference"/>.</summary>
    /// <exception cref="HostException">InvalidInput: it is not there, not JSON, or says something that is not known.</exception>
    public static KdumpPreference Read(string file)
    {
        try
        {
            var full = Path.GetFullPath(file);
            var read = JsonSerializer.Deserialize(File.ReadAllText(full), PreferencesJson.Default.KdumpPreference) ?? new KdumpPreference();
            return Checked(read with
            {
                KeyFilePath = Beside(full, read.KeyFilePath),
                SshConfigFile = Beside(full, read.SshConfigFile),
                KnownHostsFile = read.KnownHostsFile is { Count: > 0 } known ? [.. known.Select(f => Beside(full, f)!)] : null,
                Source = full,
            });
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"The settings in '{Printable.Escape(file)}' cannot be read: {Printable.Escape(e.Message)}", e)
            {
                Remedy = "Write a JSON object with the properties that Get-KdumpPreference shows; a password has no place there, -CredentialName names it.",
            };
        }
    }

    /// <summary>Refuses values that no cmdlet would take.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static KdumpPreference Checked(KdumpPreference preference) =>
        preference.ThrottleLimit is < 1 or > 4096 ? throw Refused($"The throttle limit {preference.ThrottleLimit} is not between 1 and 4096.")
        : preference.ConnectingTimeout is { } connecting && !IsLimit(connecting) ? throw Refused("ConnectingTimeout is not between 1 ms and 24 days.")
        : preference.OperationTimeout is { } operation && !IsLimit(operation) ? throw Refused("OperationTimeout is not between 1 ms and 24 days.")
        : preference;

    private static bool IsLimit(TimeSpan value) => value > TimeSpan.Zero && value.TotalMilliseconds < int.MaxValue;

    private static HostException Refused(string what) => new(ErrorIds.InvalidInput, "", what) { Remedy = "Write another value into the settings, or none." };

    private static string? Beside(string file, string? path) =>
        string.IsNullOrEmpty(path) ? null
        : path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..])
        : Path.GetFullPath(path, Path.GetDirectoryName(file)!);
}

/// <summary>The form of a file of settings: what is not known is refused, comments are not.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true, UseStringEnumConverter = true, Converters = [typeof(SecondsConverter)])]
[JsonSerializable(typeof(KdumpPreference))]
internal sealed partial class PreferencesJson : JsonSerializerContext;

/// <summary>Times as "00:00:30", as ConvertTo-Json of an object with a TimeSpan writes them ("{ Ticks: … }"), or as a number of seconds.</summary>
internal sealed class SecondsConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.GetDouble() is > 0 and < int.MaxValue and var seconds ? TimeSpan.FromSeconds(seconds) : throw new JsonException("A time is a positive number of seconds.");
            case JsonTokenType.String:
                return TimeSpan.TryParse(reader.GetString(), System.Globalization.CultureInfo.InvariantCulture, out var time) ? time : throw new JsonException("A time is HH:MM:SS.");
            default:
                using (var parts = JsonDocument.ParseValue(ref reader))
                {
                    return parts.RootElement.ValueKind == JsonValueKind.Object && parts.RootElement.TryGetProperty("Ticks", out var ticks) && ticks.TryGetInt64(out var number)
                        ? TimeSpan.FromTicks(number) : throw new JsonException("A time is a number of seconds or HH:MM:SS.");
                }
        }
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
