using System.Text;
using FsCheck.Fluent;
using KdumpNfs.Text;

namespace KdumpNfs.Tests.Unit.Text;

public class ShellVariablesTests
{
    // systemd's own parser of such files, in a program of its own (with ${} expansion on top, which no value here has).
    private const string Generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator";

    private static readonly string[] Names = ["NFS", "SSH", "OTHER"];

    private static readonly string[] Pieces =
    [
        "NFS=\"a:/b\"", "NFS=a:/b", "NFS='a:/b' # c", "export NFS=x", "export NFS", "  NFS=\"x y\"\t", "NFS=", "NFS=\"\"", "NFS=x SSH=y", "NFS=x;SSH=y", "NFS=a\\ b", "NFS=\"a\\\"b\\x\"",
        "NFS=a\"b\"'c'", "NFS=\"a\"b", "NFS=$SSH", "NFS=\"${SSH:-x}\"", "NFS=~/x", "NFS=a#b", "NFS=\"l1\nl2\"", "NFS=a*", "SSH=u@h", "SSH='u@h'", "SSH=\"x\" # y", "OTHER=1", "OTHER=\"a;b\"",
        "# comment", "# comment \\", "#NFS=\"<nfs mount>\"", "; comment", "", "   ", "if true; then NFS=cond; fi", "[ -n \"$NFS\" ] && SSH=z", "NFS = x", "true", "# gr\u00f6\u00dfe", "NFS=gr\u00f6\u00dfe",
        "NFS=x\\\ny", "export SSH=a OTHER=b", "NFS=!x", "NFS=[a]", "export NFS=[a]", "NFS=x\r", "case x in\nx) NFS=1 ;;\nesac", "OTHER=x # it's", "NFS=\"a\"\"b\"", "NFS=\\", "unset NFS", "NFS+=x",
    ];

    private static ShellVariables Parse(string text) => ShellVariables.Parse(Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("NFS=\"a:/b\"\n", ShellReadingKind.Literal, "a:/b", 1)]
    [InlineData("#\n  NFS='a b'  \n", ShellReadingKind.Literal, "a b", 2)]
    [InlineData("NFS=a\nNFS=b\n", ShellReadingKind.Literal, "b", 2)]
    [InlineData("NFS=a\\\nb\n", ShellReadingKind.Literal, "ab", 1)]
    [InlineData("export NFS=a\n", ShellReadingKind.Literal, "a", 1)]
    [InlineData("NFS=\"a\" # store\n", ShellReadingKind.Disagree, "a", 1)]
    [InlineData("NFS=a\"b\"\n", ShellReadingKind.Disagree, "ab", 1)]
    [InlineData("NFS=a SSH=b\n", ShellReadingKind.Disagree, "a", 1)]
    [InlineData("NFS=x\r\n", ShellReadingKind.Disagree, "x\r", 1)]
    [InlineData("NFS = x\n", ShellReadingKind.NotLiteral, null, 0)]
    [InlineData("# see \\\nNFS=x\n", ShellReadingKind.Disagree, "x", 2)]
    [InlineData("NFS=${NFS:-x}\n", ShellReadingKind.NotLiteral, null, 1)]
    [InlineData("NFS=`cat /x`\n", ShellReadingKind.NotLiteral, null, 1)]
    [InlineData("NFS=a\n[ -e /x ] && NFS=b\n", ShellReadingKind.NotLiteral, null, 1)]
    [InlineData("NFS=a\n. /etc/other\n", ShellReadingKind.NotLiteral, null, 1)]
    [InlineData("if [ -e /x ]; then\n  NFS=a\nfi\n", ShellReadingKind.NotLiteral, null, 2)]
    [InlineData("exit 0\nNFS=a\n", ShellReadingKind.NotLiteral, null, 2)]
    [InlineData("X=\"$(echo \"a\" 'b')\"\nNFS=a\n", ShellReadingKind.Literal, "a", 2)]
    [InlineData("NFS=\"open\n", ShellReadingKind.NotLiteral, null, 0)]
    [InlineData("#NFS=a\n", ShellReadingKind.Unset, null, 0)]
    [InlineData("", ShellReadingKind.Unset, null, 0)]
    public void Readings(string text, ShellReadingKind kind, string? value, int line)
    {
        var reading = Parse(text).Read("NFS");
        Assert.Equal((kind, value, line), (reading.Kind, reading.Value, reading.Line));
    }

    [Theory]
    [InlineData("NFS=\"old\" # store\nX=1\n", "# store\nNFS=\"s:/x\"\nX=1\n")]
    [InlineData("  export NFS='old'\n", "  export NFS='s:/x'\n")]
    [InlineData("NFS=old", "NFS=s:/x")]
    [InlineData("NFS=\nX=1", "NFS=\"s:/x\"\nX=1")]
    [InlineData("#NFS=\"<nfs mount>\"\n#NFS_TIMEO=1\n", "#NFS=\"<nfs mount>\"\nNFS=\"s:/x\"\n#NFS_TIMEO=1\n")]
    [InlineData("X=1", "X=1\nNFS=\"s:/x\"\n")]
    [InlineData("NFS=$Y\n", "NFS=s:/x\n")]
    [InlineData("NFS=a\nNFS=b\n", "NFS=a\nNFS=\"s:/x\"\n")]
    [InlineData("NFS=\"old\"\r\nX=1\r\n", "NFS=\"s:/x\"\nX=1\r\n")]
    [InlineData("# see \\\nNFS=old\n", "# see \\\n\nNFS=s:/x\n")]
    [InlineData("NFS=a\nexport NFS=b\n", "NFS=a\nNFS=\"s:/x\"\n")]
    [InlineData("NFS=a\nif x; then NFS=b; fi\n", "NFS=a\nif x; then NFS=b; fi\nNFS=\"s:/x\"\n")]
    [InlineData("NFS=a SSH=b\n", "NFS=a SSH=b\nNFS=\"s:/x\"\n")]
    public void Setting(string before, string after)
    {
        var set = Parse(before).With("NFS", "s:/x");
        var expected = before.StartsWith("NFS=a\nNFS=b", StringComparison.Ordinal) || before.Contains("export NFS=b", StringComparison.Ordinal)
            ? after.Replace("\"s:/x\"", "s:/x", StringComparison.Ordinal) : after;
        Assert.Equal(expected, Encoding.UTF8.GetString(set.ToBytes()));
        Assert.Same(set, set.With("NFS", "s:/x"));
    }

    [Theory]
    [InlineData("NFS=a\nX=1\n  export NFS=b # c\n", "#NFS=a\nX=1\n#  export NFS=b # c\n")]
    [InlineData("NFS=a SSH=b\n", "NFS=a SSH=b\nNFS=\"\"\n")]
    [InlineData("NFS=\"l1\nl2\"\n", "#NFS=\"l1\n#l2\"\n")]
    [InlineData("NFS=\"\"\n", "NFS=\"\"\n")]
    public void Unsetting(string before, string after)
    {
        var set = Parse(before).Without("NFS");
        Assert.Equal(after, Encoding.UTF8.GetString(set.ToBytes()));
        Assert.Same(set, set.Without("NFS"));
    }

    [Theory]
    [InlineData("a\"b")]
    [InlineData("a'b")]
    [InlineData("$HOME")]
    [InlineData("`x`")]
    [InlineData("a\\b")]
    [InlineData("a\nb")]
    public void Values_that_the_readers_would_read_differently_are_refused(string value) =>
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => Parse("").With("NFS", value)).ErrorId);

    [Theory]
    [InlineData("X=\"open\n")]
    [InlineData("cat <<E\nNFS=x\nE\n")]
    [InlineData("X=1\0\n")]
    public void A_file_that_cannot_be_understood_is_not_edited(string text) =>
        Assert.Equal(ErrorIds.ConfigurationInvalid, Assert.Throws<HostException>(() => Parse(text).With("NFS", "x")).ErrorId);

    [Fact]
    public void A_variable_that_is_not_UTF8_stops_systemd_even_when_it_is_set_again()
    {
        Assert.Equal(ErrorIds.ConfigurationInvalid, Assert.Throws<HostException>(() => ShellVariables.Parse([.. "X="u8, 0xff]).With("NFS", "x")).ErrorId);
        Assert.Equal(ErrorIds.ConfigurationInvalid, Assert.Throws<HostException>(() => ShellVariables.Parse([.. "NFS="u8, 0xff, .. "\nNFS=y\n"u8]).With("NFS", "x")).ErrorId);
    }

    [Fact]
    public void Parsing_and_printing_is_the_identity() =>
        DocumentGen.Check(DocumentGen.Any(Pieces), bytes => ShellVariables.Parse(bytes).ToBytes().AsSpan().SequenceEqual(bytes), 2000);

    [Fact]
    public void Setting_and_unsetting_twice_is_once()
    {
        var values = Gen.Elements("s:/x", "a b", "", " x ", "größe", "a#b;c", "~x", "*", "#", "x=y", "[fd00::1]:/x", "!");
        DocumentGen.Check(from bytes in DocumentGen.Any(Pieces) from value in values select (bytes, value), c =>
        {
            try
            {
                var set = ShellVariables.Parse(c.bytes).With("NFS", c.value);
                var again = ShellVariables.Parse(set.ToBytes());
                var without = again.Without("NFS");
                return again.Read("NFS") is { Kind: ShellReadingKind.Literal } r && r.Value == c.value && ReferenceEquals(again, again.With("NFS", c.value)) &&
                    ShellVariables.Parse(without.ToBytes()).Read("NFS") is { Kind: not ShellReadingKind.NotLiteral, Value: null or "" } &&
                    ReferenceEquals(without, without.Without("NFS"));
            }
            catch (HostException e)
            {
                return e.ErrorId is ErrorIds.ConfigurationInvalid or ErrorIds.NotExpressible;
            }
        }, 3000);
    }

    // What a file of assignments means is asked of the programs themselves, many files in one process.
    [Theory]
    [InlineData("dash")]
    [InlineData("bash")]
    public void What_is_literal_is_what_sh_reads(string shell)
    {
        using var directory = Tool.Directory();
        var files = DocumentGen.Pieces(Pieces).Sample(50, 10).Concat(Samples().Take(50)).Where(f => !Encoding.Latin1.GetString(f).Contains("exit", StringComparison.Ordinal)).ToList();
        var script = new StringBuilder();
        for (var i = 0; i < files.Count; i++)
        {
            var path = directory.Write($"f{i}", files[i]);
            // A file that is no valid script at all is read up to some place; that is not modelled.
            script.Append($"printf '%s\\0' \"$({shell} -n {path} 2>/dev/null || exit; . {path} >/dev/null 2>&1; printf '%s\\1%s\\1%s\\1ok' \"${{NFS-unset}}\" \"${{SSH-unset}}\" \"${{OTHER-unset}}\")\"\n");
        }

        var results = Encoding.Latin1.GetString(Tool.Run(shell, [directory.Write("script", Encoding.UTF8.GetBytes(script.ToString()))]).Output).Split('\0')[..^1];
        Assert.Equal(files.Count, results.Length);
        var literal = 0;
        for (var i = 0; i < files.Count; i++)
        {
            if (!results[i].EndsWith("\u0001ok", StringComparison.Ordinal))
            {
                continue; // A syntax error ended the shell.
            }

            var read = results[i].Split('\u0001');
            var variables = ShellVariables.Parse(files[i]);
            for (var n = 0; n < Names.Length; n++)
            {
                var reading = variables.Read(Names[n]);
                if (reading.Kind is ShellReadingKind.Literal or ShellReadingKind.Disagree or ShellReadingKind.Unset)
                {
                    literal++;
                    var expected = reading.Value is null ? "unset" : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(reading.Value));
                    Assert.True(expected == read[n] || !ByteText.IsUtf8(read[n]), $"{Names[n]}: {read[n]} is read as {expected} in\n{DocumentGen.Show(files[i])}");
                }
            }
        }

        Assert.True(literal > 100, $"{literal} readings compared");
    }

    [SkippableFact]
    public void What_is_written_is_what_systemd_reads()
    {
        Skip.IfNot(Tool.Exists(Generator), "systemd's environment generator is not installed");
        using var directory = Tool.Directory();
        var compared = 0;
        foreach (var file in Samples().Take(80))
        {
            directory.Write("environment.d/x.conf", file);
            var lines = Encoding.UTF8.GetString(Tool.Run(Generator, [], null, ("XDG_CONFIG_HOME", directory.Path), ("HOME", directory.Path)).Output).Split('\n');
            var variables = ShellVariables.Parse(file);
            if (DocumentGen.Show(file).Contains('$', StringComparison.Ordinal))
            {
                continue; // The generator expands, EnvironmentFile= does not.
            }

            var line = lines.LastOrDefault(l => l.StartsWith("NFS=", StringComparison.Ordinal));
            var value = line?["NFS=".Length..];
            value = value is ['"', .., '"'] ? value[1..^1] : value;
            Assert.True(variables.Read("NFS").SystemdValue == value, $"{value} from\n{Printable.EscapeLines(DocumentGen.Show(file))}");
            compared++;
        }

        Assert.True(compared > 20, $"{compared} files compared");
    }

    // Files as this class writes them.
    private static IEnumerable<byte[]> Samples()
    {
        var values = new[] { "s:/x", "a b", "größe", "a#b;c", "~x", "*", "[fd00::1]:/x", "x=y", " x ", "{a,b}", "a|b&c" };
        var i = 0;
        foreach (var file in DocumentGen.Pieces(Pieces).Sample(100, 10))
        {
            byte[]? result = null;
            try
            {
                result = ShellVariables.Parse(file).With("NFS", values[i++ % values.Length]).ToBytes();
            }
            catch (HostException)
            {
                // Refused: nothing was written.
            }

            if (result is not null)
            {
                yield return result;
            }
        }
    }
}
