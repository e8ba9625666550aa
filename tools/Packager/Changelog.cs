namespace KdumpNfs.Packager;

/// <summary>CHANGELOG.md, as Keep a Changelog has it.</summary>
internal static class Changelog
{
    /// <summary>The section of a version, or of what is not released yet where that version has none.</summary>
    /// <exception cref="InvalidDataException">There is neither.</exception>
    public static string NotesOf(string text, string version)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        return Section(lines, $"## [{version}]") ?? Section(lines, "## [Unreleased]") ?? throw new InvalidDataException($"The changelog has no section for {version}.");
    }

    private static string? Section(string[] lines, string head)
    {
        var start = Array.FindIndex(lines, l => l.StartsWith(head, StringComparison.Ordinal));
        return start < 0 ? null : string.Join('\n', lines.Skip(start + 1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal))).Trim();
    }
}
