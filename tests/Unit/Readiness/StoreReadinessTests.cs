using KdumpNfs.Kdump;
using KdumpNfs.Readiness;

namespace KdumpNfs.Tests.Unit.Readiness;

/// <summary>Room for the dumps of a run, by the file systems that they go to.</summary>
public sealed class StoreReadinessTests
{
    private const long Size = 8L << 40;

    [Fact]
    public void A_store_counts_how_many_crashes_fit_whichever_they_are()
    {
        static HostReadiness Host(string name, long? dump, long? free) => new()
        {
            HostName = name, Passed = true, State = KdumpState.Probed, Target = KdumpTarget.Nfs("s", "/d", "/var/crash"), EstimateBytes = dump, StoreFreeBytes = free,
        };
        var store = Assert.Single(StoreReadiness.Of([Host("a", 10, 100), Host("b", 60, 90), Host("c", 30, 95), Host("d", null, null)]));
        Assert.Equal((90L, 100L, 2, false, 1), (store.FreeBytes, store.NeededBytes, store.SimultaneousCrashes!.Value, store.AllFit!.Value, store.NotEstimated));
        Assert.Contains("2 of 3 hosts", store.Warning, StringComparison.Ordinal);
        Assert.True(Assert.Single(StoreReadiness.Of([Host("a", 10, 100)])).AllFit);
        Assert.Null(Assert.Single(StoreReadiness.Of([Host("a", null, null)])).AllFit);
    }

    private static HostReadiness At(string name, string store, string export, long? total, params string[] addresses) => new()
    {
        HostName = name, Passed = true, State = KdumpState.Probed, Target = KdumpTarget.Nfs(store, export, "/var/crash"), EstimateBytes = 10,
        StoreFreeBytes = total is null ? null : 15, StoreTotalBytes = total, StoreAddresses = addresses,
    };

    private static string[] Stores(params HostReadiness[] hosts) => [.. StoreReadiness.Of(hosts).Select(store => $"{store.Store} = {string.Join(' ', store.Hosts)}")];

    [Fact]
    public void Names_and_exports_of_one_file_system_are_one_store_whose_space_counts_once()
    {
        var store = Assert.Single(StoreReadiness.Of([At("a", "storage", "/data", Size, "10.0.0.1"), At("b", "10.0.0.1", "/data", Size, "10.0.0.1"), At("c", "10.0.0.1", "/data/web", Size, "10.0.0.1")]));
        Assert.Equal("10.0.0.1:/data, 10.0.0.1:/data/web, storage:/data", store.Store);
        Assert.Equal((15L, 30L, 1, false), (store.FreeBytes, store.NeededBytes, store.SimultaneousCrashes!.Value, store.AllFit!.Value));
        Assert.Equal(Size, store.TotalBytes);
        Assert.StartsWith("10.0.0.1:/data, 10.0.0.1:/data/web, storage:/data has ", store.Warning, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_client_rounds_and_how_it_writes_an_address_makes_no_other_store() =>
        Assert.Equal(["[2001:db8::1]:/data, storage:/data = b a"],
            Stores(At("a", "storage", "/data", Size, "10.0.0.1", "2001:db8::1"), At("b", "2001:db8::1", "/data", Size + (1 << 20), "2001:0db8:0:0::1")));

    [Fact]
    public void A_host_that_was_not_probed_stays_with_those_that_call_the_store_as_it_does() =>
        Assert.Equal(["10.0.0.1:/data, storage:/data = b a c", "nas:/data = d"],
            Stores(At("a", "storage", "/data", Size, "10.0.0.1"), At("b", "10.0.0.1", "/data", Size, "10.0.0.1"), At("c", "storage", "/data", null), At("d", "nas", "/data", null, "10.0.0.1")));

    [Fact]
    public void Another_size_another_server_and_the_host_itself_are_stores_of_their_own()
    {
        Assert.Equal(2, Stores(At("a", "s", "/data", Size, "10.0.0.1"), At("b", "s", "/other", Size / 2, "10.0.0.1")).Length);
        Assert.Equal(2, Stores(At("a", "s", "/data", Size, "10.0.0.1"), At("b", "t", "/data", Size, "10.0.0.2")).Length);
        Assert.Equal(2, Stores(At("a", "localhost", "/data", Size, "127.0.0.1"), At("b", "127.0.0.1", "/data", Size, "127.0.0.1")).Length);
        Assert.Equal(2, Stores(At("a", "fe80::1%eth0", "/data", Size, "fe80::1%2"), At("b", "s", "/data", Size, "fe80::1%2")).Length);
    }

    [Fact]
    public void What_two_names_have_in_common_with_a_third_makes_all_of_them_one() =>
        Assert.Equal(["a:/1, b:/2, c:/3 = x y z", "d:/4 = w"],
            Stores(At("x", "a", "/1", Size, "10.0.0.1"), At("y", "b", "/2", Size, "10.0.0.2", "10.0.0.1"), At("z", "c", "/3", Size, "10.0.0.2"), At("w", "d", "/4", Size, "10.0.0.3")));

    [Fact]
    public void A_probed_host_knows_the_address_and_the_size_of_its_store()
    {
        var report = new ReadyReport();
        report.More["resolved"] = "192.168.122.1\n192.168.122.1\n2001:db8::1";
        var result = report.Judge();
        Assert.Equal(["192.168.122.1", "2001:db8::1"], result.StoreAddresses);
        Assert.Equal(2000000L * 1024, result.StoreTotalBytes);
    }
}
