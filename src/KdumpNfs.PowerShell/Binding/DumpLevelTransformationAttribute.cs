using System.Collections;
using System.Globalization;
using System.Management.Automation;
using KdumpNfs.Kdump;

namespace KdumpNfs.PowerShell;

/// <summary>Takes a dump level as makedumpfile's number or by the names of its flags. What is neither stays out of range and is refused by <see cref="Check"/>,
/// so that it gets the same error id as every other bad input.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class DumpLevelTransformationAttribute : ArgumentTransformationAttribute
{
    private const DumpLevel Unknown = (DumpLevel)int.MinValue;

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => Read(inputData);

    /// <summary>Checks a level before any connection.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    internal static int? Check(DumpLevel? level) => level switch
    {
        null => null,
        Unknown => throw new HostException(ErrorIds.InvalidInput, "", "The dump level is not known.")
        {
            Remedy = "Give a number from 0 to 31, or the kinds of pages to leave out: Zero, NonPrivateCache, PrivateCache, User, Free; All is 31.",
        },
        { } known => (int)DumpLevels.FromNumber((int)known),
    };

    private static DumpLevel Read(object? input)
    {
        var value = input is PSObject wrapped ? wrapped.BaseObject : input;
        switch (value)
        {
            case DumpLevel level:
                return level;
            case string text when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number):
                return (DumpLevel)number;
            case string text:
                return Enum.TryParse<DumpLevel>(text, ignoreCase: true, out var named) ? named : Unknown;
            case IEnumerable list:
                var sum = DumpLevel.None;
                foreach (var item in list)
                {
                    var one = Read(item);
                    if (one is < DumpLevel.None or > DumpLevel.All)
                    {
                        return one;
                    }

                    sum |= one;
                }

                return sum;
            case sbyte or byte or short or ushort or int:
                return (DumpLevel)Convert.ToInt32(value, CultureInfo.InvariantCulture);
            default:
                return Unknown;
        }
    }
}
