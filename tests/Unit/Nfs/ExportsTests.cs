using System.Text;
using FsCheck.Fluent;
using KdumpNfs.Nfs;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Nfs;

public class ExportsTests
{
    private static readonly string[] Ours = ["rw", "sync", "no_root_squash", "no_subtree_check"];

    private static readonly string[] Pieces =
    [
        "/data 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check)", "/data\t10.0.0.1(ro) \\", "  10.0.0.2(rw)", "/data *(ro)", "/data", "\"/my data\" h(rw)", "/my\\040data h(ro) # c", "# comment",
        "/data -sync,rw h1 h2(ro)", "/data h (rw)", "/x h(rw", "", "/srv @group(rw,sync)", "/data \\", "/data -all_squash 192.168.122.0/24", "/gr\u00f6\u00dfe h(rw)", "/data -fsid=1 h", "#x \\", "\t", "/data 192.168.122.0/24(sec=krb5,rw)",
        "/data 192.168.122.0/24(ro) 192.168.122.0/24(rw)", "\"/data\" h2(rw)", "/da\"ta\" h3(rw)",
    ];

    private static ExportsDocument Parse(string text) => ExportsDocument.Parse(Encoding.UTF8.GetBytes(text));

    private static string Text(ExportsDocument document) => Encoding.UTF8.GetString(document.ToBytes());

    private static string Show(ExportsDocument document) =>
        string.Join("; ", document.Entries.Select(e => $"{e.Line} {e.Path}: {string.Join(" ", e.Clients.Select(c => $"{c.Client}({string.Join(",", c.Options)})"))}"));

    [Theory]
    [InlineData("/data 192.168.122.0/24(rw,sync)\n", "1 /data: 192.168.122.0/24(rw,sync)")]
    [InlineData("# c\n\n/a h1(rw) h2(ro) # x\n/b *", "3 /a: h1(rw) h2(ro); 4 /b: *()")]
    [InlineData("/a -sync,rw h1 \\\n   h2(ro)\n/b h", "1 /a: h1(sync,rw) h2(sync,rw,ro); 3 /b: h()")]
    [InlineData("\"/my data\" h(rw)\n/my\\040data g(rw)", "1 /my data: h(rw); 2 /my data: g(rw)")]
    [InlineData("/a h(rw)\r\n/b g(ro)\r\n", "1 /a: h(rw); 2 /b: g(ro)")]
    [InlineData("/a h (rw)", "1 /a: h() (rw)")]
    [InlineData("/a # none\n", "1 /a: ()")]
    [InlineData("# c \\\n/a h", "2 /a: h()")]
    public void Entries_are_read_as_exportfs_reads_them(string text, string entries) => Assert.Equal(entries, Show(Parse(text)));

    [Theory]
    [InlineData("/a h (rw)\n", ExportsDocument.ProblemIds.OptionsForWorld, 1)]
    [InlineData("/b\n", ExportsDocument.ProblemIds.NoClient, 1)]
    [InlineData("\n/a h(rw, sync)\n", ExportsDocument.ProblemIds.SyntaxError, 2)]
    [InlineData("/a h(rw)\r\n\r\n/b h\r\n", ExportsDocument.ProblemIds.SyntaxError, 2)]
    public void Traps_are_told(string text, string id, int line)
    {
        var problem = Assert.Single(Parse(text).Problems);
        Assert.Equal((id, line), (problem.Id, problem.Lines[0]));
    }

    [Theory]
    [InlineData("", "/data 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check)\n")]
    [InlineData("# c", "# c\n/data 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check)\n")]
    [InlineData("/data 10.0.0.1(ro) # x\n/b h\n", "/data 10.0.0.1(ro) 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check) # x\n/b h\n")]
    [InlineData("/data h(ro) \\\n  192.168.122.0/24(ro)\n", "/data h(ro) \\\n  192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check)\n")]
    [InlineData("/data  192.168.122.0/24(no_root_squash,rw) # ours\n", "/data  192.168.122.0/24(no_root_squash,rw) # ours\n")]
    [InlineData("/data -all_squash,rw h\n", "/data -all_squash,rw h 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check,no_all_squash)\n")]
    [InlineData("/data -fsid=7 h\n", "/data -fsid=7 h\n/data 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check)\n")]
    [InlineData("/data\n", "/data\n/data 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check)\n")]
    [InlineData("/x h \\\n", "/x h \\\n\n/data 192.168.122.0/24(rw,sync,no_root_squash,no_subtree_check)\n")]
    public void One_client_is_added_or_changed(string before, string after)
    {
        var set = Parse(before).WithClient("/data/", "192.168.122.0/24", Ours);
        Assert.Equal(after, Text(set));
        Assert.Same(set, set.WithClient("/data", "192.168.122.0/24", ["no_subtree_check", "no_root_squash", "sync", "rw"]));
    }

    [Fact]
    public void A_path_with_spaces_is_quoted()
    {
        Assert.Equal("\"/my data\" h(rw)\n", Text(Parse("").WithClient("/my data", "h", ["rw"])));
        Assert.Equal("/my\\040data h(rw)\n", Text(Parse("/my\\040data h(ro)\n").WithClient("/my data", "h", ["rw"])));
    }

    [Theory]
    [InlineData("192.168.122.1", ExportClientKind.Host, false)]
    [InlineData("fd00::1", ExportClientKind.Host, false)]
    [InlineData("node1.example.com", ExportClientKind.Host, false)]
    [InlineData("192.168.122.0/24", ExportClientKind.Subnet, true)]
    [InlineData("192.168.122.0/255.255.255.0", ExportClientKind.Subnet, true)]
    [InlineData("fd00::/64", ExportClientKind.Subnet, true)]
    [InlineData("*.example.com", ExportClientKind.Wildcard, true)]
    [InlineData("node[12]", ExportClientKind.Wildcard, true)]
    [InlineData("*", ExportClientKind.World, true)]
    [InlineData("@dumpers", ExportClientKind.Netgroup, true)]
    public void Clients_and_their_warnings(string client, ExportClientKind kind, bool warned)
    {
        ExportClient.Check(client);
        Assert.Equal(kind, ExportClient.KindOf(client));
        Assert.Equal(warned, new ExportClient(client, Ours).Warning is not null);
        Assert.Null(new ExportClient(client, ["rw", "no_root_squash", "root_squash"]).Warning);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("-rw")]
    [InlineData("h(rw)")]
    [InlineData("#h")]
    [InlineData("[fd00::1]")]
    [InlineData("[fd00::]/64")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/255.0.255.0")]
    [InlineData("10.0.0/24")]
    [InlineData("host/24")]
    [InlineData("a\nb")]
    [InlineData("/x")]
    public void Clients_that_no_file_can_hold(string client) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Parse("").WithClient("/data", client, Ours)).ErrorId);

    [Theory]
    [InlineData("rw)")]
    [InlineData("rw,sync")]
    [InlineData("read-write")]
    [InlineData("")]
    [InlineData("rw ")]
    [InlineData("mountpoint=/a b")]
    public void Options_that_are_none(string option) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Parse("").WithClient("/data", "h", [option])).ErrorId);

    [Fact]
    public void A_file_that_exportfs_stops_in_is_not_edited() =>
        Assert.Equal(ErrorIds.ConfigurationInvalid, Assert.Throws<HostException>(() => Parse("/a h(rw, sync)\n").WithClient("/data", "h", Ours)).ErrorId);

    [Fact]
    public void Parsing_and_printing_is_the_identity() =>
        DocumentGen.Check(DocumentGen.Any(Pieces), bytes => ExportsDocument.Parse(bytes).ToBytes().AsSpan().SequenceEqual(bytes), 1000);

    [Fact]
    public void Setting_twice_is_setting_once_and_leaves_the_others() =>
        DocumentGen.Check(from bytes in DocumentGen.Any(Pieces) from client in Gen.Elements("192.168.122.0/24", "h", "10.0.0.2", "*") select (bytes, client), c =>
        {
            try
            {
                var before = ExportsDocument.Parse(c.bytes);
                var once = before.WithClient("/data", c.client, Ours);
                var again = ExportsDocument.Parse(once.ToBytes());
                static IEnumerable<string> Others(ExportsDocument d, string client) => d.Entries
                    .SelectMany(e => e.Clients.Where(k => e.Path != "/data" || !string.Equals(k.Client, client, StringComparison.OrdinalIgnoreCase))
                        .Select(k => $"{e.Path} {k.Client} {string.Join(",", k.Options)}"));
                return again.Find("/data", c.client) is not null && Others(before, c.client).SequenceEqual(Others(again, c.client)) &&
                    again.WithClient("/data", c.client, Ours).ToBytes().AsSpan().SequenceEqual(once.ToBytes());
            }
            catch (HostException e)
            {
                return e.ErrorId is ErrorIds.ConfigurationInvalid or ErrorIds.NotExpressible;
            }
        }, 3000);

    [Theory]
    [InlineData("/data h(rw)\n/b g(ro)\n", "/b g(ro)\n")]
    [InlineData("# c\n/data h(rw)", "# c\n")]
    [InlineData("/data h(rw) # ours\n/b g\n", "# ours\n/b g\n")]
    [InlineData("/data  g(ro)\th(rw) # x\n", "/data  g(ro) # x\n")]
    [InlineData("/data h(rw) g(ro)\n", "/data g(ro)\n")]
    [InlineData("/data -sync h(rw) g(ro)\n", "/data -sync g(ro)\n")]
    [InlineData("/data g(ro) \\\n   h(rw)\n/b x\n", "/data g(ro)\n/b x\n")]
    [InlineData("/data \\\n   h(rw)\n/b x\n", "/b x\n")]
    [InlineData("/data h(rw)\n/x y\n/data/ H(ro)\n", "/x y\n")]
    [InlineData("/data g(rw)\n", "/data g(rw)\n")]
    [InlineData("\"/data\" -fsid=1 h -sync\n/b x\n", "/b x\n")]
    public void One_client_is_taken_out(string before, string after) => Assert.Equal(after, Text(Parse(before).WithoutClient("/data", "h")));

    [Fact]
    public void Taking_out_twice_is_once_leaves_the_others_and_opens_nothing() =>
        DocumentGen.Check(from bytes in DocumentGen.Any(Pieces) from client in Gen.Elements("192.168.122.0/24", "h", "10.0.0.2", "*") select (bytes, client), c =>
        {
            try
            {
                var before = ExportsDocument.Parse(c.bytes);
                var once = before.WithoutClient("/data", c.client);
                var again = ExportsDocument.Parse(once.ToBytes());
                static List<string> Others(ExportsDocument d, string client) => [.. d.Entries
                    .SelectMany(e => e.Clients.Where(k => e.Path != "/data" || !string.Equals(k.Client, client, StringComparison.OrdinalIgnoreCase))
                        .Select(k => $"{e.Path} {k.Client} {string.Join(",", k.Options)}"))];
                return again.Find("/data", c.client) is null && Others(before, c.client).SequenceEqual(Others(again, c.client)) &&
                    again.WithoutClient("/data", c.client).ToBytes().AsSpan().SequenceEqual(once.ToBytes());
            }
            catch (HostException e)
            {
                return e.ErrorId is ErrorIds.ConfigurationInvalid or ErrorIds.NotExpressible;
            }
        }, 3000);

    [Theory]
    [InlineData("192.168.122.0/24", "192.168.122.7", true)]
    [InlineData("192.168.122.0/24", "192.168.123.7", false)]
    [InlineData("192.168.122.0/255.255.254.0", "192.168.123.7", true)]
    [InlineData("192.168.122.0/24", "::ffff:192.168.122.7", true)]
    [InlineData("192.168.122.0/24", "fd00::1", false)]
    [InlineData("fd00::/64", "fd00::9", true)]
    [InlineData("10.0.0.1", "10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("node1.example.com", "10.0.0.2", true)]
    [InlineData("node1.example.com", "NODE1", true)]
    [InlineData("node1", "node2", false)]
    [InlineData("*", "10.0.0.2", true)]
    [InlineData("@dumpers", "node2", true)]
    public void Who_a_client_can_mean(string client, string host, bool may) => Assert.Equal(may, ExportClient.May(client, host));
}
