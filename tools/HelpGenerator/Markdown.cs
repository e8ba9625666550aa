using System.Globalization;
using System.Text;

namespace KdumpNfs.HelpGenerator;

/// <summary>The same help as pages for the web.</summary>
public static class Markdown
{
    /// <summary>What each page says of where it comes from.</summary>
    private const string Origin = "<!-- Generated from the documentation comments of the cmdlet's class by tools/HelpGenerator. Change them, not this. -->";

    /// <summary>File names and texts: a page for each cmdlet and README.md with the list.</summary>
    public static IReadOnlyDictionary<string, string> Of(IReadOnlyList<CmdletHelp> help)
    {
        ArgumentNullException.ThrowIfNull(help);
        var pages = help.ToDictionary(cmdlet => cmdlet.Name + ".md", cmdlet => Page(cmdlet, help), StringComparer.Ordinal);
        pages["README.md"] = Origin + "\n\n# Cmdlets\n\n" + string.Concat(help.Select(cmdlet => $"- [{cmdlet.Name}]({cmdlet.Name}.md): {Plain(cmdlet.Synopsis)}\n"));
        return pages;
    }

    private static string Page(CmdletHelp help, IReadOnlyList<CmdletHelp> all)
    {
        var text = new StringBuilder();
        void Line(string line = "") => text.Append(line).Append('\n');
        void Paragraphs(IEnumerable<string> paragraphs)
        {
            foreach (var paragraph in paragraphs)
            {
                Line(Plain(paragraph));
                Line();
            }
        }

        void Code(string code)
        {
            Line("```powershell");
            Line(code);
            Line("```");
            Line();
        }

        void Types(string title, IReadOnlyList<TypeHelp> types)
        {
            Line($"## {title}");
            Line();
            foreach (var type in types)
            {
                Line($"- `{type.Type}`: {Plain(type.Text)}");
            }

            Line(types.Count == 0 ? "None.\n" : "");
        }

        Line(Origin);
        Line();
        Line($"# {help.Name}");
        Line();
        Paragraphs([help.Synopsis]);
        foreach (var set in help.Sets)
        {
            Code(Syntax.Line(help, set));
        }

        Line("## Description");
        Line();
        Paragraphs(help.Description);
        Line("## Examples");
        Line();
        foreach (var example in help.Examples)
        {
            Code(example.Code);
            Paragraphs(example.Text);
        }

        Line("## Parameters");
        Line();
        foreach (var parameter in help.Parameters)
        {
            Line($"### -{parameter.Name} <{parameter.TypeName}>".Replace("<", "\\<", StringComparison.Ordinal));
            Line();
            Paragraphs([parameter.Description]);
            Line(Facts(parameter));
            Line();
        }

        Types("Inputs", help.Inputs);
        Types("Outputs", help.Outputs);
        if (help.Notes.Count > 0)
        {
            Line("## Notes");
            Line();
            Paragraphs(help.Notes);
        }

        Line("## See also");
        Line();
        Line(string.Join(", ", help.Links.Select(link => all.Any(cmdlet => cmdlet.Name == link) ? $"[{link}]({link}.md)" : $"[{link}](../help/{link}.help.txt)")));
        return text.ToString();
    }

    private static string Facts(ParameterHelp parameter)
    {
        var facts = new List<string>();
        foreach (var use in parameter.Uses)
        {
            var where = use.Name is null ? "" : $" (with {use.Name})";
            var said = new List<string> { use.Mandatory ? "required" : "optional" };
            if (use.Position is { } position)
            {
                said.Add(string.Create(CultureInfo.InvariantCulture, $"position {position}"));
            }

            if (use.Pipeline != "False")
            {
                said.Add("pipeline: " + use.Pipeline[6..^1]);
            }

            facts.Add(string.Join(", ", said) + where);
        }

        if (parameter.Default is { Length: > 0 } and not "False")
        {
            facts.Add($"default: {Plain(parameter.Default)}");
        }

        if (parameter.Aliases.Count > 0)
        {
            facts.Add("alias: " + string.Join(", ", parameter.Aliases));
        }

        return $"*{string.Join("; ", facts)}*";
    }

    // What markdown would read as something else.
    private static string Plain(string text) => text.Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}
