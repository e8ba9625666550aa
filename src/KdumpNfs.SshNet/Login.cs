using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Config;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Security;

namespace KdumpNfs.SshNet;

/// <summary>The ways to log in that SSH.NET may try: key files, and a password where one was given.</summary>
internal sealed class Login : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly List<string> _used = [];

    public Login(SshHost host, ResolvedHost target, SshOptions options, SessionHolder session)
    {
        try
        {
            Methods = Prepare(host, target, options, session);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public AuthenticationMethod[] Methods { get; }

    /// <summary>What was tried, for the error message; no secret in it.</summary>
    public string Description => string.Join(", ", _used);

    public void Dispose() => _owned.ForEach(o => o.Dispose());

    private AuthenticationMethod[] Prepare(SshHost host, ResolvedHost target, SshOptions options, SessionHolder session)
    {
        var methods = new List<AuthenticationMethod>();
        var keys = host.KeyFilePath is null && options.Credential is not null ? [] : LoadKeys(host, target, options.KeyPassphrase);
        if (keys.Length > 0)
        {
            methods.Add(new PrivateKeyAuthenticationMethod(target.UserName, keys));
        }

        if (options.Credential is { } credential)
        {
            methods.Add(new PasswordAuthenticationMethod(target.UserName, credential.Password));
            methods.Add(KeyboardInteractive(target.UserName, credential.Password));
            _used.Add("a password");
        }

        if (methods.Count == 0)
        {
            throw SshErrors.AuthenticationFailed(host.HostName, $"There is no key to log in with as '{target.UserName}' ({string.Join(", ", target.IdentityFiles)}).");
        }

        _owned.AddRange(methods);
        return [.. methods.Select(m => new SessionCapture(m, session))];
    }

    private static KeyboardInteractiveAuthenticationMethod KeyboardInteractive(string user, string password)
    {
        var method = new KeyboardInteractiveAuthenticationMethod(user);
        var asked = false;
        method.AuthenticationPrompt += (_, e) =>
        {
            // One hidden question is the password; a second one is a token or a new password, which is not ours to give.
            foreach (var prompt in e.Prompts.Where(p => !p.IsEchoed))
            {
                prompt.Response = asked ? "" : password;
                asked = true;
            }
        };
        return method;
    }

    private IPrivateKeySource[] LoadKeys(SshHost host, ResolvedHost target, Secret? passphrase)
    {
        var keys = new List<IPrivateKeySource>();
        foreach (var path in target.IdentityFiles)
        {
            var opens = false;
            try
            {
                if (KeyRing.TryLend(path) is { } known)
                {
                    Use(known);
                    continue;
                }

                var kind = PrivateKeyProbe.Look(path);
                opens = kind == PrivateKeyKind.Encrypted && passphrase is not null;
                if (!opens && Problem(kind) is { } problem)
                {
                    throw new SshException(problem);
                }

                if (opens)
                {
                    var file = Open(path, passphrase!);
                    _owned.Add(file);
                    keys.Add(new ModernKey(file));
                }
                else
                {
                    Use(KeyRing.Lend(path));
                    continue;
                }

                _used.Add($"the key {path}");
            }
            catch (Exception e) when (opens || e is SshException or IOException or UnauthorizedAccessException or FormatException or System.Security.Cryptography.CryptographicException or NotSupportedException)
            {
                // A default identity that cannot be used is passed over, as ssh does it; one that was asked for is an error.
                if (host.KeyFilePath is not null)
                {
                    // The library cannot tell a wrong passphrase from a broken file, and in practice it is the passphrase.
                    throw opens ? SshErrors.KeyPassphraseWrong(host.HostName, path, e.Message, e) : SshErrors.AuthenticationFailed(host.HostName, $"The key file '{path}' cannot be used: {e.Message}", inner: e);
                }
            }
        }

        return [.. keys];

        void Use(KeyRing.Loan loan)
        {
            _owned.Add(loan);
            keys.Add(new ModernKey(loan.File));
            _used.Add($"the key {loan.Path}");
        }
    }

    /// <summary>Opens an encrypted key. A wrong passphrase gives whatever exception the cipher's padding leads to.</summary>
    private static PrivateKeyFile Open(string path, Secret passphrase)
    {
        var text = passphrase.Reveal();
        try
        {
            return new PrivateKeyFile(path, text);
        }
        catch (Exception e) when (text.Any(c => c > 127) && e is not (IOException or UnauthorizedAccessException))
        {
            // For PKCS#8 the library makes bytes of characters, where ssh-keygen takes UTF-8.
            return new PrivateKeyFile(path, System.Text.Encoding.Latin1.GetString(System.Text.Encoding.UTF8.GetBytes(text)));
        }
    }

    private static string? Problem(PrivateKeyKind kind) => kind switch
    {
        PrivateKeyKind.Usable => null,
        PrivateKeyKind.Encrypted => "it is encrypted; give -KeyPassphrase, or load it into an agent (ssh-add) and use -Transport OpenSsh.",
        PrivateKeyKind.Hardware => "it belongs to a security key; use -Transport OpenSsh.",
        PrivateKeyKind.Public => "it is a public key; give the private one.",
        PrivateKeyKind.NotReadable => "it cannot be read.",
        _ => "it is not a private key.",
    };

    /// <summary>A key that offers signatures with SHA-2 first: servers of today count an offer of ssh-rsa (SHA-1) as a failure.</summary>
    private sealed class ModernKey(PrivateKeyFile file) : IPrivateKeySource
    {
        public IReadOnlyCollection<HostAlgorithm> HostKeyAlgorithms { get; } = [.. file.HostKeyAlgorithms.OrderBy(a => a.Name == "ssh-rsa" ? 1 : 0)];
    }

    /// <summary>Passes the login on, and keeps the session that the library otherwise hides: its events wake our reader.</summary>
    private sealed class SessionCapture(AuthenticationMethod inner, SessionHolder holder) : AuthenticationMethod(inner.Username)
    {
        public override string Name => inner.Name;

        public override AuthenticationResult Authenticate(Session session)
        {
            holder.Set(session);
            var result = inner.Authenticate(session);
            AllowedAuthentications = inner.AllowedAuthentications;
            return result;
        }
    }
}

/// <summary>The SSH session below a client.</summary>
internal sealed class SessionHolder
{
    private readonly object _gate = new();
    private Session? _session;
    private bool _closed;

    public Session? Session => _session;

    public void Set(Session session)
    {
        lock (_gate)
        {
            _session = session;
        }

        if (_closed)
        {
            throw new SshConnectionException("Cancelled.");
        }
    }

    /// <summary>Closes the socket, on another thread: the goodbye may block when the network is gone.</summary>
    public Task Close() => End() is { } session ? Task.Run(() => Disconnect(session)) : Task.CompletedTask;

    /// <summary>Closes the socket on this thread.</summary>
    public void Disconnect()
    {
        if (End() is { } session)
        {
            Disconnect(session);
        }
    }

    private static void Disconnect(Session session)
    {
        try
        {
            session.Disconnect();
        }
        catch (Exception e) when (e is ObjectDisposedException or SshException or System.Net.Sockets.SocketException or NullReferenceException)
        {
            // Closed already.
        }
    }

    private Session? End()
    {
        lock (_gate)
        {
            _closed = true;
            return _session;
        }
    }
}
