using KdumpNfs.Fleet;

namespace KdumpNfs.Tests.Unit.Fleet;

public class ProgressClockTests
{
    private TimeSpan _now;

    [Fact]
    public void Time_left_follows_from_how_the_share_has_grown()
    {
        var clock = new ProgressClock(() => _now);
        Assert.Null(clock.Left(Step(0.2)));
        _now = TimeSpan.FromSeconds(10);
        Assert.Equal(TimeSpan.FromSeconds(30), clock.Left(Step(0.4)));
        _now = TimeSpan.FromSeconds(40);
        Assert.Equal(TimeSpan.Zero, clock.Left(Step(1)));
    }

    [Fact]
    public void What_the_work_says_itself_wins() =>
        Assert.Equal(TimeSpan.FromSeconds(7), new ProgressClock(() => _now).Left(Step(0.5) with { Left = TimeSpan.FromSeconds(7) }));

    [Fact]
    public void Nothing_is_foretold_at_the_beginning_without_a_share_or_after_a_new_one_began()
    {
        var clock = new ProgressClock(() => _now);
        Assert.Null(clock.Left(Step(0)));
        _now = TimeSpan.FromSeconds(1);
        Assert.Null(clock.Left(Step(0.5)));
        _now = TimeSpan.FromSeconds(100);
        Assert.Null(clock.Left(Step(null)));
        Assert.Null(clock.Left(new HostProgress("web01", "Something else", "", 0.9)));
        Assert.Null(clock.Left(Step(1) with { Done = true }));
    }

    [Theory]
    [InlineData(0.4, "0 s")]
    [InlineData(59, "59 s")]
    [InlineData(200, "3 min 20 s")]
    [InlineData(7500, "2 h 05 min")]
    public void Times_are_for_people(double seconds, string text) => Assert.Equal(text, ProgressClock.Text(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("CI", "true", true)]
    [InlineData("CI", "false", false)]
    [InlineData("CI", "", false)]
    [InlineData("TF_BUILD", "True", true)]
    [InlineData("TERM", "xterm", false)]
    public void Continuous_integration_gets_no_progress(string name, string value, bool quiet) =>
        Assert.Equal(quiet, ProgressPolicy.IsQuietFor(asked => asked == name ? value : null, ["kdumpnfs"]));

    [Theory]
    [InlineData(true, "/opt/pwsh.dll", "-NoProfile", "-NonInteractive", "-File", "x.ps1")]
    [InlineData(true, "pwsh", "-noni", "-c", "1")]
    [InlineData(true, "pwsh", "-NoProfile", "-ConfigurationName", "x", "-NonInteractive")]
    [InlineData(false, "pwsh", "-File", "x.ps1", "-NonInteractive")]
    [InlineData(false, "pwsh", "-Command", "x", "-noni")]
    [InlineData(false, "pwsh", "-NoProfile")]
    [InlineData(false, "/usr/bin/dotnet", "-NonInteractive")]
    [InlineData(false)]
    public void A_shell_that_cannot_ask_shows_none(bool quiet, params string[] arguments) =>
        Assert.Equal(quiet, ProgressPolicy.IsQuietFor(_ => null, arguments));

    private static HostProgress Step(double? fraction) => new("web01", "Working", "half", fraction);
}
