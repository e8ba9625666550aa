using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>
/// Makes host names of what is bound to -HostName: strings as they are, objects by their HostName, ComputerName or Cn. Anything else must
/// not become its ToString(), which PowerShell would do for a string parameter: it is marked here and refused by the cmdlet with an
/// error of its own, for that object alone.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class HostNameTransformationAttribute : ArgumentTransformationAttribute
{
    // Neither is in a host name.
    private const char Refused = '\0';
    private const char Session = '\u0001';

    private static readonly string[] Names = ["HostName", "ComputerName", "Cn"];

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var names = new List<string>();
        Add(names, inputData);
        return names.ToArray();
    }

    /// <summary>The error for something that was marked; null for a name.</summary>
    internal static HostException? Refusal(string? name) => name is not { Length: > 0 } || name[0] != Refused ? null
        : new HostException(ErrorIds.HostNameMissing, "", $"An object of type {name[1..]} has no property HostName.")
        {
            Remedy = "Pipe host names as text, or objects with a property HostName (or ComputerName): Select-Object @{ n = 'HostName'; e = { $_.Name } }",
        };

    /// <summary>The session that stands for a name; null for a name.</summary>
    /// <exception cref="HostException">SessionClosed: it was removed.</exception>
    internal static KdumpSession? SessionOf(string? name)
    {
        if (name is not { Length: > 0 } || name[0] != Session)
        {
            return null;
        }

        var words = name[1..].Split(' ', 2);
        return Sessions.Pool.Find(int.Parse(words[0], CultureInfo.InvariantCulture)) ??
            throw new HostException(ErrorIds.SessionClosed, words[1], $"Session {words[0]} was closed.") { Remedy = "Make another one with New-KdumpSession." };
    }

    private static void Add(List<string> names, object? input)
    {
        var value = input is PSObject wrapped ? wrapped.BaseObject : input;
        switch (value)
        {
            case null:
                names.Add("");
                break;
            case string text:
                names.Add(text.TrimStart(Refused, Session));
                break;
            case IPAddress address:
                names.Add(address.ToString());
                break;
            case KdumpSession session:
                names.Add(string.Create(CultureInfo.InvariantCulture, $"{Session}{session.Id} {session.HostName}"));
                break;
            case IEnumerable list and not IDictionary:
                foreach (var item in list)
                {
                    Add(names, item);
                }

                break;
            default:
                names.Add(OfProperty(PSObject.AsPSObject(input)) ?? Refused + TypeName(input!, value));
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
