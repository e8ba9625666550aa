using System.Globalization;
using System.Text.Json;
using KdumpNfs.Tests.Integration.Ssh;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary>The file of settings that the cmdlets read, read by the command.</summary>
[Collection(SshGroup.Name)]
public sealed class SettingsCommandTests(SharedServer shared) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public void Say_who_logs_in_with_what_and_what_is_given_wins()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var server = shared.Server;
        var port = server.Port.ToString(CultureInfo.InvariantCulture);
        var settings = Write(new { UserName = "root", KeyFilePath = server.UserKey, KnownHostsFile = new[] { server.KnownHosts }, Transport = "OpenSsh", ThrottleLimit = 3, ConnectingTimeout = 20 });
        var (status, output, error) = KdumpNfsCommand.RunWith(settings, "status", "127.0.0.1", "--port", port, "--json", "--verbose");
        Assert.Equal(0, status);
        Assert.Equal("127.0.0.1", JsonDocument.Parse(output).RootElement.GetProperty("HostName").GetString());
        Assert.Contains("Connected through OpenSsh", error, StringComparison.Ordinal);

        (status, _, error) = KdumpNfsCommand.RunWith(settings, "status", "127.0.0.1", "--port", port, "--known-hosts", "/dev/null");
        Assert.Equal(1, status);
        Assert.StartsWith("error HostKeyUnknown: ", error, StringComparison.Ordinal);
        (status, _, error) = KdumpNfsCommand.RunWith(settings, "status", "127.0.0.1", "--port", port, "--user", "nobody-of-this-name");
        Assert.Equal(1, status);
        Assert.StartsWith("error AuthenticationFailed: ", error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Say_where_the_dumps_are_but_not_for_another_store()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var server = shared.Server;
        var crash = Path.Combine(_folder, "export/var/crash/192.0.2.7-2026-11-22-10:11:12");
        Directory.CreateDirectory(crash);
        File.WriteAllText(Path.Combine(crash, "vmcore-incomplete"), "x");
        var settings = Write(new
        {
            UserName = "root", KeyFilePath = server.UserKey, KnownHostsFile = new[] { server.KnownHosts },
            StoreHost = "127.0.0.1", ExportPath = Path.Combine(_folder, "export"), DumpPath = "/var/crash",
        });
        var port = server.Port.ToString(CultureInfo.InvariantCulture);
        var (status, output, _) = KdumpNfsCommand.RunWith(settings, "vmcores", "--port", port, "--json");
        Assert.Equal((0, crash), (status, JsonDocument.Parse(output).RootElement.GetProperty("Path").GetString()));

        (status, output, var error) = KdumpNfsCommand.RunWith(settings, "vmcores", "--store", "nas", "--port", port);
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith("error InvalidInput: The export of nas was not given.", error, StringComparison.Ordinal);

        // A path of this machine is no store of the settings, and what removes is told where.
        (status, output, _) = KdumpNfsCommand.RunWith(settings, "vmcores", "--path", _folder);
        Assert.Equal((0, ""), (status, output));
        Assert.Equal(2, KdumpNfsCommand.RunWith(settings, "remove-vmcores", "--keep-last", "5", "--yes").Status);
    }

    [Fact]
    public void Are_shown_in_the_form_in_which_they_are_read()
    {
        var settings = Write(new { UserName = "admin", KeyFilePath = "keys/fleet", OperationTimeout = 90 });
        var (status, output, _) = KdumpNfsCommand.RunWith(settings, "preference");
        Assert.Equal(0, status);
        Assert.Contains($"KeyFilePath       : {_folder}/keys/fleet\n", output, StringComparison.Ordinal);
        var (_, json, _) = KdumpNfsCommand.RunWith(settings, "preference", "--json");
        var copy = Path.Combine(_folder, "copy.json");
        File.WriteAllText(copy, json);
        var (_, again, _) = KdumpNfsCommand.Run("", "preference", copy, "--json");
        Assert.Equal(json.Replace("settings.json", "copy.json", StringComparison.Ordinal), again);
        Assert.Contains("\"OperationTimeout\":\"00:01:30\"", again, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Password": "hunter2" }""")]
    [InlineData("""{ "ThrottleLimit": 0 }""")]
    public void That_cannot_be_read_end_every_command_before_it_begins(string text)
    {
        var settings = Path.Combine(_folder, "bad.json");
        File.WriteAllText(settings, text);
        var (status, output, error) = KdumpNfsCommand.RunWith(settings, "status", "192.0.2.1");
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith("error InvalidInput: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }

    [Fact]
    public void With_a_credential_of_a_vault_are_told_of()
    {
        var settings = Write(new { CredentialName = "fleet" });
        var (_, _, error) = KdumpNfsCommand.RunWith(settings, "status", "127.0.0.1", "--port", "1");
        Assert.StartsWith("warning: The settings take the credential 'fleet' from a vault", error, StringComparison.Ordinal);
        (_, _, error) = KdumpNfsCommand.RunWith(settings, "status", "127.0.0.1", "--port", "1", "--user", "root");
        Assert.StartsWith("error Unreachable", error, StringComparison.Ordinal);
    }

    private string Write(object settings)
    {
        var file = Path.Combine(_folder, "settings.json");
        File.WriteAllText(file, JsonSerializer.Serialize(settings));
        return file;
    }
}
