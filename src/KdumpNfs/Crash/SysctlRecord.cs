using System.Globalization;
using System.Text;
using KdumpNfs.Hosts;

namespace KdumpNfs.Crash;

/// <summary>One kernel parameter that we changed.</summary>
/// <param name="Key">Its name, with dots.</param>
/// <param name="Before">The value that was in force before our first change.</param>
/// <param name="Set">The value that we gave it last.</param>
internal sealed record RememberedValue(string Key, string Before, string Set);

/// <summary>
/// What was there before us, kept on the host itself so that a restore works from any controller and after reboots: the bytes of the
/// drop-in, and for each parameter the value in force. It is made at the first change and goes with the restore; later changes add to it.
/// </summary>
/// <remarks>Format: records as HostReply reads them. The values are numbers of the kernel, so every length is that of ASCII.</remarks>
internal sealed record SysctlRecord
{
    private const string Version = "1";

    /// <summary>When it was made, by the host's clock.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>The drop-in before the first change; null where there was none.</summary>
    public required byte[]? DropInBefore { get; init; }

    /// <summary>SHA-256 of the drop-in as our last change left it; empty where there is none.</summary>
    public required string DropInSha { get; init; }

    /// <summary>Somebody else wrote the drop-in between two of our changes: only our lines may be taken back.</summary>
    public bool SharedSince { get; init; }

    /// <summary>The parameters.</summary>
    public IReadOnlyList<RememberedValue> Values { get; init; } = [];

    /// <summary>Reads a record.</summary>
    /// <exception cref="HostException">UnexpectedReply: it is damaged, or a later version's.</exception>
    public static SysctlRecord Parse(string hostName, string text)
    {
        var reply = HostReply.Parse(hostName, Encoding.UTF8.GetBytes(text.TrimEnd('\n') + "\n"));
        if (reply.Text("version") != Version)
        {
            throw new HostException(ErrorIds.UnexpectedReply, hostName, $"What was remembered under {SysctlFacts.StateDirectory} has the version {reply.Text("version") ?? "(none)"}.")
            {
                Remedy = "It was written by another version of KdumpNfs; use that one.",
            };
        }

        var keys = reply.All("key");
        var before = reply.All("before");
        var set = reply.All("set");
        return keys.Count != before.Count || keys.Count != set.Count
            ? throw new HostException(ErrorIds.UnexpectedReply, hostName, $"What was remembered under {SysctlFacts.StateDirectory} is damaged.")
            : new SysctlRecord
            {
                Since = DateTimeOffset.FromUnixTimeSeconds(reply.Number("since") ?? 0),
                DropInBefore = reply.Flag("dropin.existed") ? Convert.FromBase64String(reply.Required("dropin.data")) : null,
                DropInSha = reply.Required("dropin.sha"),
                SharedSince = reply.Flag("dropin.shared"),
                Values = [.. keys.Select((key, i) => new RememberedValue(key, before[i], set[i]))],
            };
    }

    /// <summary>The record's text.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        void Add(string key, string value) => text.Append(CultureInfo.InvariantCulture, $"{key} {Encoding.UTF8.GetByteCount(value)}\n{value}\n");
        Add("version", Version);
        Add("since", Since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        Add("dropin.existed", DropInBefore is null ? "0" : "1");
        Add("dropin.data", Convert.ToBase64String(DropInBefore ?? []));
        Add("dropin.sha", DropInSha);
        Add("dropin.shared", SharedSince ? "1" : "0");
        foreach (var value in Values)
        {
            Add("key", value.Key);
            Add("before", value.Before);
            Add("set", value.Set);
        }

        return text.ToString();
    }
}
