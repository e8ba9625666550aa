using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Vmcore;

namespace KdumpNfs.Tests.Unit.Collection;

public sealed class WaitVmcoreTests : IDisposable
{
    private const string Node1 = "192.168.122.101-202611220946";
    private const string Node2 = "192.168.122.102-2026-11-22-10:05:50";
    private readonly StoreFolder _store = new();

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_new_dump_is_waited_for_until_it_is_complete(bool remote)
    {
        Samples.Flattened.Write(Path.Combine(_store.Make("192.168.122.101-202611200000"), "dump.202611200000"));
        await using var watch = new VmcoreWatch(_store.Store(remote));
        var before = await watch.BeforeAsync(_store.Context, default);

        var wait = WaitAsync(watch, Request("192.168.122.101") with { Before = before, EstimatedBytes = 1 << 20 });
        await Task.Delay(300);
        Samples.Flattened.Write(Path.Combine(_store.Make(Node1), "dump-incomplete"), 600_000);
        _store.Put(Node1, "dmesg.202611220946", Samples.Dmesg("debian-flattened-zlib"));
        await UntilAsync(() => Progress().Any(p => p.Fraction is > 0.5 and < 0.6));
        Assert.False(wait.IsCompleted);
        Samples.Flattened.Write(Path.Combine(_store.Root, Node1, "dump.202611220946"));
        File.Delete(Path.Combine(_store.Root, Node1, "dump-incomplete"));

        var dump = await wait;
        Assert.Equal((VmcoreState.Complete, $"{_store.Root}/{Node1}"), (dump.State, dump.Path));
        Assert.Equal("Kernel panic - not syncing: sysrq triggered crash", dump.PanicReason);
        Assert.Contains(Progress(), p => p.Status.Contains("MiB written", StringComparison.Ordinal));
        Assert.True(Progress().Last().Done);
    }

    [Fact]
    public async Task A_second_crash_in_the_same_minute_is_told_from_the_first()
    {
        var file = Samples.Flattened.Write(Path.Combine(_store.Make(Node1), "dump.202611220946"));
        await using var watch = new VmcoreWatch(_store.Remote());
        var before = await watch.BeforeAsync(_store.Context, default);

        var wait = WaitAsync(watch, Request("192.168.122.101") with { Before = before });
        _store.Put(Node1, "notes.txt", "somebody looked at it");
        await Task.Delay(400);
        Assert.False(wait.IsCompleted);
        Samples.Flattened.Write(Path.Combine(_store.Root, Node1, "dump-incomplete"), 600_000);
        await UntilAsync(() => Progress().Any(p => p.Status.Contains("0.6 MiB", StringComparison.Ordinal)));
        Assert.False(wait.IsCompleted);
        File.Delete(Path.Combine(_store.Root, Node1, "dump-incomplete"));
        Samples.Flattened.Write(file);

        Assert.Equal(VmcoreState.Complete, (await wait).State);
    }

    [Fact]
    public async Task A_failed_dump_ends_the_wait_with_the_reason()
    {
        await using var watch = new VmcoreWatch(_store.Remote());
        var before = await watch.BeforeAsync(_store.Context, default);
        var wait = WaitAsync(watch, Request("node2", "192.168.122.102") with { Before = before });
        Samples.Lzo.Write(Path.Combine(_store.Make(Node2), "vmcore-incomplete"), 500_000);
        await Task.Delay(300);
        Assert.False(wait.IsCompleted);
        _store.Put(Node2, "kexec-dmesg.log", "kdump[1]: Can't write the dump file. No space left on device\n");

        var e = await Assert.ThrowsAsync<HostException>(() => wait);
        Assert.Equal(ErrorIds.VmcoreFailed, e.ErrorId);
        Assert.Contains("No space left", e.Message, StringComparison.Ordinal);
        Assert.Equal(VmcoreState.Incomplete, Assert.IsType<VmcoreDump>(e.Details).State);
    }

    [Fact]
    public async Task Time_runs_out_with_and_without_a_dump()
    {
        await using var watch = new VmcoreWatch(_store.Remote());
        var before = await watch.BeforeAsync(_store.Context, default);
        var request = Request("192.168.122.102") with { Before = before, Timeout = TimeSpan.FromSeconds(8) };

        var nothing = await Assert.ThrowsAsync<HostException>(() => WaitAsync(watch, request));
        Assert.Equal((ErrorIds.VmcoreTimeout, null), (nothing.ErrorId, nothing.Details));

        Samples.Lzo.Write(Path.Combine(_store.Make(Node2), "vmcore-incomplete"), 500_000);
        var partial = await Assert.ThrowsAsync<HostException>(() => WaitAsync(watch, request));
        Assert.Equal((ErrorIds.VmcoreTimeout, 500_000L), (partial.ErrorId, Assert.IsType<VmcoreDump>(partial.Details).Bytes));
    }

    [Fact]
    public async Task Without_a_listing_the_time_of_the_trigger_decides()
    {
        Samples.Lzo.Write(Path.Combine(_store.Make("192.168.122.102-2026-11-20-00:00:00"), "vmcore"));
        _store.Age("192.168.122.102-2026-11-20-00:00:00");
        await using var watch = new VmcoreWatch(_store.Remote());
        var wait = WaitAsync(watch, Request("192.168.122.102") with { CrashedAfter = DateTimeOffset.UtcNow });
        await Task.Delay(300);
        Assert.False(wait.IsCompleted);
        Samples.Lzo.Write(Path.Combine(_store.Make(Node2), "vmcore"));

        Assert.EndsWith(Node2, (await wait).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_anything_what_is_finished_already_is_old()
    {
        Samples.Lzo.Write(Path.Combine(_store.Make("192.168.122.102-2026-11-20-00:00:00"), "vmcore"));
        await using var watch = new VmcoreWatch(_store.Remote());
        var wait = WaitAsync(watch, Request("192.168.122.102"));

        // The first listing says what is old.
        while (watch.Polls == 0)
        {
            await Task.Delay(50);
        }

        await Task.Delay(400);
        Assert.False(wait.IsCompleted);
        Samples.Lzo.Write(Path.Combine(_store.Make(Node2), "vmcore"));

        Assert.EndsWith(Node2, (await wait).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_waits_share_the_listings()
    {
        await using var watch = new VmcoreWatch(_store.Remote());
        var before = await watch.BeforeAsync(_store.Context, default);
        var waits = Enumerable.Range(1, 20)
            .Select(i => WaitAsync(watch, Request($"10.0.0.{i}") with { Before = before, Interval = TimeSpan.FromMilliseconds(400), IdleInterval = TimeSpan.FromMilliseconds(400) }))
            .ToList();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await UntilAsync(() => watch.Polls >= 4);

        // Each for itself, they would list the store twenty times as often.
        Assert.InRange(watch.Polls, 4, 6 + (int)(clock.ElapsedMilliseconds / 400));
        for (var i = 1; i <= 20; i++)
        {
            Samples.Lzo.Write(Path.Combine(_store.Make($"10.0.0.{i}-2026-11-22-10:05:50"), "vmcore"));
        }

        var dumps = await Task.WhenAll(waits);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"10.0.0.{i}"), dumps.Select(d => d.CrashedHost));
    }

    [Fact]
    public async Task A_store_that_drops_the_connection_is_asked_again_on_a_new_one()
    {
        var connections = new List<ShellConnection>();
        var store = new RemoteVmcores("store", _store.Root, (_, _) =>
        {
            connections.Add(new ShellConnection());
            return Task.FromResult<IHostConnection>(connections[^1]);
        });
        await using var watch = new VmcoreWatch(store);
        var before = await watch.BeforeAsync(_store.Context, default);
        connections[0].Fault = () => new HostException(ErrorIds.ConnectionLost, "store", "The connection broke.");
        var wait = WaitAsync(watch, Request("192.168.122.102") with { Before = before });
        await UntilAsync(() => connections.Count == 2);
        Samples.Lzo.Write(Path.Combine(_store.Make(Node2), "vmcore"));

        Assert.Equal(VmcoreState.Complete, (await wait).State);
        Assert.True(connections[0].Disposed);
        Assert.Equal(2, connections.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_compressed_dump_is_unpacked_to_see_its_end(bool remote)
    {
        await using var watch = new VmcoreWatch(_store.Store(remote));
        var before = await watch.BeforeAsync(_store.Context, default);
        var name = Path.Combine(_store.Make(Node1), "dump.202611220946.gz");
        Gzip(Samples.Flattened.Write(Path.Combine(_store.Root, "plain")), name);
        Assert.Equal((VmcoreState.NotChecked, "node1"), ((await _store.OneAsync(remote)).State, (await _store.OneAsync(remote)).NodeName));
        Assert.Equal(VmcoreState.Complete, (await WaitAsync(watch, Request("192.168.122.101") with { Before = before })).State);

        Gzip(Samples.Flattened.Write(Path.Combine(_store.Root, "plain"), 600_000), name);
        File.SetLastWriteTimeUtc(name, StoreFolder.LongAgo);
        _store.Age(Node1);
        Directory.SetLastWriteTimeUtc(Path.Combine(_store.Root, Node1), DateTime.UtcNow.AddMinutes(-3));
        var e = await Assert.ThrowsAsync<HostException>(() => WaitAsync(watch, Request("192.168.122.101") with { CrashedAfter = DateTimeOffset.UtcNow.AddMinutes(-5) }));
        Assert.Equal(ErrorIds.VmcoreFailed, e.ErrorId);
        Assert.Contains("no end record", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_a_wait_at_once()
    {
        await using var watch = new VmcoreWatch(_store.Remote());
        using var cancel = new CancellationTokenSource();
        var wait = WaitVmcoreOperation.RunAsync(watch, Request("192.168.122.102") with { Interval = TimeSpan.FromMinutes(1) }, _store.Context, cancel.Token);
        await Task.Delay(300);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.WaitAsync(TimeSpan.FromSeconds(1)));
    }

    private static WaitVmcoreRequest Request(params string[] identities) => new()
    {
        Host = new HostIdentity(identities),
        Interval = TimeSpan.FromMilliseconds(50),
        IdleInterval = TimeSpan.FromMilliseconds(50),
        Timeout = TimeSpan.FromSeconds(60),
    };

    private Task<VmcoreDump> WaitAsync(VmcoreWatch watch, WaitVmcoreRequest request) =>
        WaitVmcoreOperation.RunAsync(watch, request, _store.Context, CancellationToken.None);

    private IEnumerable<HostProgress> Progress() => _store.Messages.OfType<HostProgress>();

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 400 && !condition(); i++)
        {
            await Task.Delay(50);
        }

        Assert.True(condition());
    }

    private static void Gzip(string from, string to)
    {
        using var input = File.OpenRead(from);
        using var output = File.Create(to);
        using var gzip = new System.IO.Compression.GZipStream(output, System.IO.Compression.CompressionLevel.Fastest);
        input.CopyTo(gzip);
    }
}
