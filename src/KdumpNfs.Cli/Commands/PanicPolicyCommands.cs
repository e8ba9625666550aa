using System.CommandLine;
using KdumpNfs.Crash;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs panic-policy</c>, <c>set-panic-policy</c>, <c>restore-panic-policy</c>.</summary>
internal static class PanicPolicyCommands
{
    /// <summary>Get-KernelPanicPolicy.</summary>
    public static Command Get()
    {
        var hosts = Shared.Hosts();
        var command = new Command("panic-policy", "When the kernel of each host panics by itself, now and after the next boot") { hosts };
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new KernelPanicPolicyOperation(connection.Access(parsed));
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name),
                async (host, context, token) => context.Output(await operation.RunAsync(host, context, token)));
        }));
        return command;
    }

    /// <summary>Set-KernelPanicPolicy.</summary>
    public static Command Set()
    {
        var hosts = Shared.Hosts();
        var switches = PanicSettings.All.Where(s => s != PanicSetting.PanicTimeout).ToDictionary(s => s, s =>
            new Option<bool?>("--" + s.Key()["kernel.".Length..].Replace('_', '-')) { Description = $"{s.Key()}: true or false; left alone if not given", Arity = ArgumentArity.ExactlyOne, HelpName = "true|false" });
        var timeout = new Option<int?>("--panic-timeout") { Description = "kernel.panic: seconds until a panicked kernel reboots; 0 never, -1 at once" };
        var scope = new Option<SettingScope>("--scope") { Description = "How long it lasts", DefaultValueFactory = _ => SettingScope.Persistent };
        var force = new Option<bool>("--force") { Description = "Answer the second question, that about --panic-on-warn" };
        var command = new Command("set-panic-policy", "Make kernels panic where they would go on, so that there is a dump") { hosts, timeout, scope, force };
        var imageRoot = Shared.ImageRoot(command);
        foreach (var option in switches.Values)
        {
            command.Options.Add(option);
        }

        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Force = parsed.GetValue(force) }, session =>
        {
            var settings = switches.Where(s => parsed.GetValue(s.Value) is not null).ToDictionary(s => s.Key, s => parsed.GetValue(s.Value) == true ? 1 : 0);
            if (parsed.GetValue(timeout) is { } seconds)
            {
                settings[PanicSetting.PanicTimeout] = seconds;
            }

            var operation = new SetKernelPanicPolicyOperation(connection.Access(parsed), settings) { Scope = parsed.GetValue(scope), ImageRoot = SysctlImage.Check(parsed.GetValue(imageRoot), parsed.GetValue(scope)) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
        }));
        return command;
    }

    /// <summary>Restore-KernelPanicPolicy.</summary>
    public static Command Restore()
    {
        var hosts = Shared.Hosts();
        var command = new Command("restore-panic-policy", "Bring back what was there before set-panic-policy") { hosts };
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new RestoreKernelPanicPolicyOperation(connection.Access(parsed));
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
        }));
        return command;
    }
}
