using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary>Cmdlets and commands are the same product: README's table, KdumpNfs.psd1 and <c>kdumpnfs --help</c> tell of the same ones.</summary>
public sealed partial class CommandParityTests
{
    // A run of the command keeps its own connections, and its settings are a file.
    private static readonly string[] WithoutCommand = ["New-KdumpSession", "Get-KdumpSession", "Remove-KdumpSession", "Set-KdumpPreference"];

    private static readonly Lazy<string[]> Commands = new(() =>
        [.. CommandLine().Matches(Help().Split("Commands:\n")[1]).Select(match => match.Groups[1].Value)]);

    [Fact]
    public void Every_cmdlet_has_its_row_and_its_command_and_every_command_its_row()
    {
        var rows = Rows();
        var exported = Quoted().Matches(Text("KdumpNfs.psd1").Split("CmdletsToExport")[1].Split(')')[0]).Select(match => match.Groups[1].Value);
        Assert.Equal(exported.Order(StringComparer.Ordinal), rows.SelectMany(row => row.Cmdlets).Order(StringComparer.Ordinal));
        Assert.Equal(Commands.Value.Order(StringComparer.Ordinal), rows.SelectMany(row => row.Commands).Order(StringComparer.Ordinal));
        foreach (var (cmdlets, commands) in rows)
        {
            var meant = cmdlets.Except(WithoutCommand).ToList();
            Assert.Equal(meant.Count > 0, commands.Length > 0);

            // One for each. Set- and Clear-VmcoreHold share one with --clear, and the copies that a restore can take have their own command.
            Assert.True(meant.Count == commands.Length || string.Join(' ', commands) is "hold-vmcore" or "restore backups", string.Join(' ', cmdlets));
        }
    }

    [Fact]
    public void What_has_WhatIf_has_what_if_and_no_option_is_there_twice()
    {
        var changes = Rows().Where(row => row.Cmdlets.Except(WithoutCommand).Any())
            .SelectMany(row => row.Commands.Length == row.Cmdlets.Length ? row.Commands.Zip(row.Cmdlets, (command, cmdlet) => (command, cmdlet)) : [(row.Commands[0], row.Cmdlets[0])])
            .Where(pair => Text($"docs/cmdlets/{pair.Item2}.md").Contains("[-WhatIf]", StringComparison.Ordinal)).Select(pair => pair.Item1).ToHashSet();
        Assert.True(changes.IsSupersetOf(["set-nfs-target", "receive", "export-bundle", "convert", "drill-resume", "hold-vmcore", "restore", "remove-vmcores"]));
        Parallel.ForEach(Commands.Value, new ParallelOptions { MaxDegreeOfParallelism = 2 }, command =>
        {
            var options = OptionLine().Matches(Help(command)).Select(match => match.Groups[1].Value).ToList();
            Assert.True(options.Contains("--json"), command);
            Assert.True(options.Distinct().Count() == options.Count, $"{command}: {string.Join(' ', options.GroupBy(option => option).Where(same => same.Count() > 1).Select(same => same.Key))}");
            Assert.True(options.Contains("--what-if") == changes.Contains(command), $"{command}: --what-if");
        });
    }

    // | Get-, Set-KdumpPreference | preference | … |
    private static List<(string[] Cmdlets, string[] Commands)> Rows() =>
    [
        .. Text("README.md").Split('\n').SkipWhile(line => !line.StartsWith("| cmdlet | `kdumpnfs` |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Select(cells => (Cmdlets(cells[1]), Names(cells[2]))),
    ];

    private static string[] Cmdlets(string cell)
    {
        var names = Names(cell);
        return [.. names.Select((name, at) => name.EndsWith('-') ? name + names.Skip(at).First(later => !later.EndsWith('-')).Split('-')[1] : name)];
    }

    private static string[] Names(string cell) => cell.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string Help(params string[] command)
    {
        var (status, output, error) = KdumpNfsCommand.Run("", [.. command, "--help"]);
        Assert.Equal((0, ""), (status, error));
        return output.ReplaceLineEndings("\n");
    }

    private static string Text(string path, [CallerFilePath] string here = "") =>
        File.ReadAllText(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../..", path))).ReplaceLineEndings("\n");

    [GeneratedRegex("^  ([a-z][a-z-]*)(?= |$)", RegexOptions.Multiline)]
    private static partial Regex CommandLine();

    [GeneratedRegex("^  (?:-[a-zA-Z?], )*(--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex OptionLine();

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();
}
