using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;

namespace KdumpNfs.Tests.Integration.Ssh;

[Collection(SshGroup.Name)]
public sealed class OpenSshScriptTests(SharedServer shared) : ScriptTests(shared)
{
    protected override IHostConnector Connector { get; } = new OpenSshConnector();
}

#if WITH_SSHNET
[Collection(SshGroup.Name)]
public sealed class SshNetScriptTests(SharedServer shared) : ScriptTests(shared)
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();
}
#endif

[Collection(SshGroup.Name)]
public sealed class OpenSshConnectionTests(SharedServer shared) : ConnectionTests(shared)
{
    protected override IHostConnector Connector { get; } = new OpenSshConnector();
}

#if WITH_SSHNET
[Collection(SshGroup.Name)]
public sealed class SshNetConnectionTests(SharedServer shared) : ConnectionTests(shared)
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();
}
#endif
