using KdumpNfs.Hosts;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Getting a host there: what is reserved, and who decides it.</summary>
[Collection("3 Setup")]
public sealed class SetupTests(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
{
    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Reserve(CrashKernelRequest request) =>
        (host, context, token) => new SetCrashKernelOperation(Lab.Access, request).RunAsync(host, null, context, token);

    private async Task ReservationAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new GetCrashKernelOperation(Lab.Access).RunAsync(host, context, token));

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
}
