using KdumpNfs.Kdump;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>What the scenarios of setting up share.</summary>
public abstract class SetupScenarios(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output)
{
    protected Func<SshHost, Fleet.HostContext, CancellationToken, Task> Reserve(CrashKernelRequest request, bool trust = false) =>
        (host, context, token) => new SetCrashKernelOperation(Lab.Access, request) { TrustBootLoader = trust }.RunAsync(host, null, context, token);

    protected Func<SshHost, Fleet.HostContext, CancellationToken, Task> Install(bool refresh) =>
        (host, context, token) => new InstallKdumpOperation(Lab.Access) { Refresh = refresh }.RunAsync(host, null, context, token);

    protected async Task ReservationAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new GetCrashKernelOperation(Lab.Access).RunAsync(host, context, token));

    protected Task UpdateAsync(SshHost host, Fleet.HostContext context, CancellationToken token) => new UpdateInitramfsOperation(Lab.Access).RunAsync(host, null, context, token);

    protected Task DisableAsync(SshHost host, Fleet.HostContext context, CancellationToken token) => new DisableKdumpOperation(Lab.Access).RunAsync(host, null, context, token);

    protected async Task StatusAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new KdumpStatusOperation(Lab.Access).RunAsync(host, context, token));
}
