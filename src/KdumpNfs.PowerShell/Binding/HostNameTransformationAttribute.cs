using System.Collections;
using System.Management.Automation;
using System.Net;

namespace KdumpNfs.PowerShell;

/// <summary>
/// Makes host names of what is bound to -HostName: strings as they are, objects by their HostName, ComputerName or Cn. Anything else must
/// not become its ToString(), which PowerShell would do for a string parameter: it is marked here and refused by the cmdlet with an
/// error of its own, for that object alone.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class HostNameTransformationAttribute : ArgumentTransformationAttribute
{
    private static readonly string[] Names = ["HostName", "ComputerName", "Cn"];

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var names = new List<string>();
        Add(names, inputData);
        return names.ToArray();
    }

    /// <summary>The error for something that was marked; null for a name.</summary>
    internal static HostException? Refusal(string? name) => name is not { Length: > 0 } || name[0] != '\0' ? null
        : new HostException(ErrorIds.HostNameMissing, "", $"An object of type {name[1..]} has no property HostName.")
        {
            Remedy = "Pipe host names as text, or objects with a property HostName (or ComputerName): Select-Object @{ n = 'HostName'; e = { $_.Name } }",
        };

    private static void Add(List<string> names, object? input)
    {
        var value = input is PSObject wrapped ? wrapped.BaseObject : input;
        switch (value)
        {
            case null:
                names.Add("");
                break;
            case string text:
                // A NUL is in no host name, and it is the mark below.
                names.Add(text.TrimStart('\0'));
                break;
            case IPAddress address:
                names.Add(address.ToString());
                break;
            case IEnumerable list and not IDictionary:
                foreach (var item in list)
                {
                    Add(names, item);
                }

                break;
            default:
                names.Add(OfProperty(PSObject.AsPSObject(input)) ?? "\0" + TypeName(input!, value));
                break;
        }
    }

    private static string? OfProperty(PSObject input)
    {
        foreach (var name in Names)
        {
            if (input.Properties[name] is not { } property)
            {
                continue;
            }

            var value = property.Value is PSObject wrapped ? wrapped.BaseObject : property.Value;
            switch (value)
            {
                case null:
                    return "";
                case string text:
                    return text;
                case IPAddress address:
                    return address.ToString();
            }
        }

        return null;
    }

    private static string TypeName(object input, object value)
    {
        var names = (input as PSObject)?.TypeNames;
        return names is { Count: > 0 } ? names[0] : value.GetType().FullName ?? value.GetType().Name;
    }
}
