using System.Text.RegularExpressions;
using KdumpNfs.Hosts;

namespace KdumpNfs.Setup;

/// <summary>A package and its version.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version; empty where the package manager did not tell.</param>
public sealed record HostPackage(string Name, string Version)
{
    /// <inheritdoc/>
    public override string ToString() => Version.Length == 0 ? Name : $"{Name} {Version}";
}

/// <summary>Which packages are missing on a host and what installing them would do, by the package manager's own simulation.</summary>
internal sealed class PackagePlan
{
    private PackagePlan(string hostName, string manager, IReadOnlyList<string> missing, IReadOnlyList<HostPackage> comes, IReadOnlyList<string> others) =>
        (HostName, Manager, Missing, Comes, Others) = (hostName, manager, missing, comes, others);

    public string HostName { get; }

    /// <summary>apt-get, dnf, yum or zypper; empty for none.</summary>
    public string Manager { get; }

    /// <summary>The packages asked for that are not installed.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Everything that would be installed, dependencies included; empty where the lists have to be fetched first.</summary>
    public IReadOnlyList<HostPackage> Comes { get; }

    /// <summary>What would be upgraded, downgraded or removed.</summary>
    public IReadOnlyList<string> Others { get; }

    /// <summary>The script that gives the facts; put behind the others of its round trip.</summary>
    public static string Script(IEnumerable<string> packages) =>
        HostScript.Read("packages") + Ssh.ShellQuote.Assignment("packages", string.Join(' ', packages)) + HostScript.Read("packagefacts");

    /// <summary>The packages that dump over NFS takes on a distribution.</summary>
    public static IReadOnlyList<string> Kdump(OsRelease os) => os.Family switch
    {
        HostFamily.Debian => ["kdump-tools", "nfs-common"],
        HostFamily.Suse => ["kdump", "nfs-client"],
        // kdump-utils was split off kexec-tools in Fedora 41 and EL10.
        HostFamily.RedHat => [SplitOff(os) ? "kdump-utils" : "kexec-tools", .. SplitOff(os) ? new[] { "makedumpfile" } : [], "nfs-utils"],
        _ => [],
    };

    /// <summary>The packages of the NFS server.</summary>
    public static IReadOnlyList<string> NfsServer(OsRelease os) => os.Family switch
    {
        HostFamily.Debian => ["nfs-kernel-server"],
        HostFamily.Suse => ["nfs-kernel-server"],
        HostFamily.RedHat => Major(os) == 7 ? ["nfs-utils", "rpcbind"] : ["nfs-utils"],
        _ => [],
    };

    /// <summary>Reads the facts.</summary>
    /// <param name="hostName">The host.</param>
    /// <param name="reply">The reply of packagefacts.sh.</param>
    /// <param name="packages">What was asked for.</param>
    /// <param name="refresh">The job fetches the lists first, so a package that is not known yet is no error.</param>
    /// <exception cref="HostException">NotSupported, PackagesNotAvailable, WouldChangePackages.</exception>
    public static PackagePlan Create(string hostName, HostReply reply, IReadOnlyList<string> packages, bool refresh)
    {
        var has = reply.All("package.has").Select(line => line.Split(' ')[0]).ToHashSet(StringComparer.Ordinal);
        var missing = packages.Where(p => !has.Contains(p)).ToList();
        var manager = reply.Text("package.manager") ?? "";
        if (missing.Count == 0)
        {
            return new PackagePlan(hostName, manager, [], [], []);
        }

        if (manager.Length == 0)
        {
            throw new HostException(ErrorIds.NotSupported, hostName, "There is no apt-get, dnf, yum or zypper here.") { Remedy = $"Install by hand: {string.Join(' ', missing)}" };
        }

        var said = reply.Text("package.simulated") ?? "";
        var (comes, others) = Read(manager, said);
        if (others.Count > 0)
        {
            throw Touches(hostName, missing, string.Join('\n', others));
        }

        return comes.Count > 0 || refresh
            ? new PackagePlan(hostName, manager, missing, comes, others)
            : throw NotAvailable(hostName, missing, said);
    }

    /// <summary>The failure of a job's install_missing with what it means; null for another one.</summary>
    public static HostException? Explain(HostException failure, IReadOnlyList<string> missing) => failure.ErrorId switch
    {
        ErrorIds.PackagesNotAvailable => NotAvailable(failure.HostName, missing, failure.HostSaid ?? ""),
        ErrorIds.WouldChangePackages => Touches(failure.HostName, missing, failure.HostSaid ?? ""),
        ErrorIds.InstallFailed => new HostException(failure.ErrorId, failure.HostName, $"The package manager could not install {string.Join(' ', missing)}.")
        {
            HostSaid = failure.HostSaid,
            Remedy = "Read its words above; what it began to install may be there in part.",
        },
        _ => null,
    };

    /// <summary>What a job's install_missing told.</summary>
    public static IReadOnlyList<HostPackage> Installed(HostReply done) => [.. done.All("installed").Select(l => l.Split(' ', 2)).Select(w => new HostPackage(w[0], w.ElementAtOrDefault(1) ?? ""))];

    /// <summary>What would come, for a question.</summary>
    public string Describe() => Missing.Count == 0 ? ""
        : $"installs {(Comes.Count > 0 ? string.Join(", ", Comes) : string.Join(", ", Missing) + " and what they need, once the package lists are fetched")} ({Manager}); nothing is upgraded or removed";

    /// <summary>Reads what a simulation said: what is new, and what else would be touched.</summary>
    internal static (IReadOnlyList<HostPackage> Comes, IReadOnlyList<string> Others) Read(string manager, string said)
    {
        var (comes, others) = (new List<HostPackage>(), new List<string>());
        var lines = said.Replace("\r", "", StringComparison.Ordinal).Split('\n');
        if (manager == "apt-get")
        {
            foreach (var line in lines)
            {
                if (Regex.Match(line, @"^Inst (\S+) \((\S+)") is { Success: true } inst)
                {
                    comes.Add(new HostPackage(inst.Groups[1].Value, inst.Groups[2].Value));
                }
                else if (Regex.IsMatch(line, @"^(Inst \S+ \[|Remv |Purg )"))
                {
                    others.Add(line);
                }
            }

            return (comes, others);
        }

        var section = "";
        foreach (var line in lines)
        {
            if (manager == "zypper" ? line.Contains("going to ", StringComparison.Ordinal) : Regex.IsMatch(line, @"^[A-Z][A-Za-z ]+:\s*$"))
            {
                section = line.Trim();
            }
            else if (line.Trim().Length == 0)
            {
                section = "";
            }
            else if (section.Length > 0 && char.IsWhiteSpace(line[0]))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (Regex.IsMatch(section, manager == "zypper" ? "REMOVED|upgraded|downgraded|reinstalled|change " : "^(Upgrading|Updating|Downgrading|Removing|Reinstalling|Replacing)"))
                {
                    others.AddRange(manager == "zypper" ? words.Select(w => $"{section} {w}") : [$"{section} {line.Trim()}"]);
                }
                else if (manager == "zypper" ? section.Contains("installed", StringComparison.Ordinal) : section.StartsWith("Installing", StringComparison.Ordinal))
                {
                    // zypper lists names alone, dnf a table of name, architecture and version.
                    comes.AddRange(manager == "zypper" ? words.Select(w => new HostPackage(w, "")) : words.Length >= 4 ? [new HostPackage(words[0], words[2])] : []);
                }
            }
        }

        return (comes, others);
    }

    private static bool SplitOff(OsRelease os) => os.Id == "fedora" ? Major(os) >= 41 : os.Id is not ("amzn" or "openEuler" or "anolis" or "kylin") && Major(os) >= 10;

    private static int Major(OsRelease os) => int.TryParse(os.VersionId.Split('.')[0], out var major) ? major : 0;

    private static HostException NotAvailable(string hostName, IReadOnlyList<string> missing, string said) =>
        new(ErrorIds.PackagesNotAvailable, hostName, $"No repository of the host has {string.Join(' ', missing)}, as far as its package lists tell.")
        {
            HostSaid = said.Length > 2000 ? said[^2000..] : said,
            Remedy = "Fetch the lists first with -Refresh; if that does not help, look at the host's repositories and at its way to them.",
        };

    private static HostException Touches(string hostName, IReadOnlyList<string> missing, string said) =>
        new(ErrorIds.WouldChangePackages, hostName, $"Installing {string.Join(' ', missing)} would upgrade, downgrade or remove other packages. Nothing was changed.")
        {
            HostSaid = said,
            Remedy = "Bring the host up to date in a window of its own, or install by hand; then run the command again.",
        };
}
