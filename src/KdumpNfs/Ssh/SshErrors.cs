namespace KdumpNfs.Ssh;

/// <summary>The errors of a connection that both transports give: one wording and one id for the same fault.</summary>
internal static class SshErrors
{
    public static HostException NameNotResolved(string host, string? said, Exception? inner = null) =>
        new(ErrorIds.NameNotResolved, host, "The name could not be resolved to an address.", inner)
        {
            HostSaid = said,
            Remedy = "Check the spelling and the name service, or give an address.",
        };

    public static HostException Unreachable(string host, string? said, Exception? inner = null) =>
        new(ErrorIds.Unreachable, host, "The SSH server could not be reached.", inner)
        {
            HostSaid = said,
            Remedy = "Check that the host is up, that sshd listens on this port and that no firewall is in the way.",
        };

    public static HostException Timeout(string host, TimeSpan limit, string? said = null, Exception? inner = null) =>
        new(ErrorIds.Timeout, host, $"No connection within {ScriptLoop.Seconds(limit)} s.", inner)
        {
            HostSaid = said,
            Remedy = "Check that the host is up and reachable, or allow more time with -ConnectingTimeout.",
        };

    public static HostException NotSsh(string host, string? said, Exception? inner = null) =>
        new(ErrorIds.ProtocolError, host, "What answers on this port does not speak SSH.", inner)
        {
            HostSaid = said,
            Remedy = "Check the port (-Port), and whether a proxy or another service has the address.",
        };

    /// <param name="host">The host as it was asked for.</param>
    /// <param name="lookup">The name in known_hosts: <c>host</c> or <c>[host]:port</c>.</param>
    /// <param name="fingerprint">Key type and SHA256 fingerprint, if known.</param>
    /// <param name="said">Words of the ssh program.</param>
    public static HostException HostKeyUnknown(string host, string lookup, string? fingerprint, string? said = null) =>
        new(ErrorIds.HostKeyUnknown, host, $"The host key is not known ({lookup}{(fingerprint is null ? "" : ", " + fingerprint)}).")
        {
            HostSaid = said,
            Remedy = "Compare the fingerprint with the one on the host's console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then add the key: " +
                $"ssh-keyscan {KeyscanArguments(lookup)} >> ~/.ssh/known_hosts, or connect once with -HostKeyPolicy AcceptNew.",
        };

    public static HostException HostKeyChanged(string host, string lookup, string? fingerprint, string? where, string? said = null) =>
        new(ErrorIds.HostKeyChanged, host, $"The host key is another one than known_hosts holds ({lookup}{(fingerprint is null ? "" : ", now " + fingerprint)}).")
        {
            HostSaid = said,
            Remedy = "Either the host was installed anew or somebody is in between. Compare the fingerprint with the one on the host's console; only if it is " +
                $"right, remove the old key{(where is null ? "" : $" ({where})")}: ssh-keygen -R '{lookup}', and add the new one.",
        };

    public static HostException HostKeyRevoked(string host, string lookup, string? fingerprint, string? said = null) =>
        new(ErrorIds.HostKeyRevoked, host, $"The host key is marked @revoked in known_hosts ({lookup}{(fingerprint is null ? "" : ", " + fingerprint)}).")
        {
            HostSaid = said,
            Remedy = "Somebody took this key out of service on purpose. Give the host a new key; do not remove the mark before you know why it is there.",
        };

    public static HostException HostCertificateNotSupported(string host, string lookup, string? said = null) =>
        new(ErrorIds.HostCertificateNotSupported, host, $"known_hosts trusts {lookup} through @cert-authority only, which this transport cannot check.")
        {
            HostSaid = said,
            Remedy = "Use -Transport OpenSsh (or Auto), or add the host's own key to known_hosts.",
        };

    public static HostException AuthenticationFailed(string host, string what, string? said = null, Exception? inner = null) =>
        new(ErrorIds.AuthenticationFailed, host, what, inner)
        {
            HostSaid = said,
            Remedy = "Check the user name, that the public key is in the user's authorized_keys on the host, or give -KeyFilePath (with -KeyPassphrase where it is encrypted), an agent or -Credential.",
        };

    /// <summary>The passphrase does not open the key.</summary>
    /// <param name="host">The host as it was asked for.</param>
    /// <param name="path">The key file; null where it is not known which one was tried.</param>
    /// <param name="said">Words of the ssh program.</param>
    /// <param name="inner">The library's exception.</param>
    public static HostException KeyPassphraseWrong(string host, string? path, string? said = null, Exception? inner = null) =>
        new(ErrorIds.KeyPassphraseWrong, host, $"The passphrase does not open the private key{(path is null ? "" : $" '{Printable.Escape(path)}'")}.", inner)
        {
            HostSaid = said,
            Remedy = "Give the right one with -KeyPassphrase; ssh-keygen -y -f KEY asks for it and tells whether it fits.",
        };

    public static HostException Lost(string host, string what, string? said = null, Exception? inner = null, bool reset = false) =>
        new(reset || IsReset(inner) ? ErrorIds.ConnectionReset : ErrorIds.ConnectionLost, host, what, inner)
        {
            HostSaid = said,
            Remedy = "Check that the host is up and look at its state before repeating a change.",
        };

    /// <summary>The connection is there, and nothing comes through it any more.</summary>
    public static HostException Silent(string host, TimeSpan silence, string said) =>
        new(ErrorIds.Timeout, host, $"The host stopped answering {silence.TotalSeconds:0} s ago.")
        {
            HostSaid = said,
            Remedy = "Check that the host and the network are up, and look at its state before repeating a change.",
        };

    /// <summary>The server took the connection and closed it before it said what it is: sshd does so above MaxStartups and for addresses that it bars.</summary>
    public static HostException NotAdmitted(string host, string? said, Exception? inner = null) =>
        new(ErrorIds.NotAdmitted, host, "The server closed the connection before it said what it is.", inner)
        {
            HostSaid = said,
            Remedy = "Either too many logins are under way there (MaxStartups; where many names lead to one machine a lower -ThrottleLimit helps), or it bars this address (PerSourcePenalties, fail2ban, " +
                "hosts.deny), or it is starting or stopping, or another service has the port.",
        };

    /// <summary>The login succeeded but the loop never said that it is ready.</summary>
    /// <param name="host">The host as it was asked for.</param>
    /// <param name="sudo">Whether the command began with sudo.</param>
    /// <param name="status">Exit status of the remote command; null when there is none.</param>
    /// <param name="said">What it printed.</param>
    public static HostException NoLoop(string host, bool sudo, int? status, string said)
    {
        if (status == Bootstrap.CutExitStatus)
        {
            return new HostException(ErrorIds.ProtocolError, host, "What was sent to the host did not arrive whole.")
            {
                HostSaid = said,
                Remedy = "A start-up file of the login shell reads from stdin, or the host has no 'head'. Make the file leave non-interactive shells alone.",
            };
        }

        if (sudo && SudoErrors.Explain(host, said) is { } refused)
        {
            return refused;
        }

        return new HostException(ErrorIds.NoShell, host, $"The user got no shell on the host{(status is null ? "" : $" (exit status {status})")}.")
        {
            HostSaid = said,
            Remedy = "The account needs a login shell that runs commands (not nologin, no forced command) and the host a /bin/sh.",
        };
    }

    private static string KeyscanArguments(string lookup)
    {
        var colon = lookup.LastIndexOf("]:", StringComparison.Ordinal);
        return lookup.StartsWith('[') && colon > 0 ? $"-p {lookup[(colon + 2)..]} {lookup[1..colon]}" : lookup;
    }

    private static bool IsReset(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionReset })
            {
                return true;
            }
        }

        return false;
    }
}
