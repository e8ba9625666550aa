using System.Diagnostics;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Hosts;

public sealed class InlineSocketsTests
{
    [Fact]
    public void Programs_that_are_started_do_not_get_the_setting_of_this_one()
    {
        var start = new ProcessStartInfo("ssh") { Environment = { ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1", ["KEPT"] = "1" } };
        InlineSockets.KeepFrom(start);
        Assert.False(start.Environment.ContainsKey("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"));
        Assert.Equal("1", start.Environment["KEPT"]);
    }
}
