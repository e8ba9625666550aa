namespace KdumpNfs.HelpGenerator;

/// <summary>How a cmdlet is called.</summary>
public static class Syntax
{
    /// <summary>The parameters of a set: those with a place, those that have to be given, the others.</summary>
    public static IEnumerable<(ParameterHelp Parameter, ParameterUse Use)> Order(CmdletHelp help, string? set)
    {
        ArgumentNullException.ThrowIfNull(help);
        return help.Parameters
            .Select(parameter => (Parameter: parameter, Use: parameter.In(set)))
            .Where(p => p.Use is not null)
            .Select(p => (p.Parameter, p.Use!))
            .OrderBy(p => p.Item2.Position ?? int.MaxValue)
            .ThenBy(p => p.Item2.Mandatory ? 0 : 1);
    }

    /// <summary>The line of a set.</summary>
    public static string Line(CmdletHelp help, string? set)
    {
        ArgumentNullException.ThrowIfNull(help);
        return help.Name + " " + string.Join(' ', Order(help, set).Select(p => Written(p.Parameter, p.Use))) + " [<CommonParameters>]";
    }

    private static string Written(ParameterHelp parameter, ParameterUse use)
    {
        var name = use.Position is null ? $"-{parameter.Name}" : $"[-{parameter.Name}]";
        var whole = parameter.IsSwitch ? name : $"{name} <{parameter.TypeName}>";
        return use.Mandatory ? whole : $"[{whole}]";
    }
}
