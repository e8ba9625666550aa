using System.Net;
using System.Security;
using System.Text;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Ssh;

public sealed class SudoTests
{
    [Theory]
    [InlineData("sudo: a password is required", ErrorIds.SudoRefused, "-SudoPassword")]
    [InlineData("sudo: interactive authentication is required", ErrorIds.SudoRefused, "-SudoPassword")]
    [InlineData("sudo: sorry, you must have a tty to run sudo", ErrorIds.SudoRefused, "!requiretty")]
    [InlineData("sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper", ErrorIds.SudoRefused, "-SudoPassword")]
    [InlineData("sudo: no tty present and no askpass program specified", ErrorIds.SudoRefused, "-SudoPassword")]
    [InlineData("kim is not in the sudoers file.  This incident will be reported.", ErrorIds.SudoRefused, "/etc/sudoers.d")]
    [InlineData("Sorry, user kim is not allowed to execute '/bin/sh' as root on web.", ErrorIds.SudoRefused, "another account")]
    [InlineData("env: 'sudo': No such file or directory", ErrorIds.SudoRefused, "Install it")]
    [InlineData("sudo: 1 incorrect password attempt", ErrorIds.SudoPasswordWrong, "once")]
    [InlineData("Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt", ErrorIds.SudoPasswordWrong, "-SudoPassword")]
    [InlineData("sudo-rs: 3 incorrect authentication attempts", ErrorIds.SudoPasswordWrong, "-SudoPassword")]
    public void Words_of_sudo_are_explained(string said, string id, string told)
    {
        var error = SshErrors.NoLoop("web01", sudo: true, 1, said);
        Assert.Equal(id, error.ErrorId);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.Contains(said.Split('\n')[0], error.HostSaid, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_that_mention_no_sudo_are_those_of_the_shell() =>
        Assert.Equal(ErrorIds.NoShell, SshErrors.NoLoop("web01", sudo: true, 1, "This account is currently not available.").ErrorId);

    [Fact]
    public void A_prompt_is_found_whatever_pieces_it_comes_in()
    {
        const string Text = "a lecture\nasks-1 wrong\nasks-asks-1";
        for (var size = 1; size < Text.Length; size++)
        {
            var watch = new PromptWatch("asks-1");
            var count = Text.Chunk(size).Sum(piece => watch.Feed(Encoding.ASCII.GetBytes(piece)));
            Assert.Equal(2, count);
        }
    }

    [Fact]
    public void Secrets_are_in_no_text()
    {
        var options = new SshOptions { Sudo = true, SudoPassword = Secret.From("hunter2"), KeyPassphrase = Secret.From("opensesame"), Credential = new NetworkCredential("kim", "letmein") };
        var text = options.ToString() + System.Text.Json.JsonSerializer.Serialize(options.SudoPassword) + new HostAccess(new AutoConnector(), options);
        foreach (var secret in new[] { "hunter2", "opensesame", "letmein" })
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }

        Assert.Equal("hunter2", Encoding.UTF8.GetString(options.SudoPassword!.ToBytes()));
        Assert.Equal("opensesame", options.KeyPassphrase!.Reveal());
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    [InlineData("nul\0")]
    public void A_secret_that_no_prompt_takes_is_refused(string text)
    {
        var error = Assert.Throws<HostException>(() => Secret.From(text));
        Assert.Equal(ErrorIds.InvalidInput, error.ErrorId);
        using var secure = new SecureString();
        Assert.Throws<HostException>(() => new Secret(secure));
    }

    [Fact]
    public void Sudo_gets_its_own_password_before_that_of_the_login()
    {
        var login = new SshOptions { Credential = new NetworkCredential("kim", "letmein") };
        Assert.Null(login.SecretForSudo);
        Assert.Equal("letmein", (login with { Sudo = true }).SecretForSudo!.Reveal());
        Assert.Equal("hunter2", (login with { Sudo = true, SudoPassword = Secret.From("hunter2") }).SecretForSudo!.Reveal());
        Assert.Null(new Bootstrap(login).Prompt);
    }
}
