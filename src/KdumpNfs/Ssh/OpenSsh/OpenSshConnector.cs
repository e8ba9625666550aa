namespace KdumpNfs.Ssh.OpenSsh;

/// <summary>Connects through the OpenSSH client: one <c>ssh</c> process for each connection, whatever ssh_config asks for.</summary>
/// <param name="program">The ssh program; found on PATH by default.</param>
public sealed class OpenSshConnector(string program = "ssh") : IHostConnector
{
    /// <inheritdoc/>
    public SshTransport Transport => SshTransport.OpenSsh;

    /// <inheritdoc/>
    public async Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Credential is not null)
        {
            throw new HostException(ErrorIds.TransportNotAvailable, host.HostName, "The OpenSSH client takes no password from another program.")
            {
                Remedy = "Use a key file, an agent or Kerberos, or -Transport SshNet for a password.",
            };
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.ConnectTimeout);
        try
        {
            return await ConnectWithinAsync(host, options, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw SshErrors.Timeout(host.HostName, options.ConnectTimeout, inner: e);
        }
        catch (HostException e) when (e.ErrorId == ErrorIds.HostKeyUnknown)
        {
            throw await WithFingerprintAsync(e, host, options, limit.Token).ConfigureAwait(false);
        }
    }

    private async Task<IHostConnection> ConnectWithinAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var askpass = options.KeyPassphrase is { } passphrase ? Askpass.Create(program, passphrase, host.HostName) : null;
        try
        {
            return await StartAsync(host, options, askpass, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e) when (e.ErrorId == ErrorIds.AuthenticationFailed && askpass?.Asked == true)
        {
            // ssh asks once the host has said that it would take the key.
            throw SshErrors.KeyPassphraseWrong(host.HostName, host.KeyFilePath, e.HostSaid, e);
        }
    }

    private async Task<IHostConnection> StartAsync(SshHost host, SshOptions options, Askpass? askpass, CancellationToken cancellationToken)
    {
        var bootstrap = new Bootstrap(options);
        var pipe = OpenSshPipe.Start(program, OpenSshArguments.Build(host, options, bootstrap.Command), host.HostName, askpass);
        var loop = new ScriptLoop(host.HostName, bootstrap, pipe);
        pipe.Attach(loop.Output, loop.Error, status =>
            loop.Close(OpenSshDiagnosis.Explain(host, options, loop.Error.Tail, loop.Output.Tail, status, loop.HasStarted ? loop.Output.SilentFor : null)));
        try
        {
            await loop.StartAsync(cancellationToken).ConfigureAwait(false);
            return new LoopConnection(host, SshTransport.OpenSsh, loop, options.OperationTimeout);
        }
        catch
        {
            // The call must not wait for ssh to end, but nothing may be left behind either.
            pipe.Abort();
            await pipe.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>ssh tells the fingerprint of an unknown key only in its debug output; asking again costs only those who have to look at it.</summary>
    private async Task<HostException> WithFingerprintAsync(HostException error, SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await using var pipe = OpenSshPipe.Start(program, OpenSshArguments.Build(host, options, "exit", "DEBUG1"), host.HostName);
            using var stop = cancellationToken.Register(pipe.Abort);
            var fingerprint = OpenSshDiagnosis.Fingerprint(await pipe.ReadErrorAsync(cancellationToken).ConfigureAwait(false));
            var lookup = error.What[(error.What.IndexOf('(', StringComparison.Ordinal) + 1)..error.What.LastIndexOf(')')];
            return SshErrors.HostKeyUnknown(host.HostName, lookup, fingerprint, error.HostSaid);
        }
        catch (OperationCanceledException)
        {
            return error;
        }
    }
}
