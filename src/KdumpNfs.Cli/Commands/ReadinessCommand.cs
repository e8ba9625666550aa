using System.CommandLine;
using KdumpNfs.Kdump;
using KdumpNfs.Readiness;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs readiness</c>: Test-KdumpReadiness. The exit status is 1 when a host does not pass.</summary>
internal static class ReadinessCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var probe = new Option<bool>("--probe") { Description = "Mount the export from each host, write there and remove it, count how large a dump would be; needs root" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print no results: the exit status tells" };
        var summary = new Option<bool>("--summary") { Description = "After the hosts, how many of them each store has room for" };
        var expected = new Option<string?>("--expected-target") { Description = "Where dumps should go, as server:/path; another target fails" };
        var command = new Command("readiness", "Whether a crash of each host now would end as a usable vmcore, check by check; exit status 1 when one does not pass")
        {
            hosts, probe, quiet, summary, expected,
        };
        var storeLimit = Shared.StoreLimit(command);
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new TestReadinessOperation(connection.Access(parsed))
            {
                Stores = Shared.Stores(parsed, storeLimit),
                Probe = parsed.GetValue(probe),
                ExpectedTarget = parsed.GetValue(expected) is { } text ? TargetInput.Parse(text).Target : null,
            };
            var seen = new List<HostReadiness>();
            session.FailedObject = failure => parsed.GetValue(quiet) ? null : HostReadiness.NotAsked(failure);
            session.Filter = value =>
            {
                if (value is HostReadiness readiness)
                {
                    session.AnyFailed |= !readiness.Passed;
                    seen.Add(readiness with { Checks = [], Status = null, LastDrill = null });
                }

                return !parsed.GetValue(quiet);
            };
            session.OnFinished = () =>
            {
                foreach (var store in StoreReadiness.Of(seen))
                {
                    if (store.Warning is { } warning)
                    {
                        session.Warning("", warning);
                    }

                    if (parsed.GetValue(summary))
                    {
                        session.Output(store);
                    }
                }
            };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name),
                async (host, context, token) => context.Output(await operation.RunAsync(host, context, token)));
        }));
        return command;
    }
}
