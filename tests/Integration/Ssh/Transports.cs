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

[Collection(SshGroup.Name)]
public sealed class OpenSshSessionTests(SharedServer shared) : SessionTests(shared)
{
    protected override IHostConnector Connector { get; } = new OpenSshConnector();
}

[Collection(SshGroup.Name)]
public sealed class OpenSshSudoTests(SharedServer shared) : SudoTests(shared)
{
    protected override IHostConnector Connector { get; } = new OpenSshConnector();
}

[Collection(SshGroup.Name)]
public sealed class OpenSshKeyPassphraseTests(SharedServer shared) : KeyPassphraseTests(shared)
{
    protected override IHostConnector Connector { get; } = new OpenSshConnector();
}

#if WITH_SSHNET
[Collection(SshGroup.Name)]
public sealed class SshNetSessionTests(SharedServer shared) : SessionTests(shared)
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();
}

[Collection(SshGroup.Name)]
public sealed class SshNetSudoTests(SharedServer shared) : SudoTests(shared)
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();
}

[Collection(SshGroup.Name)]
public sealed class SshNetKeyPassphraseTests(SharedServer shared) : KeyPassphraseTests(shared)
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();
}
#endif
