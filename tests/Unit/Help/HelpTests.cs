using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using KdumpNfs.HelpGenerator;

namespace KdumpNfs.Tests.Unit.Help;

public sealed partial class HelpTests
{
    private static readonly IReadOnlyList<CmdletHelp> Cmdlets = CmdletHelp.ReadAll(XmlDocs.Beside(AppContext.BaseDirectory));
    private static readonly string Root = FindRoot();

    [Fact]
    public void Nothing_is_missing() => Assert.Empty(Cmdlets.SelectMany(cmdlet => cmdlet.Gaps));

    [Fact]
    public void Every_cmdlet_of_the_module_has_help()
    {
        var manifest = File.ReadAllText(Path.Combine(Root, "KdumpNfs.psd1"));
        Assert.Equal(Exported().Matches(manifest).Select(match => match.Groups[1].Value), Cmdlets.Select(cmdlet => cmdlet.Name));
    }

    [Fact]
    public void The_pages_for_the_web_are_current()
    {
        var folder = Path.Combine(Root, "docs", "cmdlets");
        var pages = Markdown.Of(Cmdlets);
        var stale = pages.Where(page => !File.Exists(Path.Combine(folder, page.Key)) || File.ReadAllText(Path.Combine(folder, page.Key)).ReplaceLineEndings("\n") != page.Value).Select(page => page.Key)
            .Concat(Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)!).Where(file => !pages.ContainsKey(file)));
        Assert.True(!stale.Any(), $"Run: dotnet run --project tools/HelpGenerator -c Release -- markdown docs/cmdlets (stale: {string.Join(", ", stale)})");
    }

    [Fact]
    public void Links_lead_somewhere() => Assert.All(Cmdlets.SelectMany(cmdlet => cmdlet.Links), link =>
        Assert.True(Cmdlets.Any(cmdlet => cmdlet.Name == link) || File.Exists(Path.Combine(Root, "docs", "help", link + ".help.txt")), link));

    [Fact]
    public void Parameters_of_base_classes_are_documented_once()
    {
        var said = Cmdlets.SelectMany(cmdlet => cmdlet.Parameters).Where(parameter => parameter.Name == "Transport").Select(parameter => parameter.Description).Distinct();
        Assert.Contains("AcceptNew", Cmdlets.Single(cmdlet => cmdlet.Name == "Get-KdumpStatus").Parameters.Single(parameter => parameter.Name == "HostKeyPolicy").Description, StringComparison.Ordinal);
        Assert.Single(said);
    }

    [Fact]
    public void A_gap_is_seen()
    {
        var whole = Cmdlets[0];
        Assert.Contains("examples", Assert.Single((whole with { Examples = [whole.Examples[0]] }).Gaps), StringComparison.Ordinal);
        Assert.Contains("remarks", Assert.Single((whole with { Description = [] }).Gaps), StringComparison.Ordinal);
        Assert.Contains("-" + whole.Parameters[0].Name, Assert.Single((whole with { Parameters = [whole.Parameters[0] with { Description = "" }] }).Gaps), StringComparison.Ordinal);
    }

    private static string FindRoot([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));

    [GeneratedRegex(@"^\s+'([A-Z]\w+-\w+)'\s*$", RegexOptions.Multiline)]
    private static partial Regex Exported();
}
