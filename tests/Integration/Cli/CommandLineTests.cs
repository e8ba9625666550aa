using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KdumpNfs.Tests.Integration.Ssh;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary>What scripts rely on: exit statuses, streams, error ids, JSON. Nothing here changes or crashes anything.</summary>
[Collection(SshGroup.Name)]
public sealed class CommandLineTests(SharedServer shared)
{
    private static readonly string Closed = SshServer.FreePort().ToString(CultureInfo.InvariantCulture);

    private string[] Login
    {
        get
        {
            Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
            var server = shared.Server;
            return ["--port", server.Port.ToString(CultureInfo.InvariantCulture), "--key", server.UserKey, "--known-hosts", server.KnownHosts, "--user", "root"];
        }
    }

    [Theory]
    [InlineData("status", "")]
    [InlineData("status", "127.0.0.1", "--port", "70000")]
    [InlineData("status", "127.0.0.1", "--key", "/nonexistent/key")]
    [InlineData("status", "127.0.0.1", "--expected-target", "storage")]
    [InlineData("status", "127.0.0.1", "--throttle", "0")]
    [InlineData("status", "127.0.0.1", "--connect-timeout", "0")]
    [InlineData("status")]
    [InlineData("status", "127.0.0.1", "--nonsense")]
    [InlineData("nonsense")]
    [InlineData("set-nfs-target", "127.0.0.1", "--nfs-server", "storage", "--export", "data", "--yes")]
    [InlineData("set-nfs-target", "127.0.0.1", "--nfs-server", "storage", "--export", "/data\n/x", "--yes")]
    [InlineData("set-nfs-target", "127.0.0.1", "--nfs-server", "storage", "--export", "/data", "--dump-level", "32", "--yes")]
    [InlineData("estimate", "127.0.0.1", "--dump-level", "Everything")]
    [InlineData("enable-sysrq", "127.0.0.1", "--mask", "512", "--yes")]
    [InlineData("set-reservation", "127.0.0.1", "--yes")]
    [InlineData("set-reservation", "127.0.0.1", "--size", "256M", "--recommended", "--yes")]
    [InlineData("set-reservation", "127.0.0.1", "--size", "256", "--yes")]
    [InlineData("disable-export", "127.0.0.1", "--export", "data", "--client", "h", "--yes")]
    [InlineData("enable-sysrq", "127.0.0.1", "--batch-size", "0", "--yes")]
    [InlineData("enable-sysrq", "127.0.0.1", "--max-failure", "-1", "--yes")]
    [InlineData("status", "127.0.0.1", "--ask-sudo-password")]
    [InlineData("status", "127.0.0.1", "--key-passphrase-file", "/nonexistent/file")]
    [InlineData("crash", "127.0.0.1", "--max-down", "0", "--yes")]
    [InlineData("crash", "127.0.0.1", "--collect", "storage", "--yes")]
    [InlineData("readiness", "127.0.0.1", "--probe", "--store-limit", "0")]
    [InlineData("vmcores")]
    [InlineData("vmcores", "--path", "/tmp", "--maximum", "0")]
    [InlineData("drill", "127.0.0.1", "--store", "storage", "--export", "/data", "--batch-size", "0", "--yes")]
    [InlineData("drill-resume", "/nonexistent/journal", "--batch-size", "1", "--yes")]
    [InlineData("remove-vmcores", "--store", "storage", "--export", "/data", "--keep-last", "3", "--batch-size", "1", "--yes")]
    [InlineData("send-sysrq", "127.0.0.1", "--console-host", "127.0.0.1", "--key", "/nonexistent/key", "--yes")]
    [InlineData("vmcores", "--store", "storage", "--export", "data")]
    [InlineData("wait-vmcore", "--path", "/tmp")]
    public void Bad_input_ends_with_2_and_its_id_before_any_connection(params string[] arguments)
    {
        var (status, output, error) = KdumpNfsCommand.Run("", arguments);
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith("error InvalidInput: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("crash", "127.0.0.1")]
    [InlineData("enable-sysrq", "127.0.0.1")]
    [InlineData("disable-kdump", "127.0.0.1")]
    [InlineData("install-kdump", "127.0.0.1")]
    [InlineData("update-initramfs", "127.0.0.1")]
    [InlineData("set-nfs-target", "127.0.0.1", "--nfs-server", "storage", "--export", "/data")]
    public void A_change_that_nobody_can_agree_to_is_refused(params string[] arguments)
    {
        var (status, _, error) = KdumpNfsCommand.Run("", arguments);
        Assert.Equal(2, status);
        Assert.StartsWith("error ConfirmationRequired: ", error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_host_that_does_not_pass_or_cannot_be_asked_ends_an_audit_with_1()
    {
        var (status, output, error) = KdumpNfsCommand.Run("127.0.0.1\n", ["readiness", "-", "--json", .. Login]);
        using var host = JsonDocument.Parse(output);
        Assert.Equal(host.RootElement.GetProperty("Passed").GetBoolean() ? 0 : 1, status);
        Assert.Equal("", error);
        Assert.Equal((status, ""), (KdumpNfsCommand.Run("", ["readiness", "127.0.0.1", "--quiet", .. Login]) is var (again, quiet, _) ? (again, quiet) : default));

        (status, output, error) = KdumpNfsCommand.Run("", "readiness", "127.0.0.1", "--port", Closed, "--quiet");
        Assert.Equal((1, ""), (status, output));
        Assert.StartsWith("error Unreachable: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("{}")]
    public void What_is_no_plan_ends_with_2_before_any_connection(string text)
    {
        var (status, output, error) = KdumpNfsCommand.Run(text, "apply-plan", "-", "--yes");
        Assert.Equal((2, ""), (status, output));
        Assert.StartsWith("error PlanInvalid: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_read_from_a_file_of_ones_own_only()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "hunter2\n");
            CommandRunner.Run("chmod", ["644", file]);
            var (status, _, error) = KdumpNfsCommand.Run("", "status", "127.0.0.1", "--port", Closed, "--sudo-password-file", file);
            Assert.Equal(2, status);
            Assert.StartsWith("error InvalidInput: ", error, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
            CommandRunner.Run("chmod", ["600", file]);
            (status, _, error) = KdumpNfsCommand.Run("", "status", "127.0.0.1", "--port", Closed, "--sudo-password-file", file);
            Assert.Equal(1, status);
            Assert.StartsWith("error Unreachable: ", error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_change_stops_when_too_many_hosts_fail()
    {
        var (status, _, error) = KdumpNfsCommand.Run("", "enable-sysrq", "127.0.0.1", "127.0.0.2", "127.0.0.3", "--port", Closed, "--what-if", "--batch-size", "1");
        Assert.Equal(1, status);
        Assert.Equal(["error Unreachable", "error NotStarted", "error NotStarted"], error.Split('\n').Where(line => line.StartsWith("error ", StringComparison.Ordinal)).Select(line => line.Split(':')[0]));
    }

    [Fact]
    public void A_host_that_fails_ends_with_1_and_is_lost_from_no_list()
    {
        var (status, output, error) = KdumpNfsCommand.Run("", "status", "127.0.0.1", "--port", Closed, "--json", "--include-failed");
        Assert.Equal(1, status);
        Assert.StartsWith("error Unreachable: 127.0.0.1: ", error, StringComparison.Ordinal);
        Assert.Equal("Unreachable", JsonDocument.Parse(output).RootElement.GetProperty("ErrorId").GetString());
    }

    [SkippableFact]
    public void Status_is_one_JSON_object_a_line_with_enums_by_name()
    {
        var (status, output, error) = KdumpNfsCommand.Run("", ["status", "127.0.0.1", "--json", .. Login]);
        Assert.Equal((0, ""), (status, error));
        var line = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        using var json = JsonDocument.Parse(line);
        Assert.Equal("127.0.0.1", json.RootElement.GetProperty("HostName").GetString());
        Assert.Equal(JsonValueKind.String, json.RootElement.GetProperty("State").ValueKind);
    }

    [SkippableFact]
    public void Hosts_come_from_stdin_and_a_bad_line_is_wrong_for_itself_only()
    {
        var (status, output, error) = KdumpNfsCommand.Run("# our hosts\n\n127.0.0.1\nnot a host\n", ["status", "-", .. Login]);
        Assert.Equal(1, status);
        Assert.Contains("127.0.0.1", output, StringComparison.Ordinal);
        Assert.Contains("error InvalidInput: not a host: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output + error);
    }

    [SkippableFact]
    public void What_if_of_a_crash_lists_the_host_and_crashes_nothing()
    {
        var (status, output, _) = KdumpNfsCommand.Run("", ["crash", "127.0.0.1", "--allow-not-ready", "--what-if", .. Login]);
        Assert.Equal(0, status);
        Assert.StartsWith("What if: Crash the kernel of this host", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public void A_signal_ends_it_within_a_second_with_its_status(string signal, int expected)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(10);
        var port = ((IPEndPoint)silent.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        using var process = KdumpNfsCommand.Start("status", "127.0.0.1", "--port", port, "--transport", "OpenSsh", "--verbose");
        Assert.True(SpinWait.SpinUntil(silent.Pending, TimeSpan.FromSeconds(60)));
        var watch = Stopwatch.StartNew();
        CommandRunner.Run("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        var (status, _, error) = KdumpNfsCommand.Finish(process);
        Assert.Equal(expected, status);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"It took {watch.Elapsed}.");
        Assert.DoesNotContain("error", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Crashes_of_another_command_are_read_from_stdin()
    {
        var directory = Directory.CreateTempSubdirectory("kdumpnfs-cli-").FullName;
        try
        {
            const string Crash = """{"CrashedHost":"web01","SourceAddress":"192.0.2.7","Identities":["web01"],"BootIdBefore":"x","TriggeredAt":"2026-01-01T00:00:00+00:00","Synced":true}""";
            var (status, _, error) = KdumpNfsCommand.Run(Crash + "\nnonsense\n", "wait-vmcore", "--path", directory, "--crash", "-", "--wait-timeout", "1");
            Assert.Equal(1, status);
            Assert.Contains("error VmcoreTimeout: web01: ", error, StringComparison.Ordinal);
            Assert.Contains("error HostNameMissing: ", error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory);
        }
    }
}
