using KdumpNfs.Text;

namespace KdumpNfs.Tests.Unit.Text;

public class DiffColoursTests
{
    private static readonly DiffColours Marks = new("<+>", "<->", "<@>", "</>");

    [Fact]
    public void Lines_of_a_diff_are_marked_and_others_are_not()
    {
        const string text = "Change /etc/kdump.conf on web01\n- not a diff\n--- a\n+++ b\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n";
        Assert.Equal("Change /etc/kdump.conf on web01\n- not a diff\n<@>--- a</>\n<@>+++ b</>\n<@>@@ -1,2 +1,2 @@</>\n same\n<->-old</>\n<+>+new</>\n", Marks.Apply(text));
    }

    [Fact]
    public void Without_the_marks_the_text_is_what_it_was()
    {
        const string text = "a\n--- x\n+++ y\n-1\n+2\n 3";
        Assert.Equal(text, Marks.Apply(text).Replace("<+>", "").Replace("<->", "").Replace("<@>", "").Replace("</>", ""));
        Assert.Equal("", Marks.Apply(""));
    }
}
