using System.Diagnostics;
using KdumpNfs.Fleet;

namespace KdumpNfs.Tests.Unit.Fleet;

public sealed class FleetRunTests
{
    private sealed class Front(Func<ChangeQuestion, bool>? confirm = null) : IFleetFront
    {
        public List<object> Outputs { get; } = [];

        public List<HostException> Errors { get; } = [];

        public List<string> Said { get; } = [];

        public int Thread { get; } = Environment.CurrentManagedThreadId;

        public void Output(object value)
        {
            Assert.Equal(Thread, Environment.CurrentManagedThreadId);
            Outputs.Add(value);
        }

        public void Failed(HostException failure) => Errors.Add(failure);

        public void Verbose(string hostName, string text) => Said.Add(text);

        public void Warning(string hostName, string text) => Said.Add(text);

        public void Progress(HostProgress progress) => Said.Add(progress.Status);

        public bool Confirm(ChangeQuestion question)
        {
            Assert.Equal(Thread, Environment.CurrentManagedThreadId);
            return confirm!(question);
        }
    }

    [Fact]
    public void Works_on_at_most_the_throttle_limit_and_answers_for_every_host()
    {
        var front = new Front();
        using var fleet = new FleetRun(3);
        int now = 0, most = 0;
        for (var i = 0; i < 50; i++)
        {
            var name = $"host{i}";
            fleet.Add(front, name, async (context, token) =>
            {
                var running = Interlocked.Increment(ref now);
                lock (front)
                {
                    most = Math.Max(most, running);
                }

                await Task.Delay(5, token);
                Interlocked.Decrement(ref now);
                context.Output(name);
            });
        }

        fleet.Finish(front);
        Assert.Equal(50, front.Outputs.Distinct().Count());
        Assert.Equal(3, most);
        Assert.True(fleet.IsIdle);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stories_are_told_where_somebody_wants_them_and_warnings_always(bool quiet)
    {
        var front = new Front();
        using var fleet = new FleetRun(1) { IsQuiet = quiet };
        fleet.Add(front, "web01", (context, _) =>
        {
            context.Verbose("story");
            context.Warning("warning");
            context.Output("web01");
            return Task.CompletedTask;
        });
        fleet.Finish(front);
        Assert.Equal(quiet ? ["warning"] : ["story", "warning"], front.Said);
        Assert.Equal(["web01"], front.Outputs);
    }

    [Fact]
    public void As_many_connections_end_beside_the_hosts_in_work_as_may_be_in_work()
    {
        using var fleet = new FleetRun(3);
        var ends = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        StartThree();
        TakeOutputs();
        Assert.True(SpinWait.SpinUntil(() => !fleet.TryTakeReady(out _) && fleet.InWork == 0, TimeSpan.FromSeconds(30)));

        // The place of those that follow is free only when somebody's connection has ended.
        StartThree();
        TakeOutputs();
        Assert.False(fleet.TryTakeReady(out _));
        Assert.Equal(3, fleet.InWork);
        ends.SetResult();
        Assert.False(fleet.TryTake(out _));
        Assert.True(fleet.IsIdle);

        void StartThree()
        {
            for (var i = 0; i < 3; i++)
            {
                fleet.Start($"host{fleet.Started}", (context, _) =>
                {
                    context.Leave(ends.Task);
                    context.Output(context.HostName);
                    return Task.CompletedTask;
                });
            }
        }

        void TakeOutputs() => Assert.Equal(3, Enumerable.Range(0, 3).Count(_ => fleet.TryTake(out var message) && message is HostOutput));
    }

    [Fact]
    public void A_place_is_filled_when_its_host_is_done_and_not_when_another_one_speaks()
    {
        var front = new Front();
        using var fleet = new FleetRun(2);
        var begun = new TaskCompletionSource();
        fleet.Add(front, "silent", async (context, token) =>
        {
            await begun.Task.WaitAsync(TimeSpan.FromSeconds(30), token);
            context.Output("silent");
        });
        fleet.Add(front, "quick", (context, _) =>
        {
            context.Output("quick");
            return Task.CompletedTask;
        });
        fleet.Add(front, "third", (context, _) =>
        {
            begun.SetResult();
            context.Output("third");
            return Task.CompletedTask;
        });
        fleet.Finish(front);
        Assert.Equal(["quick", "silent", "third"], front.Outputs.Order());
    }

    [Fact]
    public void Results_come_as_they_finish()
    {
        var front = new Front();
        using var fleet = new FleetRun(2);
        var release = new TaskCompletionSource();
        fleet.Add(front, "slow", async (context, _) =>
        {
            await release.Task;
            context.Output("slow");
        });
        fleet.Add(front, "quick", (context, _) =>
        {
            context.Output("quick");
            release.SetResult();
            return Task.CompletedTask;
        });
        fleet.Finish(front);
        Assert.Equal(["quick", "slow"], front.Outputs);
    }

    [Fact]
    public void A_failing_host_does_not_stop_the_others_and_even_the_unforeseen_has_an_id()
    {
        var front = new Front();
        using var fleet = new FleetRun(2);
        fleet.Add(front, "a", (_, _) => throw new HostException(ErrorIds.Unreachable, "a", "No route."));
        fleet.Add(front, "b", (_, _) => throw new InvalidCastException("odd"));
        fleet.Add(front, "c", (context, _) =>
        {
            context.Output("fine");
            return Task.CompletedTask;
        });
        fleet.Finish(front);
        Assert.Equal(["fine"], front.Outputs);
        Assert.Equal([ErrorIds.Unexpected, ErrorIds.Unreachable], front.Errors.Select(e => e.ErrorId).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Questions_are_answered_on_the_thread_that_pumps()
    {
        var front = new Front(question => question.Target == "yes");
        using var fleet = new FleetRun(4);
        foreach (var name in new[] { "yes", "no" })
        {
            fleet.Add(front, name, async (context, token) =>
            {
                if (await context.ConfirmAsync(new ChangeQuestion(name, "change"), token))
                {
                    context.Output(name);
                }
            });
        }

        fleet.Finish(front);
        Assert.Equal(["yes"], front.Outputs);
    }

    [Fact]
    public async Task A_front_end_that_throws_in_its_answer_leaves_no_worker_behind()
    {
        var front = new Front(_ => throw new OperationCanceledException("pipeline stopped"));
        var fleet = new FleetRun(1);
        var ended = new TaskCompletionSource<bool>();
        Assert.Throws<OperationCanceledException>(() =>
        {
            fleet.Add(front, "h", async (context, token) =>
            {
                try
                {
                    ended.SetResult(await context.ConfirmAsync(new ChangeQuestion("h", "change"), token));
                }
                catch (OperationCanceledException)
                {
                    ended.SetResult(false);
                    throw;
                }
            });
            fleet.Finish(front);
        });
        fleet.Dispose();
        Assert.False(await ended.Task.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void Cancel_ends_workers_and_answers_for_each()
    {
        var front = new Front();
        using var fleet = new FleetRun(10);
        for (var i = 0; i < 10; i++)
        {
            fleet.Add(front, $"h{i}", (_, token) => Task.Delay(Timeout.Infinite, token));
        }

        fleet.Cancel();
        fleet.Finish(front);
        Assert.Equal(10, front.Errors.Count(e => e.ErrorId == ErrorIds.Cancelled));
    }

    [Fact]
    public void Disposal_does_not_wait_for_a_worker_that_ignores_cancelling()
    {
        var fleet = new FleetRun(1);
        var stuck = new TaskCompletionSource();
        fleet.Start("stuck", (_, _) => stuck.Task);
        var watch = Stopwatch.StartNew();
        fleet.Dispose();
        Assert.True(watch.Elapsed < FleetRun.CleanUpLimit + TimeSpan.FromSeconds(3));
        // Late words of the worker must not fault on the thread pool.
        stuck.SetResult();
    }

    [Fact]
    public void Memory_of_hosts_that_are_done_is_not_kept()
    {
        var front = new Front();
        using var fleet = new FleetRun(4);
        var references = new List<WeakReference>();
        for (var i = 0; i < 64; i++)
        {
            Start(fleet, front, references);
        }

        fleet.Finish(front);
        front.Outputs.Clear();
        Thread.Sleep(50);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.InRange(references.Count(r => r.IsAlive), 0, 8);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Start(FleetRun fleet, Front front, List<WeakReference> references)
    {
        var payload = new byte[1 << 16];
        references.Add(new WeakReference(payload));
        fleet.Add(front, "h", (context, _) =>
        {
            context.Output(payload.Length);
            return Task.CompletedTask;
        });
    }
}
