using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Tests.Unit.Collection;

namespace KdumpNfs.Tests.Unit.Kdump;

/// <summary>What a store's own script tells of the keys of an account.</summary>
public class DumpStoreTests
{
    private const string Line = "restrict ssh-ed25519 AAAA kdumpnfs:web01";

    [Theory]
    [InlineData("kdumpnfs-no-such-account", false)]
    [InlineData("daemon", true)]
    public async Task An_account_that_is_still_to_be_made_or_has_no_file_for_keys_has_none(string account, bool exists)
    {
        var facts = await FactsAsync(account);
        Assert.Equal(exists, !string.IsNullOrEmpty(facts.Text("user")));
        Assert.False(string.IsNullOrEmpty(facts.Text("keysfile")));
        Assert.Null(facts.File("keys"));
        Assert.False(DumpStore.Has(facts, Line));
    }

    [Fact]
    public void A_key_is_found_by_its_whole_line()
    {
        var facts = Facts(
            ("keys.path", "/home/kdump/.ssh/authorized_keys"), ("keys.stat", "600 0 0 1700000000 60"),
            ("keys.data", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("# dumps\n" + Line + "\n"))));
        Assert.True(DumpStore.Has(facts, Line));
        Assert.False(DumpStore.Has(facts, Line[..^1]));
    }

    private static async Task<HostReply> FactsAsync(string account) =>
        await HostReply.RunAsync(new ShellConnection(), HostScript.Load("sshstore", ("user", account), ("dir", "/"), ("receiver", "/none")), default);

    private static HostReply Facts(params (string Key, string Value)[] records) =>
        HostReply.Parse("store", System.Text.Encoding.UTF8.GetBytes(string.Concat(records.Select(r => $"{r.Key} {r.Value.Length}\n{r.Value}\n"))));
}
