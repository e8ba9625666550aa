using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Getting a host there: reservation, the capture image, switching off.</summary>
[Collection("3 Setup")]
public sealed class SetupTests(LabFixture lab, ITestOutputHelper output) : SetupScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(10)]
    public async Task Reservation_is_told_and_a_kernel_that_the_hypervisor_starts_is_not_changed()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            var told = One<CrashKernelReservation>(ReservationAsync, host);
            Assert.Equal(await ShellAsync(host, "cat /sys/kernel/kexec_crash_size"), told.ReservedBytes?.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(await ShellAsync(host, "grep 'Crash kernel' /proc/iomem | sed 's/^ *0*\\([0-9a-f]*\\)-0*\\([0-9a-f]*\\) .*/0x\\1-0x\\2/'"), string.Join('\n', told.Ranges));
            Assert.Equal(["crashkernel=192M"], told.CommandLine);
            Assert.Equal((192L << 20, BootSource.Elsewhere, null, null), (told.ExpectedBytes, told.BootSource, told.NextBoot, told.RebootRequired));
            Assert.Equal(told.Family == HostFamily.Debian ? "384M-:128M" : "2G-64G:256M,64G-:512M", told.Default);

            var refused = Failure(Reserve(CrashKernelRequest.Create(["1G-4G:192M,4G-:256M"], false)), host);
            Assert.Equal(ErrorIds.NotOwnBootLoader, refused.ErrorId);
            Assert.Contains("crashkernel=1G-4G:192M,4G-:256M", refused.Remedy, StringComparison.Ordinal);
            Assert.False(One<CrashKernelChange>(Reserve(CrashKernelRequest.Create(["192M"], false)), host).Changed);
        });
    }

    [SkippableFact, Step(30), Trait("Category", "Long")]
    public async Task Image_is_built_again_while_the_host_stays_armed()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            var before = One<KdumpStatus>(StatusAsync, host);
            var change = One<KdumpInitramfsChange>(UpdateAsync, host);
            Assert.True(change.Changed && change.Bytes > 1 << 20);
            Assert.True(change.ImageTime > change.PreviousTime);
            var after = One<KdumpStatus>(StatusAsync, host);
            Assert.Equal((before.State, true), (after.State, after.Loaded));
            Assert.Equal("", await ShellAsync(host, "ls -d /var/tmp/kdumpnfs.* 2>/dev/null; exit 0"));
        });
    }

    [SkippableFact, Step(40), Trait("Category", "Long")]
    public async Task A_node_is_switched_off_and_armed_again()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            var before = One<KdumpStatus>(StatusAsync, host);
            var asked = Run(DisableAsync, answer: false, host);
            Assert.Contains("unloads the crash kernel", Assert.Single(asked.Questions).Description, StringComparison.Ordinal);
            Assert.True(One<KdumpDisabling>(DisableAsync, host) is { Changed: true, WasLoaded: true });
            Assert.Equal("0", await ShellAsync(host, "cat /sys/kernel/kexec_crash_loaded"));
            Assert.False(One<KdumpDisabling>(DisableAsync, host).Changed);
            var again = One<KdumpInstallation>(Install(refresh: false), host);
            Assert.True(again is { Changed: true, Loaded: true, RebootRequired: false });
            Assert.Empty(again.Installed);
            Assert.Equal(before.State, One<KdumpStatus>(StatusAsync, host).State);
        });
    }

    [SkippableFact, Step(46)]
    public async Task A_coarse_estimate_holds_the_fine_one_and_needs_no_root()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            Func<bool, Func<SshHost, Fleet.HostContext, CancellationToken, Task>> estimate = coarse => async (h, context, token) =>
                context.Output(await new VmcoreEstimateOperation(Lab.Access) { Coarse = coarse }.RunAsync(h, context, token));
            var fine = One<HostVmcoreEstimate>(estimate(false), host);
            var coarse = One<HostVmcoreEstimate>(estimate(true), host);
            Assert.True(coarse is { Coarse: true } && !fine.Coarse && fine.CoarseReason is null);
            Assert.True(coarse.CompressedLowBytes < fine.CompressedLowBytes && coarse.CompressedHighBytes > fine.CompressedHighBytes, $"{coarse} {fine}");

            // Without makedumpfile, as on a host that is just being set up.
            await ShellAsync(host, "mv /usr/bin/makedumpfile /usr/bin/makedumpfile.away");
            var front = Run(estimate(false), true, host);
            await ShellAsync(host, "mv /usr/bin/makedumpfile.away /usr/bin/makedumpfile");
            Assert.Equal("makedumpfile is not installed", Assert.IsType<HostVmcoreEstimate>(Assert.Single(front.Outputs)).CoarseReason);
            Assert.Contains("coarse", Assert.Single(front.Warnings), StringComparison.Ordinal);
        });
    }
}
