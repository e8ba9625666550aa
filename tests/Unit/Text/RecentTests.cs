using System.Text;
using KdumpNfs.Text;

namespace KdumpNfs.Tests.Unit.Text;

public class RecentTests
{
    [Fact]
    public void The_same_text_is_made_once_and_another_one_never_stands_for_it()
    {
        var made = 0;
        var recent = new Recent<string[]>(text =>
        {
            made++;
            return [Encoding.UTF8.GetString(text)];
        });
        var first = recent.Of("a"u8);
        Assert.Same(first, recent.Of([(byte)'a']));
        Assert.Equal(["b"], recent.Of("b"u8));
        Assert.Equal(2, made);

        // More than are kept: still right, and made again.
        for (var i = 0; i < 3 * Recent<string[]>.Most; i++)
        {
            Assert.Equal([$"{i}"], recent.Of(Encoding.UTF8.GetBytes($"{i}")));
        }

        Assert.Equal(["a"], recent.Of("a"u8));
        Assert.Equal(2 + (3 * Recent<string[]>.Most) + 1, made);
    }

    [Fact]
    public async Task Many_at_once_get_what_is_theirs()
    {
        var recent = new Recent<string[]>(text => [Encoding.UTF8.GetString(text)]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 5_000; i++)
            {
                var text = $"{(i * (thread + 1)) % 40}";
                Assert.Equal(text, recent.Of(Encoding.UTF8.GetBytes(text))[0]);
            }
        })));
    }
}
