using System.Text;
using FsCheck.Fluent;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Text;

public class ShellQuoteTests
{
    [Theory]
    [InlineData("dash")]
    [InlineData("bash")]
    public void Any_string_comes_back_from_sh_unchanged_or_is_refused(string shell)
    {
        var values = ArbMap.Default.GeneratorFor<string>().Where(s => s is not null)
            .Or(Gen.Elements("'", "''", "\\", "$(id)", "`id`", "a\nb\n", "\n", "-n", "", "é€😀", "\u0001\u001b[31m", "*", "~", "!!", "\r\n", "\ud800", "a\0b"))
            .Sample(400, 60).ToList();
        var accepted = new List<string>();
        var script = new StringBuilder();
        foreach (var value in values)
        {
            try
            {
                var word = ShellQuote.Word(value);
                script.Append("printf '%s\\0' ").Append(word).Append('\n');
                accepted.Add(value);
            }
            catch (HostException e)
            {
                Assert.Equal(ErrorIds.InvalidInput, e.ErrorId);
                Assert.Contains(value, c => c == '\0' || char.IsSurrogate(c));
            }
        }

        Assert.True(accepted.Count > 100);
        // From a file: what sh reads from its standard input it may not read twice.
        using var directory = Tool.Directory();
        var file = directory.Write("script", Encoding.UTF8.GetBytes(script.ToString()));
        var (status, output) = Tool.Run(shell, [file]);
        Assert.Equal(0, status);
        Assert.Equal(accepted, Encoding.UTF8.GetString(output).Split('\0')[..^1]);
    }
}
