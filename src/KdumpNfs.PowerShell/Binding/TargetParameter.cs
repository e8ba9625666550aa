using System.Management.Automation;
using KdumpNfs.Kdump;

namespace KdumpNfs.PowerShell;

/// <summary>A parameter that names where dumps should go: text, or the Target of another object.</summary>
internal static class TargetParameter
{
    /// <summary>The target; null where none was given.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static KdumpTarget? Read(object? value)
    {
        switch (value is PSObject wrapped ? wrapped.BaseObject : value)
        {
            case null:
                return null;
            case KdumpTarget target:
                return target;
            case string text:
                return TargetInput.Parse(text).Target;
        }

        // A target that went through Export-Clixml or a remote session has its properties, but no longer its type.
        var properties = PSObject.AsPSObject(value).Properties;
        return properties["Store"]?.Value?.ToString() is { } store && properties["Export"]?.Value?.ToString() is { } export
            ? TargetInput.Create(store, export, properties["DumpPath"]?.Value?.ToString()).Target
            : throw new HostException(ErrorIds.InvalidInput, "", "-ExpectedTarget is neither text nor a target.")
            {
                Remedy = "Give server:/path, or the Target of a host: (Get-KdumpStatus web01).Target",
            };
    }
}
