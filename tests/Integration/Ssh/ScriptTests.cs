using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>What every transport must do with scripts.</summary>
public abstract class ScriptTests(SharedServer shared) : TransportTests(shared)
{
    [SkippableFact]
    public async Task Bytes_and_exit_status_are_exact()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var all = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        var octal = string.Concat(all.Select(b => "\\" + Convert.ToString(b, 8).PadLeft(3, '0')));
        var result = await RunAsync(connection, $"printf '{octal}'; printf '{octal}\\n\\n' >&2; exit 255");
        Assert.Equal(255, result.ExitStatus);
        Assert.Equal(all, result.Output.ToArray());
        Assert.Equal([.. all, 10, 10], result.Error.ToArray());
    }

    [SkippableFact]
    public async Task Many_scripts_over_one_connection_each_with_its_status()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        for (var status = 0; status < 256; status += status < 4 || status > 250 ? 1 : 13)
        {
            var result = await RunAsync(connection, $"echo {status}; echo e{status} >&2; exit {status}");
            Assert.Equal((status, $"{status}\n", $"e{status}\n"), (result.ExitStatus, result.OutputText, result.ErrorText));
        }
    }

    [SkippableFact]
    public async Task Calls_at_the_same_time_run_one_after_the_other()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => RunAsync(connection, $"echo {i}")));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}\n"), results.Select(r => r.OutputText));
    }

    [SkippableFact]
    public async Task One_script_leaves_nothing_to_the_next()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        await RunAsync(connection, "x=1; cd /tmp; trap 'echo trapped' EXIT; set -eu; umask 077; exec >/dev/null; exec <&-");
        Assert.Equal("-0022 \n", (await RunAsync(connection, "echo \"${x-}-$(umask) $*\"")).OutputText);
        Assert.Equal(2, (await RunAsync(connection, "if then ( fi")).ExitStatus);
        Assert.Equal(127, (await RunAsync(connection, "no-such-command-here")).ExitStatus);
        Assert.Equal("fine\n", (await RunAsync(connection, "echo fine")).OutputText);
    }

    [SkippableFact]
    public async Task Large_output_arrives_whole_collected_and_streamed()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        const int Size = 8 << 20;
        var script = $"head -c {Size} /dev/zero | tr '\\0' '\\n'; head -c 100000 /dev/zero >&2";
        var result = await RunAsync(connection, script);
        Assert.Equal((Size, 100000), (result.Output.Length, result.Error.Length));
        Assert.False(result.Output.Span.ContainsAnyExcept((byte)'\n'));
        var streamed = 0;
        var second = await connection.RunAsync(new RemoteScript(script) { OnOutput = piece => streamed += piece.Length });
        Assert.Equal((Size, 0, 100000), (streamed, second.Output.Length, second.Error.Length));
    }

    [SkippableFact]
    public async Task Output_is_streamed_while_the_script_runs()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var first = new TaskCompletionSource();
        var go = Path.Combine(Server.Home, $"go-{GetType().Name}");
        var running = connection.RunAsync(new RemoteScript($"echo one; while [ ! -e {go} ]; do sleep 0.1; done; echo two") { OnOutput = _ => first.TrySetResult() });
        Assert.Same(first.Task, await Task.WhenAny(first.Task, running));
        await File.WriteAllTextAsync(go, "");
        await running;
    }

    [SkippableFact]
    public async Task Large_input_arrives_whole()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var data = RandomNumberGenerator.GetBytes((8 << 20) + 7);
        var result = await RunAsync(connection, "sha256sum; echo done", new MemoryStream(data));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(data)) + "  -\nDONE\n", result.OutputText.ToUpperInvariant());
        Assert.Equal(data, (await RunAsync(connection, "cat", new MemoryStream(data))).Output.ToArray());
    }

    [SkippableFact]
    public async Task Input_that_nobody_reads_is_dropped()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var data = RandomNumberGenerator.GetBytes(3 << 20);
        Assert.Equal(7, (await RunAsync(connection, "exit 7", new MemoryStream(data))).ExitStatus);
        Assert.Equal("3\n", (await RunAsync(connection, "head -c 3 | wc -c", new MemoryStream(data))).OutputText);
        Assert.Equal("0\n", (await RunAsync(connection, "wc -c", new MemoryStream())).OutputText);
        Assert.Equal("next\n", (await RunAsync(connection, "echo next")).OutputText);
    }

    [SkippableFact]
    public async Task Children_that_read_stdin_do_not_eat_the_next_script()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        Assert.Equal("0\nafter\n", (await RunAsync(connection, "cat | wc -c; (cat &) ; echo after")).OutputText);
        Assert.Equal("0\n", (await RunAsync(connection, "wc -c </dev/stdin")).OutputText);
    }

    [SkippableFact]
    public async Task An_input_stream_that_fails_fails_the_call_with_its_own_error()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        using var input = new FailingStream();
        await Assert.ThrowsAsync<InvalidDataException>(() => RunAsync(connection, "cat >/dev/null", input));
        Assert.Equal(ErrorIds.ConnectionLost, (await Assert.ThrowsAsync<HostException>(() => RunAsync(connection, "echo"))).ErrorId);
    }

    [SkippableFact]
    public async Task A_long_script_arrives_whole()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var text = new StringBuilder();
        for (var i = 0; text.Length < 300_000; i++)
        {
            text.Append("x=$((x+1)) # äöü € \U0001F600 ").Append(i).Append('\n');
        }

        var lines = text.ToString().Count(c => c == '\n');
        Assert.Equal($"{lines}\n", (await RunAsync(connection, text + "echo $x")).OutputText);
    }

    [SkippableFact]
    public async Task A_child_in_the_background_that_holds_stdout_does_not_hold_the_call()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var clock = Stopwatch.StartNew();
        var result = await RunAsync(connection, "(sleep 1; echo late; sleep 20) & echo early");
        Assert.Equal("early\n", result.OutputText);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(15), $"{clock.Elapsed}");
        await Task.Delay(1300);
        Assert.Equal("clean\n", (await RunAsync(connection, "echo clean")).OutputText);
    }

    [SkippableFact]
    public async Task Values_come_through_the_quoting_unchanged()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        string[] values = ["", " ", "'", "''\"", "a\nb\n", "\n", "$(id) `id` $HOME", "\\", "\\n\\'", "!x !!", "*?[a]~", "-n", "äöü€\U0001F600", "\t\r\v\x01\x7f", "a;b&c|d<e>f(g)"];
        foreach (var value in values)
        {
            var result = await RunAsync(connection, $"printf %s {ShellQuote.Word(value)}");
            Assert.Equal(value, result.OutputText);
        }
    }

    [SkippableFact]
    public async Task A_script_with_a_NUL_is_refused_and_the_connection_lives()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        Assert.Equal(ErrorIds.InvalidInput, (await Assert.ThrowsAsync<HostException>(() => RunAsync(connection, "echo a\0b"))).ErrorId);
        Assert.Equal("x\n", (await RunAsync(connection, "echo x")).OutputText);
    }

    [SkippableFact]
    public async Task A_file_is_read_at_an_offset()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync();
        var path = Path.Combine(Server.Home, "a 'file' \n name");
        var data = RandomNumberGenerator.GetBytes(300_001);
        await File.WriteAllBytesAsync(path, data);
        Assert.Equal(data[..10], (await connection.ReadFileAsync(path, 0, 10)).ToArray());
        Assert.Equal(data[65_530..200_000], (await connection.ReadFileAsync(path, 65_530, 134_470)).ToArray());
        Assert.Equal(data[^5..], (await connection.ReadFileAsync(path, 299_996, 4096)).ToArray());
        Assert.Empty((await connection.ReadFileAsync(path, 300_001, 10)).ToArray());
        Assert.Empty((await connection.ReadFileAsync(path, 1L << 33, 10)).ToArray());
        Assert.Empty((await connection.ReadFileAsync(path, 3, 0)).ToArray());
        var missing = await Assert.ThrowsAsync<HostException>(() => connection.ReadFileAsync(path + "x", 0, 10));
        Assert.Equal(ErrorIds.FileNotReadable, missing.ErrorId);
        Assert.Contains("No such file", missing.HostSaid, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(ErrorIds.FileNotReadable, (await Assert.ThrowsAsync<HostException>(() => connection.ReadFileAsync("/tmp", 0, 10))).ErrorId);
    }

    private sealed class FailingStream : Stream
    {
        private int _reads;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => _reads++ < 3 ? count : throw new InvalidDataException("broken input");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
