using System.Globalization;
using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Collection;

/// <summary>What became of a dump that was to go.</summary>
public enum RemovalOutcome
{
    /// <summary>The directory is gone with all its files.</summary>
    Removed,

    /// <summary>It stays: it was being written, is held, or is one that always stays.</summary>
    Kept,

    /// <summary>It stays: something in it changed since it was looked at.</summary>
    Changed,

    /// <summary>It stays: it has more than regular files in it, or is no plain directory.</summary>
    NotPlain,

    /// <summary>It could not be removed, or not wholly.</summary>
    Failed,
}

/// <summary>What became of one crash directory.</summary>
/// <param name="CrashedHost">The crashed host as the directory names it.</param>
/// <param name="Path">Path on the store.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">Why it was to go, or why it stays.</param>
/// <param name="Bytes">Length of its files together.</param>
/// <param name="AgedBy">Its newest dump or log, by the store's clock.</param>
/// <param name="State">Where the dump stood.</param>
/// <param name="StoreHost">The store.</param>
public sealed record VmcoreRemoval(
    string CrashedHost, string Path, RemovalOutcome Outcome, string? Reason, long Bytes, DateTimeOffset AgedBy, VmcoreState State, string StoreHost);

/// <summary>Remove-Vmcore: removes dumps of a store by age, number or size, after one question that lists them.</summary>
public sealed class RemoveVmcoreOperation(HostAccess access, RetentionPolicy policy)
{
    private const int MaximumDirectories = 100_000;
    private const int MaximumListed = 200;

    private readonly RetentionPolicy _policy = (policy ?? throw new ArgumentNullException(nameof(policy))).Validated();

    /// <summary>Works on one store: looks, decides, asks, removes. Gives an object for each dump that was to go.</summary>
    /// <exception cref="HostException">
    /// InvalidInput: a named dump is not right under the root. VmcoreMissing: a named one is not there. RemoveFailed: some stay that were to go; the objects say which.
    /// And what listing a store can throw.
    /// </exception>
    public async Task RunAsync(SshHost store, string exportPath, string? dumpPath, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(context);
        var root = RemoteVmcores.JoinPath(store.HostName, exportPath, dumpPath);
        var policy = Named(store.HostName, root);
        var connection = await access.ConnectAsync(store, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var decisions = await DecideAsync(connection, root, policy, context, cancellationToken).ConfigureAwait(false);
            var planned = await LookAsync(connection, root, decisions, cancellationToken).ConfigureAwait(false);
            foreach (var stays in planned.Where(p => p.Outcome is not null))
            {
                context.Verbose($"{Printable.Escape(stays.Decision.Dump.Path)} stays: {stays.Reason}.");
            }

            var going = planned.Where(p => p.Outcome is null).ToList();
            if (going.Count > 0 && !await context.ConfirmAsync(Question(store.HostName, root, going), cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            var removed = await RemoveAsync(connection, root, going, cancellationToken).ConfigureAwait(false);
            foreach (var one in planned.Where(p => p.Outcome is not null).Concat(removed))
            {
                context.Output(one.Result(store.HostName));
            }

            var failed = removed.Count(r => r.Outcome != RemovalOutcome.Removed) + planned.Count(p => p.Outcome == RemovalOutcome.NotPlain);
            if (failed > 0)
            {
                throw new HostException(ErrorIds.RemoveFailed, store.HostName, $"{failed} of {going.Count + planned.Count(p => p.Outcome == RemovalOutcome.NotPlain)} crash directories were not removed.")
                {
                    HostSaid = string.Join('\n', removed.Concat(planned).Where(r => r.Outcome is not (null or RemovalOutcome.Removed or RemovalOutcome.Kept)).Take(20).Select(r => $"{r.Decision.Dump.Path}: {r.Reason}")),
                    Remedy = "The objects say which and why; what changed meanwhile can be removed by another run.",
                };
            }
        }
    }

    // Paths as they are written may have double slashes; the root decides.
    private RetentionPolicy Named(string storeHost, string root) => _policy.Chosen is null ? _policy
        : _policy with { Chosen = _policy.Chosen.Select(path => $"{root.TrimEnd('/')}/{StorePath.Under(storeHost, root, path)}").ToHashSet(StringComparer.Ordinal) };

    private static async Task<List<RetentionDecision>> DecideAsync(
        IHostConnection connection, string root, RetentionPolicy policy, HostContext context, CancellationToken cancellationToken)
    {
        context.Progress("Removing dumps", "looking at what there is");
        var listing = await RemoteVmcores.ListAsync(connection, new StoreQuery { Maximum = MaximumDirectories }, root, new DumpReading(), context, cancellationToken).ConfigureAwait(false);
        context.Progress("Removing dumps", "", done: true);
        if (listing.Truncated)
        {
            throw new HostException(ErrorIds.NotSupported, connection.Host.HostName, $"There are more than {MaximumDirectories} crash directories.")
            {
                Remedy = "Nothing was removed: which ones are the first of their hosts is not known. Remove the oldest by hand.",
            };
        }

        var dumps = listing.Directories.Select(d => VmcoreAssessment.Assess(d, listing.Now, connection.Host.HostName, root)).OfType<VmcoreDump>().ToList();
        if (policy.Chosen is { } chosen && chosen.Except(dumps.Select(d => d.Path)).FirstOrDefault() is { } missing)
        {
            throw new HostException(ErrorIds.VmcoreMissing, connection.Host.HostName, $"There is no such dump on the store: {Printable.Escape(missing)}.")
            {
                Remedy = "Nothing was removed. Get-Vmcore lists what there is; links are not followed.",
            };
        }

        return [.. policy.Decide(dumps, listing.Now).Where(d => d.Asked)];
    }

    private sealed record Planned(RetentionDecision Decision, StoreDirectory? Directory, RemovalOutcome? Outcome, string? Reason)
    {
        public VmcoreRemoval Result(string storeHost) => new(
            Decision.Dump.CrashedHost, Decision.Dump.Path, Outcome ?? RemovalOutcome.Failed, Reason, RetentionPolicy.BytesOf(Decision.Dump), Decision.AgedBy, Decision.Dump.State, storeHost);
    }

    // What is in each of them, to the last hidden file: only that is removed later.
    private static async Task<List<Planned>> LookAsync(IHostConnection connection, string root, List<RetentionDecision> decisions, CancellationToken cancellationToken)
    {
        var names = decisions.Where(d => d.Remove).Select(NameOf).ToList();
        var found = names.Count == 0 ? [] : await StoreDirectory.ListAsync(connection, root, names, cancellationToken).ConfigureAwait(false);
        var directories = found.ToDictionary(d => d.Name, StringComparer.Ordinal);
        return
        [
            .. decisions.Select(d => !d.Remove ? new Planned(d, null, RemovalOutcome.Kept, d.Reason)
                : !directories.TryGetValue(NameOf(d), out var directory) || directory.Error is not null ? new Planned(d, null, RemovalOutcome.NotPlain, "it is no plain directory with some files")
                : directory.Held ? new Planned(d, null, RemovalOutcome.Kept, "it is held")
                : directory.Entries.FirstOrDefault(e => !e.IsFile) is { } odd ? new Planned(d, null, RemovalOutcome.NotPlain, $"'{Printable.Escape(odd.Name ?? "(a name that is not UTF-8)")}' in it is no regular file")
                : new Planned(d, directory, null, d.Reason)),
        ];
    }

    private static async Task<List<Planned>> RemoveAsync(IHostConnection connection, string root, List<Planned> going, CancellationToken cancellationToken)
    {
        if (going.Count == 0)
        {
            return [];
        }

        var list = new StringBuilder();
        foreach (var one in going)
        {
            list.Append(CultureInfo.InvariantCulture, $"{one.Directory!.Name} {one.Directory.Id} {one.Directory.Fingerprint}\n");
        }

        var reply = await HostReply.RunAsync(connection, StoreDirectory.Script("removedumps", root, ("LIST", list.ToString())), cancellationToken).ConfigureAwait(false);
        return
        [
            .. going.Select(one => (reply.Text(one.Directory!.Name + ".outcome") ?? "failed") switch
            {
                "removed" => one with { Outcome = RemovalOutcome.Removed },
                "held" => one with { Outcome = RemovalOutcome.Changed, Reason = "it was held meanwhile" },
                "changed" => one with { Outcome = RemovalOutcome.Changed, Reason = "something in it changed since it was looked at" },
                "notplain" => one with { Outcome = RemovalOutcome.NotPlain, Reason = "it is no plain directory with regular files any more" },
                var words => one with { Outcome = RemovalOutcome.Failed, Reason = Printable.Escape(words) },
            }),
        ];
    }

    private static string NameOf(RetentionDecision decision) => decision.Dump.Path[(decision.Dump.Path.LastIndexOf('/') + 1)..];

    private static ChangeQuestion Question(string storeHost, string root, List<Planned> going)
    {
        var bytes = going.Sum(g => RetentionPolicy.BytesOf(g.Decision.Dump));
        var lines = going.Take(MaximumListed).Select(g => string.Create(CultureInfo.InvariantCulture,
            $"  {NameOf(g.Decision)}  {RetentionPolicy.BytesOf(g.Decision.Dump) / 1048576.0:0.0} MiB  {g.Decision.AgedBy.UtcDateTime:yyyy-MM-dd HH:mm}Z  {g.Decision.Dump.State}: {g.Reason}"));
        return new ChangeQuestion(storeHost, string.Create(CultureInfo.InvariantCulture, $"Remove {going.Count} crash director{(going.Count == 1 ? "y" : "ies")} ({bytes / 1048576.0:0.0} MiB) from {root}"))
        {
            Description = string.Join('\n', lines) + (going.Count > MaximumListed ? $"\n  and {going.Count - MaximumListed} more" : ""),
        };
    }
}
