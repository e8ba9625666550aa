using System.CommandLine;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Cli.Commands;

/// <summary>The commands that read dumps: Get-VmcoreReport, Get-VmcoreDmesg, Test-Vmcore, Convert-Vmcore, Export-VmcoreBundle.</summary>
internal static class ReadCommands
{
    /// <summary><c>kdumpnfs report</c>.</summary>
    public static Command Report()
    {
        var lines = new Option<int>("--log-lines") { Description = "How many of the log's last lines to give", DefaultValueFactory = _ => ReportBuilder.DefaultLogLines };
        var command = new Command("report", "What happened, from a dump or a saved kernel log") { lines };
        var dumps = new DumpOptions(command, "Dumps, or logs as text");
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var count = parsed.GetValue(lines) is >= 0 and <= 100_000 and var known ? known
                : throw ConnectionOptions.Refused("--log-lines is not between 0 and 100000.", "Give a number of lines.");
            dumps.ForEach(parsed, connection, session, async (access, place, context, token) =>
                context.Output(await VmcoreReportOperation.RunAsync(access, place, count, context, token)));
        }));
        return command;
    }

    /// <summary><c>kdumpnfs dmesg</c>.</summary>
    public static Command Dmesg()
    {
        var caller = new Option<bool>("--caller") { Description = "Add the column of who wrote each message" };
        var command = new Command("dmesg", "The kernel's log of a dump, to a file or pipe as makedumpfile --dump-dmesg writes it") { caller };
        var dumps = new DumpOptions(command, "The dump", many: false);
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
            dumps.ForEach(parsed, connection, session, async (access, place, context, token) =>
            {
                var log = await VmcoreDmesgOperation.RunAsync(access, place, context, token);
                if (session.Options.Json)
                {
                    foreach (var record in log.Records)
                    {
                        context.Output(record);
                    }
                }
                else
                {
                    Write(log, parsed.GetValue(caller));
                }
            })));
        return command;
    }

    /// <summary><c>kdumpnfs test-vmcore</c>.</summary>
    public static Command Test()
    {
        var full = new Option<bool>("--full") { Description = "Read and unpack every page, on all cores" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print nothing; the exit status tells" };
        var command = new Command("test-vmcore", "Whether a dump can be read. Exit status 1 when one cannot") { full, quiet };
        var dumps = new DumpOptions(command, "Dumps");
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed =>
        {
            var bad = false;
            var status = Session.Run(() => connection.Session(parsed), session =>
            {
                session.Filter = value =>
                {
                    bad |= value is VmcoreTest { Passed: false };
                    return !parsed.GetValue(quiet);
                };
                dumps.ForEach(parsed, connection, session, async (access, place, context, token) =>
                    context.Output(await TestVmcoreOperation.RunAsync(access, place, parsed.GetValue(full), context, token)));
            });
            return status == ExitStatus.Done && bad ? ExitStatus.HostFailed : status;
        });
        return command;
    }

    /// <summary><c>kdumpnfs convert</c>.</summary>
    public static Command Convert()
    {
        var path = new Argument<string>("FLATTENED") { Description = "The flattened dump (makedumpfile -F)" };
        var destination = new Argument<string>("DESTINATION") { Description = "The new file" };
        var force = new Option<bool>("--force") { Description = "Replace a file that is there already" };
        var command = new Command("convert", "Rearranges a flattened dump, as makedumpfile -R does") { path, destination, force };
        var connection = new ConnectionOptions(command, writesHere: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var (from, to) = (Path.GetFullPath(parsed.GetValue(path)!), Path.GetFullPath(parsed.GetValue(destination)!));
            if (session.Ask($"Rearrange {from} into {to}"))
            {
                session.Fleet.Start(from, async (context, token) =>
                    context.Output(await ConvertVmcoreOperation.RunAsync(from, to, parsed.GetValue(force), context, token)));
            }
        }));
        return command;
    }

    /// <summary><c>kdumpnfs export-bundle</c>.</summary>
    public static Command Bundle()
    {
        var destination = new Option<string>("--destination", "-d") { Description = "The directory that archives are put into", DefaultValueFactory = _ => "." };
        var include = new Option<bool>("--include-dump") { Description = "Pack the dump, too: the memory of a server, nothing in it is masked" };
        var force = new Option<bool>("--force") { Description = "Replace an archive of the same name" };
        var crashed = new Option<string?>("--crashed-host") { Description = "The host that crashed: its kdump configuration and state are packed" };
        var lines = new Option<int>("--log-lines") { Description = "How many of the log's last lines the report has", DefaultValueFactory = _ => ReportBuilder.DefaultLogLines };
        var command = new Command("export-bundle", "Packs report, logs, configuration and hashes of a crash into one archive, secrets masked") { destination, include, force, crashed, lines };
        var dumps = new DumpOptions(command, "Dumps, or logs as text");
        var connection = new ConnectionOptions(command, writesHere: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var count = parsed.GetValue(lines) is >= 0 and <= 100_000 and var known ? known
                : throw ConnectionOptions.Refused("--log-lines is not between 0 and 100000.", "Give a number of lines.");
            var host = parsed.GetValue(crashed) is { } name ? connection.Host(parsed, name) : null;
            var folder = Path.GetFullPath(parsed.GetValue(destination)!);
            dumps.ForEach(parsed, connection, session, async (access, place, context, token) => context.Output(
                await new ExportVmcoreBundleOperation(connection.Access(parsed), access)
                {
                    Destination = folder,
                    IncludeDump = parsed.GetValue(include),
                    Force = parsed.GetValue(force),
                    CrashedHost = host,
                    LogLines = count,
                }.RunAsync(place, context, token)),
                place => session.Ask($"Pack {(place.Store is null ? place.Path : $"{place.Name}:{place.Path}")} into {folder}"));
        }));
        return command;
    }

    // A terminal must not obey what a crashed host printed; a file or a pipe gets the bytes.
    private static void Write(KernelLog log, bool caller)
    {
        if (Console.IsOutputRedirected)
        {
            using var output = Console.OpenStandardOutput();
            log.WriteTo(output, caller);
        }
        else
        {
            Console.Out.Write(Printable.EscapeLines(log.ToText(caller)));
        }
    }
}
