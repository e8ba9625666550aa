using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>Reads when a host's kernel panics by itself.</summary>
public sealed class KernelPanicPolicyOperation(HostAccess access)
{
    /// <summary>Name of the record of what was there before.</summary>
    internal const string Record = "panic";

    internal static IReadOnlyList<string> Keys { get; } = [.. PanicSettings.All.Select(s => s.Key())];

    /// <summary>Reads one host.</summary>
    public async Task<KernelPanicPolicy> RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            return From(await SysctlFacts.ReadAsync(connection, Keys, Record, cancellationToken).ConfigureAwait(false));
        }
    }

    internal static KernelPanicPolicy From(SysctlFacts facts)
    {
        var ours = facts.DropIn is { } file ? SysctlDropIn.Parse(file.Content.Span) : null;
        return new KernelPanicPolicy
        {
            HostName = facts.HostName,
            ChangedSince = facts.Record?.Since,
            Settings =
            [
                .. from setting in PanicSettings.All
                   let key = setting.Key()
                   let winner = facts.Winner(key)
                   select new KernelPanicSetting(setting, key, Number(facts.Value(key)), Number(winner.Value), winner.Path, Number(ours?.Get(key)),
                       Number(facts.Record?.Values.FirstOrDefault(v => v.Key == key)?.Before)),
            ],
        };
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
