using System.Xml.Linq;
using KdumpNfs.HelpGenerator;

// maml FILE: the help that Get-Help reads. markdown DIRECTORY: a page for each cmdlet, for the web.
if (args is not [("maml" or "markdown") and var what, var where])
{
    await Console.Error.WriteLineAsync("usage: HelpGenerator maml FILE | markdown DIRECTORY");
    return 2;
}

var help = CmdletHelp.ReadAll(XmlDocs.Beside(AppContext.BaseDirectory));
foreach (var gap in help.SelectMany(cmdlet => cmdlet.Gaps))
{
    await Console.Error.WriteLineAsync($"help: {gap}");
}

if (what == "maml")
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(where))!);
    Maml.Of(help).Save(where, SaveOptions.DisableFormatting);
    return 0;
}

Directory.CreateDirectory(where);
var pages = Markdown.Of(help);
foreach (var old in Directory.EnumerateFiles(where, "*.md").Where(file => !pages.ContainsKey(Path.GetFileName(file))))
{
    File.Delete(old);
}

foreach (var (name, text) in pages)
{
    await File.WriteAllTextAsync(Path.Combine(where, name), text);
}

return 0;
