using System.Globalization;
using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Collection;

/// <summary>Reads what vmcores.sh answered. The store's shell is trusted to run the script; what is in the values comes from crashed hosts.</summary>
internal static class StoreReply
{
    public static async Task<StoreListing> ReadAsync(HostReply reply, string storeHost, string root, CancellationToken cancellationToken)
    {
        if (reply.Text("error") is { } error)
        {
            throw Refused(error, storeHost, root);
        }

        var now = Time(reply.Required("now")) ?? throw new HostException(ErrorIds.UnexpectedReply, storeHost, "The store's clock cannot be read.");
        var directories = Entries(reply.Text("entries") ?? "");
        var panics = Panics(reply.Text("panics") ?? "");
        for (var i = 1; reply.Text($"{i}.name") is { } name; i++)
        {
            if (directories.TryGetValue(name, out var directory))
            {
                directories[name] = await WithContentAsync(reply, $"{i}", directory with { DmesgLines = panics.GetValueOrDefault(name) }, cancellationToken).ConfigureAwait(false);
            }
        }

        return new StoreListing(now, [.. directories.Values.OrderByDescending(d => d.Modified)])
        {
            Truncated = reply.Flag("truncated"),
            Ignored = [.. reply.All("ignored").Select(n => Printable.Escape(Encoding.UTF8.GetString(Bytes(n))))],
            IgnoredCount = (int)Math.Clamp(reply.Number("ignoredcount") ?? 0, 0, int.MaxValue),
            ControllerAhead = DateTimeOffset.UtcNow - now,
        };
    }

    internal static HostException Refused(string error, string storeHost, string root) => error switch
    {
        "missing" => new HostException(ErrorIds.VmcoreDirectoryMissing, storeHost, $"The directory {Printable.Escape(root)} does not exist.")
        {
            Remedy = "Check -ExportPath and -DumpPath; Enable-NfsExport -CreateDirectory makes them.",
        },
        "notdirectory" => new HostException(ErrorIds.VmcoreDirectoryMissing, storeHost, $"{Printable.Escape(root)} is not a directory."),
        "denied" => new HostException(ErrorIds.NotRoot, storeHost, $"The directory {Printable.Escape(root)} cannot be read by this account.")
        {
            Remedy = "Use -Sudo, or an account that may read the dumps (they are root's).",
        },
        "notools" => new HostException(ErrorIds.NotSupported, storeHost, "The store's stat is not that of GNU coreutils.")
        {
            Remedy = "Name another host that has the share mounted as -StoreHost, with the mount point as -ExportPath.",
        },
        _ => new HostException(ErrorIds.UnexpectedReply, storeHost, $"The store answered '{Printable.Escape(error)}'."),
    };

    // NUL-separated "MODE SIZE TIME INODE ./DIRECTORY[/FILE]"; a directory comes before its files.
    private static Dictionary<string, CrashDirectory> Entries(string base64)
    {
        var directories = new Dictionary<string, (DateTimeOffset Modified, List<VmcoreFile> Files)>(StringComparer.Ordinal);
        foreach (var entry in Encoding.UTF8.GetString(Bytes(base64)).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = entry.Split(' ', 5);
            if (fields.Length != 5 || !fields[4].StartsWith("./", StringComparison.Ordinal) || Time(fields[2]) is not { } time ||
                !int.TryParse(fields[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mode) ||
                !long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            {
                continue;
            }

            var path = fields[4][2..];
            var slash = path.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0)
            {
                directories[path] = (time, []);
            }
            else if ((mode & FileTypeMask) == RegularFile && directories.TryGetValue(path[..slash], out var directory))
            {
                directory.Files.Add(new VmcoreFile(Printable.Escape(path[(slash + 1)..]), size, time));
            }
        }

        return directories.ToDictionary(d => d.Key, d => new CrashDirectory(d.Key, d.Value.Modified, d.Value.Files), StringComparer.Ordinal);
    }

    // Lines "./DIRECTORY/FILE", a NUL, text of the kernel log.
    private static Dictionary<string, string> Panics(string base64) =>
        Encoding.UTF8.GetString(Bytes(base64)).Split('\n')
            .Select(line => line.Split('\0', 2))
            .Where(parts => parts.Length == 2 && parts[0].StartsWith("./", StringComparison.Ordinal))
            .GroupBy(parts => parts[0][2..].Split('/')[0], parts => parts[1], StringComparer.Ordinal)
            .ToDictionary(d => d.Key, d => string.Join('\n', d), StringComparer.Ordinal);

    // stat(2): links, pipes and devices in a crash directory are not ours to read.
    private const int FileTypeMask = 0xf000;
    private const int RegularFile = 0x8000;

    private static async Task<CrashDirectory> WithContentAsync(HostReply reply, string key, CrashDirectory directory, CancellationToken cancellationToken)
    {
        var dumps = new List<DumpFinding>();
        for (var j = 1; reply.Text($"{key}.{j}.file") is { } file; j++)
        {
            var check = reply.Flag($"{key}.{j}.denied") ? null : await CheckAsync(reply, $"{key}.{j}", cancellationToken).ConfigureAwait(false);
            dumps.Add(new DumpFinding(file, check));
        }

        return directory with
        {
            Dumps = dumps,
            // The names were listed before the files were looked into. A log that is not among them came in between, and so did the dump's
            // final name: the capture writes its log last.
            HasCaptureLog = reply.Flag($"{key}.captureover") && directory.Files.Any(f => CrashFile.RoleOf(f.Name) == CrashFileRole.CaptureLog),
            CaptureLogLines = reply.Text($"{key}.log") is { } log ? $"{log}\n{reply.Text($"{key}.logend")}" : null,
            Readme = reply.Text($"{key}.readme"),
            Hold = reply.Text($"{key}.held"),
        };
    }

    private static async Task<VmcoreCheckResult> CheckAsync(HostReply reply, string key, CancellationToken cancellationToken)
    {
        var source = Excerpt(Bytes(reply.Text($"{key}.bytes") ?? ""));
        AddDescriptors(source, reply.Text($"{key}.descriptors.at") ?? "", Bytes(reply.Text($"{key}.descriptors") ?? ""));
        var outside = await VmcoreCheck.ReadAsync(source, cancellationToken).ConfigureAwait(false);
        return reply.Text($"{key}.inhead") is not { } head ? WithoutTool(outside, reply.Text($"{key}.notool"))
            : await UnpackedDump.JudgeAsync(outside, Bytes(head), reply.Text($"{key}.intail") is { } end ? Bytes(end) : null, cancellationToken).ConfigureAwait(false);
    }

    // The size, a line feed, the file's last bytes, its first ones.
    private static ExcerptByteSource Excerpt(byte[] bytes)
    {
        var eol = bytes.AsSpan().IndexOf((byte)'\n');
        if (eol < 0 || !long.TryParse(bytes.AsSpan(0, eol), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
        {
            return new ExcerptByteSource(0);
        }

        var pieces = bytes.AsMemory(eol + 1);
        var tail = (int)Math.Min(Math.Min(size, VmcoreCheck.TailSize), pieces.Length);
        return new ExcerptByteSource(size).Add(0, pieces[tail..]).Add(size - tail, pieces[..tail]);
    }

    // The first descriptor, then two runs of the last ones; a file that ends in between gives none of them whole.
    private static void AddDescriptors(ExcerptByteSource source, string places, byte[] bytes)
    {
        var numbers = places.Split(' ').Select(n => long.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1).ToArray();
        if (bytes.Length < VmcoreCheck.DescriptorSize || numbers.Length != 5 || numbers.Contains(-1))
        {
            return;
        }

        var rest = bytes.AsMemory(VmcoreCheck.DescriptorSize);
        source.Add(numbers[0], bytes.AsMemory(0, VmcoreCheck.DescriptorSize));
        if (rest.Length == numbers[2] + numbers[4])
        {
            source.Add(numbers[3], rest[(int)numbers[2]..]).Add(numbers[1], rest[..(int)numbers[2]]);
        }
    }

    private static VmcoreCheckResult WithoutTool(VmcoreCheckResult outside, string? tool) => tool is null ? outside
        : outside with { Reason = $"The dump is inside {outside.Header?.Format}, and the store has no {tool} to look inside." };

    private static byte[] Bytes(string base64)
    {
        var bytes = new byte[(base64.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(base64, bytes, out var written) ? bytes[..written] : [];
    }

    // Seconds since 1970 with a fraction; a date without %N gives "1795340747.N".
    internal static DateTimeOffset? Time(string text) =>
        decimal.TryParse(text.Replace("N", "", StringComparison.Ordinal), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) &&
        Math.Abs(seconds) < 60_000_000_000m ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond)) : null;
}
