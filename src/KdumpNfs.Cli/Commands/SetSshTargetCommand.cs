using System.CommandLine;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs set-ssh-target</c>: Set-KdumpSshTarget.</summary>
internal static class SetSshTargetCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var server = new Option<string>("--ssh-server") { Description = "Name or address of the store, as the hosts reach it, on port 22", Required = true };
        var user = new Option<string>("--ssh-user") { Description = "The account on the store that takes the dumps", DefaultValueFactory = _ => "kdump" };
        var dumpPath = new Option<string>("--dump-path") { Description = "The directory for dumps on the store", Required = true };
        var dumpKey = new Option<string?>("--dump-key") { Description = "The dump key on each host; made there if it is missing" };
        var from = new Option<string[]>("--from-address") { Description = "Address or pattern from which the store takes a dump key, instead of the host's own; may be repeated" };
        var limit = new Option<DumpKeyLimit>("--dump-key-limit") { Description = "How far a dump key is limited on the store" };
        var createUser = new Option<bool>("--create-user") { Description = "Make the account on the store if it is missing" };
        var createPath = new Option<bool>("--create-path") { Description = "Make the directory on the store if it is missing" };
        var store = new Option<string?>("--store") { Description = "The store as this machine reaches it, with an account that may become root; --ssh-server where it is the same" };
        var storeUser = new Option<string?>("--store-user") { Description = "Login name on the store" };
        var storePort = new Option<int?>("--store-port") { Description = "Port of the store's SSH server, for this machine" };
        var storeKey = new Option<string?>("--store-key") { Description = "Private key file for the store" };
        var command = new Command("set-ssh-target", "Send the dumps of hosts to an account on a server, each with a dump key of its own that is made, let in and checked here")
        {
            hosts, server, user, dumpPath, dumpKey, from, limit, createUser, createPath, store, storeUser, storePort, storeKey,
        };
        var storeLimit = Shared.StoreLimit(command);
        var passPlan = Shared.PassPlan();
        command.Add(passPlan);
        var capture = new CaptureOptionSet(command);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var request = SshTargetRequest.Create(parsed.GetValue(server)!, parsed.GetValue(user)!, parsed.GetValue(dumpPath)!, parsed.GetValue(dumpKey),
                parsed.GetValue(from) ?? [], parsed.GetValue(limit), parsed.GetValue(createUser), parsed.GetValue(createPath), capture.Read(parsed));
            var at = ConnectionOptions.Host(parsed.GetValue(store) ?? request.Server, parsed.GetValue(storeUser), parsed.GetValue(storePort), parsed.GetValue(storeKey));
            var operation = new SetSshTargetOperation(connection.Access(parsed), request, at) { PassPlan = parsed.GetValue(passPlan), Stores = Shared.Stores(parsed, storeLimit) };
            try
            {
                session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
                FleetPump.Finish(session.Fleet, session);
            }
            finally
            {
                operation.DisposeAsync().AsTask().Wait(Shared.CloseLimit);
            }
        }));
        return command;
    }
}
