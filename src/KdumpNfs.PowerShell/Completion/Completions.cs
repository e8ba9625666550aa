using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace KdumpNfs.PowerShell;

/// <summary>What completers share: choosing by what was typed, and quoting.</summary>
internal static class Completions
{
    /// <summary>A word that may be offered.</summary>
    /// <param name="Text">What is inserted.</param>
    /// <param name="ToolTip">What it is.</param>
    public sealed record Choice(string Text, string ToolTip);

    /// <summary>The choices that begin with what was typed, then those that have it elsewhere.</summary>
    public static IEnumerable<CompletionResult> Of(string wordToComplete, IEnumerable<Choice> choices)
    {
        var word = (wordToComplete ?? "").Trim('\'', '"');
        return choices.Where(choice => choice.Text.Contains(word, StringComparison.OrdinalIgnoreCase))
            .OrderBy(choice => choice.Text.StartsWith(word, StringComparison.OrdinalIgnoreCase) ? 0 : 1)
            .Select(choice => new CompletionResult(Quote(choice.Text), choice.Text, CompletionResultType.ParameterValue, choice.ToolTip.Length == 0 ? choice.Text : choice.ToolTip));
    }

    /// <summary>The value of another parameter on the line, as text; null where it is not there.</summary>
    public static string? Bound(IDictionary bound, params string[] names)
    {
        foreach (var name in names)
        {
            var value = bound?[name] is PSObject wrapped ? wrapped.BaseObject : bound?[name];
            var text = value switch
            {
                string one => one,
                IList { Count: > 0 } list => list[0]?.ToString(),
                _ => value?.ToString(),
            };
            if (!string.IsNullOrEmpty(text))
            {
                return text;
            }
        }

        return null;
    }

    // A path or a name may have characters that PowerShell would read as something else.
    private static string Quote(string text) => text.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or '/' or ':' or '\\') && (!text.StartsWith('-') || int.TryParse(text, out _)) ? text
        : $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";
}
