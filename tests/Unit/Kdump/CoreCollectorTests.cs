using FsCheck.Fluent;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Kdump;

public class CoreCollectorTests
{
    [Theory]
    [InlineData("makedumpfile -l --message-level 7 -d 31", 31, VmcoreCompression.Lzo, false, 7)]
    [InlineData("makedumpfile -F -l --message-level=1 -d31", 31, VmcoreCompression.Lzo, true, 1)]
    [InlineData("/usr/sbin/makedumpfile -lFd 17", 17, VmcoreCompression.Lzo, true, null)]
    [InlineData("makedumpfile -c -l -z -d 1 -d 31", 31, VmcoreCompression.Zstd, false, null)]
    [InlineData("makedumpfile --mess 3 -d 1,31", 1, VmcoreCompression.None, false, 3)]
    [InlineData("makedumpfile", 0, VmcoreCompression.None, false, null)]
    [InlineData("makedumpfile --config -l -d 31 -- -c", 31, VmcoreCompression.None, false, null)]
    [InlineData("makedumpfile -x -l", 0, VmcoreCompression.None, false, null)]
    public void The_command_is_read_as_makedumpfiles_getopt_reads_it(string text, int level, VmcoreCompression compression, bool flattened, int? message)
    {
        var collector = CoreCollector.ParseCommand(text);
        Assert.True(collector.IsMakedumpfile);
        Assert.Null(collector.Problem);
        Assert.Equal((DumpLevel)level, collector.DumpLevel);
        Assert.Equal(compression, collector.Compression);
        Assert.Equal(flattened, collector.Flattened);
        Assert.Equal(message, collector.MessageLevel);
        Assert.Equal(text, collector.ToString());
    }

    [Theory]
    [InlineData("makedumpfile -d 32")]
    [InlineData("makedumpfile -d 1,99")]
    [InlineData("makedumpfile -d")]
    [InlineData("makedumpfile -Q")]
    [InlineData("makedumpfile --unknown")]
    [InlineData("makedumpfile --d 1")]
    [InlineData("makedumpfile -E -c")]
    public void What_makedumpfile_refuses_is_a_problem(string text) => Assert.NotNull(CoreCollector.ParseCommand(text).Problem);

    [Theory]
    [InlineData("makedumpfile -l --message-level 7 -d 31", 31, VmcoreCompression.Lzo, null, "makedumpfile -l --message-level 7 -d 31")]
    [InlineData("makedumpfile -l  --message-level 7\t-d 31", 17, VmcoreCompression.Zlib, null, "makedumpfile -c  --message-level 7\t-d 17")]
    [InlineData("makedumpfile -F -l -d31", 17, null, false, "makedumpfile -l -d17")]
    [InlineData("makedumpfile -lFd 31", 1, VmcoreCompression.None, false, "makedumpfile -d 1")]
    [InlineData("makedumpfile -c -l -d 1,31", 31, VmcoreCompression.Zlib, null, "makedumpfile -c -d 31")]
    [InlineData("makedumpfile", 31, VmcoreCompression.Zstd, null, "makedumpfile -z -d 31")]
    [InlineData("makedumpfile -E -d 31", null, VmcoreCompression.Lzo, null, "makedumpfile -l -d 31")]
    [InlineData("makedumpfile -d 99", 31, null, null, "makedumpfile -d 31")]
    [InlineData("makedumpfile -- x", 31, null, null, "makedumpfile -d 31 -- x")]
    public void An_edit_changes_its_words_only(string text, int? level, VmcoreCompression? compression, bool? flattened, string expected) =>
        Assert.Equal(expected, CoreCollector.ParseCommand(text).With((DumpLevel?)level, compression, flattened).ToString());

    [Fact]
    public void Debians_arguments_keep_F_in_front()
    {
        var collector = CoreCollector.ParseArguments(CoreCollector.DebianDefaultArguments);
        Assert.Equal("-F -l -d 31", collector.With(compression: VmcoreCompression.Lzo).ToString());
        Assert.Equal("-F -l", CoreCollector.ParseArguments("-F").With(compression: VmcoreCompression.Lzo).ToString());
        Assert.Equal("-c -d 31", CoreCollector.ParseArguments("-d 31").With(compression: VmcoreCompression.Zlib).ToString());
    }

    [Theory]
    [InlineData("cp --sparse=always")]
    [InlineData("scp")]
    public void Another_program_has_no_level(string text)
    {
        var collector = CoreCollector.ParseCommand(text);
        Assert.Null(collector.DumpLevel);
        Assert.Null(collector.Compression);
        Assert.Equal(ErrorIds.NotExpressible, Assert.Throws<HostException>(() => collector.With(DumpLevel.All)).ErrorId);
        Assert.Same(collector, collector.With());
    }

    [Fact]
    public void Setting_is_idempotent_and_reads_back()
    {
        var words = Gen.Elements("-l", "-c", "-z", "-F", "-lF", "-E", "-d", "31", "-d31", "-d 1,31", "-D", "--message-level", "7", "--", "-x", "vmlinux", "  ", "\t-p", "--split", "-Fd");
        var gen = from text in words.ListOf() from level in Gen.Choose(0, 31) from compression in Gen.Choose(0, 4)
                  select (Text: "makedumpfile " + string.Join(" ", text), Level: (DumpLevel)level, Compression: (VmcoreCompression)compression);
        DocumentGen.Check(gen, c =>
        {
            var parsed = CoreCollector.ParseCommand(c.Text);
            if (parsed.ToString() != c.Text)
            {
                return false;
            }

            try
            {
                var once = parsed.With(c.Level, c.Compression, false);
                return once.DumpLevel == c.Level && once.Compression == c.Compression && !once.Flattened &&
                    once.With(c.Level, c.Compression, false).ToString() == once.ToString() &&
                    CoreCollector.ParseCommand(once.ToString()).DumpLevels.Count == 1;
            }
            catch (HostException e)
            {
                return e.ErrorId == ErrorIds.ConfigurationInvalid;
            }
        }, 3000);
    }

    [Fact]
    public void Level_4_leaves_out_what_2_does()
    {
        Assert.Equal(DumpLevel.PrivateCache | DumpLevel.NonPrivateCache, DumpLevels.Excluded(DumpLevel.PrivateCache));
        Assert.Equal(DumpLevel.All, DumpLevels.FromNumber(31));
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => DumpLevels.FromNumber(32)).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => DumpLevels.FromNumber(-1)).ErrorId);
    }
}
