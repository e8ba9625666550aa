using KdumpNfs.Hosts;
using KdumpNfs.Kdump;

namespace KdumpNfs.Tests.Unit.Kdump;

public class DumpStoreTests
{
    private const string Line = "restrict ssh-ed25519 AAAA kdumpnfs:web01";

    [Fact]
    public void An_account_that_is_still_to_be_made_has_no_keys() => Assert.False(DumpStore.Has(Facts(("user", ""), ("keys.path", "/.ssh/authorized_keys")), Line));

    [Fact]
    public void A_key_is_found_by_its_whole_line()
    {
        var facts = Facts(
            ("user", "kdump:x:999:999::/home/kdump:/bin/sh"), ("keys.path", "/home/kdump/.ssh/authorized_keys"), ("keys.stat", "600 0 0 1700000000 60"),
            ("keys.data", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("# dumps\n" + Line + "\n"))));
        Assert.True(DumpStore.Has(facts, Line));
        Assert.False(DumpStore.Has(facts, Line[..^1]));
    }

    private static HostReply Facts(params (string Key, string Value)[] records) =>
        HostReply.Parse("store", System.Text.Encoding.UTF8.GetBytes(string.Concat(records.Select(r => $"{r.Key} {r.Value.Length}\n{r.Value}\n"))));
}
