using System.Globalization;
using System.Management.Automation;

namespace KdumpNfs.PowerShell;

/// <summary>Takes a time as PowerShell's own -ConnectingTimeout does, in milliseconds, or as a TimeSpan. Without it a plain number would become a TimeSpan of ticks.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class TimeoutTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value switch
        {
            sbyte or byte or short or ushort or int or uint or long or float or double or decimal =>
                Milliseconds(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
            string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => Milliseconds(number),
            _ => inputData,
        };
    }

    // What no TimeSpan holds is out of range for every timeout: the cmdlet refuses it by its own message.
    private static TimeSpan Milliseconds(double value) =>
        Math.Abs(value) < int.MaxValue ? TimeSpan.FromMilliseconds(value) : TimeSpan.MinValue;
}
