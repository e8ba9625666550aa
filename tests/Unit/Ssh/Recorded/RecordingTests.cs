using System.Text;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Recorded;

namespace KdumpNfs.Tests.Unit.Ssh.Recorded;

public sealed class RecordingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-recording-").FullName;

    private string RecordingFile => Path.Combine(_folder, "recording");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Answers_come_again_in_their_order_and_the_last_one_stays()
    {
        var turn = 0;
        await RecordAsync(_ => $"answer {++turn}", "state", "state", "other");
        await using var replayed = await ReplayAsync();
        Assert.Equal("answer 1", (await replayed.RunAsync(new RemoteScript("state"))).OutputText);
        Assert.Equal("answer 3", (await replayed.RunAsync(new RemoteScript("other"))).OutputText);
        Assert.Equal("answer 2", (await replayed.RunAsync(new RemoteScript("state"))).OutputText);
        Assert.Equal("answer 2", (await replayed.RunAsync(new RemoteScript("state"))).OutputText);
    }

    [Fact]
    public async Task What_was_not_asked_has_no_answer()
    {
        await RecordAsync(_ => "yes", "asked");
        await using var replayed = await ReplayAsync();
        Assert.Equal(ErrorIds.NotRecorded, (await Assert.ThrowsAsync<HostException>(() => replayed.RunAsync(new RemoteScript("something else")))).ErrorId);
        Assert.Equal(ErrorIds.NotRecorded, (await Assert.ThrowsAsync<HostException>(() => ReplayAsync("db01"))).ErrorId);
    }

    [Fact]
    public async Task Names_that_are_made_anew_each_time_are_no_other_question()
    {
        await RecordAsync(_ => "there", "job_id='0123456789ab'");
        await using var replayed = await ReplayAsync();
        Assert.Equal("there", (await replayed.RunAsync(new RemoteScript("job_id='ba9876543210'"))).OutputText);
    }

    [Fact]
    public async Task Streams_and_inputs_are_recorded_too()
    {
        var pieces = new StringBuilder();
        using (var input = new MemoryStream("first"u8.ToArray()))
        {
            await RecordAsync(_ => "streamed", new RemoteScript("cat") { Input = input, OnOutput = p => pieces.Append(Encoding.UTF8.GetString(p.Span)) });
        }

        Assert.Equal("streamed", pieces.ToString());
        await using var replayed = await ReplayAsync();
        using var same = new MemoryStream("first"u8.ToArray());
        Assert.Empty((await replayed.RunAsync(new RemoteScript("cat") { Input = same, OnOutput = p => pieces.Append('+').Append(Encoding.UTF8.GetString(p.Span)) })).OutputText);
        Assert.Equal("streamed+streamed", pieces.ToString());
        using var another = new MemoryStream("second"u8.ToArray());
        Assert.Equal(ErrorIds.NotRecorded, (await Assert.ThrowsAsync<HostException>(() => replayed.RunAsync(new RemoteScript("cat") { Input = another }))).ErrorId);
    }

    [Fact]
    public async Task Passwords_of_configurations_are_not_in_the_file_and_records_stay_records()
    {
        var config = "FTP_PASSWORD=\"hunter22!\"\npath /var/crash\n";
        var data = Convert.ToBase64String(Encoding.UTF8.GetBytes(config));
        var reply = $"conf.data {data.Length}\n{data}\nurl 33\nftp://kim:hunter22!@192.0.2.1/dump\nlog 16\nlogin: hunter22!\n";
        reply = reply.Replace("url 33", $"url {"ftp://kim:hunter22!@192.0.2.1/dump".Length}", StringComparison.Ordinal);
        await RecordAsync(_ => reply, "facts", "write 'hunter22!'");
        var text = await File.ReadAllTextAsync(RecordingFile);
        var decoded = string.Concat(text.Split('"').Select(w => { try { return Encoding.UTF8.GetString(Convert.FromBase64String(w)); } catch (FormatException) { return w; } }));
        Assert.DoesNotContain("hunter22", decoded, StringComparison.Ordinal);
        Assert.DoesNotContain(data, decoded, StringComparison.Ordinal);
        await using var replayed = await ReplayAsync();
        var again = KdumpNfs.Hosts.HostReply.Parse("web01", (await replayed.RunAsync(new RemoteScript("facts"))).Output.Span);
        Assert.Equal("ftp://kim:***@192.0.2.1/dump", again.Text("url"));
        Assert.Equal("login: ***", again.Text("log"));
        Assert.Contains("path /var/crash\n", Encoding.UTF8.GetString(Convert.FromBase64String(again.Required("conf.data"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failures_are_answers_too()
    {
        await Assert.ThrowsAsync<HostException>(() => RecordAsync(_ => throw new HostException(ErrorIds.ConnectionLost, "web01", "It broke."), "work"));
        await using var replayed = await ReplayAsync();
        Assert.Equal(ErrorIds.ConnectionLost, (await Assert.ThrowsAsync<HostException>(() => replayed.RunAsync(new RemoteScript("work")))).ErrorId);
        Assert.False(replayed.IsOpen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}\n")]
    [InlineData("{\"format\":\"KdumpNfs recording 1\"}\n{\"host\":\"web")]
    public async Task What_is_no_recording_is_refused(string text)
    {
        await File.WriteAllTextAsync(RecordingFile, text);
        Assert.Equal(ErrorIds.RecordingInvalid, Assert.Throws<HostException>(() => Recording.Load(RecordingFile)).ErrorId);
    }

    private Task RecordAsync(Func<string, string> answer, params string[] scripts) => RecordAsync(answer, [.. scripts.Select(s => new RemoteScript(s))]);

    private async Task RecordAsync(Func<string, string> answer, params RemoteScript[] scripts)
    {
        var connector = new RecordingConnector(new Told(answer), Recording.Create(RecordingFile));
        await using var connection = await connector.ConnectAsync(new SshHost("web01"), new SshOptions(), default);
        foreach (var script in scripts)
        {
            await connection.RunAsync(script);
        }
    }

    private Task<IHostConnection> ReplayAsync(string host = "web01") => new ReplayConnector(Recording.Load(RecordingFile)).ConnectAsync(new SshHost(host), new SshOptions(), default);

    /// <summary>Hosts that answer what they are told to.</summary>
    private sealed class Told(Func<string, string> answer) : IHostConnector
    {
        public SshTransport Transport => SshTransport.OpenSsh;

        public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken) => Task.FromResult<IHostConnection>(new Connection(host, answer));

        private sealed class Connection(SshHost host, Func<string, string> answer) : IHostConnection
        {
            public SshHost Host => host;

            public SshTransport Transport => SshTransport.OpenSsh;

            public Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
            {
                var output = Encoding.UTF8.GetBytes(answer(script.Text));
                script.OnOutput?.Invoke(output);
                return Task.FromResult(new ScriptResult(script.OnOutput is null ? output : default, default, 0));
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
