using System.Text.RegularExpressions;
using KdumpNfs.Text;

namespace KdumpNfs.Tests.Unit.Text;

public sealed class SecretMaskUrlTests
{
    [Fact]
    public void A_password_of_a_url_is_hidden_wherever_the_expression_sees_one()
    {
        // What is looked for first, to save time, must not keep anything from the expression.
        var expression = new Regex(@"((?:[A-Za-z][A-Za-z0-9+.-]*:|\B)//[^/\s""':@]*:)([^/\s""']*)@", RegexOptions.CultureInvariant);
        var random = new Random(11);
        string[] pieces = ["//", "//", ":", ":", "@", "@", "a", "b", "/", " ", "\n", "\"", "'", "\u00a0", "ftp:"];
        var seen = 0;
        for (var run = 0; run < 20_000; run++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(4, 24)).Select(_ => pieces[random.Next(pieces.Length)]));
            var found = expression.Matches(text).Any(m => m.Groups[2].Length > 0);
            seen += found ? 1 : 0;
            Assert.Equal(found, SecretMask.HideUrl(text) != text);
        }

        Assert.InRange(seen, 100, 20_000);
    }
}
