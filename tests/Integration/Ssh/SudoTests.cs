using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>The real sudo, asking for a real password: an account, its password and its rule exist in mount namespaces of the sessions only.</summary>
public abstract class SudoTests(SharedServer shared) : TransportTests(shared)
{
    private const string Password = "correct horse ü";

    // What the stand-in of the machine's accounts says, and who may do what.
    private const string Rule = "kim ALL=(ALL:ALL) ALL";

    [SkippableFact]
    public async Task A_password_is_given_when_sudo_asks()
    {
        using var server = Start(Rule);
        await using var connection = await ConnectAsync(server, WithPassword(Password));
        Assert.Equal("0 kim\n", (await RunAsync(connection, "echo $(id -u) $SUDO_USER")).OutputText);
        using var input = new MemoryStream(new byte[1 << 20]);
        Assert.Equal("1048576\n", (await RunAsync(connection, "wc -c", input)).OutputText);
    }

    [SkippableFact]
    public async Task A_password_is_not_given_when_sudo_does_not_ask()
    {
        using var server = Start("kim ALL=(ALL:ALL) NOPASSWD: ALL");

        // If it were sent all the same, the shell would read it as the first line of its program.
        await using var connection = await ConnectAsync(server, WithPassword("not asked for"));
        Assert.Equal("0\n", (await RunAsync(connection, "id -u")).OutputText);
    }

    [SkippableFact]
    public async Task A_wrong_password_is_told_at_once_and_given_once()
    {
        using var server = Start(Rule + "\nDefaults logfile=HOME/sudo.log, passwd_tries=5");
        var error = await RefusedAsync(server, WithPassword("hunter2"));
        Assert.Equal(ErrorIds.SudoPasswordWrong, error.ErrorId);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("kdumpnfs-asks", error.Message, StringComparison.Ordinal);

        var log = Path.Combine(server.Home, "sudo.log");
        await WaitForAsync(() => File.Exists(log) && File.ReadAllText(log).Contains("incorrect password attempt", StringComparison.Ordinal), "sudo logs it");
        Assert.Contains("1 incorrect password attempt", await File.ReadAllTextAsync(log), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_password_that_is_needed_and_missing_is_told()
    {
        using var server = Start(Rule);
        var error = await RefusedAsync(server, o => o with { Sudo = true });
        Assert.Equal(ErrorIds.SudoRefused, error.ErrorId);
        Assert.Contains("-SudoPassword", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_sudo_that_wants_a_terminal_is_explained()
    {
        using var server = Start(Rule + "\nDefaults requiretty");
        var error = await RefusedAsync(server, WithPassword(Password));
        Assert.Equal(ErrorIds.SudoRefused, error.ErrorId);
        Assert.Contains("!requiretty", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_account_without_a_rule_is_told()
    {
        using var server = Start("somebody ALL=(ALL:ALL) ALL");
        var error = await RefusedAsync(server, WithPassword(Password));
        Assert.Equal(ErrorIds.SudoRefused, error.ErrorId);
        Assert.Contains("sudoers", error.HostSaid, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_lecture_and_a_terminal_for_the_shell_do_not_matter()
    {
        using var server = Start(Rule + "\nDefaults lecture=always, use_pty");
        await using var connection = await ConnectAsync(server, WithPassword(Password));
        var result = await RunAsync(connection, "echo out; echo err >&2; exit 3");
        Assert.Equal((3, "out\n", "err\n"), (result.ExitStatus, result.OutputText, result.ErrorText));
    }

    [SkippableFact]
    public async Task The_password_is_in_no_process_and_in_no_log_of_the_server()
    {
        using var server = Start(Rule);
        await using var connection = await ConnectAsync(server, WithPassword(Password));
        var words = (await RunAsync(connection, "cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c 'correct hors[e]'")).OutputText;
        Assert.Equal("0\n", words);
        Assert.DoesNotContain("correct horse", await File.ReadAllTextAsync(Path.Combine(server.Home, "log")), StringComparison.Ordinal);
    }

    private static Func<SshOptions, SshOptions> WithPassword(string password) => o => o with { Sudo = true, SudoPassword = Secret.From(password) };

    /// <summary>A server whose sessions are those of kim, who is in this machine's files only as far as the session sees them.</summary>
    private static SshServer Start(string rule)
    {
        SkipUnlessRunnable();
        Skip.If(!CommandRunner.Exists("sudo"), "sudo is not installed");
        Skip.If(CommandRunner.Run("unshare", ["-m", "true"], mayFail: true).Status != 0, "mount namespaces are not allowed here");
        Skip.If(!CommandRunner.Exists("openssl"), "openssl is not installed (it makes the password's hash)");
        var server = SshServer.Start("ForceCommand HOME/forced", "ed25519");
        var home = server.Home;
        CommandRunner.Run("chmod", ["755", home]);
        var hash = CommandRunner.Run("openssl", ["passwd", "-6", Password]).Text.Trim();
        File.WriteAllText(Path.Combine(home, "passwd"), File.ReadAllText("/etc/passwd") + "kim:x:4242:4242:Kim:/:/bin/sh\n");
        File.WriteAllText(Path.Combine(home, "group"), File.ReadAllText("/etc/group") + "kim:x:4242:\n");
        File.WriteAllText(Path.Combine(home, "shadow"), $"root:*:19000:0:99999:7:::\nkim:{hash}:19000:0:99999:7:::\n");
        File.WriteAllText(Path.Combine(home, "sudoers"), "root ALL=(ALL:ALL) ALL\n" + rule.Replace("HOME", home, StringComparison.Ordinal) + "\n");
        File.WriteAllText(Path.Combine(home, "forced"), $$"""
            #!/bin/sh
            # Mounts of this session alone.
            exec unshare -m /bin/sh -c '
              mount --make-rprivate / || exit 99
              for file in passwd group shadow sudoers; do
                mount --bind {{home}}/$file /etc/$file || exit 99
              done
              exec setpriv --reuid 4242 --regid 4242 --clear-groups env USER=kim LOGNAME=kim HOME=/ /bin/sh -c "$SSH_ORIGINAL_COMMAND"
            '

            """);
        CommandRunner.Run("chmod", ["755", Path.Combine(home, "forced")]);
        CommandRunner.Run("chmod", ["440", Path.Combine(home, "sudoers"), Path.Combine(home, "shadow")]);
        return server;
    }
}
