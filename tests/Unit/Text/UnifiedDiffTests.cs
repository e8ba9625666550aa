using System.Text;
using FsCheck.Fluent;
using KdumpNfs.Text;

namespace KdumpNfs.Tests.Unit.Text;

public class UnifiedDiffTests
{
    private static string Diff(string before, string after) =>
        Encoding.UTF8.GetString(UnifiedDiff.Create(Encoding.UTF8.GetBytes(before), Encoding.UTF8.GetBytes(after), "a", "b"));

    [Theory]
    [InlineData("", "x\n", "@@ -0,0 +1 @@\n+x\n")]
    [InlineData("x\n", "", "@@ -1 +0,0 @@\n-x\n")]
    [InlineData("x", "x\n", "@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n")]
    [InlineData("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nV\n6\n7\n8\n9\n", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n")]
    [InlineData("path /x\r\n", "path /x\n", "@@ -1 +1 @@\n-path /x\r\n+path /x\n")]
    public void Known_differences(string before, string after, string hunks) => Assert.Equal("--- a\n+++ b\n" + hunks, Diff(before, after));

    [Fact]
    public void Equal_files_have_none() => Assert.Equal("", Diff("a\nb", "a\nb"));

    [Fact]
    public void A_screen_gets_no_control_characters()
    {
        var shown = UnifiedDiff.Show("a\n"u8, [.. "gr\u00f6\u00dfe\ta\u001b[31m\r\n"u8, 0xff, .. "\n"u8], "a", "b");
        Assert.Equal("--- a\n+++ b\n@@ -1 +1,2 @@\n-a\n+größe\ta\\x1b[31m\\x0d\n+ÿ\n", shown);
    }

    [Fact]
    public void Diff_prints_the_same_headers_and_patch_makes_the_new_file_of_the_old()
    {
        using var directory = Tool.Directory();
        var lines = Gen.Elements("a", "b", "c", "d", "", "nfs x:/y", "größe", "-- x", "x\r");
        var file = from l in lines.ListOf() from end in Gen.Elements("\n", "\n", "") select Encoding.UTF8.GetBytes(string.Join('\n', l) + end);
        var pairs = (from f in file from g in file select (f, g)).Sample(40, 25);
        foreach (var (before, after) in pairs)
        {
            var old = directory.Write("old", before);
            var diff = UnifiedDiff.Create(before, after, "old", "new");
            if (before.AsSpan().SequenceEqual(after))
            {
                Assert.Empty(diff);
                continue;
            }

            var result = Path.Combine(directory.Path, "result");
            File.Delete(result);
            var (status, output) = Tool.Run("patch", ["--binary", "-s", "-o", result, old], diff);
            Assert.True(status == 0, Encoding.UTF8.GetString(output) + Encoding.UTF8.GetString(diff));
            Assert.Equal(after, File.Exists(result) ? File.ReadAllBytes(result) : []);
            var real = Encoding.UTF8.GetString(Tool.Run("diff", ["-d", "-u", "--label", "old", "--label", "new", old, directory.Write("new", after)]).Output);
            // Which of several equal lines is kept is free; how many lines change is not.
            Assert.Equal(real.Split('\n').Count(l => l.StartsWith('+')), Encoding.UTF8.GetString(diff).Split('\n').Count(l => l.StartsWith('+')));
        }
    }
}
