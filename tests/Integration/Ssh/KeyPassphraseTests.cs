using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>Private keys that are encrypted.</summary>
public abstract class KeyPassphraseTests(SharedServer shared) : TransportTests(shared)
{
    private const string Passphrase = "secret words $(id) 'ü'";

    [SkippableTheory]
    [InlineData("ed25519", "RFC4716")]
    [InlineData("rsa", "RFC4716")]
    [InlineData("rsa", "PEM")]
    [InlineData("rsa", "PKCS8")]
    [InlineData("ecdsa", "RFC4716")]
    public async Task An_encrypted_key_logs_in_with_its_passphrase(string kind, string format)
    {
        SkipUnlessRunnable();
        var key = MakeKey(kind, format, trusted: true);
        var before = Leftovers();
        await using var connection = await ConnectAsync(change: With(Passphrase), host: h => h with { KeyFilePath = key });
        Assert.Equal("in\n", (await RunAsync(connection, "echo in")).OutputText);
        Assert.Empty(Leftovers().Except(before));
    }

    [SkippableFact]
    public async Task A_wrong_passphrase_is_told_and_not_shown()
    {
        SkipUnlessRunnable();
        var key = MakeKey("ed25519", "RFC4716", trusted: true);
        var before = Leftovers();
        var error = await RefusedAsync(change: With("hunter2"), host: h => h with { KeyFilePath = key });
        Assert.Equal(ErrorIds.KeyPassphraseWrong, error.ErrorId);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(Leftovers().Except(before));
    }

    [SkippableFact]
    public async Task A_key_that_the_host_does_not_take_is_not_blamed_on_the_passphrase()
    {
        SkipUnlessRunnable();
        var key = MakeKey("ed25519", "RFC4716", trusted: false);
        Assert.Equal(ErrorIds.AuthenticationFailed, (await RefusedAsync(change: With(Passphrase), host: h => h with { KeyFilePath = key })).ErrorId);
    }

    [SkippableFact]
    public async Task An_encrypted_key_without_a_passphrase_says_what_to_do()
    {
        SkipUnlessRunnable();
        var key = MakeKey("ed25519", "RFC4716", trusted: true);
        var error = await RefusedAsync(host: h => h with { KeyFilePath = key });
        Assert.Equal(ErrorIds.AuthenticationFailed, error.ErrorId);
        Assert.Contains("-KeyPassphrase", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_key_that_needs_none_does_not_mind_a_passphrase()
    {
        SkipUnlessRunnable();
        await using var connection = await ConnectAsync(change: With(Passphrase));
        Assert.Equal("in\n", (await RunAsync(connection, "echo in")).OutputText);
    }

    [SkippableFact]
    public async Task A_passphrase_answers_no_other_question()
    {
        SkipUnlessRunnable();

        // A server that wants a password must not be told the passphrase of a key.
        using var server = SshServer.Start("PasswordAuthentication yes\nKbdInteractiveAuthentication yes\nUsePAM yes", "ed25519");
        await File.WriteAllTextAsync(Path.Combine(server.Home, "authorized_keys"), "");
        var error = await RefusedAsync(server, With(Passphrase));
        Assert.Equal(ErrorIds.AuthenticationFailed, error.ErrorId);
        Assert.DoesNotContain("Failed password", await File.ReadAllTextAsync(Path.Combine(server.Home, "log")), StringComparison.Ordinal);
    }

    private static Func<SshOptions, SshOptions> With(string passphrase) => o => o with { KeyPassphrase = Secret.From(passphrase) };

    private static string[] Leftovers()
    {
        var run = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return Directory.GetDirectories(string.IsNullOrEmpty(run) ? Path.GetTempPath() : run, "kdumpnfs-askpass-*");
    }

    private string MakeKey(string kind, string format, bool trusted)
    {
        var key = Path.Combine(Server.Home, $"locked-{Guid.NewGuid():N}");
        SshServer.GenerateKey(kind, key, Passphrase, format);
        if (trusted)
        {
            lock (Server)
            {
                File.AppendAllText(Path.Combine(Server.Home, "authorized_keys"), File.ReadAllText(key + ".pub"));
            }
        }

        return key;
    }
}
