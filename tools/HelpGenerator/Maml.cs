using System.Globalization;
using System.Xml.Linq;

namespace KdumpNfs.HelpGenerator;

/// <summary>Help in the form that Get-Help reads: Microsoft's assistance markup language.</summary>
/// <remarks>The elements are those that PowerShell's own help files have; it ignores what it does not know and shows nothing of what is misplaced.</remarks>
public static class Maml
{
    private static readonly XNamespace Msh = "http://msh";
    private static readonly XNamespace M = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace C = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace D = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <summary>One file for all cmdlets.</summary>
    public static XDocument Of(IEnumerable<CmdletHelp> help) =>
        new(new XDeclaration("1.0", "utf-8", null), new XElement(Msh + "helpItems", new XAttribute("schema", "maml"), help.Select(Command)));

    private static XElement Command(CmdletHelp help) => new(
        C + "command",
        new XAttribute(XNamespace.Xmlns + "maml", M),
        new XAttribute(XNamespace.Xmlns + "command", C),
        new XAttribute(XNamespace.Xmlns + "dev", D),
        new XElement(
            C + "details",
            new XElement(C + "name", help.Name),
            new XElement(C + "verb", help.Name.Split('-')[0]),
            new XElement(C + "noun", help.Name.Split('-')[1]),
            Description([help.Synopsis])),
        Description(help.Description),
        new XElement(C + "syntax", help.Sets.Select(set => new XElement(
            C + "syntaxItem",
            new XElement(M + "name", help.Name),
            Syntax.Order(help, set).Select(p => Parameter(p.Parameter, p.Use, true))))),
        new XElement(C + "parameters", help.Parameters.Select(p => Parameter(p, p.Uses[0], false))),
        new XElement(C + "inputTypes", (help.Inputs.Count > 0 ? help.Inputs : [new TypeHelp("None", "Nothing can be piped to this cmdlet.")]).Select(type => Type(C + "inputType", type))),
        new XElement(C + "returnValues", help.Outputs.Select(type => Type(C + "returnValue", type))),
        new XElement(M + "alertSet", new XElement(M + "alert", Paragraphs(help.Notes))),
        new XElement(C + "examples", help.Examples.Select((example, i) => new XElement(
            C + "example",
            new XElement(M + "title", string.Create(CultureInfo.InvariantCulture, $"---------- Example {i + 1} ----------")),
            new XElement(D + "code", example.Code),
            new XElement(D + "remarks", Paragraphs(example.Text))))),
        new XElement(C + "relatedLinks", help.Links.Select(link => new XElement(M + "navigationLink", new XElement(M + "linkText", link), new XElement(M + "uri")))));

    private static XElement Parameter(ParameterHelp parameter, ParameterUse use, bool inSyntax) => new(
        C + "parameter",
        new XAttribute("required", use.Mandatory ? "true" : "false"),
        new XAttribute("variableLength", parameter.Type.IsArray ? "true" : "false"),
        new XAttribute("globbing", parameter.Wildcards ? "true" : "false"),
        new XAttribute("pipelineInput", use.Pipeline),
        new XAttribute("position", use.Position is { } position ? position.ToString(CultureInfo.InvariantCulture) : "named"),
        new XAttribute("aliases", parameter.Aliases.Count > 0 ? string.Join(", ", parameter.Aliases) : "none"),
        new XElement(M + "name", parameter.Name),
        Description([parameter.Description]),
        inSyntax && parameter.Values.Count > 0 ? new XElement(C + "parameterValueGroup", parameter.Values.Select(value => new XElement(
            C + "parameterValue", new XAttribute("required", "false"), new XAttribute("variableLength", "false"), value))) : null,
        inSyntax && parameter.IsSwitch ? null : new XElement(
            C + "parameterValue", new XAttribute("required", parameter.IsSwitch ? "false" : "true"), new XAttribute("variableLength", "false"), parameter.TypeName),
        new XElement(D + "type", new XElement(M + "name", parameter.TypeName), new XElement(M + "uri")),
        new XElement(D + "defaultValue", parameter.Default.Length > 0 ? parameter.Default : "None"));

    private static XElement Type(XName name, TypeHelp type) => new(name, new XElement(D + "type", new XElement(M + "name", type.Type)), Description([type.Text]));

    private static XElement Description(IEnumerable<string> paragraphs) => new(M + "description", Paragraphs(paragraphs));

    private static IEnumerable<XElement> Paragraphs(IEnumerable<string> paragraphs) => paragraphs.Select(text => new XElement(M + "para", text));
}
