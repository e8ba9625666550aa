using KdumpNfs.Changes;
using KdumpNfs.Hosts;
using KdumpNfs.Setup;

namespace KdumpNfs.Tests.Unit.Setup;

public class PackageTests
{
    private const string Apt = """
        Reading package lists...
        Building dependency tree...
        The following NEW packages will be installed:
          kdump-tools kexec-tools makedumpfile
        Inst kexec-tools (1:2.0.25-3+b1 Debian:12.7/stable [amd64])
        Inst makedumpfile (1:1.7.2-1+b2 Debian:12.7/stable [amd64])
        Inst kdump-tools (1:1.8.1 Debian:12.7/stable [amd64])
        Conf kexec-tools (1:2.0.25-3+b1 Debian:12.7/stable [amd64])
        """;

    private const string Dnf = """
        Last metadata expiration check: 0:12:34 ago on Sun Nov 22 10:00:00 2026.
        Dependencies resolved.
        ================================================================================
         Package            Arch     Version                 Repository            Size
        ================================================================================
        Installing:
         kexec-tools        x86_64   2.0.28-1.el9            baseos               480 k
        Installing dependencies:
         dracut-network     x86_64   057-70.git20240819.el9  baseos                95 k

        Transaction Summary
        ================================================================================
        Install  2 Packages

        Operation aborted.
        """;

    private const string Zypper = """
        Loading repository data...
        Resolving package dependencies...

        The following 2 NEW packages are going to be installed:
          kdump kexec-tools

        2 new packages to install.
        """;

    [Theory]
    [InlineData("apt-get", Apt, "kexec-tools 1:2.0.25-3+b1, makedumpfile 1:1.7.2-1+b2, kdump-tools 1:1.8.1")]
    [InlineData("dnf", Dnf, "kexec-tools 2.0.28-1.el9, dracut-network 057-70.git20240819.el9")]
    [InlineData("yum", Dnf, "kexec-tools 2.0.28-1.el9, dracut-network 057-70.git20240819.el9")]
    [InlineData("zypper", Zypper, "kdump, kexec-tools")]
    public void Simulations_are_read(string manager, string said, string comes)
    {
        var (packages, others) = PackagePlan.Read(manager, said.Replace("\n", "\r\n"));
        Assert.Equal(comes, string.Join(", ", packages));
        Assert.Empty(others);
    }

    [Theory]
    [InlineData("apt-get", "Inst libc6 [2.36-9] (2.36-10 Debian:12/stable [amd64])\n")]
    [InlineData("apt-get", "Remv sysv-rc [1.0]\n")]
    [InlineData("dnf", "Installing:\n a x86_64 1 r 1 k\nUpgrading:\n dracut x86_64 057-70.el9 baseos 400 k\n")]
    [InlineData("yum", "Updating for dependencies:\n dracut x86_64 033-572.el7 base 400 k\n")]
    [InlineData("dnf", "Removing dependent packages:\n foo x86_64 1-1 @baseos 1 k\n")]
    [InlineData("zypper", "The following package is going to be upgraded:\n  dracut\n\nThe following NEW package is going to be installed:\n  kdump\n")]
    [InlineData("zypper", "The following 2 packages are going to be REMOVED:\n  a b\n")]
    public void What_touches_others_is_seen(string manager, string said) => Assert.NotEmpty(PackagePlan.Read(manager, said).Others);

    [Theory]
    [InlineData("ID=debian\nVERSION_ID=12", "kdump-tools nfs-common", "nfs-kernel-server")]
    [InlineData("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04", "kdump-tools nfs-common", "nfs-kernel-server")]
    [InlineData("ID=centos\nVERSION_ID=7", "kexec-tools nfs-utils", "nfs-utils rpcbind")]
    [InlineData("ID=rocky\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=9.5", "kexec-tools nfs-utils", "nfs-utils")]
    [InlineData("ID=rhel\nVERSION_ID=10.0", "kdump-utils makedumpfile nfs-utils", "nfs-utils")]
    [InlineData("ID=fedora\nVERSION_ID=40", "kexec-tools nfs-utils", "nfs-utils")]
    [InlineData("ID=fedora\nVERSION_ID=42", "kdump-utils makedumpfile nfs-utils", "nfs-utils")]
    [InlineData("ID=openEuler\nVERSION_ID=24.03", "kexec-tools nfs-utils", "nfs-utils")]
    [InlineData("ID=sles\nVERSION_ID=15.6", "kdump nfs-client", "nfs-kernel-server")]
    [InlineData("ID=gentoo", "", "")]
    public void Each_distribution_has_its_names(string os, string kdump, string server)
    {
        var release = OsRelease.Parse(os);
        Assert.Equal(kdump, string.Join(' ', PackagePlan.Kdump(release)));
        Assert.Equal(server, string.Join(' ', PackagePlan.NfsServer(release)));
    }

    // A made-up apt: the file "others" makes an upgrade part of it, "empty" has no such package, "fails" breaks the installation.
    private static FakeHost Host() => new FakeHost()
        .Program("dpkg-query", "for name; do :; done\n[ -f \"$tree/has/$name\" ] && echo 'installed 1.8.1'")
        .Program("debconf-set-selections", "cat >>\"$tree/preseed\"")
        .Program("systemctl", "echo \"$*\" >>\"$tree/systemctl\"; [ \"$1\" != is-enabled ] || echo disabled")
        .Program("apt-get", """
            echo "$*" >>"$tree/apt"
            for name; do :; done
            case " $* " in
              *" update "*) rm -f "$tree/empty" ;;
              *" -s "*)
                [ ! -f "$tree/empty" ] || { echo "E: Unable to locate package $name" >&2; exit 100; }
                [ ! -f "$tree/others" ] || echo "Inst libc6 [1] (2 Debian [amd64])"
                echo "Inst $name (1.8.1 Debian [amd64])" ;;
              *)
                [ ! -f "$tree/fails" ] || { echo "E: Sub-process /usr/bin/dpkg returned an error code (1)" >&2; exit 100; }
                mkdir -p "$tree/has"; : >"$tree/has/$name" ;;
            esac
            """);

    private static async Task<PackagePlan> PlanAsync(FakeHost host, bool refresh = false)
    {
        var reply = await host.ScriptAsync(HostScript.Read("common") + PackagePlan.Script(["kdump-tools"]));
        return PackagePlan.Create("h", reply, ["kdump-tools"], refresh);
    }

    private static string Job(PackagePlan plan, bool refresh = false) => HostScript.Read("packages") + HostJob.Compose("installkdump",
        ("missing", string.Join(' ', plan.Missing)), ("refresh", refresh ? "1" : "0"), ("unit", "kdump-tools.service"), ("enable", "1"), ("start", "0"), ("write", "0"));

    [Fact]
    public async Task A_package_comes_once()
    {
        using var host = Host();
        var plan = await PlanAsync(host);
        Assert.Equal("installs kdump-tools 1.8.1 (apt-get); nothing is upgraded or removed", plan.Describe());
        var done = await host.JobAsync(Job(plan));
        Assert.Null(HostJob.FailureOf(done, "h"));
        Assert.Equal("kdump-tools 1.8.1", done.Text("installed"));
        Assert.Equal("kdump-tools kdump-tools/use_kdump boolean true\nkexec-tools kexec-tools/load_kexec boolean false\n", host.Read("/preseed"));
        Assert.Contains("--no-remove", host.Read("/apt"), StringComparison.Ordinal);
        Assert.Contains("enable kdump-tools.service", host.Read("/systemctl"), StringComparison.Ordinal);
        Assert.Empty((await PlanAsync(host)).Missing);
    }

    [Fact]
    public async Task What_would_upgrade_is_refused_before_and_in_the_job()
    {
        using var host = Host();
        var plan = await PlanAsync(host);
        host.File("/others", "");
        Assert.Equal(ErrorIds.WouldChangePackages, (await Assert.ThrowsAsync<HostException>(() => PlanAsync(host))).ErrorId);
        var failure = HostJob.FailureOf(await host.JobAsync(Job(plan)), "h")!;
        Assert.Equal(ErrorIds.WouldChangePackages, failure.ErrorId);
        Assert.Contains("libc6", PackagePlan.Explain(failure, plan.Missing)!.HostSaid, StringComparison.Ordinal);
        Assert.False(host.Exists("/has/kdump-tools"));
    }

    [Fact]
    public async Task Lists_are_fetched_only_when_asked()
    {
        using var host = Host().File("/empty", "");
        var e = await Assert.ThrowsAsync<HostException>(() => PlanAsync(host));
        Assert.Equal(ErrorIds.PackagesNotAvailable, e.ErrorId);
        Assert.Contains("Unable to locate", e.HostSaid, StringComparison.Ordinal);
        Assert.Contains("-Refresh", e.Remedy, StringComparison.Ordinal);
        var plan = await PlanAsync(host, refresh: true);
        Assert.Null(HostJob.FailureOf(await host.JobAsync(Job(plan, refresh: true)), "h"));
    }

    [Fact]
    public async Task A_failed_installation_has_the_words_of_the_package_manager()
    {
        using var host = Host().File("/fails", "");
        var plan = await PlanAsync(host);
        var failure = PackagePlan.Explain(HostJob.FailureOf(await host.JobAsync(Job(plan)), "h")!, plan.Missing)!;
        Assert.Equal(ErrorIds.InstallFailed, failure.ErrorId);
        Assert.Contains("dpkg returned an error", failure.HostSaid, StringComparison.Ordinal);
    }
}
