using KdumpNfs.Cli;
using KdumpNfs.Cli.Commands;
using System.CommandLine;
using System.CommandLine.Help;

KdumpNfs.Ssh.InlineSockets.Use();

// Not a RootCommand: that one is called like the assembly.
var root = new Command("kdumpnfs", """
    Kernel crash dumps of a fleet of Linux servers on central NFS storage, over SSH.

    Results go to stdout, as a table or with --json as one object a line; everything else goes to stderr.
    Exit status: 0 done; 1 a host failed, its error is on stderr (readiness: or does not pass); 2 bad usage or input, nothing was contacted;
    130 interrupted with Ctrl-C (143 with SIGTERM).
    """)
{
    StatusCommand.Create(),
    ReadinessCommand.Create(),
    SetNfsTargetCommand.Create(),
    ApplyPlanCommand.Create(),
    SetSshTargetCommand.Create(),
    SetLocalTargetCommand.Create(),
    RestoreCommand.CreateList(),
    RestoreCommand.Create(),
    EnableExportCommand.Create(),
    DisableExportCommand.Create(),
    ExportsCommand.Create(),
    EstimateCommand.Create(),
    StormCommand.Create(),
    CrashKernelCommands.CreateGet(),
    CrashKernelCommands.CreateSet(),
    SetupCommands.CreateInstall(),
    SetupCommands.CreateUpdate(),
    SetupCommands.CreateDisable(),
    EnableSysrqCommand.Create(),
    DisableSysrqCommand.Create(),
    PanicPolicyCommands.Get(),
    PanicPolicyCommands.Set(),
    PanicPolicyCommands.Restore(),
    SendSysrqCommand.Create(),
    CrashCommand.Create(),
    UncapturedCommand.Create(),
    VmcoresCommand.Create(),
    WaitVmcoreCommand.Create(),
    ReceiveCommand.Create(),
    HoldVmcoreCommand.Create(),
    RemoveVmcoresCommand.Create(),
    DrillCommands.Drill(),
    DrillCommands.Resume(),
    ReadCommands.Report(),
    ReadCommands.Bundle(),
    ReadCommands.Dmesg(),
    ReadCommands.Test(),
    ReadCommands.Convert(),
    PreferenceCommand.Create(),
    new HelpOption { Recursive = true },
    new VersionOption(),
};

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
    {
        Console.Error.WriteLine($"error InvalidInput: {error.Message}");
    }

    Console.Error.WriteLine("Run the command with --help for its options.");
    return ExitStatus.Usage;
}

// Ctrl-C is handled by the session, which knows what has to end.
return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
