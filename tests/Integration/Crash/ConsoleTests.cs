using System.Globalization;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using KdumpNfs.Tests.Integration.Ssh;

namespace KdumpNfs.Tests.Integration.Crash;

/// <summary>A real conmand reached through a real sshd; the serial port behind it is a stand-in.</summary>
[Collection(SshGroup.Name)]
public sealed class ConsoleTests(SharedServer shared) : IDisposable
{
    private static readonly ConsoleListen Quick = new() { Quiet = TimeSpan.FromSeconds(0.6), FirstWord = TimeSpan.FromSeconds(3), Limit = TimeSpan.FromSeconds(30) };
    private readonly List<FleetMessage> _messages = [];
    private readonly FakeSerialPort _port = new();
    private ConsoleServer? _conman;

    private SshServer Server => shared.Server;

    private ConsoleServer Conman => _conman ??= ConsoleServer.Start(("node1", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port.Port}")), ("gone", "127.0.0.1:1"));

    private SerialConsole Node1 => Console("node1");

    private HostContext Context => new("node1", message =>
    {
        lock (_messages)
        {
            _messages.Add(message);
        }
    });

    public void Dispose()
    {
        _conman?.Dispose();
        _port.Dispose();
    }

    private static HostAccess AccessTo(SshServer server) => new(new OpenSshConnector(), new SshOptions
    {
        KnownHostsFiles = [server.KnownHosts],
        ConfigFile = "/dev/null",
        ConnectTimeout = TimeSpan.FromSeconds(60),
    });

    private static SshHost HostOf(SshServer server) => new(SshServer.Address, "root", server.Port, server.UserKey);

    private SerialConsole Console(string name) => new(HostOf(Server), ConsoleKind.Conman, name) { Daemon = Conman.Daemon };

    private Task<IReadOnlyList<ConsoleAnswer>> SendAsync(SerialConsole console, string keys, ConsoleListen? listen = null, ConsoleProof? proof = null, CancellationToken token = default) =>
        new ConsoleOperation(AccessTo(console.Server.Port == Server.Port ? Server : throw new InvalidOperationException())) { ProofLimit = TimeSpan.FromSeconds(3) }
            .SendAsync(console, [.. keys], listen ?? Quick, proof, Context, token);

    private static void Need() => Skip.If(ConsoleServer.NotRunnable is not null, ConsoleServer.NotRunnable);

    [SkippableFact]
    public async Task Keys_go_behind_breaks_and_their_answers_come_back()
    {
        Need();
        _port.Kernel = key => key switch
        {
            'h' => "\u001b[0msysrq: HELP : crash(c)\r\n",
            'm' => "sysrq: Show Memory\r\nMem-Info:\r\n",
            _ => "sysrq: This sysrq operation is disabled.\r\n",
        };
        var answers = await SendAsync(Node1, "hmt");
        Assert.Equal(['h', 'm', 't'], answers.Select(a => a.Key));
        Assert.Equal(['h', 'm', 't'], _port.Keys);
        Assert.Equal("", _port.Typed);
        Assert.Equal([SysrqAnswerState.Answered, SysrqAnswerState.Answered, SysrqAnswerState.Disabled], answers.Select(a => SysrqAnswer.Read(a.Text).State));
        Assert.Equal("sysrq: Show Memory\r\nMem-Info:\r\n", answers[1].Text);
        Assert.Equal("HELP : crash(c)", SysrqAnswer.Read(answers[0].Text).Action);
        Assert.All(answers, answer => Assert.Equal(ConsoleEnd.Quiet, answer.End));
        await GoneAsync();
    }

    [SkippableFact]
    public async Task A_console_that_says_nothing_is_no_answer()
    {
        Need();
        _port.Kernel = _ => null;
        var answer = Assert.Single(await SendAsync(Node1, "h", Quick with { FirstWord = TimeSpan.FromSeconds(1) }));
        Assert.Equal((ConsoleEnd.Silent, "", SysrqAnswerState.NoAnswer), (answer.End, answer.Text, SysrqAnswer.Read(answer.Text).State));
    }

    [SkippableFact]
    public async Task Nothing_is_sent_before_the_console_is_proved()
    {
        Need();
        var mismatch = await Assert.ThrowsAsync<HostException>(() => SendAsync(Node1, "c", proof: new ConsoleProof("WORD-OF-ANOTHER-HOST", _ => Task.CompletedTask)));
        Assert.Equal(ErrorIds.ConsoleMismatch, mismatch.ErrorId);
        Assert.Empty(_port.Keys);

        var refused = await Assert.ThrowsAsync<HostException>(() => SendAsync(Node1, "c", proof: new ConsoleProof("WORD", _ => throw new HostException(ErrorIds.MachineIdMismatch, "node1", "no"))));
        Assert.Equal(ErrorIds.MachineIdMismatch, refused.ErrorId);
        Assert.Empty(_port.Keys);
        Assert.Equal("", _port.Typed);
        await GoneAsync();

        var proved = await SendAsync(Node1, "h", proof: new ConsoleProof("WORD-OF-THIS-HOST", _ =>
        {
            _port.Say("kdumpnfs: WORD-OF-TH");
            _port.Say("IS-HOST\r\n");
            return Task.CompletedTask;
        }));
        Assert.StartsWith("sysrq: HELP", Assert.Single(proved).Text, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_console_in_use_is_not_taken_but_may_be_shared()
    {
        Need();
        using var leave = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        _port.Kernel = key =>
        {
            started.TrySetResult();
            return $"sysrq: Key {key}\r\n";
        };
        var holder = SendAsync(Node1, "h", Quick with { Quiet = TimeSpan.FromSeconds(60), Limit = TimeSpan.FromSeconds(60) }, token: leave.Token);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(60));
        var busy = await Assert.ThrowsAsync<HostException>(() => SendAsync(Node1, "m"));
        Assert.Equal(ErrorIds.ConsoleNotAvailable, busy.ErrorId);
        Assert.Contains("already in use", busy.HostSaid, StringComparison.Ordinal);
        Assert.Contains("-Join", busy.Remedy, StringComparison.Ordinal);
        Assert.Equal(['h'], _port.Keys);
        Assert.EndsWith("sysrq: Key m\r\n", Assert.Single(await SendAsync(Node1 with { Join = true }, "m")).Text, StringComparison.Ordinal);

        // The connection to the console server is cut in the middle: nothing stays behind on it.
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => holder);
        await GoneAsync();
    }

    [SkippableTheory]
    [InlineData("nosuch", "no matching consoles")]
    [InlineData("gone", "currently disconnected")]
    public async Task A_console_that_is_not_there_is_told_in_the_servers_words(string name, string words)
    {
        Need();
        var error = await Assert.ThrowsAsync<HostException>(() => SendAsync(Console(name), "h"));
        Assert.Equal(ErrorIds.ConsoleNotAvailable, error.ErrorId);
        Assert.Contains(words, error.HostSaid, StringComparison.Ordinal);
        await GoneAsync();
    }

    [SkippableFact]
    public async Task Listening_ends_at_the_pattern_and_at_the_size()
    {
        Need();
        _port.Kernel = key =>
        {
            _ = Task.Run(async () =>
            {
                for (var i = 0; i < 60; i++)
                {
                    _port.Say($"line {i.ToString(CultureInfo.InvariantCulture)} {new string('x', 1000)}\r\n");
                    await Task.Delay(100);
                }
            });
            return $"sysrq: Key {key}\r\n";
        };
        // A busy machine makes pauses between the lines: they are not what ends it here.
        var patient = Quick with { Quiet = TimeSpan.FromMinutes(2), Limit = TimeSpan.FromMinutes(2) };
        var until = Assert.Single(await SendAsync(Node1, "t", patient with { Until = "^line [5-9] " }));
        Assert.Equal(ConsoleEnd.Until, until.End);
        Assert.Contains("line 5", until.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("line 59", until.Text, StringComparison.Ordinal);
        // The first talk still goes on: what comes before the key takes nothing of the room for its answer.
        var full = Assert.Single(await SendAsync(Node1, "t", patient with { MaximumBytes = 5000 }));
        Assert.Equal(ConsoleEnd.Full, full.End);
        Assert.InRange(full.Text.Length, 1000, 40000);
        var limit = Assert.Single(await SendAsync(Node1, "t", patient with { Limit = TimeSpan.FromSeconds(1) }));
        Assert.Equal(ConsoleEnd.Limit, limit.End);
    }

    [SkippableFact]
    public async Task Whoever_has_heard_enough_gets_what_was_said_and_leaves_the_console()
    {
        Need();
        using var enough = new CancellationTokenSource();
        var heard = new List<string?>();
        var operation = new ConsoleOperation(AccessTo(Server))
        {
            Enough = enough.Token,
            Heard = transcript =>
            {
                heard.Add(transcript.Current);
                if (transcript.Current?.Contains("Trigger a crash", StringComparison.Ordinal) == true)
                {
                    enough.CancelAfter(1);
                }
            },
        };
        _port.Kernel = _ => "sysrq: Trigger a crash\r\n";
        var answer = Assert.Single(await operation.SendAsync(Node1, ['c'], Quick with { Quiet = TimeSpan.FromMinutes(5), Limit = TimeSpan.FromMinutes(5) }, null, Context, default));
        Assert.Equal((ConsoleEnd.Stopped, "sysrq: Trigger a crash\r\n"), (answer.End, answer.Text));
        Assert.Null(heard[0]);
        Assert.Equal(['c'], _port.Keys);
        await GoneAsync();
    }

    [SkippableFact]
    public async Task Serial_over_lan_goes_through_ipmitool_and_its_password_is_on_no_command_line()
    {
        Need();
        // A server whose sessions find our ipmitool first.
        using var server = SshServer.Start("SetEnv HOME=HOME PATH=HOME/bin:/usr/local/bin:/usr/bin:/bin");
        var home = server.Home;
        Directory.CreateDirectory(home + "/bin");
        await File.WriteAllTextAsync(home + "/bin/ipmitool", $$"""
            #!/bin/bash
            # A stand-in for ipmitool: there is no BMC here. It speaks like "sol activate" and ends lines and escapes as that does.
            printf '%s\n' "$@" >>{{home}}/arguments
            stty raw -echo
            printf '[SOL Session operational.  Use ~? for help]\r\n'
            begin=1 escape= armed=
            while IFS= read -r -N 1 c; do
              if [ -n "$escape" ]; then
                escape=
                case $c in
                  B) printf '~B [send break]\r\n'; armed=1 ;;
                  .) printf '~. [terminated ipmitool]\r\n'; echo left >>{{home}}/left; exit 0 ;;
                esac
                continue
              fi
              if [ -n "$begin" ] && [ "$c" = '~' ]; then escape=1; continue; fi
              if [ -n "$armed" ]; then armed=; printf 'sysrq: Key %s\r\n' "$c"; begin=; continue; fi
              case $c in $'\r' | $'\n') begin=1 ;; *) begin= ;; esac
            done
            """);
        CommandRunner.Run("chmod", ["755", home + "/bin/ipmitool"]);
        await File.WriteAllTextAsync(home + "/password", "topsecret");
        var console = new SerialConsole(HostOf(server), ConsoleKind.Ipmitool, "bmc1") { BmcUser = "admin", BmcPasswordFile = home + "/password" };
        var operation = new ConsoleOperation(AccessTo(server));
        var answers = await operation.SendAsync(console, ['h', 'm'], Quick, null, Context, default);
        Assert.Equal(["Key h", "Key m"], answers.Select(a => SysrqAnswer.Read(a.Text).Action));
        Assert.Equal(["-I", "lanplus", "-H", "bmc1", "-U", "admin", "-f", home + "/password", "-e", "~", "sol", "activate"], await File.ReadAllLinesAsync(home + "/arguments"));
        Assert.True(File.Exists(home + "/left"));

        var none = await Assert.ThrowsAsync<HostException>(() => operation.SendAsync(console with { BmcPasswordFile = null }, ['h'], Quick, null, Context, default));
        Assert.Equal(ErrorIds.ConsoleNotAvailable, none.ErrorId);
        Assert.Contains("password", none.What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("node*")]
    [InlineData("node1,node2")]
    [InlineData("-f")]
    [InlineData("")]
    [InlineData("a b")]
    public void The_name_of_more_or_less_than_one_console_is_refused(string name) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new SerialConsole(new SshHost("con"), ConsoleKind.Conman, name).Validated()).ErrorId);

    [Theory]
    [InlineData("c")]
    [InlineData("h,c")]
    [InlineData("")]
    [InlineData("hm")]
    [InlineData("&")]
    public void What_is_no_key_or_would_crash_is_refused(string keys) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new SendSysrqOperation(null!, null!, [keys])).ErrorId);

    // The client on the console server ends, with or without a farewell.
    private async Task GoneAsync()
    {
        for (var i = 0; i < 100 && Conman.Clients() > 0; i++)
        {
            await Task.Delay(100);
        }

        Assert.Equal(0, Conman.Clients());
    }
}
