using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>The store of ssh targets, for all hosts of a run: looked at once, over one connection of an admin.</summary>
internal sealed class DumpStore(HostAccess access, SshHost store, SshTargetRequest request) : IAsyncDisposable
{
    /// <summary>Where the script that limits dump keys lies on the store.</summary>
    public const string ReceiverPath = "/usr/local/sbin/kdumpnfs-receive";

    private readonly SemaphoreSlim _gate = new(1, 1);
    private IHostConnection? _connection;
    private HostReply? _facts;
    private HostException? _failure;
    private bool _prepared;

    /// <summary>The store's name, for people.</summary>
    public string Name => store.HostName;

    /// <summary>What the store has.</summary>
    /// <exception cref="HostException">What went wrong on the way to the store, as a failure of the host.</exception>
    public async Task<HostReply> FactsAsync(HostContext context, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_failure is not null)
            {
                throw About(_failure, context.HostName);
            }

            if (_facts is null)
            {
                try
                {
                    _connection ??= await access.ConnectAsync(store, context, cancellationToken).ConfigureAwait(false);
                    _facts = await HostReply.RunAsync(_connection, HostScript.Load("sshstore", ("user", request.User), ("dir", request.DumpPath), ("receiver", ReceiverPath)), cancellationToken).ConfigureAwait(false);
                }
                catch (HostException e)
                {
                    // A fleet must not wait for each host's own timeout on the way to one store.
                    _failure = e;
                    throw About(e, context.HostName);
                }
            }

            return _facts;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Whether the store has to be prepared before any key: account, directory, script. A sentence each.</summary>
    /// <exception cref="HostException">DumpUserMissing, NotRoot, DumpPathMissing.</exception>
    public IReadOnlyList<string> Missing(HostReply facts, string hostName)
    {
        if (_prepared)
        {
            return [];
        }

        var missing = new List<string>();
        if (string.IsNullOrEmpty(facts.Text("user")))
        {
            missing.Add(request.CreateUser ? $"Make the account {request.User} on {Name}." : throw new HostException(ErrorIds.DumpUserMissing, hostName, $"{Name} has no account {request.User}.")
            {
                Remedy = "Make it with -CreateUser, or name another one with -SshUser.",
            });
        }
        else if (facts.Text("keysfile") == "none")
        {
            throw new HostException(ErrorIds.DumpKeyFailed, hostName, $"The SSH server of {Name} reads no authorized_keys for {request.User} (AuthorizedKeysFile none).") { Remedy = "Allow it for this account in sshd_config." };
        }

        if (string.IsNullOrEmpty(facts.Text("dir.stat")))
        {
            missing.Add(request.CreatePath ? $"Make the directory {request.DumpPath} on {Name}, for {request.User} alone." : throw new HostException(ErrorIds.DumpPathMissing, hostName, $"{Name} has no directory {request.DumpPath}.")
            {
                Remedy = "Make it with -CreatePath.",
            });
        }

        if (request.Limit == DumpKeyLimit.Commands && facts.Text("receiver.sha") != Sha(HostScript.Read("kdumpnfs-receive")))
        {
            missing.Add($"Install {ReceiverPath} on {Name}, which limits what dump keys may do.");
        }

        return missing;
    }

    /// <summary>Whether a line for authorized_keys is there.</summary>
    public static bool Has(HostReply facts, string line) => facts.File("keys") is { } keys && keys.Text.Split('\n').Contains(line, StringComparer.Ordinal);

    /// <summary>Installs a key, and before the first one what is missing.</summary>
    /// <exception cref="HostException">NotRoot, DumpKeyFailed.</exception>
    public async Task InstallAsync(string line, string blob, string mark, HostContext context, CancellationToken cancellationToken)
    {
        var facts = await FactsAsync(context, cancellationToken).ConfigureAwait(false);
        if (facts.Text("uid") != "0")
        {
            throw new HostException(ErrorIds.NotRoot, context.HostName, $"Installing a dump key on {Name} needs root there.")
            {
                Remedy = "Connect to the store as root (-StoreUserName root), or use -Sudo.",
            };
        }

        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var script = HostScript.Load("sshinstall",
                ("user", request.User), ("create_user", request.CreateUser ? "1" : ""), ("dir", request.DumpPath), ("create_dir", request.CreatePath ? "1" : ""),
                ("receiver", ReceiverPath), ("receiver_data", request.Limit == DumpKeyLimit.Commands ? Convert.ToBase64String(Encoding.UTF8.GetBytes(HostScript.Read("kdumpnfs-receive"))) : ""),
                ("keys_path", string.IsNullOrEmpty(facts.Text("user")) ? "" : facts.Text("keysfile") ?? ""), ("line", line), ("blob", blob), ("mark", mark));
            var reply = await HostReply.RunAsync(_connection!, script, cancellationToken).ConfigureAwait(false);
            if (!reply.Flag("installed"))
            {
                throw new HostException(ErrorIds.DumpKeyFailed, context.HostName, $"The dump key could not be installed on {Name}.")
                {
                    HostSaid = reply.Text("fail.said"),
                    Remedy = "Mend the cause on the store and run the command again. The host's configuration was not changed.",
                };
            }

            _prepared = true;
        }
        catch (HostException e) when (e.HostName == store.HostName && e.ErrorId != ErrorIds.DumpKeyFailed)
        {
            throw About(e, context.HostName);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
        }

        _gate.Dispose();
    }

    private HostException About(HostException e, string hostName) =>
        new(e.ErrorId, hostName, $"The store {Name} could not be asked: {e.What}", e) { HostSaid = e.HostSaid, Remedy = e.Remedy };

    private static string Sha(string text) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text))).ToLowerInvariant();
}
