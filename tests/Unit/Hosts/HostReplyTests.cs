using System.Text;
using KdumpNfs.Hosts;

namespace KdumpNfs.Tests.Unit.Hosts;

public sealed class HostReplyTests
{
    private static HostReply Parse(string reply) => HostReply.Parse("h", Encoding.UTF8.GetBytes(reply));

    [Fact]
    public void Values_may_hold_anything()
    {
        var reply = Parse("a 3\nx\ny\nb 0\n\na 10\nkey 4\nfake\nuid 1\n0\n");
        Assert.Equal(["x\ny", "key 4\nfake"], reply.All("a"));
        Assert.Equal("", reply.Text("b"));
        Assert.Equal(0, reply.Number("uid"));
        Assert.Null(reply.Text("key"));
    }

    [Theory]
    [InlineData("a 5\nxyz\n")]
    [InlineData("a 3\nxyz")]
    [InlineData("a\nxyz\n")]
    [InlineData("a -1\nxyz\n")]
    [InlineData("a 99999999999999999999\nxyz\n")]
    [InlineData("a 3\nxyzz")]
    [InlineData(" 3\nxyz\n")]
    public void A_reply_that_is_cut_or_garbled_is_an_error(string reply) =>
        Assert.Equal(ErrorIds.UnexpectedReply, Assert.Throws<HostException>(() => Parse(reply)).ErrorId);

    [Fact]
    public void Every_cut_of_a_reply_is_noticed_or_is_between_records()
    {
        const string whole = "a 3\nx\ny\nlonger.key 12\n12 bytes\n 5\n\nb 1\nz\n";
        var boundaries = 0;
        for (var cut = 0; cut < whole.Length; cut++)
        {
            try
            {
                Parse(whole[..cut]);
                boundaries++;
            }
            catch (HostException e)
            {
                Assert.Equal(ErrorIds.UnexpectedReply, e.ErrorId);
            }
        }

        Assert.Equal(3, boundaries);
    }

    [Fact]
    public void A_file_that_may_not_be_read_is_not_an_empty_one()
    {
        var error = Assert.Throws<HostException>(() => Parse("f.path 9\n/etc/file\nf.denied 1\n1\nf.stat 13\n600 0 0 1 100\nf.data 0\n\n").File("f"));
        Assert.Equal(ErrorIds.NotRoot, error.ErrorId);
        Assert.Contains("/etc/file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_keep_their_bytes_and_hash()
    {
        var file = Parse("f.path 9\n/etc/file\nf.stat 14\n644 0 0 1000 3\nf.data 4\nAP8K\n").File("f")!;
        Assert.Equal(new byte[] { 0, 255, 10 }, file.Content.ToArray());
        Assert.Equal(("644", "0:0", 1000L), (file.Mode, file.Owner, file.Modified.ToUnixTimeSeconds()));
        Assert.Equal(64, file.Sha256.Length);
    }
}
