using System.Diagnostics;
using System.Net;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Loopback;

/// <summary>A host of the loopback fleet: an address, a file tree and a kdump of its own. What it runs is a stand-in, its SSH server and its shell are real.</summary>
public sealed class LoopbackHost : IDisposable
{
    private readonly LoopbackFleet _fleet;
    private Process? _holder;

    internal LoopbackHost(LoopbackFleet fleet, IPAddress address, int number)
    {
        (_fleet, Address, Number) = (fleet, address, number);
        Tree = Path.Combine(fleet.Home, address.ToString());
        foreach (var directory in new[] { "up/etc/fleet", "up/boot", "up/srv/exports/dumps/a", "up/srv/exports/dumps/b", "work", "root" })
        {
            Directory.CreateDirectory(Path.Combine(Tree, directory));
        }

        // Not a lower layer of its own: layers of an overlay must not lie in one another.
        CommandRunner.Run("cp", ["-a", Path.Combine(fleet.Home, "redhat") + "/.", Path.Combine(Tree, "up")]);
        var etc = Path.Combine(Tree, "up/etc");
        File.WriteAllText(Path.Combine(etc, "machine-id"), $"{number:x8}{Guid.NewGuid():N}"[..32] + "\n");
        File.WriteAllText(Path.Combine(etc, "os-release"), "ID=almalinux\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=9.4\nNAME=AlmaLinux\n");
        File.WriteAllText(Path.Combine(etc, "kdump.conf"), LoopbackFleet.Configuration("a"));
    }

    /// <summary>Its address on the loopback.</summary>
    public IPAddress Address { get; }

    /// <summary>Its number in the fleet.</summary>
    public int Number { get; }

    /// <summary>Its directory on this machine.</summary>
    public string Tree { get; }

    /// <summary>How a controller reaches it.</summary>
    public SshHost Host => new(Address.ToString(), "root", _fleet.Port, _fleet.UserKey);

    /// <summary>A file of the host, as a path of this machine.</summary>
    public string PathOf(string path) => $"/proc/{_holder!.Id}/root{path}";

    /// <summary>The content of a file of the host.</summary>
    public string Read(string path) => File.ReadAllText(PathOf(path));

    /// <summary>Writes a file of the host.</summary>
    public void Write(string path, string content) => File.WriteAllText(PathOf(path), content);

    /// <summary>Runs a shell script in the host, past its SSH server.</summary>
    public string Run(string script, bool mayFail = false) =>
        CommandRunner.Run("nsenter", ["-t", $"{_holder!.Id}", "-m", "-u", "-r", "-w", "--", "/bin/bash", "-c", script], mayFail).Text;

    /// <summary>Processes that run in the host, besides the one that holds it.</summary>
    public IReadOnlyList<int> Processes()
    {
        var space = Space(_holder!.Id);
        return [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(n => int.TryParse(n, out var id) && id != _holder.Id && Space(id) == space).Select(n => int.Parse(n!, null))];
    }

    /// <summary>Files that a change makes on its way and that must not stay, and jobs that nobody has asked for.</summary>
    public string Leftovers() =>
        Run("ls -d /etc/.*kdumpnfs* /etc/*kdumpnfs-new* /run/kdumpnfs /var/tmp/kdumpnfs* /tmp/kdumpnfs* /srv/exports/dumps/*/*probe* 2>/dev/null; exit 0").Trim();

    /// <summary>As a power cut and the next boot: processes, /run and what was loaded are gone; files stay.</summary>
    public void Reboot()
    {
        Stop();
        Start();
    }

    /// <summary>The power cut.</summary>
    public void Stop()
    {
        File.Delete(Path.Combine(Tree, "pid"));
        foreach (var id in Processes().Append(_holder!.Id))
        {
            CommandRunner.Run("kill", ["-9", $"{id}"], mayFail: true);
        }

        _holder.WaitForExit();
        _holder.Dispose();
        _holder = null;
    }

    /// <summary>The next boot.</summary>
    public void Start()
    {
        _holder = Process.Start(new ProcessStartInfo("unshare", ["-m", "-u", "sh", Path.Combine(_fleet.Home, "begin.sh"), Tree, $"node{Number}", Guid.NewGuid().ToString()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var words = _holder.StandardOutput.ReadLine();
        if (words != "ready")
        {
            throw new InvalidOperationException($"{Address} does not start: {words} {_holder.StandardError.ReadToEnd()}");
        }

        File.WriteAllText(Path.Combine(Tree, "pid"), $"{_holder.Id}\n");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_holder is not null)
        {
            Stop();
        }
    }

    private static string? Space(int id)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{id}/ns/mnt", returnFinalTarget: false)?.Name;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile.
            return null;
        }
    }
}
