using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>Set-KdumpSshTarget: dumps go to an account on a server. For each host: a dump key, made on the host if it has none, let in on the store
/// with limits, and the store's host keys pinned on the host; then a file is written, renamed and removed through that key before the configuration changes.</summary>
/// <param name="access">How hosts and the store are reached.</param>
/// <param name="request">What is asked for.</param>
/// <param name="store">The store as this machine reaches it; its connection is what the pinned keys are trusted by.</param>
public sealed class SetSshTargetOperation(HostAccess access, SshTargetRequest request, SshHost store) : TargetChangeOperation(access, request), IAsyncDisposable
{
    private readonly DumpStore _own = new(access, store, request);

    /// <summary>The store of several operations with the same request; whoever made it closes it.</summary>
    internal DumpStore? Shared { get; init; }

    private DumpStore Store => Shared ?? _own;

    /// <summary>Closes the connection to the store.</summary>
    public ValueTask DisposeAsync() => _own.DisposeAsync();

    /// <summary>The line of authorized_keys for a host's key.</summary>
    internal static string Line(SshTargetRequest request, IReadOnlyList<string> from, string type, string blob, string mark)
    {
        var options = new List<string> { "restrict" };
        if (from.Count > 0)
        {
            options.Add($"from=\"{string.Join(',', from)}\"");
        }

        if (request.Limit == DumpKeyLimit.Commands)
        {
            options.Add($"command=\"{DumpStore.ReceiverPath} {request.DumpPath}\"");
        }

        return $"{string.Join(',', options)} {type} {blob} {mark}";
    }

    private protected override (string Name, string Value)[] FactValues() => [("store", request.Server), ("key_path", request.KeyPath)];

    private protected override SshHost PlanStore => store;

    private protected override async Task<ChangeBesides> PlanBesidesAsync(HostFacts facts, KdumpTargetPlan plan, HostContext context, CancellationToken cancellationToken)
    {
        CheckTools(facts);
        var storeFacts = await Store.FactsAsync(context, cancellationToken).ConfigureAwait(false);
        var sentences = new List<string>();
        var newKey = !facts.Reply.Flag("ssh.key");
        var publicKey = newKey ? null : Words(facts.Reply.Text("ssh.pub"), facts);
        if (newKey)
        {
            sentences.Add($"Make the dump key {request.KeyPath} on {facts.HostName}.");
        }

        var knownFile = facts.Reply.File("ssh.known");
        var known = PinnedHostKeys.Add((knownFile?.Content ?? default).Span, request.Server, storeFacts.All("hostkey"), facts.HostName);
        var diffs = new List<string>();
        if (known is not null)
        {
            sentences.Add($"Pin the host keys of {request.Server} in /root/.ssh/known_hosts of {facts.HostName}.");
            diffs.Add(UnifiedDiff.Show((knownFile?.Content ?? default).Span, known, "/root/.ssh/known_hosts", "/root/.ssh/known_hosts"));
        }

        var missing = Store.Missing(storeFacts, facts.HostName);
        sentences.AddRange(missing);
        var mark = $"kdumpnfs:{facts.NodeName}:{facts.MachineId ?? "-"}";
        var from = From(facts);
        string LineOf((string Type, string Blob) key) => Line(request, from, key.Type, key.Blob, mark);
        var install = publicKey is not { } there || !DumpStore.Has(storeFacts, LineOf(there));
        if (install)
        {
            sentences.Add($"Let that key in as {request.User} on {Store.Name}, from {(from.Count == 0 ? "anywhere" : string.Join(", ", from))}" +
                (request.Limit == DumpKeyLimit.Commands ? $", for dumps below {request.DumpPath} alone." : "."));
        }

        return new ChangeBesides
        {
            Sentences = sentences,
            Diffs = diffs,
            ApplyAsync = async (connection, token) =>
            {
                var key = publicKey;
                if (newKey || known is not null)
                {
                    context.Verbose($"Preparing the dump key {request.KeyPath}.");
                    var reply = await HostReply.RunAsync(connection, HostScript.Load("sshkey",
                        ("key_path", request.KeyPath), ("new_key", newKey ? "1" : ""), ("known_old", knownFile?.Sha256 ?? ""),
                        ("known_data", known is null ? "" : Convert.ToBase64String(known))), token).ConfigureAwait(false);
                    if (reply.Text("fail.said") is { } said)
                    {
                        throw Failed(facts, "The dump key could not be prepared.", said);
                    }

                    key = Words(reply.Text("ssh.pub"), facts);
                }

                if (install || missing.Count > 0)
                {
                    await Store.InstallAsync(LineOf(key!.Value), key.Value.Blob, mark, context, token).ConfigureAwait(false);
                }
            },
        };
    }

    // The address by which the host reaches the store is the one that the capture kernel will have on that way.
    private IReadOnlyList<string> From(HostFacts facts) =>
        request.FromAddress.Count > 0 ? request.FromAddress
        : facts.Reply.Text("source") is { Length: > 0 } source && System.Net.IPAddress.TryParse(source, out var address) && !System.Net.IPAddress.IsLoopback(address) ? [source]
        : facts.Addresses;

    private static void CheckTools(HostFacts facts)
    {
        if (string.IsNullOrEmpty(facts.Reply.Text("ssh.client")) || string.IsNullOrEmpty(facts.Reply.Text("ssh.keygen")))
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, "The host has no OpenSSH client, which the capture would send the dump with.")
            {
                Remedy = $"Install {(facts.Family == HostFamily.Debian ? "openssh-client" : "openssh-clients")} on the host.",
            };
        }
    }

    private (string Type, string Blob)? Words(string? publicKey, HostFacts facts)
    {
        var words = (publicKey ?? "").Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length >= 2 && Convert.TryFromBase64String(words[1], new byte[8192], out _) && words[0].All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '@' or '.')
            ? (words[0], words[1])
            : throw Failed(facts, facts.IsRoot ? $"{request.KeyPath} is not a private key without a passphrase." : "This account may not read the host's dump key.", publicKey);
    }

    private HostException Failed(HostFacts facts, string what, string? said) => new(ErrorIds.DumpKeyFailed, facts.HostName, what)
    {
        HostSaid = said,
        Remedy = facts.IsRoot ? $"Look at {request.KeyPath} and /root/.ssh on the host, or name another key with -DumpKeyPath. The configuration was not changed." : "Connect as root, or use -Sudo.",
    };
}
