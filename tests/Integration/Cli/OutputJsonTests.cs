using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KdumpNfs.Cli;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcore.Report;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary>The JSON that the compiler wrote is that of the objects: no result without a form, no property left out.</summary>
public class OutputJsonTests
{
    public static TheoryData<Type> Results { get; } = [.. Views.Types, typeof(VmcoreReport), typeof(KdumpPreference), typeof(KernelLogRecord)];

    [Theory]
    [MemberData(nameof(Results))]
    public void Every_result_has_all_its_properties(Type result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var plain = new DefaultJsonTypeInfoResolver().GetTypeInfo(result, new JsonSerializerOptions());
        Assert.Equal(plain.Properties.Where(p => p.Get is not null).Select(p => p.Name), OutputJson.Of(result).Properties.Where(p => p.Get is not null).Select(p => p.Name));
    }
}
