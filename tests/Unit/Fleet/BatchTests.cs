using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Fleet;

public sealed class BatchTests
{
    private sealed class Front : IFleetFront
    {
        public List<object> Outputs { get; } = [];

        public List<HostException> Errors { get; } = [];

        public void Output(object value) => Outputs.Add(value);

        public void Failed(HostException failure) => Errors.Add(failure);

        public void Verbose(string hostName, string text)
        {
        }

        public void Warning(string hostName, string text)
        {
        }

        public void Progress(HostProgress progress)
        {
        }

        public bool Confirm(ChangeQuestion question) => true;
    }

    [Theory]
    [InlineData("1", "1 1 1 1")]
    [InlineData("1,5", "1 5 5 5")]
    [InlineData("1,5,25%", "1 5 25 25")]
    [InlineData(" 2 , 50% ", "2 50 50 50")]
    [InlineData("1%", "1 1 1 1")]
    [InlineData("100%", "100 100 100 100")]
    public void Sizes_of_batches(string asked, string sizes)
    {
        var plan = BatchPlan.Create([asked], null)!;
        Assert.Equal(sizes, string.Join(' ', Enumerable.Range(0, 4).Select(batch => plan.SizeOf(batch, 100))));
        Assert.Equal(asked.Contains('%', StringComparison.Ordinal), plan.NeedsTotal);
        Assert.Equal(0, plan.MaxFailure);
    }

    [Fact]
    public void A_share_is_never_nobody() => Assert.Equal(1, BatchPlan.Create(["10%"], 3)!.SizeOf(0, 4));

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("101%")]
    [InlineData("0%")]
    [InlineData("five")]
    [InlineData("1,,2")]
    [InlineData("")]
    public void Odd_sizes_are_refused(string asked) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => BatchPlan.Create([asked], null)).ErrorId);

    [Fact]
    public void Nothing_asked_for_is_no_plan()
    {
        Assert.Null(BatchPlan.Create(null, null));
        Assert.Null(BatchPlan.Create([], null));
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => BatchPlan.Create(null, -1)).ErrorId);
        Assert.Null(BatchPlan.Create(["2"], 5)!.MaxFailure is 5 ? null : "5");
    }

    [Fact]
    public void The_next_batch_begins_when_the_one_before_has_ended()
    {
        var front = new Front();
        using var fleet = new FleetRun(32);
        var run = new BatchRun(BatchPlan.Create(["1,3"], null)!, fleet, front);
        int now = 0, ended = 0;
        var seen = new System.Collections.Concurrent.ConcurrentQueue<(int Place, int EndedBefore)>();
        for (var i = 0; i < 8; i++)
        {
            var place = i;
            run.Add(new SshHost($"h{i}"), async (context, token) =>
            {
                seen.Enqueue((place, Volatile.Read(ref ended)));
                Interlocked.Increment(ref now);
                await Task.Delay(10, token);
                Interlocked.Decrement(ref now);
                Interlocked.Increment(ref ended);
                context.Output(place);
            });
        }

        run.Finish();
        Assert.Equal(8, front.Outputs.Count);

        // Batches: 0 | 1 2 3 | 4 5 6 | 7. Whoever begins has all batches before its own behind it.
        foreach (var (place, before) in seen)
        {
            Assert.True(before >= (place == 0 ? 0 : 1 + ((place - 1) / 3 * 3)), $"host {place} began when {before} were done");
        }
    }

    [Theory]
    [InlineData("1", null, 1)]
    [InlineData("2", null, 2)]
    [InlineData("2", 1, 2)]
    [InlineData("2", 2, 4)]
    [InlineData("1,50%", 0, 1)]
    [InlineData(null, 3, 4)]
    public void Too_many_failures_stop_the_rest_and_everybody_is_answered_for(string? sizes, int? maxFailure, int started)
    {
        var front = new Front();

        // One at a time, so that the limit alone decides who is started.
        using var fleet = new FleetRun(sizes is null ? 1 : 8);
        var run = new BatchRun(BatchPlan.Create(sizes is null ? null : [sizes], maxFailure)!, fleet, front);
        var begun = 0;
        for (var i = 0; i < 10; i++)
        {
            run.Add(new SshHost($"h{i}"), (_, _) =>
            {
                Interlocked.Increment(ref begun);
                throw new HostException(ErrorIds.ChangeRolledBack, "", "no");
            });
        }

        run.Finish();
        Assert.Equal(started, begun);
        Assert.Equal(started, front.Errors.Count(e => e.ErrorId == ErrorIds.ChangeRolledBack));
        var notStarted = front.Errors.Where(e => e.ErrorId == ErrorIds.NotStarted).ToList();
        Assert.Equal(Enumerable.Range(started, 10 - started).Select(i => $"h{i}"), notStarted.Select(e => e.HostName));
        Assert.All(notStarted, e => Assert.Contains($"{started} of the {started} hosts before it failed", e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Failures_within_the_limit_stop_nobody()
    {
        var front = new Front();
        using var fleet = new FleetRun(8);
        var run = new BatchRun(BatchPlan.Create(["3"], 4)!, fleet, front);
        for (var i = 0; i < 12; i++)
        {
            var place = i;
            run.Add(new SshHost($"h{i}"), (context, _) =>
            {
                if (place % 3 == 0)
                {
                    throw new InvalidOperationException("odd");
                }

                context.Output(place);
                return Task.CompletedTask;
            });
        }

        run.Finish();
        Assert.Equal(8, front.Outputs.Count);
        Assert.Equal(4, front.Errors.Count);
    }

    [Fact]
    public void A_cancelled_fleet_starts_nobody()
    {
        var front = new Front();
        using var fleet = new FleetRun(8);
        var run = new BatchRun(BatchPlan.Create(["50%"], null)!, fleet, front);
        run.Add(new SshHost("h"), (_, _) => throw new InvalidOperationException("started"));
        fleet.Cancel();
        run.Finish();
        Assert.Empty(front.Errors);
    }

    [Fact]
    public async Task A_store_takes_at_most_its_limit_and_another_store_is_not_concerned()
    {
        var limit = new SharedLimit(2);
        int now = 0, most = 0, waited = 0;
        var release = new TaskCompletionSource();
        async Task<int> WorkAsync()
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await release.Task;
            Interlocked.Decrement(ref now);
            return 1;
        }

        var tasks = Enumerable.Range(0, 6).Select(_ => limit.RunAsync("storage", WorkAsync, () => waited++, default)).ToList();
        Assert.Equal((2, 4), (now, waited));
        Assert.Equal(7, await limit.RunAsync("other", () => Task.FromResult(7), null, default));
        using var cancel = new CancellationTokenSource();
        var given = limit.RunAsync("Storage", WorkAsync, null, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        release.SetResult();
        Assert.Equal(6, (await Task.WhenAll(tasks)).Sum());
        Assert.Equal(2, most);
        await Assert.ThrowsAsync<HostException>(() => limit.RunAsync<int>("storage", () => throw new HostException(ErrorIds.Unexpected, "h", "x"), null, default));
        Assert.Equal(1, await limit.RunAsync("storage", WorkAsync, () => throw new InvalidOperationException("no room was given back"), default));
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => SharedLimit.ForStores(0)).ErrorId);
    }
}
