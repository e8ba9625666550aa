using System.Globalization;
using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Crash;

/// <summary>How long a kernel setting lasts.</summary>
public enum SettingScope
{
    /// <summary>Until the next boot.</summary>
    Boot,

    /// <summary>In a drop-in of ours under /etc/sysctl.d, and now.</summary>
    Persistent,
}

/// <summary>What Enable-Sysrq did.</summary>
/// <param name="HostName">The host as it was asked for.</param>
/// <param name="Changed">False when everything was as asked for.</param>
/// <param name="Mask">The mask in force now.</param>
/// <param name="PreviousMask">The mask that was in force.</param>
/// <param name="Scope">How long it lasts.</param>
/// <param name="OverriddenBy">A file that wins over our drop-in at the next boot; null if ours wins.</param>
/// <param name="Diff">The change of the drop-in as a unified diff.</param>
public sealed record SysrqChange(string HostName, bool Changed, int Mask, int? PreviousMask, SettingScope Scope, string? OverriddenBy, string Diff);

/// <summary>Enable-Sysrq: our drop-in and only our key, or this boot only.</summary>
public sealed class EnableSysrqOperation(HostAccess access)
{
    /// <summary>Our drop-in; panic settings share it. The reference text names it so.</summary>
    public const string DropInPath = "/etc/sysctl.d/kernel_debug.conf";

    /// <summary>Everything allowed (Documentation/admin-guide/sysrq.rst).</summary>
    public const int AllFunctions = 1;

    private readonly int _mask = AllFunctions;

    /// <summary>0 to 511: 1 allows all, other values are a sum (8: dumps of processes and the crash; 16 sync, 32 remount, 128 reboot).</summary>
    public int Mask
    {
        get => _mask;
        init => _mask = value is >= 0 and <= 511
            ? value
            : throw new HostException(ErrorIds.InvalidInput, "", $"The sysrq mask {value} is not between 0 and 511.")
            {
                Remedy = "1 allows everything, 8 is enough for the crash key over a console.",
            };
    }

    /// <summary>How long it lasts.</summary>
    public SettingScope Scope { get; init; } = SettingScope.Persistent;

    /// <summary>Works on one host; nothing is given if the answer was no.</summary>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var reply = await HostReply.RunAsync(connection, HostScript.Load("sysctlfacts", ("drop_in", DropInPath), ("key_path", "kernel/sysrq")), cancellationToken)
                .ConfigureAwait(false);
            if (reply.Text("value")?.Trim() is not { Length: > 0 } value || !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var before))
            {
                throw new HostException(ErrorIds.NotSupported, host.HostName, "The kernel has no /proc/sys/kernel/sysrq.") { Remedy = "It was built without CONFIG_MAGIC_SYSRQ." };
            }

            var file = reply.File("dropin");
            var wanted = Mask.ToString(CultureInfo.InvariantCulture);
            var oldContent = file?.Content ?? default;
            var newContent = Scope == SettingScope.Persistent ? SysctlDropIn.Parse(oldContent.Span).With("kernel.sysrq", wanted).ToBytes() : oldContent.ToArray();
            var writes = Scope == SettingScope.Persistent && (file is null || !file.Content.Span.SequenceEqual(newContent));
            var diff = writes ? UnifiedDiff.Show(oldContent.Span, newContent, DropInPath, DropInPath) : "";
            var overriddenBy = Scope == SettingScope.Persistent ? Overrider(reply, newContent) : null;
            if (overriddenBy is not null)
            {
                context.Warning($"{overriddenBy} on {host.HostName} is read after {DropInPath} and sets kernel.sysrq too: at the next boot its value wins.");
            }

            if (!writes && before == Mask)
            {
                context.Output(new SysrqChange(host.HostName, false, before, before, Scope, overriddenBy, ""));
                return;
            }

            var question = new ChangeQuestion(host.HostName, $"Set kernel.sysrq from {before} to {wanted} ({(Scope == SettingScope.Boot ? "this boot only" : "persistent")})")
            {
                Description = diff.Length == 0 ? null : diff,
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            var stamp = DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
            var job = HostJob.Compose("enablesysrq", ("write", writes ? "1" : "0"), ("file", DropInPath), ("old_sha", file?.Sha256 ?? ""),
                ("old_data", Convert.ToBase64String(oldContent.Span)), ("new_data", Convert.ToBase64String(newContent)), ("stamp", stamp), ("mask", wanted));
            var done = await new HostJob(access, host, context).RunAsync(connection, "Enabling sysrq", job, cancellationToken).ConfigureAwait(false);
            if (HostJob.FailureOf(done, host.HostName) is { } failure)
            {
                throw failure;
            }

            context.Output(new SysrqChange(host.HostName, true, Mask, before, Scope, overriddenBy, diff));
        }
    }

    private static string? Overrider(HostReply reply, byte[] ours)
    {
        var files = reply.All("file").Zip(reply.All("file.data"), (path, data) => new SysctlFile(path, Convert.FromBase64String(data)))
            .Where(file => file.Path != DropInPath).Append(new SysctlFile(DropInPath, ours)).ToList();
        return SysctlPrecedence.OverriddenBy(files, DropInPath, "kernel.sysrq")?.Path;
    }
}
