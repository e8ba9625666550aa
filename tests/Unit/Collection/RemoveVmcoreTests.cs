using System.Diagnostics;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Collection;

/// <summary>Removal by the real scripts in real shells, on trees as hostile hosts would make them.</summary>
public sealed class RemoveVmcoreTests : IDisposable
{
    private const string First = "10.0.0.1-202601010000";
    private const string Second = "10.0.0.1-202602010000";
    private const string Third = "10.0.0.1-202603010000";
    private const string Newest = "10.0.0.1-202604010000";
    private static readonly RetentionPolicy KeepOne = new() { KeepLast = 1 };
    private readonly StoreFolder _store = new();
    private readonly ShellConnector _connector = new();
    private readonly List<ChangeQuestion> _questions = [];
    private bool _answer = true;

    public RemoveVmcoreTests()
    {
        var i = 0;
        foreach (var name in new[] { First, Second, Third, Newest })
        {
            _store.Put(name, $"dump.{name[^12..]}", new string('x', 1000));
            _store.Put(name, $"dmesg.{name[^12..]}", "panic");
            _store.Age(name);
            foreach (var file in Directory.EnumerateFiles(Path.Combine(_store.Root, name)))
            {
                File.SetLastWriteTimeUtc(file, StoreFolder.LongAgo.AddMinutes(i));
            }

            i++;
        }
    }

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("/bin/sh")]
    [InlineData("/bin/bash")]
    [InlineData("/bin/dash")]
    public async Task What_may_go_goes_and_the_first_and_newest_stay(string shell)
    {
        _connector.Connection = new ShellConnection(shell);
        // Names that a shell could stumble over.
        foreach (var odd in new[] { "-n", "-rf", "a b", "a\nb", "*", "$(touch owned)", ".hidden", "..x", "é\u001b[2J" })
        {
            _store.Put(Second, odd, "x");
            File.SetLastWriteTimeUtc(Path.Combine(_store.Root, Second, odd), StoreFolder.LongAgo);
        }

        Shell($"cd '{_store.Root}/{Second}' && : >\"$(printf 'bad\\377')\"");
        Settle(Second);
        var results = await RemoveAsync(KeepOne);

        Assert.Equal([(First, RemovalOutcome.Kept), (Second, RemovalOutcome.Removed), (Third, RemovalOutcome.Removed)], results.Select(r => (Path.GetFileName(r.Path), r.Outcome)).Order());
        Assert.Equal([First, Newest], Names());
        Assert.False(File.Exists(Path.Combine(_store.Root, "owned")));
        var question = Assert.Single(_questions);
        Assert.Contains("2 crash directories", question.Action, StringComparison.Ordinal);
        Assert.Contains($"{Second}  0.0 MiB", question.Description, StringComparison.Ordinal);
        Assert.All(results, r => Assert.True(r.Bytes >= 1005));
    }

    [Fact]
    public async Task A_no_removes_nothing_and_shows_sizes()
    {
        _answer = false;
        Assert.Empty(await RemoveAsync(KeepOne));
        Assert.Equal(4, Names().Length);
        Assert.Single(_questions);
    }

    [Fact]
    public async Task Nothing_to_remove_asks_nothing()
    {
        Assert.Empty(await RemoveAsync(new RetentionPolicy { KeepLast = 10 }));
        Assert.Empty(_questions);
    }

    [Fact]
    public async Task Held_and_written_dumps_stay()
    {
        _store.Put(Second, ".hold", "alice: case 4711");
        _store.Put(Third, $"dump.{Third[^12..]}", "it grows");
        Settle(Second);
        // The newest by time is now the one that grows.
        var results = await RemoveAsync(new RetentionPolicy { Chosen = Paths(Second, Third), AllowFirstAndNewest = true });
        Assert.All(results, r => Assert.Equal(RemovalOutcome.Kept, r.Outcome));
        Assert.Contains(results, r => r.Reason == "it is held: alice: case 4711");
        Assert.Contains(results, r => r.Reason == "it is being written");
        Assert.Equal(4, Names().Length);
    }

    [Fact]
    public async Task A_link_as_a_marker_holds_too()
    {
        File.CreateSymbolicLink(Path.Combine(_store.Root, Second, ".hold"), "/nowhere");
        Assert.Equal(RemovalOutcome.Kept, Assert.Single(await RemoveAsync(new RetentionPolicy { Chosen = Paths(Second) })).Outcome);
    }

    [Theory]
    [InlineData("ln -s /etc/passwd link")]
    [InlineData("ln -s / .root")]
    [InlineData("mkdir sub && : >sub/precious")]
    [InlineData("mkfifo pipe")]
    public async Task A_directory_with_more_than_files_is_left_whole(string command)
    {
        Shell($"cd '{_store.Root}/{Second}' && {command}");
        _store.Age(Second);
        var e = await Assert.ThrowsAsync<HostException>(() => RemoveAsync(new RetentionPolicy { Chosen = Paths(Second, Third) }));
        Assert.Equal(ErrorIds.RemoveFailed, e.ErrorId);
        Assert.Contains("no regular file", e.HostSaid, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_store.Root, Second, $"dump.{Second[^12..]}")));
        Assert.Equal([First, Second, Newest], Names());
        Assert.Contains(_store.Messages.OfType<HostOutput>(), m => m.Value is VmcoreRemoval { Outcome: RemovalOutcome.NotPlain });
    }

    [Fact]
    public async Task A_link_that_looks_like_a_crash_directory_is_not_followed()
    {
        var outside = Directory.CreateTempSubdirectory("kdumpnfs-precious-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(outside, "dump.202605010000"), "precious");
            Directory.CreateSymbolicLink(Path.Combine(_store.Root, "10.0.0.1-202605010000"), outside);
            var e = await Assert.ThrowsAsync<HostException>(() => RemoveAsync(new RetentionPolicy { Chosen = Paths("10.0.0.1-202605010000"), AllowFirstAndNewest = true }));
            Assert.Equal(ErrorIds.VmcoreMissing, e.ErrorId);
            await RemoveAsync(KeepOne);
            Assert.Equal("precious", File.ReadAllText(Path.Combine(outside, "dump.202605010000")));
        }
        finally
        {
            Directory.Delete(outside, true);
        }
    }

    [Theory]
    [InlineData("mv D away && ln -s OUT D", RemovalOutcome.NotPlain)]
    [InlineData("mv D away && mkdir D && cp OUT/* D/", RemovalOutcome.Changed)]
    [InlineData(": >D/new", RemovalOutcome.Changed)]
    [InlineData("echo more >>D/dump.202602010000", RemovalOutcome.Changed)]
    [InlineData("touch D/dump.202602010000", RemovalOutcome.Changed)]
    [InlineData(": >D/.hold", RemovalOutcome.Changed)]
    [InlineData("rm D/dmesg.202602010000 && ln -s OUT/precious D/dmesg.202602010000", RemovalOutcome.Changed)]
    public async Task What_changes_between_the_look_and_the_removal_stays(string command, object outcome)
    {
        var outside = Directory.CreateTempSubdirectory("kdumpnfs-precious-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(outside, "precious"), "precious");
            _connector.Connection.Before = script =>
            {
                if (script.Contains("LIST=", StringComparison.Ordinal))
                {
                    Shell($"cd '{_store.Root}' && {command.Replace("D", Second, StringComparison.Ordinal).Replace("OUT", outside, StringComparison.Ordinal)}");
                }
            };
            var e = await Assert.ThrowsAsync<HostException>(() => RemoveAsync(new RetentionPolicy { Chosen = Paths(Second) }));
            Assert.Equal(ErrorIds.RemoveFailed, e.ErrorId);
            Assert.Equal(outcome, _store.Messages.OfType<HostOutput>().Select(m => m.Value).OfType<VmcoreRemoval>().Single().Outcome);
            Assert.Equal("precious", File.ReadAllText(Path.Combine(outside, "precious")));
            Assert.Contains(Names(), name => name == Second || name == "away");
        }
        finally
        {
            Directory.Delete(outside, true);
        }
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("relative")]
    [InlineData("/etc/10.0.0.1-202602010000")]
    [InlineData("ROOT/../10.0.0.1-202602010000")]
    [InlineData("ROOT/./10.0.0.1-202602010000")]
    [InlineData("ROOT/sub/10.0.0.1-202602010000")]
    [InlineData("ROOT/10.0.0.1-202602010000/dump.202602010000")]
    [InlineData("ROOT/10.0.0.1-202602010000\n/x")]
    [InlineData("ROOT")]
    public async Task A_path_outside_of_the_root_is_refused_before_any_connection(string path)
    {
        var e = await Assert.ThrowsAsync<HostException>(() => RemoveAsync(new RetentionPolicy { Chosen = new HashSet<string> { path.Replace("ROOT", _store.Root, StringComparison.Ordinal) } }));
        Assert.Equal((ErrorIds.InvalidInput, 0), (e.ErrorId, _connector.Connections));
        Assert.Equal(4, Names().Length);
    }

    [Fact]
    public async Task A_root_that_is_a_link_itself_is_meant_as_it_is()
    {
        var link = _store.Root + "-link";
        Directory.CreateSymbolicLink(link, _store.Root);
        try
        {
            Assert.Contains(await RemoveAsync(KeepOne, link), r => r.Outcome == RemovalOutcome.Removed);
            Assert.Equal([First, Newest], Names());
        }
        finally
        {
            File.Delete(link);
        }
    }

    [Fact]
    public async Task Dumps_are_held_and_let_go_once()
    {
        var hold = new VmcoreHoldOperation(ShellConnector.Access(_connector)) { Hold = true, Reason = "$(id) 'case' 4711" };
        var path = $"{_store.Root}/{Second}";
        Assert.True((await ChangeAsync(hold, path)).Changed);
        Assert.False((await ChangeAsync(hold, path)).Changed);
        var dump = (await _store.GetAsync(remote: true)).Single(d => d.Path == path);
        Assert.True(dump.Held);
        Assert.EndsWith("$(id) 'case' 4711", dump.HoldReason, StringComparison.Ordinal);
        Assert.True((await _store.GetAsync(remote: false)).Single(d => d.Path == path).Held);

        var clear = new VmcoreHoldOperation(ShellConnector.Access(_connector)) { Hold = false };
        Assert.True((await ChangeAsync(clear, path)).Changed);
        Assert.False((await ChangeAsync(clear, path)).Changed);
        Settle(Second);
        Assert.Contains(await RemoveAsync(KeepOne), r => r.Path == path && r.Outcome == RemovalOutcome.Removed);
        Assert.Equal(ErrorIds.VmcoreMissing, (await Assert.ThrowsAsync<HostException>(() => ChangeAsync(hold, path))).ErrorId);
    }

    // A marker that came or went is a change of the directory, and what changed just now may still be written.
    private void Settle(string directory) => Directory.SetLastWriteTimeUtc(Path.Combine(_store.Root, directory), StoreFolder.LongAgo);

    private HashSet<string> Paths(params string[] names) => [.. names.Select(n => $"{_store.Root}/{n}")];

    private string[] Names() => [.. Directory.EnumerateDirectories(_store.Root).Where(d => new DirectoryInfo(d).LinkTarget is null).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    private HostContext Context() => new("store", m =>
    {
        if (m is HostQuestion question)
        {
            _questions.Add(question.Question);
            question.Answer(_answer);
        }

        if (m is HostOutput)
        {
            _store.Context.Output(((HostOutput)m).Value);
        }
    });

    private async Task<IReadOnlyList<VmcoreRemoval>> RemoveAsync(RetentionPolicy policy, string? root = null)
    {
        var from = _store.Messages.Count;
        await new RemoveVmcoreOperation(ShellConnector.Access(_connector), policy).RunAsync(new SshHost("store"), root ?? _store.Root, null, Context(), CancellationToken.None);
        return [.. _store.Messages.Skip(from).OfType<HostOutput>().Select(m => m.Value).OfType<VmcoreRemoval>()];
    }

    private async Task<VmcoreHold> ChangeAsync(VmcoreHoldOperation operation, string path)
    {
        await operation.RunAsync(new SshHost("store"), path, Context(), CancellationToken.None);
        return (VmcoreHold)_store.Messages.OfType<HostOutput>().Last().Value;
    }

    private static void Shell(string command)
    {
        using var process = Process.Start("/bin/sh", ["-c", command]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
