using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>What a host has of some kernel parameters: in force, in our drop-in, in all others, and what we remembered of before.</summary>
internal sealed class SysctlFacts
{
    /// <summary>Where what was there before us is remembered: root only, and there after a reboot.</summary>
    public const string StateDirectory = "/var/lib/kdumpnfs";

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private SysctlFacts(string hostName) => HostName = hostName;

    /// <summary>The host as it was asked for.</summary>
    public string HostName { get; }

    /// <summary>Which boot this is.</summary>
    public string BootId { get; private init; } = "";

    /// <summary>Whether the scripts ran as root; others do not see what was remembered.</summary>
    public bool IsRoot { get; private init; }

    /// <summary>The host's clock.</summary>
    public DateTimeOffset Now { get; private init; }

    /// <summary>Our drop-in; null if there is none.</summary>
    public HostFile? DropIn { get; private init; }

    /// <summary>All files that give kernel parameters at boot.</summary>
    public IReadOnlyList<SysctlFile> Files { get; private init; } = [];

    /// <summary>A sentence where what is written to the drop-in is gone after a reboot; null where it stays.</summary>
    public string? LostAtReboot { get; private init; }

    /// <summary>What was remembered; null if nothing was changed by us.</summary>
    public SysctlRecord? Record { get; private init; }

    /// <summary>The image tree that these facts are of; null for a running host.</summary>
    public string? ImageRoot { get; private init; }

    /// <summary>The value in force; null where the running kernel has no such parameter.</summary>
    public string? Value(string key) => _values.GetValueOrDefault(key);

    /// <summary>Reads them: one round trip, writes nothing.</summary>
    /// <param name="connection">The host.</param>
    /// <param name="keys">The parameters, with dots.</param>
    /// <param name="record">Name of the record.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="root">Put before every path; for tests.</param>
    public static async Task<SysctlFacts> ReadAsync(IHostConnection connection, IReadOnlyList<string> keys, string record, CancellationToken cancellationToken, string root = "")
    {
        var script = HostScript.Load("sysctlstate", ("root", root), ("drop_in", EnableSysrqOperation.DropInPath),
            ("keys", string.Join(' ', keys.Select(PathOf))), ("record", RecordPath(record)));
        var reply = await HostReply.RunAsync(connection, script, cancellationToken).ConfigureAwait(false);
        var facts = new SysctlFacts(connection.Host.HostName)
        {
            BootId = reply.Text("boot.id")?.Trim() ?? "",
            IsRoot = reply.Text("uid")?.Trim() == "0",
            Now = DateTimeOffset.FromUnixTimeSeconds(reply.Number("now") ?? 0),
            DropIn = reply.File("dropin"),
            Files = FilesOf(reply),
            LostAtReboot = HostMount.LostAtReboot(HostMount.ParseAll(reply.Text("mounts") ?? ""), connection.Host.HostName) is { } lost ? lost + "." : null,
            Record = reply.Text("record") is { Length: > 0 } text ? SysctlRecord.Parse(connection.Host.HostName, text) : null,
        };
        foreach (var key in keys)
        {
            if (reply.Text("value." + PathOf(key)) is { } value)
            {
                facts._values[key] = value.Trim();
            }
        }

        return facts;
    }

    /// <summary>Reads those of an image tree on a build host: its files, because nothing of it runs. What was there before is not remembered in an image that many hosts
    /// will have; a copy of the file is kept beside it.</summary>
    /// <exception cref="HostException">ImageRootMissing.</exception>
    public static async Task<SysctlFacts> ReadImageAsync(IHostConnection connection, string imageRoot, CancellationToken cancellationToken)
    {
        var script = HostScript.Load("sysctlstate", ("root", imageRoot), ("drop_in", EnableSysrqOperation.DropInPath), ("keys", ""), ("record", ""));
        var reply = await HostReply.RunAsync(connection, script, cancellationToken).ConfigureAwait(false);
        return reply.Flag("tree") ? new SysctlFacts(connection.Host.HostName)
        {
            ImageRoot = imageRoot,
            IsRoot = reply.Text("uid")?.Trim() == "0",
            Now = DateTimeOffset.FromUnixTimeSeconds(reply.Number("now") ?? 0),
            DropIn = reply.File("dropin"),
            Files = FilesOf(reply),
        }
            : throw HostFacts.NoTree(connection.Host.HostName, imageRoot);
    }

    private static IReadOnlyList<SysctlFile> FilesOf(HostReply reply) =>
        [.. reply.All("file").Zip(reply.All("file.data"), (path, data) => new SysctlFile(path, Convert.FromBase64String(data)))];

    /// <summary>The file that takes a key away from ours at boot, with our file as it will be; null if ours decides.</summary>
    public SysctlWinner? OverriddenBy(string key, byte[] ours) => SysctlPrecedence.OverriddenBy(
        [.. Files.Where(file => file.Path != EnableSysrqOperation.DropInPath), new SysctlFile(EnableSysrqOperation.DropInPath, ours)], EnableSysrqOperation.DropInPath, key);

    /// <summary>Who decides a key at the next boot, as the files are.</summary>
    public SysctlWinner Winner(string key) => SysctlPrecedence.Winner(Files, key);

    /// <summary>Below /proc/sys.</summary>
    public static string PathOf(string key) => key.Replace('.', '/');

    /// <summary>Where a record is kept.</summary>
    public static string RecordPath(string record) => $"{StateDirectory}/{record}.before";
}
