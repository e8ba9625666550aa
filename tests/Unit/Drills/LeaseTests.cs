using System.Diagnostics;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Collection;

namespace KdumpNfs.Tests.Unit.Drills;

/// <summary>Leases by the real script, each call a process of its own, as of controllers that know nothing of each other.</summary>
public sealed class LeaseTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kdumpnfs-lease-").FullName;
    private readonly List<FleetMessage> _messages = [];

    private string Folder => Path.Combine(_root, "leases");

    public void Dispose() => Directory.Delete(_root, true);

    private HostContext Context => new("node", m =>
    {
        lock (_messages)
        {
            _messages.Add(m);
        }
    });

    private StoreLeases Controller(int maxDown, double seconds = 60, string shell = "/bin/sh") =>
        new(Folder, maxDown, (_, _) => Task.FromResult<IHostConnection>(new ShellConnection(shell))) { TimeToLive = TimeSpan.FromSeconds(seconds), Interval = TimeSpan.FromMilliseconds(100) };

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Controllers_together_never_exceed_the_limit(int maxDown)
    {
        var down = 0;
        var most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async n =>
        {
            await using var controller = Controller(maxDown, shell: n % 2 == 0 ? "/bin/sh" : "/bin/bash");
            for (var i = 0; i < 4; i++)
            {
                await using var lease = await controller.TakeAsync($"host{n}-{i}", null, Context, default);
                InterlockedMax(ref most, Interlocked.Increment(ref down));
                await Task.Delay(30);
                Interlocked.Decrement(ref down);
            }
        }));
        Assert.InRange(most, 1, maxDown);
    }

    [Fact]
    public async Task The_smaller_limit_of_two_holds_while_its_owner_has_a_lease()
    {
        await using var careful = Controller(1);
        await using var bold = Controller(3);
        var lease = await careful.TakeAsync("a", null, Context, default);
        await Refused(bold);
        await lease.DisposeAsync();
        await using var one = await bold.TakeAsync("b", null, Context, default);
        await using var two = await bold.TakeAsync("c", null, Context, default);
        await Refused(careful);
    }

    [Fact]
    public async Task Of_a_group_one_host_is_down_whoever_has_the_others()
    {
        var down = new int[2];
        var together = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async n =>
        {
            await using var controller = Controller(4, shell: n % 2 == 0 ? "/bin/sh" : "/bin/bash");
            for (var i = 0; i < 3; i++)
            {
                // One name in two spellings, and a name that must stay words.
                var (which, group) = i % 2 == 0 ? (0, n % 2 == 0 ? "Web" : "wEB") : (1, "$(touch owned)\n'\"");
                await using var lease = await controller.TakeAsync($"host{n}-{i}", group, Context, default);
                InterlockedMax(ref together, Interlocked.Increment(ref down[which]));
                await Task.Delay(30);
                Interlocked.Decrement(ref down[which]);
            }
        }));
        Assert.Equal(1, together);
        Assert.False(File.Exists(Path.Combine(Folder, "owned")));

        await using var one = Controller(3);
        await using var other = Controller(3);
        await using var web = await one.TakeAsync("web01", "web", Context, default);
        var generations = Directory.GetFiles(Folder, "slot-*").Length;
        await Refused(other, "WEB");
        Assert.Contains(_messages.OfType<HostProgress>(), p => p.Status.Contains("web01 of group web by ", StringComparison.Ordinal));
        // Who waits leaves nothing behind each time it looks.
        Assert.Equal(generations, Directory.GetFiles(Folder, "slot-*").Length);
        await using var database = await other.TakeAsync("db01", "db", Context, default);
        await using var lonely = await other.TakeAsync("misc", null, Context, default);
    }

    [Fact]
    public async Task A_lease_of_a_version_without_groups_is_read()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(Path.Combine(Folder, "slot-1.1"), "0123\n1\n3600\nold by somebody\n");
        await using var controller = Controller(2);
        await Refused(controller, "web");
        Assert.Contains(_messages.OfType<HostProgress>(), p => p.Status.Contains("old by somebody", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lease_that_nobody_renews_expires_and_is_taken_by_one()
    {
        await using var dead = Controller(1, seconds: 3600);
        var lost = await dead.TakeAsync("a", null, Context, default);
        // Its controller died an hour ago.
        Shell($"touch -d '2 hours ago' '{Folder}'/slot-1.1");
        await using var first = Controller(1);
        await using var second = Controller(1);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var takes = new[] { first, second }.Select(c => c.TakeAsync("b", null, Context, limit.Token)).ToList();
        var won = await Task.WhenAny(takes);
        var lease = await won;
        await Task.Delay(1000);
        _ = Assert.Single(takes, t => t.IsCompletedSuccessfully);
        Assert.True(await lease.IsHeldAsync(default));
        // The dead one wakes up: it must learn that it is lost, and giving back must not touch the other's.
        Assert.False(await lost.IsHeldAsync(default));
        await lost.DisposeAsync();
        Assert.True(await lease.IsHeldAsync(default));
        await lease.DisposeAsync();
        await (await takes.Single(t => t != won)).DisposeAsync();
    }

    [Fact]
    public async Task An_expired_lease_is_not_revived()
    {
        await using var controller = Controller(1);
        await using var lease = await controller.TakeAsync("a", null, Context, default);
        Shell($"touch -d '2 hours ago' '{Folder}'/slot-1.1");
        Assert.False(await lease.IsHeldAsync(default));
    }

    [Fact]
    public async Task It_is_renewed_while_it_is_held()
    {
        await using var controller = Controller(1, seconds: 2);
        await using var lease = await controller.TakeAsync("a", null, Context, default);
        await using var other = Controller(1);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other.TakeAsync("b", null, Context, limit.Token));
        Assert.True(await lease.IsHeldAsync(default));
    }

    [Fact]
    public async Task Who_waits_is_told_for_whom()
    {
        await using var controller = Controller(1);
        await using var lease = await controller.TakeAsync("web01", null, Context, default);
        await using var other = Controller(1);
        await Refused(other);
        Assert.Contains(_messages.OfType<HostProgress>(), p => p.Status.Contains("web01 by ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Odd_files_and_many_generations_do_no_harm()
    {
        Directory.CreateDirectory(Folder);
        foreach (var odd in new[] { "slot-1.x", "slot-.1", "slot-1", "slot-a.1", "slot-2.99999999999999999999", "slot-1.done", "a b", "$(touch owned)" })
        {
            File.WriteAllText(Path.Combine(Folder, odd), "x\n");
        }

        await using var controller = Controller(1);
        for (var i = 0; i < 20; i++)
        {
            await (await controller.TakeAsync("a", null, Context, default)).DisposeAsync();
        }

        Assert.InRange(Directory.GetFiles(Folder, "slot-1.[0-9]*").Length + Directory.GetFiles(Folder, "slot-1.*").Length, 1, 40);
        Assert.Empty(Directory.GetFiles(Folder, "new-*"));
        Assert.False(File.Exists(Path.Combine(Folder, "owned")));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_an_error()
    {
        File.WriteAllText(Folder, "a file");
        await using var controller = Controller(1);
        Assert.Equal(ErrorIds.LeaseFailed, (await Assert.ThrowsAsync<HostException>(() => controller.TakeAsync("a", null, Context, default))).ErrorId);
    }

    private async Task Refused(StoreLeases controller, string? group = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1.5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => controller.TakeAsync("x", group, Context, limit.Token));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }

    private static void Shell(string command)
    {
        using var process = Process.Start("/bin/sh", ["-c", command]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
