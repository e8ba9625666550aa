using KdumpNfs.Kdump;

namespace KdumpNfs.Tests.Unit.Readiness;

public sealed class DrillRecordTests
{
    private static DrillRecord Drill() =>
        DrillRecord.Of(new ReadyHost().Facts(), new ReadyHost().Status().Target!, "boot", DateTimeOffset.FromUnixTimeSeconds(ReadyHost.Now - 300), DrillRecord.CapturedVerdict);

    private static KdumpStatus StatusWith(string drill, Action<ReadyHost>? change = null)
    {
        var host = new ReadyHost { ["drill"] = drill };
        change?.Invoke(host);
        return host.Status();
    }

    [Fact]
    public void A_host_without_a_drill_is_configured() => Assert.Equal(KdumpState.Configured, new ReadyHost().Status().State);

    [Fact]
    public void A_drill_proves_the_host_while_nothing_changed()
    {
        var status = StatusWith(Drill().ToJson());
        Assert.Equal(KdumpState.Proven, status.State);
        Assert.Equal(Drill().CompletedAt, status.ProvenAt);
    }

    [Fact]
    public void Another_kernel_image_or_target_ends_the_proof()
    {
        var drill = Drill().ToJson();
        Assert.Equal(KdumpState.Configured, StatusWith(drill, h => h["release"] = "5.14.0-500.el9.x86_64").State);
        Assert.Equal(KdumpState.Configured, StatusWith(drill, h => h["image.time"] = ReadyHost.Number(ReadyHost.Now - 100)).State);
        Assert.Equal(KdumpState.Configured, StatusWith(drill, h => h.Config("/etc/kdump.conf", "nfs 192.168.122.2:/data/nfs_share\n", ReadyHost.Now - 500)).State);
        Assert.Equal(KdumpState.Configured, StatusWith((Drill() with { Verdict = "NotCaptured" }).ToJson()).State);
        Assert.Null(StatusWith(drill, h => h["release"] = "5.14.0-500.el9.x86_64").ProvenAt);
    }

    [Fact]
    public void A_proof_does_not_make_a_host_ready_that_is_not() =>
        Assert.Equal(KdumpState.NotReady, StatusWith(Drill().ToJson(), h => h["crash.loaded"] = "0").State);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"kernelRelease\":")]
    [InlineData("null")]
    public void What_is_no_record_proves_nothing(string text)
    {
        Assert.Null(DrillRecord.Parse(text));
        Assert.Equal(KdumpState.Configured, StatusWith(text).State);
    }

    [Fact]
    public void A_record_survives_its_way_to_the_host_and_back()
    {
        var drill = Drill() with { Vmcore = "/data/x/vmcore", CaptureSeconds = 34.5 };
        Assert.Equal(drill, DrillRecord.Parse(drill.ToJson()));
        Assert.DoesNotContain('\n', drill.ToJson());
        Assert.Equal("x", DrillRecord.Parse("{\"kernelRelease\":\"x\",\"later\":{\"a\":1}}")!.KernelRelease);
    }
}
