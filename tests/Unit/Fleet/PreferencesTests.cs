using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Fleet;

/// <summary>Files of settings, which the cmdlets and the command read alike.</summary>
public sealed class PreferencesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Relative_paths_are_taken_from_the_file_and_times_are_read_in_three_ways()
    {
        var read = Preferences.Read(Write("""
            { // a comment
              "userName": "admin", "KeyFilePath": "keys/fleet", "KnownHostsFile": ["known", "/etc/known"], "SshConfigFile": "~/config", "Transport": "OpenSsh",
              "ConnectingTimeout": 2.5, "OperationTimeout": { "Ticks": 600000000 }, "Sudo": true,
            }
            """));
        Assert.Equal(("admin", Path.Combine(_folder, "keys/fleet"), SshTransport.OpenSsh), (read.UserName, read.KeyFilePath, read.Transport));
        Assert.Equal([Path.Combine(_folder, "known"), "/etc/known"], read.KnownHostsFile!);
        Assert.Equal(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "config"), read.SshConfigFile);
        Assert.Equal((TimeSpan.FromSeconds(2.5), TimeSpan.FromMinutes(1)), (read.ConnectingTimeout, read.OperationTimeout));
        Assert.True(read.Sudo);
        Assert.Equal(Path.Combine(_folder, "settings.json"), read.Source);
        Assert.Equal(TimeSpan.FromMinutes(3), Preferences.Read(Write("""{ "OperationTimeout": "00:03:00" }""")).OperationTimeout);
    }

    [Theory]
    [InlineData("""{ "Password": "x" }""")]
    [InlineData("""{ "Transport": "Telnet" }""")]
    [InlineData("""{ "ThrottleLimit": 0 }""")]
    [InlineData("""{ "ConnectingTimeout": -1 }""")]
    [InlineData("""{ "OperationTimeout": "25.00:00:00" }""")]
    [InlineData("nonsense")]
    public void What_no_command_would_take_is_refused(string text)
    {
        var refused = Assert.Throws<HostException>(() => Preferences.Read(Write(text)));
        Assert.Equal(ErrorIds.InvalidInput, refused.ErrorId);
        Assert.NotNull(refused.Remedy);
    }

    [Fact]
    public void The_export_of_the_settings_is_for_their_store_alone()
    {
        var settings = new KdumpPreference { StoreHost = "storage", ExportPath = "/data", DumpPath = "/var/crash" };
        Assert.Equal(("storage", "/data", "/var/crash"), settings.StoreOr(null, null, null));
        Assert.Equal(("STORAGE", "/data", "/other"), settings.StoreOr("STORAGE", null, "/other"));
        Assert.Equal(("nas", "/x", null), settings.StoreOr("nas", "/x", null));
        Assert.Equal(("storage", "/x", null), settings.StoreOr(null, "/x", null));
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => settings.StoreOr("nas", null, null)).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => new KdumpPreference().StoreOr(null, "/x", null)).ErrorId);
    }

    private string Write(string text)
    {
        var file = Path.Combine(_folder, "settings.json");
        File.WriteAllText(file, text);
        return file;
    }
}
