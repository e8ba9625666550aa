using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>How far a dump key is limited on the store.</summary>
public enum DumpKeyLimit
{
    /// <summary>To the commands that kdump sends, in the dump directory (a small script on the store, kdumpnfs-receive), and to the host's address.</summary>
    Commands,

    /// <summary>To the host's address, without forwarding or a terminal; the account's commands are all allowed. Nothing is installed on the store.</summary>
    Address,
}

/// <summary>What Set-KdumpSshTarget was asked for.</summary>
/// <param name="Server">The store as the hosts reach it, on port 22; lower case, IPv6 without brackets.</param>
/// <param name="User">The dedicated account on it.</param>
/// <param name="DumpPath">The directory on it.</param>
/// <param name="KeyPath">The private key on each host.</param>
public sealed record SshTargetRequest(string Server, string User, string DumpPath, string KeyPath) : TargetRequest
{
    /// <summary>Addresses or patterns from which the key is taken (sshd(8), from=); empty for the address by which the host reaches the store.</summary>
    public IReadOnlyList<string> FromAddress { get; init; } = [];

    /// <summary>How far the key is limited.</summary>
    public DumpKeyLimit Limit { get; init; }

    /// <summary>Make the account if it is missing.</summary>
    public bool CreateUser { get; init; }

    /// <summary>Checks what is wrong on every host.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static SshTargetRequest Create(string server, string user, string dumpPath, string? keyPath, IReadOnlyList<string>? fromAddress, DumpKeyLimit limit,
        bool createUser, bool createPath, CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(user);
        // useradd's own rule; the tools of kdump split user@server without quotes.
        if (user.Length is 0 or > 32 || !(char.IsAsciiLetterLower(user[0]) || user[0] == '_') || user.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '-')))
        {
            throw Invalid($"'{Printable.Escape(user)}' is not the name of an account for dumps.", "Use lower-case letters, digits, '-' and '_', such as kdump.");
        }

        if (user == "root")
        {
            throw Invalid("Dumps should not come in as root: every host would hold a key to the whole store.", "Use an account of its own: -SshUser kdump -CreateUser.");
        }

        foreach (var from in fromAddress ?? [])
        {
            if (from.Length == 0 || from.Any(c => !char.IsAsciiLetterOrDigit(c) && !".:/*?!-_%".Contains(c, StringComparison.Ordinal)))
            {
                throw Invalid($"'{Printable.Escape(from)}' is not an address or pattern of from=.", "Give addresses, networks as 192.0.2.0/24, or names with * and ?.");
            }
        }

#pragma warning disable CA1308 // kdumpctl compares with what ssh -G prints, which is lower case.
        return new SshTargetRequest(TargetInput.CheckServer(server).ToLowerInvariant(), user, Plain(dumpPath, "dump path"), Plain(keyPath ?? KdumpConf.DefaultSshKey, "key path"))
#pragma warning restore CA1308
        {
            FromAddress = fromAddress ?? [],
            Limit = limit,
            CreateUser = createUser,
            CreatePath = createPath,
            Options = options,
        };
    }

    internal override IReadOnlyList<string> MoreFacts => ["route", "sshfacts"];

    internal override string? NotInImages => "Every host has a dump key of its own, which no image can hold for all of them.";

    internal override byte[] Content(HostFacts facts)
    {
        var content = (facts.Configuration?.Content ?? default).Span;
        return facts.Family switch
        {
            HostFamily.RedHat => Finish(facts, KdumpConf.Parse(content).WithSshTarget(User, Server, KeyPath, DumpPath)),
            HostFamily.Debian => Finish(KdumpToolsDefaults.Parse(content).WithSshTarget(User, Server, KeyPath, DumpPath)),
            HostFamily.Suse => Finish(KdumpSysconfig.Parse(content).WithSshTarget(User, Server, KeyPath, DumpPath)),
            _ => throw NoEditor(facts),
        };
    }

    // kdump.sh, mkdumprd and kdump-config hand directory and key to a shell of the store without quotes.
    private static string Plain(string path, string what)
    {
        var checkedPath = TargetInput.CheckDirectory(path, what);
        return checkedPath.Length > 1 && checkedPath.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+@%=,".Contains(c, StringComparison.Ordinal)) ? checkedPath
            : throw Invalid($"The {what} '{Printable.Escape(checkedPath)}' has a character that kdump's ssh commands do not carry.", "Use letters, digits and '.', '_', '-'.");
    }

    private static HostException Invalid(string what, string remedy) => new(ErrorIds.InvalidInput, "", what) { Remedy = remedy };
}
