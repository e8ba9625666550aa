using System.Globalization;

namespace KdumpNfs.Ssh.OpenSsh;

/// <summary>The command line of the ssh program. Nothing secret is ever in it.</summary>
internal static class OpenSshArguments
{
    private const int AliveInterval = 15;
    private const int AliveQuestions = 3;

    /// <summary>ssh gives up a host that has not answered its questions for about so long.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(AliveInterval * AliveQuestions);

    /// <summary>Arguments for one connection; ssh_config decides what is not said here.</summary>
    /// <param name="host">Whom to connect to.</param>
    /// <param name="options">How.</param>
    /// <param name="command">What the host runs.</param>
    /// <param name="logLevel">LogLevel: ERROR keeps banners and notes out of stderr, DEBUG1 tells the fingerprint.</param>
    /// <param name="windows">Whether it is the ssh of Windows; null for this machine's.</param>
    public static List<string> Build(SshHost host, SshOptions options, string command, string logLevel = "ERROR", bool? windows = null)
    {
        var onWindows = windows ?? OperatingSystem.IsWindows();
        var arguments = new List<string>();
        if (options.ConfigFile is { } config)
        {
            arguments.AddRange(["-F", config]);
        }

        // -T no terminal, -x no X11, -a no agent forwarding.
        arguments.AddRange(["-T", "-x", "-a"]);
        if (options.KeyPassphrase is null)
        {
            Option(arguments, "BatchMode", "yes");
        }
        else
        {
            // Batch mode would not ask the helper for the passphrase. It answers nothing else, and ssh asks for nothing else.
            Option(arguments, "BatchMode", "no");
            Option(arguments, "NumberOfPasswordPrompts", "1");
            Option(arguments, "PasswordAuthentication", "no");
            Option(arguments, "KbdInteractiveAuthentication", "no");
            Option(arguments, "AddKeysToAgent", "no");
        }

        Option(arguments, "LogLevel", logLevel);
        Option(arguments, "ConnectTimeout", Math.Max(1, Math.Ceiling(Math.Min(options.ConnectTimeout.TotalSeconds, int.MaxValue))).ToString(CultureInfo.InvariantCulture));
        Option(arguments, "ConnectionAttempts", "1");

        // A dead peer is noticed after about 45 s, also while a script prints nothing.
        Option(arguments, "ServerAliveInterval", $"{AliveInterval}");
        Option(arguments, "ServerAliveCountMax", $"{AliveQuestions}");
        Option(arguments, "ClearAllForwardings", "yes");
        Option(arguments, "PermitLocalCommand", "no");
        Option(arguments, "RemoteCommand", "none");
        Option(arguments, "RequestTTY", "no");

        // A master would outlive us; an existing one is used unless something here asks for a connection of its own.
        // Windows' ssh has no masters, and fails on a ControlPath that an ssh_config brought along.
        Option(arguments, "ControlMaster", "no");
        if (onWindows || options.HostKeyPolicy != HostKeyPolicy.Strict || options.KnownHostsFiles.Count > 0 || host.KeyFilePath is not null)
        {
            Option(arguments, "ControlPath", "none");
        }

        HostKeys(arguments, options, onWindows);
        if (host.UserName is { } user)
        {
            arguments.AddRange(["-l", user]);
        }

        if (host.Port is { } port)
        {
            arguments.AddRange(["-p", port.ToString(CultureInfo.InvariantCulture)]);
        }

        if (host.KeyFilePath is { } key)
        {
            Option(arguments, "IdentityFile", Quote(Path.GetFullPath(key), onWindows));
            Option(arguments, "IdentitiesOnly", "yes");
        }

        arguments.AddRange(["--", host.HostName, command]);
        return arguments;
    }

    /// <summary>A path as one word of ssh_config: quoted, without tokens that ssh would expand.</summary>
    internal static string Quote(string path, bool? windows = null)
    {
        // On Windows ssh takes slashes too, and a backslash would quote the next character.
        var text = windows ?? OperatingSystem.IsWindows() ? path.Replace('\\', '/') : path.Replace("\\", "\\\\", StringComparison.Ordinal);
        return "\"" + text.Replace("\"", "\\\"", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal) + "\"";
    }

    private static void HostKeys(List<string> arguments, SshOptions options, bool onWindows)
    {
        Option(arguments, "StrictHostKeyChecking", options.HostKeyPolicy switch
        {
            HostKeyPolicy.AcceptNew => "accept-new",
            HostKeyPolicy.Off => "no",
            _ => "yes",
        });

        // known_hosts is only written where AcceptNew says so.
        Option(arguments, "UpdateHostKeys", "no");
        if (options.HostKeyPolicy == HostKeyPolicy.Off)
        {
            var nothing = onWindows ? "NUL" : "/dev/null";
            Option(arguments, "UserKnownHostsFile", nothing);
            Option(arguments, "GlobalKnownHostsFile", nothing);
        }
        else if (options.KnownHostsFiles.Count > 0)
        {
            Option(arguments, "UserKnownHostsFile", string.Join(' ', options.KnownHostsFiles.Select(f => Quote(Path.GetFullPath(f), onWindows))));
            Option(arguments, "GlobalKnownHostsFile", "none");
        }
    }

    private static void Option(List<string> arguments, string name, string value) => arguments.AddRange(["-o", $"{name}={value}"]);
}
