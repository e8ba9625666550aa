using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Ssh;
using KdumpNfs.Vmcores;

namespace KdumpNfs.Tests.Integration.Collection;

/// <summary>Dumps on a store behind a real SSH server: judged by the reader, packed.</summary>
[UnsupportedOSPlatform("windows")]
public abstract class DumpTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-dumps-").FullName;
    private readonly Lazy<SshServer> _server = new(() => SshServer.Start());
    private readonly HostContext _context = new("store", _ => { });

    protected abstract IHostConnector Connector { get; }

    private HostAccess Access => new(Connector, new SshOptions { KnownHostsFiles = [_server.Value.KnownHosts], ConfigFile = "/dev/null", ConnectTimeout = TimeSpan.FromSeconds(60) });

    private SshHost Store => new(SshServer.Address, "root", _server.Value.Port, _server.Value.UserKey);

    private static byte[] Sample([CallerFilePath] string here = "") =>
        File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(here)!, "../../Unit/Vmcore/samples/lzo.mini"));

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }

        Directory.Delete(_folder, true);
        GC.SuppressFinalize(this);
    }

    private string Make(string directory, byte[] bytes)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, directory)).FullName, "vmcore");
        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-1));
        Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(path)!, DateTime.UtcNow.AddHours(-1));
        return path;
    }

    [SkippableFact]
    public async Task What_does_not_read_as_a_dump_is_not_complete()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var good = Sample();
        Make("10.0.0.1-2026-11-22-10:05:50", good);
        var bad = (byte[])good.Clone();
        bad.AsSpan(bad.Length * 2 / 3, 60_000).Fill(0xff);
        bad.AsSpan(bad.Length / 3, 60_000).Fill(0xff);
        Make("10.0.0.2-2026-11-22-10:05:50", bad);

        await using var store = new RemoteVmcores(Access, Store, _folder);
        var dumps = await GetVmcoreOperation.RunAsync(store, new VmcoreFilter(), _context, default);

        Assert.Equal((VmcoreState.Complete, VmcoreCheckDepth.Structure), dumps.Where(d => d.CrashedHost == "10.0.0.1").Select(d => (d.State, d.CheckDepth)).Single());
        var broken = dumps.Single(d => d.CrashedHost == "10.0.0.2");
        Assert.Equal(VmcoreState.Incomplete, broken.State);
        Assert.Contains("cannot be unpacked", broken.Reason, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_bundle_with_the_dump_comes_from_the_store()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var dump = Make("10.0.0.1-2026-11-22-10:05:50", Sample());
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(dump)!, "kexec-dmesg.log"), "password=geheimwort\n");
        await using var dumps = new DumpAccess(Access);
        var bundle = await new ExportVmcoreBundleOperation(Access, dumps) { Destination = _folder, IncludeDump = true, CrashedHost = Store }
            .RunAsync(new DumpPlace(dump, Store), _context, default);

        using var tar = new TarReader(new GZipStream(File.OpenRead(bundle.Archive), CompressionMode.Decompress));
        var files = new Dictionary<string, byte[]>();
        while (tar.GetNextEntry() is { } entry)
        {
            var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            files.Add(entry.Name[(entry.Name.IndexOf('/', StringComparison.Ordinal) + 1)..], bytes.ToArray());
        }

        Assert.Equal(File.ReadAllBytes(dump), files["dump/vmcore"]);
        Assert.Equal("password=***\n"u8.ToArray(), files["capture/kexec-dmesg.log"]);
        Assert.Equal((SshServer.Address, true), (bundle.StoreHost, bundle.DumpIncluded));

        // The server is this machine, and that is not the one that crashed.
        Assert.Contains(bundle.Missing, m => m.Contains("node1 crashed", StringComparison.Ordinal));
    }
}

[UnsupportedOSPlatform("windows")]
public sealed class OpenSshDumpTests : DumpTests
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.Ssh.OpenSsh.OpenSshConnector();
}

#if WITH_SSHNET
[UnsupportedOSPlatform("windows")]
public sealed class SshNetDumpTests : DumpTests
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();
}
#endif
