using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Text;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcores;

/// <summary>
/// Packs what is known of a crash for whoever gets the case: the report as text and JSON, the kernel's log, the capture's logs that lie beside the dump, the kdump
/// configuration of the host that crashed, hashes of all, and the dump itself if that is asked for.
/// </summary>
/// <remarks>
/// In all texts secrets are masked (<see cref="SecretMask"/>): passwords of configurations, URLs and kernel arguments, and their repetitions elsewhere. The dump itself is the
/// memory of a server; nothing in it can be masked.
/// </remarks>
/// <param name="access">How the host that crashed is reached.</param>
/// <param name="dumps">The way to the dumps.</param>
public sealed class ExportVmcoreBundleOperation(HostAccess access, DumpAccess dumps)
{
    private const string Activity = "Export-VmcoreBundle";

    private static readonly BundleJson Json = new(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The directory of this machine that archives are put into; it must be there.</summary>
    public required string Destination { get; init; }

    /// <summary>Packs the dump itself, too.</summary>
    public bool IncludeDump { get; init; }

    /// <summary>Replaces an archive of the same name.</summary>
    public bool Force { get; init; }

    /// <summary>The host that crashed, for its configuration; null to leave that out.</summary>
    public SshHost? CrashedHost { get; init; }

    /// <summary>How many of the log's last lines the report has.</summary>
    public int LogLines { get; init; } = ReportBuilder.DefaultLogLines;

    /// <summary>Packs one dump, or a saved log.</summary>
    /// <exception cref="HostException">
    /// LocalFileExists, LocalWriteFailed: the archive. FileNotReadable, VmcoreNotReadable, FlattenedNotIndexed: there is neither a dump that can be read nor a kernel log
    /// beside it. And what a connection to the store can throw. A crashed host that does not answer is no error; the archive says so.
    /// </exception>
    public async Task<VmcoreBundle> RunAsync(DumpPlace place, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(context);
        place.Validated();
        if (!Directory.Exists(Destination))
        {
            throw new HostException(ErrorIds.LocalWriteFailed, place.Name, $"The directory {Printable.Escape(Destination)} does not exist.") { Remedy = "Make it, or choose another -Destination." };
        }

        try
        {
            return await new Run(this, place, context).RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException(ErrorIds.LocalWriteFailed, place.Name, $"The archive cannot be written to {Printable.Escape(Destination)}: {e.Message}", e)
            {
                Remedy = "Check room and permissions; nothing was left behind.",
            };
        }
        finally
        {
            context.Progress(Activity, "", done: true);
        }
    }

    private sealed class Run(ExportVmcoreBundleOperation operation, DumpPlace place, HostContext context)
    {
        private readonly SecretMask _mask = new();
        private readonly List<string> _missing = [];
        private readonly SortedDictionary<string, string> _texts = new(StringComparer.Ordinal);

        public async Task<VmcoreBundle> RunAsync(CancellationToken cancellationToken)
        {
            context.Progress(Activity, "reading");
            var directory = Parent(place);
            var connection = place.Store is { } store ? await operation.Dumps.ConnectAsync(store, context, cancellationToken).ConfigureAwait(false) : null;
            var beside = connection is null ? await CaptureFiles.ReadAsync(directory, cancellationToken).ConfigureAwait(false)
                : await CaptureFiles.ReadAsync(connection, directory, cancellationToken).ConfigureAwait(false);
            _missing.AddRange(beside.Left);
            var (report, log) = await ReportAsync(beside, cancellationToken).ConfigureAwait(false);
            var path = Path.Combine(operation.Destination, NameOf(report) + ".tar.gz");
            if (File.Exists(path) && !operation.Force)
            {
                throw new HostException(ErrorIds.LocalFileExists, place.Name, $"{Printable.Escape(path)} exists already.") { Remedy = "Choose another -Destination, or -Force." };
            }

            foreach (var (name, bytes) in beside.Files)
            {
                _texts[$"capture/{name}"] = ByteText.FromBytes(bytes);
            }

            if (log is not null)
            {
                _texts["dmesg.txt"] = ByteText.FromBytes(log);
            }

            await ConfigurationAsync(report, cancellationToken).ConfigureAwait(false);
            Mask(report);
            if (!operation.IncludeDump)
            {
                _missing.Add($"The dump itself was not asked for (-IncludeDump); it is {(place.Store is null ? "" : place.Store.HostName + ":")}{place.Path}.");
            }

            _texts["README.txt"] = Readme(report);
            var files = _texts.Select(t => new BundleFile(t.Key, ByteText.ToBytes(t.Value))).ToList();
            if (operation.IncludeDump)
            {
                var dump = await OpenDumpAsync(connection, cancellationToken).ConfigureAwait(false);
                files.Add(new BundleFile($"dump/{Safe(NameOf(place.Path))}", () => dump));
            }

            var time = report.CrashTime ?? DateTimeOffset.UnixEpoch;
            var (length, hash, entries) = await BundleArchive.WriteAsync(path, NameOf(report), time, files, operation.Force, cancellationToken).ConfigureAwait(false);
            return new VmcoreBundle
            {
                StoreHost = place.Store?.HostName,
                Path = place.Path,
                Archive = path,
                Bytes = length,
                Sha256 = hash,
                CrashedHost = report.CrashedHost,
                CrashTime = report.CrashTime,
                Kind = report.Kind,
                Signature = report.Signature,
                DumpIncluded = operation.IncludeDump,
                MaskedSecrets = _mask.Count,
                Entries = entries,
                Missing = _missing,
            };
        }

        // A dump that cannot be read has a log beside it more often than not.
        private async Task<(VmcoreReport Report, byte[]? Log)> ReportAsync(CaptureFiles beside, CancellationToken cancellationToken)
        {
            try
            {
                return await operation.Dumps.RunAsync(
                    place,
                    image => (ReportBuilder.FromDump(image, place.Path, operation.LogLines), LogOf(image)),
                    text => (ReportBuilder.FromLog(text, place.Path, operation.LogLines), (byte[]?)Encoding.UTF8.GetBytes(text)),
                    context,
                    cancellationToken).ConfigureAwait(false);
            }
            catch (HostException e) when (e.ErrorId is ErrorIds.VmcoreNotReadable or ErrorIds.FlattenedNotIndexed && beside.KernelLog is { } log)
            {
                var why = $"{e.What} The report is made from {log.Name}.";
                context.Warning(why);
                _missing.Add(why);
                return (ReportBuilder.FromLog(Encoding.UTF8.GetString(log.Bytes), place.Path, operation.LogLines), null);
            }
        }

        private byte[]? LogOf(VmcoreImage image)
        {
            try
            {
                using var bytes = new MemoryStream();
                image.ReadLog().WriteTo(bytes);
                return bytes.ToArray();
            }
            catch (VmcoreFormatException e)
            {
                _missing.Add($"The kernel log could not be read from the dump: {e.Message}");
                return null;
            }
        }

        private async Task ConfigurationAsync(VmcoreReport report, CancellationToken cancellationToken)
        {
            if (operation.CrashedHost is not { } host)
            {
                _missing.Add("The configuration of the host that crashed was not asked for (-CrashedHost).");
                return;
            }

            try
            {
                var connection = await operation.Access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    var facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
                    if (report.CrashedHost is { } crashed && !SameHost(crashed, facts.NodeName))
                    {
                        Left($"{host.HostName} calls itself {Printable.Escape(facts.NodeName)}, and {Printable.Escape(crashed)} crashed: its configuration is not in the archive.");
                        return;
                    }

                    // Before anything else, so that its passwords are known wherever they turn up.
                    if (facts.Configuration is { } file)
                    {
                        _texts[$"configuration/{Safe(NameOf(file.Path))}"] = ByteText.FromBytes(_mask.Hide(file.Content.Span));
                    }

                    _texts["configuration/cmdline"] = ByteText.FromValue(facts.KernelCommandLine + "\n");
                    _texts["configuration/status.json"] = ByteText.FromValue(JsonSerializer.Serialize(KdumpStatus.From(facts, null), Json.KdumpStatus) + "\n");
                }
            }
            catch (HostException e)
            {
                Left($"The configuration of {host.HostName} could not be read: {e.What}");
            }
        }

        private void Left(string why)
        {
            context.Warning(why);
            _missing.Add(why);
        }

        private void Mask(VmcoreReport report)
        {
            // Twice: what a later text gives away may stand in an earlier one.
            foreach (var name in _texts.Keys.Concat(_texts.Keys).ToList())
            {
                _texts[name] = _mask.HideText(_texts[name]);
            }

            string Hidden(string text) => ByteText.ToValue(_mask.HideText(ByteText.FromValue(text)));
            var masked = report with { LogTail = [.. report.LogTail.Select(Hidden)], Reason = report.Reason is { } reason ? Hidden(reason) : null, StoreHost = place.Store?.HostName };
            _texts["report.txt"] = ByteText.FromValue(ReportText.Of(masked));
            _texts["report.json"] = ByteText.FromValue(JsonSerializer.Serialize(masked, Json.VmcoreReport) + "\n");
        }

        private string Readme(VmcoreReport report)
        {
            var text = new StringBuilder();
            text.Append(CultureInfo.InvariantCulture, $"A crash of {report.CrashedHost ?? "a host that is not known"}, packed by KdumpNfs {Version}.\n\n");
            text.Append("report.txt, report.json  what happened, from the dump\n");
            text.Append("dmesg.txt                the kernel's log, from the dump\n");
            text.Append("capture/                 what the capture kernel left beside the dump\n");
            text.Append("configuration/           kdump's configuration, kernel arguments and state of the host, as they are after the crash\n");
            text.Append("dump/                    the dump, if it is here: the memory of a server, with its keys and passwords\n");
            text.Append("SHA256SUMS               sha256sum -c SHA256SUMS\n\n");
            text.Append(CultureInfo.InvariantCulture, $"In the texts {_mask.Count} secrets are masked with asterisks: passwords, tokens and keys that stand as KEY=VALUE or in URLs. Others may be left: read before you pass it on.\n");
            if (_missing.Count > 0)
            {
                text.Append("\nNot here:\n").AppendJoin("", _missing.Select(m => $"- {m}\n"));
            }

            return _mask.HideText(ByteText.FromValue(text.ToString()));
        }

        private async Task<Stream> OpenDumpAsync(IHostConnection? connection, CancellationToken cancellationToken)
        {
            IByteSource source;
            try
            {
                source = connection is null ? new FileSource(place.Path) : await StoreFile.OpenAsync(connection, place.Path, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new HostException(ErrorIds.FileNotReadable, "", $"{Printable.Escape(place.Path)} could not be read: {e.Message}", e) { Remedy = "Check the path and its permissions." };
            }

            return new DumpStream(source, place.Path, part => context.Progress(Activity, "packing the dump", part));
        }

        // The host and the time tell crashes apart; a log without either goes by its own name.
        private string NameOf(VmcoreReport report) => Safe(
            (report.CrashedHost ?? NameOf(place.Path)) + (report.CrashTime is { } time ? time.UtcDateTime.ToString("-yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture) : ""));

        private static string NameOf(string path) => path.TrimEnd('/', '\\').Split('/', '\\')[^1];

        private static string Parent(DumpPlace place)
        {
            if (place.Store is null)
            {
                return Path.GetDirectoryName(Path.GetFullPath(place.Path)) ?? "/";
            }

            var slash = place.Path.LastIndexOf('/');
            return slash <= 0 ? "/" : place.Path[..slash];
        }

        // Names come from dumps and stores: only what every file system and archive takes.
        private static string Safe(string name)
        {
            var safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_')).TrimStart('.');
            return safe.Length == 0 ? "crash" : safe.Length > 80 ? safe[..80] : safe;
        }

        private static bool SameHost(string crashed, string now) => string.Equals(crashed.Split('.')[0], now.Split('.')[0], StringComparison.OrdinalIgnoreCase);

        private static string Version => typeof(ExportVmcoreBundleOperation).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
    }

    private DumpAccess Dumps => dumps;

    private HostAccess Access => access;
}

/// <summary>The form of the JSON in a bundle: that of the command's --json, on many lines.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(KdumpStatus))]
[JsonSerializable(typeof(VmcoreReport))]
internal sealed partial class BundleJson : JsonSerializerContext;
