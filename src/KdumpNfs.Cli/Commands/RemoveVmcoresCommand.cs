using System.CommandLine;
using System.Globalization;
using KdumpNfs.Collection;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs remove-vmcores</c>: Remove-Vmcore.</summary>
internal static class RemoveVmcoresCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATH") { Description = "Crash directories to remove, as vmcores shows them; without any the limits choose", Arity = ArgumentArity.ZeroOrMore };
        var store = new Option<string>("--store") { Description = "The storage server, or any host that sees the share as a path", Required = true };
        var export = new Option<string>("--export") { Description = "The exported directory, as a path on the store", Required = true };
        var dumpPath = new Option<string?>("--dump-path") { Description = "Directory for dumps inside the export" };
        var olderThan = new Option<string?>("--older-than") { Description = "Dumps that did not change for longer: 90d, 36h" };
        var keepLast = new Option<int?>("--keep-last") { Description = "Dumps of a host beyond its newest so many" };
        var maxBytes = new Option<string?>("--max-bytes") { Description = "The oldest dumps of a host until it has at most so many bytes: 200G, 500M" };
        var all = new Option<bool>("--allow-first-and-newest") { Description = "Let dumps that are named go even when they are the first or newest of their host" };
        var command = new Command("remove-vmcores", """
            Remove dumps of a store by age, number or size, or those that are named.

            What is being written or held always stays, and of each host the first dump, the newest and the newest complete one.
            """) { paths, store, export, dumpPath, olderThan, keepLast, maxBytes, all };
        var connection = new ConnectionOptions(command, changes: true, batches: false);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var chosen = parsed.GetValue(paths) ?? [];
            var operation = new RemoveVmcoreOperation(connection.Access(parsed), new RetentionPolicy
            {
                OlderThan = parsed.GetValue(olderThan) is { } age ? Age(age) : null,
                KeepLast = parsed.GetValue(keepLast),
                MaxBytes = parsed.GetValue(maxBytes) is { } size ? Bytes(size) : null,
                Chosen = chosen.Length > 0 ? chosen.ToHashSet(StringComparer.Ordinal) : null,
                AllowFirstAndNewest = parsed.GetValue(all),
            });
            var host = connection.Host(parsed, parsed.GetValue(store)!);
            session.Fleet.Start(host.HostName, (context, token) => operation.RunAsync(host, parsed.GetValue(export)!, parsed.GetValue(dumpPath), context, token));
        }));
        return command;
    }

    private static TimeSpan Age(string text) =>
        text.Length > 1 && Number(text[..^1]) is { } number && number < 40_000
            ? text[^1] switch
            {
                'd' => TimeSpan.FromDays(number),
                'h' => TimeSpan.FromHours(number),
                _ => throw BadAge(text),
            }
            : throw BadAge(text);

    private static long Bytes(string text)
    {
        var shift = text.Length == 0 ? 0 : " KMGT".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) * 10;
        return Number(shift > 0 ? text[..^1] : text) is { } number && number * Math.Pow(2, Math.Max(0, shift)) < long.MaxValue
            ? (long)(number * Math.Pow(2, Math.Max(0, shift)))
            : throw ConnectionOptions.Refused($"'{Printable.Escape(text)}' is no number of bytes.", "Give a number, with K, M, G or T behind it: 200G");
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static HostException BadAge(string text) => ConnectionOptions.Refused($"'{Printable.Escape(text)}' is no age.", "Give days or hours: 90d, 36h");
}
