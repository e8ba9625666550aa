using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;

namespace KdumpNfs.HelpGenerator;

/// <summary>How a parameter stands in one parameter set.</summary>
/// <param name="Name">The set; null means all.</param>
/// <param name="Mandatory">It has to be given.</param>
/// <param name="Position">Its place without a name; null where it has to be named.</param>
/// <param name="ByValue">Takes objects of the pipeline.</param>
/// <param name="ByPropertyName">Takes a property of objects of the pipeline.</param>
public sealed record ParameterUse(string? Name, bool Mandatory, int? Position, bool ByValue, bool ByPropertyName)
{
    /// <summary>As Get-Help writes it.</summary>
    public string Pipeline => (ByValue, ByPropertyName) switch
    {
        (true, true) => "True (ByPropertyName, ByValue)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };
}

/// <summary>What is known of a parameter.</summary>
/// <param name="Name">Without the dash.</param>
/// <param name="Type">As declared, without Nullable.</param>
/// <param name="Description">Its summary and, of an enumeration, the values.</param>
/// <param name="Default">As a person would write it; empty where there is none.</param>
/// <param name="Aliases">Other names.</param>
/// <param name="Wildcards">Takes wildcards.</param>
/// <param name="Uses">At least one.</param>
/// <param name="Depth">How far up the class is that has it: 0 is the cmdlet itself.</param>
public sealed record ParameterHelp(
    string Name, Type Type, string Description, string Default, IReadOnlyList<string> Aliases, bool Wildcards, IReadOnlyList<ParameterUse> Uses, int Depth)
{
    // What has more names is a set of flags that the text explains.
    private const int MostValues = 12;

    /// <summary>Whether it is a switch.</summary>
    public bool IsSwitch => Type == typeof(SwitchParameter);

    /// <summary>The type as PowerShell writes it.</summary>
    public string TypeName => WrittenName(Type);

    /// <summary>The names of an enumeration.</summary>
    public IReadOnlyList<string> Values => Element(Type) is { IsEnum: true } type && Enum.GetNames(type) is { Length: <= MostValues } names ? names : [];

    /// <summary>How it stands in a set; null where it is not in it.</summary>
    public ParameterUse? In(string? set) => Uses.FirstOrDefault(use => use.Name == set) ?? Uses.FirstOrDefault(use => use.Name is null);

    /// <summary>The parameters of a cmdlet's class and its bases: its own first, as they stand in the source. Hidden ones are left out.</summary>
    public static IReadOnlyList<ParameterHelp> Of(Type cmdlet, XmlDocs docs)
    {
        ArgumentNullException.ThrowIfNull(cmdlet);
        ArgumentNullException.ThrowIfNull(docs);
        var instance = Activator.CreateInstance(cmdlet)!;
        return [.. cmdlet.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(property => (property, uses: Attributes(property, "ParameterAttribute").ToList()))
            .Where(p => p.uses.Count > 0 && !p.uses.TrueForAll(use => Named(use, "DontShow") is true))
            .Select(p => Of(p.property, p.uses, cmdlet, instance, docs))
            .OrderBy(p => p.Depth)];
    }

    /// <summary>A value of an attribute's initializer.</summary>
    internal static object? Named(CustomAttributeData attribute, string name) =>
        attribute.NamedArguments.Where(a => a.MemberName == name).Select(a => a.TypedValue.Value).FirstOrDefault();

    private static ParameterHelp Of(PropertyInfo property, List<CustomAttributeData> uses, Type cmdlet, object instance, XmlDocs docs)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var key = $"P:{property.DeclaringType!.FullName}.{property.Name}";
        var value = docs.Text(key, "value");
        var mandatory = uses.TrueForAll(use => Named(use, "Mandatory") is true);
        var depth = 0;
        for (var at = cmdlet; at != property.DeclaringType; at = at!.BaseType)
        {
            depth++;
        }

        return new ParameterHelp(
            property.Name,
            type,
            (docs.Text(key, "summary") + Explain(type, docs)).Trim(),
            value.Length > 0 ? value : mandatory ? "" : Written(property.GetValue(instance), type),
            [.. Attributes(property, "AliasAttribute").SelectMany(a => (IEnumerable<CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!).Select(a => (string)a.Value!)],
            Attributes(property, "SupportsWildcardsAttribute").Any(),
            [.. uses.Select(use => new ParameterUse(
                Named(use, "ParameterSetName") as string,
                Named(use, "Mandatory") is true,
                Named(use, "Position") as int?,
                Named(use, "ValueFromPipeline") is true,
                Named(use, "ValueFromPipelineByPropertyName") is true))],
            depth);
    }

    private static string Explain(Type type, XmlDocs docs)
    {
        if (Element(type) is not { IsEnum: true } values || Enum.GetNames(values) is not { Length: <= MostValues } names)
        {
            return "";
        }

        var explained = names.Select(name => (name, text: docs.Text($"F:{values.FullName}.{name}", "summary").TrimEnd('.')));
        return " Values: " + string.Join("; ", explained.Select(v => v.text.Length > 0 ? $"{v.name}: {v.text}" : v.name)) + ".";
    }

    private static IEnumerable<CustomAttributeData> Attributes(PropertyInfo property, string name) =>
        property.GetCustomAttributesData().Where(attribute => attribute.AttributeType.Name == name);

    private static Type Element(Type type) => type.IsArray ? type.GetElementType()! : type;

    private static string WrittenName(Type type) => type.IsArray ? WrittenName(type.GetElementType()!) + "[]" : type.Name;

    private static string Written(object? value, Type type) => value switch
    {
        _ when type == typeof(SwitchParameter) => "False",
        null or "" => "",
        string text => text,
        ICollection { Count: 0 } => "",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
