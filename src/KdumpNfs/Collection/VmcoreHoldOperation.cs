using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Collection;

/// <summary>What Set-VmcoreHold and Clear-VmcoreHold did.</summary>
/// <param name="Path">The crash directory on the store.</param>
/// <param name="Held">Whether it is held now.</param>
/// <param name="Changed">False when it was so already.</param>
/// <param name="StoreHost">The store.</param>
public sealed record VmcoreHold(string Path, bool Held, bool Changed, string StoreHost);

/// <summary>Set-VmcoreHold and Clear-VmcoreHold: a marker in a crash directory that keeps it from Remove-Vmcore.</summary>
/// <remarks>The marker is a file named <c>.hold</c> in the directory, and only that it is there counts: <c>touch DIRECTORY/.hold</c> on the store does the same.</remarks>
public sealed class VmcoreHoldOperation(HostAccess access)
{
    /// <summary>True to hold, false to let go.</summary>
    public required bool Hold { get; init; }

    /// <summary>Why, for whoever finds the marker.</summary>
    public string? Reason { get; init; }

    /// <summary>Works on one crash directory.</summary>
    /// <exception cref="HostException">InvalidInput: no path of a crash directory. VmcoreMissing: it is not there. WriteFailed, FileSystemReadOnly, NoSpace: the marker cannot be written or removed.</exception>
    public async Task RunAsync(SshHost store, string path, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(context);
        var place = StorePath.Parse(store.HostName, path);
        if (Reason?.Any(c => c == '\0') == true)
        {
            throw new HostException(ErrorIds.InvalidInput, store.HostName, "The reason has a character that no file should have.") { Remedy = "Give plain text." };
        }

        if (!await context.ConfirmAsync(new ChangeQuestion(place.Directory, Hold ? "Hold the dump" : "Let go of the dump"), cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        var connection = await access.ConnectAsync(store, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var words = $"{Environment.UserName}@{Environment.MachineName} {DateTimeOffset.UtcNow:u}{(string.IsNullOrWhiteSpace(Reason) ? "" : " " + Reason.Trim())}";
            var reply = await HostReply.RunAsync(connection, StoreDirectory.Script("holddump", place.Root, ("NAME", place.Name), ("HOLD", Hold ? "1" : "0"), ("WORDS", words)), cancellationToken)
                .ConfigureAwait(false);
            switch (reply.Text("error"))
            {
                case null:
                    break;
                case "nodump" or "notplain":
                    throw new HostException(ErrorIds.VmcoreMissing, store.HostName, $"There is no such dump on the store: {Printable.Escape(place.Directory)}.") { Remedy = "Get-Vmcore lists what there is; links are not followed." };
                case { } error:
                    throw StoreReply.Refused(error, store.HostName, place.Root);
            }

            if (reply.Text("failed") is { } said)
            {
                var id = WriteFailure.IdOf(said);
                throw new HostException(id, store.HostName, $"The marker in {Printable.Escape(place.Directory)} could not be {(Hold ? "written" : "removed")}.")
                {
                    HostSaid = said,
                    Remedy = id == ErrorIds.WriteFailed ? "Connect as root, or use -Sudo." : WriteFailure.Remedy(id),
                };
            }

            context.Output(new VmcoreHold(place.Directory, Hold, reply.Flag("before") != Hold, store.HostName));
        }
    }
}
