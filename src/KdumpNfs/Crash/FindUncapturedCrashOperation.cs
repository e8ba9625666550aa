using System.Globalization;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>
/// Find-UncapturedCrash: boots of hosts that did not end in good order, and whether the store has a dump of each. Hosts tell by their journal, wtmp
/// and pstore; the store is listed once for all of them.
/// </summary>
public sealed class FindUncapturedCrashOperation(HostAccess access, IVmcoreStore store) : IDisposable
{
    private readonly SemaphoreSlim _once = new(1, 1);
    private readonly int _maximum = 20;
    private IReadOnlyList<VmcoreDump>? _dumps;

    /// <summary>Only boots that ended since then.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Gives boots, too, whose dump is there.</summary>
    public bool IncludeCaptured { get; init; }

    /// <summary>At most so many boots of a host are looked at, the newest: 1 to 200.</summary>
    public int Maximum
    {
        get => _maximum;
        init => _maximum = value is > 0 and <= 200 ? value
            : throw new HostException(ErrorIds.InvalidInput, "", $"{value} boots are not between 1 and 200.") { Remedy = "Give the number of boots to look at." };
    }

    /// <summary>Looks at one host; gives an object for each unclean boot.</summary>
    /// <exception cref="HostException">NotSupported: the host remembers nothing of its boots; those of connecting and of listing the store.</exception>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        HostFacts facts;
        BootHistory history;
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            var reply = await HostReply.RunAsync(connection, HostScript.Load("boots", ("max", Maximum.ToString(CultureInfo.InvariantCulture))), cancellationToken).ConfigureAwait(false);
            history = BootHistory.From(reply);
        }

        if (!history.KnowsAnything)
        {
            throw new HostException(ErrorIds.NotSupported, host.HostName, "The host remembers nothing of its boots: no journal on disk, no wtmp, nothing in pstore.")
            {
                Remedy = facts.IsRoot ? "Make its journal persistent: mkdir /var/log/journal, systemctl restart systemd-journald." : "Connect as root, or use -Sudo: others do not see the journal.",
            };
        }

        if (history.Limitation is { } limitation)
        {
            context.Warning($"{host.HostName}: {limitation}.");
        }

        var identity = new HostIdentity(facts.Identities.Append(host.HostName));
        var dumps = (await DumpsAsync(context, cancellationToken).ConfigureAwait(false)).Where(d => identity.Is(d.CrashedHost) || (d.NodeName is { } node && identity.Is(node))).ToList();
        foreach (var boot in UncleanBoots.Reconcile(host.HostName, history, dumps, Maximum, Since))
        {
            if (IncludeCaptured || boot.Verdict != CaptureVerdict.Captured)
            {
                context.Output(boot);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _once.Dispose();

    private async Task<IReadOnlyList<VmcoreDump>> DumpsAsync(HostContext context, CancellationToken cancellationToken)
    {
        await _once.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A day more than asked for: clocks differ, and a dump may be older than the boot that followed it.
            return _dumps ??= await GetVmcoreOperation.RunAsync(store, new VmcoreFilter { Since = Since - TimeSpan.FromDays(1), Maximum = 10000 }, context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _once.Release();
        }
    }
}
