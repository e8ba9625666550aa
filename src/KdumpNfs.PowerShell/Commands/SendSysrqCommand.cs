using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Send-Sysrq: sends sysrq keys over the serial consoles of hosts, and gives what the consoles say. <c>-Key h</c> is the harmless check that the way works.</summary>
/// <remarks>
/// <para>Sends a break and keys to serial consoles, through a console server that is reached over SSH, and gives what the console says. That works while
/// a host hangs and answers nothing else. Before a break the host is told a random word over SSH, and the console has to show it: another machine's
/// console gets nothing.</para>
/// </remarks>
/// <example>
/// <code>
/// Send-Sysrq web01 -Key h -ConsoleHost conman01
/// </code>
/// <para>The harmless check that the way works.</para>
/// </example>
/// <example>
/// <code>
/// Send-Sysrq web01 -Key w, l, m -ConsoleHost conman01 | Format-List Key, Text
/// </code>
/// <para>Blocked tasks, stacks of all processors, and memory.</para>
/// </example>
/// <note>A host that does not answer over SSH cannot be proved to be behind its console: harmless keys are sent with a warning, others only with
/// -AllowUnproven. c, the crash, is for Invoke-SysrqCrash.</note>
/// <seealso cref="InvokeSysrqCrashCommand"/>
/// <seealso cref="EnableSysrqCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsCommunications.Send, "Sysrq", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(SysrqAnswer))]
public sealed class SendSysrqCommand : ConsoleCmdlet
{
    private SendSysrqOperation _operation = null!;

    /// <summary>The keys: h lists them, t stacks of all tasks, w of blocked ones, l of all processors, m memory.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [AllowEmptyCollection]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(SysrqKeyCompleter))]
    public string[] Key { get; set; } = [];

    /// <summary>Seconds of silence after which a console is taken to be done.</summary>
    [Parameter]
    public int QuietSec { get; set; } = 2;

    /// <summary>Seconds to listen at most, for each key.</summary>
    [Parameter]
    public int TimeoutSec { get; set; } = 120;

    /// <summary>An extended regular expression (grep -E); listening ends when it is seen.</summary>
    [Parameter]
    public string? Until { get; set; }

    /// <summary>Leaves the console's level as it is: a quiet console then shows headers alone, the rest is in the kernel's log.</summary>
    [Parameter]
    public SwitchParameter KeepConsoleLevel { get; set; }

    /// <summary>Sends keys that are not harmless to a console, too, that could not be proved to be the host's because the host does not answer over SSH.</summary>
    [Parameter]
    public SwitchParameter AllowUnproven { get; set; }

    /// <summary>Answers the second question, that about keys that are not harmless.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override bool IsForced => Force;

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        var listen = new ConsoleListen { Quiet = Seconds(QuietSec, nameof(QuietSec)), Limit = Seconds(TimeoutSec, nameof(TimeoutSec)), Until = string.IsNullOrEmpty(Until) ? null : Until };
        _operation = new SendSysrqOperation(Access, ConsoleAccess, Key) { Listen = listen, RaiseConsoleLevel = !KeepConsoleLevel, AllowUnproven = AllowUnproven };
        if (HostName is { Length: > 0 } && MyInvocation.BoundParameters.ContainsKey(nameof(ConsoleHost)))
        {
            foreach (var host in HostName)
            {
                MakeConsole(host);
            }
        }
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        SerialConsole console;
        try
        {
            console = MakeConsole(host.HostName) ?? throw Refused("No console server is given.", "Name it: -ConsoleHost conman01, with -Console where the console's name is not the host's.");
        }
        catch (HostException e)
        {
            return (_, _) => Task.FromException(e.For(host.HostName));
        }

        return (context, token) => _operation.RunAsync(host, console, context, token);
    }
}
