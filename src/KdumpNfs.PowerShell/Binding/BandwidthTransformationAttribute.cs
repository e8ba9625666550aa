using System.Globalization;
using System.Management.Automation;
using KdumpNfs.Storms;

namespace KdumpNfs.PowerShell;

/// <summary>Takes a bandwidth as bytes a second, or as a text with a unit: 10Gbit, 110MB.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class BandwidthTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (value is null || (value is string { } cell && string.IsNullOrWhiteSpace(cell)))
        {
            // An empty cell of a CSV says nothing.
            return null!;
        }

        return value is string text
            ? Bandwidth.Parse(text) ?? throw new ArgumentTransformationMetadataException(
                $"'{Printable.Escape(text)}' is no bandwidth. Give bytes a second, or a number with a unit: 10Gbit (a second, as networks are sold) or 900MB (a second).")
            : Convert.ToDouble(value, CultureInfo.InvariantCulture);
    }
}
