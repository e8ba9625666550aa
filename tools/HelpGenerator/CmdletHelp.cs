using System.Management.Automation;
using System.Reflection;
using KdumpNfs.PowerShell;

namespace KdumpNfs.HelpGenerator;

/// <summary>An example: what is typed, and what it does.</summary>
public sealed record ExampleHelp(string Code, IReadOnlyList<string> Text);

/// <summary>A type that goes in or comes out, and what it means.</summary>
public sealed record TypeHelp(string Type, string Text);

/// <summary>Everything that is said about a cmdlet: from its class, its attributes and its documentation comment.</summary>
public sealed record CmdletHelp
{
    /// <summary>The least number of examples.</summary>
    public const int LeastExamples = 2;

    /// <summary>Verb-Noun.</summary>
    public required string Name { get; init; }

    /// <summary>What it does, in a sentence.</summary>
    public required string Synopsis { get; init; }

    /// <summary>Paragraphs.</summary>
    public required IReadOnlyList<string> Description { get; init; }

    /// <summary>Its parameters, with -WhatIf and -Confirm where it has them.</summary>
    public required IReadOnlyList<ParameterHelp> Parameters { get; init; }

    /// <summary>The names of its parameter sets, the default one first; one null where there are none.</summary>
    public required IReadOnlyList<string?> Sets { get; init; }

    /// <summary>What may be piped to it.</summary>
    public required IReadOnlyList<TypeHelp> Inputs { get; init; }

    /// <summary>What it gives.</summary>
    public required IReadOnlyList<TypeHelp> Outputs { get; init; }

    /// <summary>Examples.</summary>
    public required IReadOnlyList<ExampleHelp> Examples { get; init; }

    /// <summary>What else one should know.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Other cmdlets and topics.</summary>
    public required IReadOnlyList<string> Links { get; init; }

    /// <summary>What is missing.</summary>
    public IEnumerable<string> Gaps =>
    [
        .. Synopsis.Length == 0 ? [$"{Name} has no summary."] : Array.Empty<string>(),
        .. Description.Count == 0 ? [$"{Name} has no remarks."] : Array.Empty<string>(),
        .. Examples.Count < LeastExamples ? [$"{Name} has {Examples.Count} of {LeastExamples} examples."] : Array.Empty<string>(),
        .. Examples.Where(example => example.Code.Length == 0 || example.Text.All(text => text.Length == 0)).Select(_ => $"{Name} has an example without code or text."),
        .. Links.Count == 0 ? [$"{Name} has no seealso."] : Array.Empty<string>(),
        .. Parameters.Where(parameter => parameter.Description.Length == 0).Select(parameter => $"{Name} -{parameter.Name} has no summary."),
        .. Outputs.Where(output => output.Text.Length == 0).Select(output => $"{Name}: its output {output.Type} has no summary."),
    ];

    /// <summary>The help of all cmdlets of the module, by name.</summary>
    public static IReadOnlyList<CmdletHelp> ReadAll(XmlDocs docs) =>
        [.. typeof(ConnectingCmdlet).Assembly.GetTypes().Where(type => Cmdlet(type) is not null).Select(type => Read(type, docs)).OrderBy(help => help.Name, StringComparer.Ordinal)];

    /// <summary>The name of the cmdlet that a class is; null for every other type.</summary>
    public static string? NameOf(string typeName) =>
        typeof(ConnectingCmdlet).Assembly.GetType(typeName) is { } type && Cmdlet(type) is { } attribute ? NameOf(attribute) : null;

    private static string NameOf(CustomAttributeData cmdlet) => $"{cmdlet.ConstructorArguments[0].Value}-{cmdlet.ConstructorArguments[1].Value}";

    private static CustomAttributeData? Cmdlet(Type type) => type.GetCustomAttributesData().FirstOrDefault(attribute => attribute.AttributeType.Name == "CmdletAttribute");

    private static CmdletHelp Read(Type type, XmlDocs docs)
    {
        var cmdlet = Cmdlet(type)!;
        var name = NameOf(cmdlet);
        var key = $"T:{type.FullName}";
        var parameters = ParameterHelp.Of(type, docs).ToList();
        if (ParameterHelp.Named(cmdlet, "SupportsShouldProcess") is true)
        {
            parameters.Add(Risk("WhatIf", "wi", "Shows what would be done, and does none of it."));
            parameters.Add(Risk("Confirm", "cf", "Asks before each change; -Confirm:$false does not ask, except what -Force is for."));
        }

        var first = ParameterHelp.Named(cmdlet, "DefaultParameterSetName") as string;
        var sets = parameters.SelectMany(p => p.Uses).Select(use => use.Name).OfType<string>().Distinct().OrderBy(set => set == first ? 0 : 1).ToList<string?>();
        if (first is not null && !sets.Contains(first))
        {
            // A set that is what is left where no parameter of another one is given.
            sets.Insert(0, first);
        }

        return new CmdletHelp
        {
            Name = name,
            Synopsis = WithoutName(docs.Text(key, "summary"), name),
            Description = [.. docs.Elements(key, "remarks").SelectMany(XmlDocs.Paragraphs)],
            Parameters = parameters,
            Sets = sets.Count > 0 ? sets : [null],
            Inputs = [.. parameters.Where(p => p.Uses.Any(use => use.ByValue)).Select(p => new TypeHelp(p.Type.FullName!, $"-{p.Name}: {p.Description}"))],
            Outputs = [.. OutputsOf(type, parameters, docs)],
            Examples = [.. docs.Elements(key, "example").Select(example =>
                new ExampleHelp(string.Join('\n', example.Elements("code").Select(XmlDocs.Code)), XmlDocs.Paragraphs(example)))],
            Notes = [.. docs.Elements(key, "note").Select(note => XmlDocs.Text(note))],
            Links = [.. docs.Elements(key, "seealso").Select(link => (string?)link.Attribute("cref") is { } cref ? XmlDocs.NameOf(cref) : (string)link.Attribute("href")!)],
        };
    }

    private static string WithoutName(string summary, string name)
    {
        var text = summary.StartsWith(name + ": ", StringComparison.Ordinal) ? summary[(name.Length + 2)..] : summary;
        return text.Length == 0 ? "" : char.ToUpperInvariant(text[0]) + text[1..];
    }

    private static ParameterHelp Risk(string name, string alias, string text) =>
        new(name, typeof(SwitchParameter), text, "False", [alias], false, [new ParameterUse(null, false, null, false, false)], int.MaxValue);

    private static IEnumerable<TypeHelp> OutputsOf(Type type, List<ParameterHelp> parameters, XmlDocs docs)
    {
        foreach (var attribute in type.GetCustomAttributesData().Where(attribute => attribute.AttributeType.Name == "OutputTypeAttribute"))
        {
            var sets = ParameterHelp.Named(attribute, "ParameterSetName") is IEnumerable<CustomAttributeTypedArgument> named ? named.Select(set => (string)set.Value!).ToList() : [];
            foreach (var output in attribute.ConstructorArguments.SelectMany(Types))
            {
                var only = sets.Select(set => parameters.FirstOrDefault(p => p.In(set) is { Mandatory: true } use && use.Name == set)).OfType<ParameterHelp>().ToList();
                var meaning = output == typeof(void) ? "Nothing."
                    : output == typeof(bool) ? "With -Quiet: whether everything passed."
                    : output.Assembly == typeof(string).Assembly ? string.Join(' ', only.Select(p => p.Description)) : docs.Text($"T:{output.FullName}", "summary");
                yield return new TypeHelp(output.FullName!, only.Count == 0 || meaning.Length == 0 ? meaning : $"With {string.Join(" or ", only.Select(p => "-" + p.Name))}: {meaning}");
            }
        }
    }

    private static IEnumerable<Type> Types(CustomAttributeTypedArgument argument) => argument.Value switch
    {
        Type type => [type],
        IEnumerable<CustomAttributeTypedArgument> many => many.Select(one => one.Value).OfType<Type>(),
        _ => [],
    };
}
