using System.CommandLine;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs apply-plan</c>: Invoke-KdumpPlan.</summary>
internal static class ApplyPlanCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "Files of plans: the output of --pass-plan --json, or of PowerShell's ConvertTo-Json; - for stdin", Arity = ArgumentArity.OneOrMore };
        var command = new Command("apply-plan", "Apply plans that were looked at, to hosts that are still as they were when the plans were made") { files };
        var storeLimit = Shared.StoreLimit(command);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            // All of them are read before the first host is contacted.
            var plans = parsed.GetValue(files)!
                .SelectMany(file => file == "-" ? KdumpPlanReader.ReadJson(Console.In.ReadToEnd()) : KdumpPlanReader.ReadFile(file))
                .Select(plan => (Host: HostOf(connection.Host(parsed, plan.HostName), plan).Validated(), Plan: plan)).ToList();
            var operation = new ApplyPlanOperation(connection.Access(parsed)) { Stores = Shared.Stores(parsed, storeLimit) };
            // Two plans may be for one host; each goes with its own object.
            var ofHosts = new Dictionary<SshHost, KdumpPlan>(ReferenceEqualityComparer.Instance);
            plans.ForEach(plan => ofHosts.Add(plan.Host, plan.Plan));
            try
            {
                session.ForEach(
                    begin => plans.ForEach(plan => begin(plan.Host)),
                    (host, context, token) => operation.RunAsync(ofHosts[host], host, context, token));
                FleetPump.Finish(session.Fleet, session);
            }
            finally
            {
                operation.DisposeAsync().AsTask().Wait(Shared.CloseLimit);
            }
        }));
        return command;
    }

    // What the command line says comes before what the plan was made with.
    private static SshHost HostOf(SshHost asked, KdumpPlan plan) => asked with
    {
        UserName = asked.UserName ?? plan.UserName, Port = asked.Port ?? plan.Port, KeyFilePath = asked.KeyFilePath ?? plan.KeyFilePath,
    };
}
