using KdumpNfs.Hosts;

namespace KdumpNfs.Tests.Unit.Hosts;

public sealed class UnfinishedChangeTests
{
    [Theory]
    [InlineData("job.exit 1\n0", "succeeded")]
    [InlineData("fail.id 16\nChangeRolledBack\nfail.said 6\na\nb \u001bc\njob.exit 1\n1", "failed (ChangeRolledBack): a\nb \\x1bc")]
    public void What_a_dead_controller_left_is_told(string result, string told) =>
        Assert.Equal(told, new UnfinishedChange("1", "Done", result, false).ToString());

    [Theory]
    [InlineData(true, "still runs; its last step: Rebuilding")]
    [InlineData(false, "was stopped in the middle; its last step: Rebuilding")]
    public void What_has_not_ended_is_told(bool running, string told) =>
        Assert.Equal(told, new UnfinishedChange("1", "Rebuilding", null, running).ToString());
}
