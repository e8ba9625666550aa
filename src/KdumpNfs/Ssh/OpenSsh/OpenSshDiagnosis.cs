using System.Text.RegularExpressions;

namespace KdumpNfs.Ssh.OpenSsh;

/// <summary>What the ssh program means when it ends: its words and exit status become an error with an id.</summary>
internal static partial class OpenSshDiagnosis
{
    /// <summary>Exit status of ssh for its own failures.</summary>
    private const int OwnFailure = 255;

    private static readonly string[] NoRoute =
    [
        "Connection refused", "No route to host", "Network is unreachable", "Host is down", "Cannot assign requested address",
        "Address family not supported", "Permission denied\n", "Network unreachable",
    ];

    /// <summary>Why a connection ended.</summary>
    /// <param name="host">The host as it was asked for.</param>
    /// <param name="options">How it was connected to.</param>
    /// <param name="error">Last words on stderr.</param>
    /// <param name="output">Last words on stdout.</param>
    /// <param name="status">Exit status of ssh.</param>
    /// <param name="silentFor">How long the host had said nothing since it was ready; null when it never was.</param>
    public static HostException Explain(SshHost host, SshOptions options, string error, string output, int status, TimeSpan? silentFor)
    {
        var name = host.HostName;
        var said = error.Trim();
        if (silentFor is { } silence)
        {
            // Its own question whether the host is there had no answer: it ends then, and says so only at a log level at which it would also print banners. What is on stderr may be a script's.
            var reset = Reset().IsMatch(error);
            return status == OwnFailure && silence >= OpenSshArguments.SilenceLimit && !reset && !Ended().IsMatch(error)
                ? SshErrors.Silent(name, silence, said)
                : SshErrors.Lost(name, "The connection was lost.", said, reset: reset);
        }

        if (status != OwnFailure)
        {
            return SshErrors.NoLoop(name, options.Sudo, status, (error + "\n" + output).Trim());
        }

        bool Has(string text) => error.Contains(text, StringComparison.OrdinalIgnoreCase);
        if (Has("Could not resolve hostname"))
        {
            return SshErrors.NameNotResolved(name, said);
        }

        if (HostKeyFailure(host, error) is { } key)
        {
            return key;
        }

        if (Has("timed out") || Has("Timeout, server"))
        {
            return SshErrors.Timeout(name, options.ConnectTimeout, said);
        }

        if (Has("connect to host") || NoRoute.Any(Has))
        {
            return SshErrors.Unreachable(name, said);
        }

        if (PermissionDenied().Match(error) is { Success: true } denied)
        {
            return SshErrors.AuthenticationFailed(name, $"The host refused the login; it offers: {denied.Groups[1].Value}.", said);
        }

        if (Has("Too many authentication failures") || Has("authentication methods available"))
        {
            return SshErrors.AuthenticationFailed(name, "The host refused the login.", said);
        }

        if (Has("Bad configuration option") || Has("bad configuration options") || Has("Can't open user config file") || Has("Bad owner or permissions on"))
        {
            return new HostException(ErrorIds.InvalidInput, name, "The ssh program does not accept its configuration.")
            {
                HostSaid = said,
                Remedy = "Correct ssh_config, or name another one with -ConfigFile; OpenSSH 7.6 or later is needed.",
            };
        }

        if (Has("Unable to negotiate"))
        {
            return new HostException(ErrorIds.ProtocolError, name, "The host and the ssh program have no algorithm in common.")
            {
                HostSaid = said,
                Remedy = "Update sshd on the host, or allow its algorithm for this host in ssh_config.",
            };
        }

        if (Has("banner line contains invalid") || Has("banner line too long") || Has("Bad remote protocol version identification") || Has("Protocol major versions differ") || (Has("banner exchange") && Has("invalid format")))
        {
            return SshErrors.NotSsh(name, said);
        }

        if (Has("exchange_identification") && (Has("closed by remote host") || Has("Connection reset")))
        {
            return SshErrors.NotAdmitted(name, said);
        }

        return said.Length == 0
            ? SshErrors.Lost(name, "The connection ended before it was up.", output.Trim())
            : SshErrors.Lost(name, "The connection ended before it was up.", said, reset: Reset().IsMatch(error));
    }

    /// <summary>The fingerprint in the words of <c>ssh -v</c>: key type and SHA256.</summary>
    public static string? Fingerprint(string debug) =>
        ServerHostKey().Match(debug) is { Success: true } match ? $"{match.Groups[1].Value} {match.Groups[2].Value}" : null;

    private static HostException? HostKeyFailure(SshHost host, string error)
    {
        var asked = host.Port is null or 22 ? host.HostName : $"[{host.HostName}]:{host.Port}";
        var sha = Sha256().Match(error) is { Success: true } match ? match.Value : null;
        if (error.Contains("REVOKED HOST KEY DETECTED", StringComparison.Ordinal) || RevokedKey().IsMatch(error))
        {
            return SshErrors.HostKeyRevoked(host.HostName, asked, sha, error.Trim());
        }

        if (error.Contains("HOST IDENTIFICATION HAS CHANGED", StringComparison.Ordinal))
        {
            var where = Offending().Match(error) is { Success: true } at ? at.Groups[1].Value : null;
            return SshErrors.HostKeyChanged(host.HostName, asked, sha, where, error.Trim());
        }

        if (UnknownKey().Match(error) is { Success: true } unknown)
        {
            return SshErrors.HostKeyUnknown(host.HostName, unknown.Groups[1].Value, fingerprint: null, error.Trim());
        }

        return error.Contains("Host key verification failed", StringComparison.Ordinal)
            ? SshErrors.HostKeyUnknown(host.HostName, asked, fingerprint: null, error.Trim())
            : null;
    }

    // A reset meets ssh in a write as well; of an end in good order it says that the host closed it.
    [GeneratedRegex(@"^(?:(?:client_loop: send disconnect|packet_write_wait|Read from remote host).*(?:Broken pipe|Connection reset)|Connection reset by \S+ port)", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Reset();

    [GeneratedRegex(@"^(?:Connection to \S+ closed by|Connection closed by|Received disconnect from|Disconnected from|ssh_dispatch_run_fatal)", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Ended();

    [GeneratedRegex(@"Permission denied \(([^)]*)\)", RegexOptions.CultureInvariant)]
    private static partial Regex PermissionDenied();

    [GeneratedRegex(@"SHA256:[A-Za-z0-9+/]+", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256();

    [GeneratedRegex(@"Server host key: (\S+) (SHA256:[A-Za-z0-9+/]+)", RegexOptions.CultureInvariant)]
    private static partial Regex ServerHostKey();

    [GeneratedRegex(@"host key is known for (\S+) and you have requested strict", RegexOptions.CultureInvariant)]
    private static partial Regex UnknownKey();

    [GeneratedRegex(@"^Offending .* key in (.+?)\r?$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Offending();

    [GeneratedRegex(@"[Hh]ost (certificate|key|certificate CA) .*revoked|revoked host key", RegexOptions.CultureInvariant)]
    private static partial Regex RevokedKey();
}
