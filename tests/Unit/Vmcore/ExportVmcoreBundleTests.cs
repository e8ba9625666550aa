using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Collection;
using KdumpNfs.Text;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>What goes to whoever gets the case, and what does not.</summary>
public sealed class ExportVmcoreBundleTests : IDisposable
{
    private readonly List<FleetMessage> _messages = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-").FullName;
    private readonly ShellConnector _connector = new();
    private readonly DumpAccess _dumps;

    public ExportVmcoreBundleTests()
    {
        _dumps = new DumpAccess(ShellConnector.Access(_connector));
        Directory.CreateDirectory(Crash);
        Directory.CreateDirectory(Target);
        File.Copy(Samples.File("lzo.mini"), Dump);
        File.WriteAllText(Path.Combine(Crash, "vmcore-dmesg.txt"), "[    0.0] Kernel command line: root=/dev/vda1 rd.iscsi.password=geheimwort crashkernel=256M\n[    9.9] Kernel panic - not syncing: x\n");
        File.WriteAllText(Path.Combine(Crash, "kexec-dmesg.log"), "mounting with geheimwort\nmount //u:p4ss@server/share\n");
        File.WriteAllText(Path.Combine(Crash, "secrets.txt"), "not ours to take");
    }

    private string Crash => Path.Combine(_folder, "10.0.0.7-2026-11-22-10:00:00");

    private string Target => Path.Combine(_folder, "out");

    private string Dump => Path.Combine(Crash, "vmcore");

    private HostContext Context => new("store", m =>
    {
        lock (_messages)
        {
            _messages.Add(m);
        }
    });

    public void Dispose()
    {
        _dumps.DisposeAsync().AsTask().Wait();
        Directory.Delete(_folder, recursive: true);
    }

    private ExportVmcoreBundleOperation Operation(bool dump = false, bool force = false, SshHost? host = null) =>
        new(ShellConnector.Access(_connector), _dumps) { Destination = Target, IncludeDump = dump, Force = force, CrashedHost = host };

    private Task<VmcoreBundle> Export(bool remote = false, bool dump = false, bool force = false, string? path = null, SshHost? host = null) =>
        Operation(dump, force, host).RunAsync(new DumpPlace(path ?? Dump, remote ? new SshHost("store") : null), Context, default);

    private static Dictionary<string, (byte[] Bytes, TarEntry Entry)> Unpack(string archive)
    {
        var files = new Dictionary<string, (byte[], TarEntry)>();
        using var tar = new TarReader(new GZipStream(File.OpenRead(archive), CompressionMode.Decompress));
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            files.Add(entry.Name, (bytes.ToArray(), entry));
        }

        return files;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bundle_has_report_logs_and_hashes_and_no_secret(bool remote)
    {
        var bundle = await Export(remote);
        var files = Unpack(bundle.Archive);
        const string Top = "node1-20261122T100550Z";

        Assert.Equal(Path.Combine(Target, Top + ".tar.gz"), bundle.Archive);
        Assert.Equal(
            [$"{Top}/README.txt", $"{Top}/capture/kexec-dmesg.log", $"{Top}/capture/vmcore-dmesg.txt", $"{Top}/dmesg.txt", $"{Top}/report.json", $"{Top}/report.txt", $"{Top}/SHA256SUMS"],
            files.Keys);
        Assert.All(files.Values, f => Assert.Equal((UnixFileMode.UserRead | UnixFileMode.UserWrite, 0, bundle.CrashTime), (f.Entry.Mode, f.Entry.Uid, f.Entry.ModificationTime)));

        // The hashes are those of the archive and of what is in it.
        Assert.Equal(Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(bundle.Archive))).ToLowerInvariant(), bundle.Sha256);
        Assert.Equal(new FileInfo(bundle.Archive).Length, bundle.Bytes);
        Assert.Equal(files.Count, bundle.Entries.Count);
        Assert.All(bundle.Entries, e => Assert.Equal((e.Bytes, e.Sha256), (files[$"{Top}/{e.Name}"].Bytes.LongLength, Convert.ToHexString(SHA256.HashData(files[$"{Top}/{e.Name}"].Bytes)).ToLowerInvariant())));
        var sums = Encoding.UTF8.GetString(files[$"{Top}/SHA256SUMS"].Bytes);
        Assert.Equal(string.Concat(bundle.Entries.SkipLast(1).Select(e => $"{e.Sha256}  {e.Name}\n")), sums);

        // Byte for byte what the dump has, where nothing is masked.
        Assert.StartsWith("[    0.000000] Linux version 6.1.0-56-cloud-amd64", Encoding.UTF8.GetString(files[$"{Top}/dmesg.txt"].Bytes), StringComparison.Ordinal);
        var json = JsonDocument.Parse(files[$"{Top}/report.json"].Bytes).RootElement;
        Assert.Equal((bundle.Signature, "Sysrq"), (json.GetProperty("Signature").GetString(), json.GetProperty("Kind").GetString()));
        Assert.Contains("sysrq_handle_crash", Encoding.UTF8.GetString(files[$"{Top}/report.txt"].Bytes), StringComparison.Ordinal);

        var all = string.Concat(files.Values.Select(f => Encoding.Latin1.GetString(f.Bytes)));
        Assert.DoesNotContain("geheimwort", all, StringComparison.Ordinal);
        Assert.DoesNotContain("p4ss", all, StringComparison.Ordinal);
        Assert.DoesNotContain("not ours", all, StringComparison.Ordinal);
        Assert.Contains("rd.iscsi.password=**** crashkernel=256M", all, StringComparison.Ordinal);
        Assert.Equal((2, false, remote ? "store" : null), (bundle.MaskedSecrets, bundle.DumpIncluded, bundle.StoreHost));
        Assert.Contains(bundle.Missing, m => m.Contains("-IncludeDump", StringComparison.Ordinal));
        Assert.Contains("-CrashedHost", Encoding.UTF8.GetString(files[$"{Top}/README.txt"].Bytes), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(bundle.Archive));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_dump_comes_only_if_it_is_asked_for_and_is_the_same(bool remote)
    {
        var bundle = await Export(remote, dump: true);
        Assert.True(bundle.DumpIncluded);
        Assert.Equal(File.ReadAllBytes(Dump), Unpack(bundle.Archive).Single(f => f.Key.EndsWith("/dump/vmcore", StringComparison.Ordinal)).Value.Bytes);
    }

    [Fact]
    public async Task The_same_crash_gives_the_same_archive_and_nothing_is_replaced_unasked()
    {
        var first = await Export();
        Assert.Equal(ErrorIds.LocalFileExists, (await Assert.ThrowsAsync<HostException>(() => Export())).ErrorId);
        var second = await Export(force: true);
        Assert.Equal(first.Sha256, second.Sha256);
        Assert.Equal([first.Archive], Directory.GetFiles(Target));
    }

    [Fact]
    public async Task A_dump_that_does_not_read_is_packed_with_the_log_beside_it()
    {
        File.WriteAllBytes(Dump, new byte[9000]);
        var bundle = await Export(dump: true);
        Assert.Contains(bundle.Missing, m => m.Contains("vmcore-dmesg.txt", StringComparison.Ordinal));
        Assert.Contains(bundle.Entries, e => e.Name == "dump/vmcore");
        Assert.Contains(_messages, m => m.ToString()!.Contains("cannot be read as a dump", StringComparison.Ordinal));

        File.Delete(Path.Combine(Crash, "vmcore-dmesg.txt"));
        Assert.Equal(ErrorIds.VmcoreNotReadable, (await Assert.ThrowsAsync<HostException>(() => Export(force: true))).ErrorId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_stopped_leaves_nothing_and_the_old_archive_stays(bool remote)
    {
        var first = await Export();
        using var stop = new CancellationTokenSource();

        // Stops while the dump is being packed.
        var context = new HostContext("store", m =>
        {
            if (m.ToString()!.Contains("packing the dump", StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Operation(dump: true, force: true).RunAsync(new DumpPlace(Dump, remote ? new SshHost("store") : null), context, stop.Token));
        Assert.Equal([first.Archive], Directory.GetFiles(Target));
        Assert.Equal(first.Sha256, Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(first.Archive))).ToLowerInvariant());
    }

    [Fact]
    public async Task A_full_disk_leaves_nothing()
    {
        if (!OperatingSystem.IsLinux() || !Directory.Exists("/dev/shm"))
        {
            return;
        }

        // No file system of its own without root: the limit on the size of files gives the same error as a full disk.
        var entries = new List<BundleFile> { new("large", () => new FullStream()) };
        await Assert.ThrowsAsync<IOException>(() => BundleArchive.WriteAsync(Path.Combine(Target, "x.tar.gz"), "x", DateTimeOffset.UnixEpoch, entries, false, default));
        Assert.Empty(Directory.GetFiles(Target));
        Directory.Delete(Target);
        Assert.Equal(ErrorIds.LocalWriteFailed, (await Assert.ThrowsAsync<HostException>(() => Export())).ErrorId);
    }

    [Fact]
    public async Task A_host_that_does_not_answer_or_is_another_is_no_error()
    {
        _connector.Connection.Fault = () => new HostException(ErrorIds.ConnectionLost, "node1", "The connection was lost.");
        var lost = await Export(host: new SshHost("node1"));
        Assert.Contains(lost.Missing, m => m.Contains("could not be read: The connection was lost", StringComparison.Ordinal));

        // This machine is not the one that crashed.
        _connector.Connection.Fault = () => null;
        var other = await Export(force: true, host: new SshHost("node1"));
        Assert.Contains(other.Missing, m => m.Contains("node1 crashed: its configuration is not in the archive", StringComparison.Ordinal));
        Assert.DoesNotContain(other.Entries, e => e.Name.StartsWith("configuration/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_saved_log_is_packed_too_with_the_configuration_of_its_host()
    {
        var log = Path.Combine(_folder, "console.txt");
        File.WriteAllText(log, Samples.Dmesg("rhel-lzo"));
        var bundle = await Export(path: log, host: new SshHost("localhost"));
        Assert.Equal(PanicKind.Sysrq, bundle.Kind);
        Assert.Contains(bundle.Entries, e => e.Name == "configuration/cmdline");
        Assert.Contains(bundle.Entries, e => e.Name == "configuration/status.json");
    }

    [Theory]
    [InlineData("rd.iscsi.password=abc quiet", "rd.iscsi.password=*** quiet")]
    [InlineData("netroot=iscsi:user:top@10.0.0.1::3260:1:iqn", "netroot=iscsi:user:***@10.0.0.1::3260:1:iqn")]
    [InlineData("systemd.set_credential=disk:hidden x", "systemd.set_credential=*** x")]
    [InlineData("api_key='a b' next", "api_key=*** next")]
    [InlineData("wpa_psk=\"a b\" next", "wpa_psk=*** next")]
    [InlineData("ftp://u:pw@host/", "ftp://u:***@host/")]
    [InlineData("crashkernel=256M nokaslr root=UUID=1-2", "crashkernel=256M nokaslr root=UUID=1-2")]
    public void Secrets_of_texts_are_masked(string text, string masked) => Assert.Equal(masked, new SecretMask().HideText(text));

    [Fact]
    public void A_secret_is_masked_wherever_it_turns_up()
    {
        var mask = new SecretMask();
        mask.HideText("token=abcdef123");
        Assert.Equal("said *** twice: ***", mask.HideText("said abcdef123 twice: abcdef123"));
        Assert.Equal(1, mask.Count);
    }

    private sealed class FullStream : MemoryStream
    {
        public override long Length => 100;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("No space left on device");
    }
}
