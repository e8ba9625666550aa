using System.Globalization;

namespace KdumpNfs.Kdump;

/// <content>Edits.</content>
public sealed partial class KdumpSysconfig
{
    /// <summary>The file with this export as the target, the dump path joined to it.</summary>
    /// <exception cref="HostException">NotExpressible: a URL cannot hold it, or no spelling that is safe; ConfigurationInvalid: the file cannot be edited safely.</exception>
    public KdumpSysconfig WithNfsTarget(string server, string export, string? dumpPath = null)
    {
        var input = TargetInput.Create(server, export, dumpPath);
        var path = KdumpTarget.Join(input.Export, input.DumpPath);
        return WithTarget(KdumpTarget.Nfs(input.Server, path, null), $"nfs://{KdumpTarget.Bracketed(input.Server)}{Url(path)}");
    }

    /// <summary>The file with a local directory as the target; null leaves a local one, or takes the default.</summary>
    /// <exception cref="HostException">As for an export.</exception>
    public KdumpSysconfig WithLocalTarget(string? directory)
    {
        var path = directory ?? (Target.Kind == KdumpTargetKind.Local ? Target.DumpPath! : DefaultDirectory);
        return WithTarget(new KdumpTarget { Kind = KdumpTargetKind.Local, DumpPath = path }, Url(path));
    }

    /// <summary>The file with an account on a server as the target, and the key that it takes.</summary>
    /// <exception cref="HostException">As for an export; NotExpressible for an IPv6 address, which kdump-save cuts at its colons.</exception>
    public KdumpSysconfig WithSshTarget(string user, string server, string keyPath, string directory)
    {
        if (server.Contains(':', StringComparison.Ordinal))
        {
            throw new HostException(ErrorIds.NotExpressible, "", $"KDUMP_SAVEDIR cannot name an ssh server by the IPv6 address {server}.") { Remedy = "Use its name or IPv4 address." };
        }

        var result = WithTarget(new KdumpTarget { Kind = KdumpTargetKind.Ssh, User = user, Store = server, DumpPath = directory }, $"ssh://{user}@{server}{Url(directory)}");
        return result.SshIdentity == keyPath ? result : result.Changed("KDUMP_SSH_IDENTITY", keyPath);
    }

    /// <summary>The file with the options of a dump; what they leave null stays.</summary>
    /// <exception cref="HostException">NotExpressible: this family has no such setting; or as for an export.</exception>
    public KdumpSysconfig WithOptions(CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var result = this;
        if (options.DumpLevel is { } level && (Level != (int)level || (Value("KDUMP_DUMPLEVEL") is null && (int)level != 31)))
        {
            result = result.Changed("KDUMP_DUMPLEVEL", ((int)level).ToString(CultureInfo.InvariantCulture));
        }

        if (options.Compression is { } compression)
        {
            var format = compression switch
            {
                VmcoreCompression.None => "ELF",
                VmcoreCompression.Lzo => "lzo",
                VmcoreCompression.Snappy => "snappy",
                VmcoreCompression.Zstd => "zstd",
                _ => "compressed",
            };
            result = result.Format == format ? result : result.Changed("KDUMP_DUMPFORMAT", format);
        }

        if (options.MessageLevel is { } messages)
        {
            // These options come last on makedumpfile's command line, so that theirs counts.
            var wanted = CoreCollector.ParseArguments(result.Options).With(messageLevel: messages).ToString();
            result = wanted == result.Options ? result : result.Changed("MAKEDUMPFILE_OPTIONS", wanted);
        }

        return options.FailureAction switch
        {
            null => result,
            Kdump.FailureAction.Reboot => result.ShellOnError ? result.Changed("KDUMP_CONTINUE_ON_ERROR", "true") : result,
            Kdump.FailureAction.Shell => result.ShellOnError ? result : result.Changed("KDUMP_CONTINUE_ON_ERROR", "false"),
            { } action => throw FailureActions.Refused(action, Path, "KDUMP_CONTINUE_ON_ERROR knows Reboot and Shell."),
        };
    }

    private KdumpSysconfig WithTarget(KdumpTarget wanted, string url)
    {
        var now = SaveDirectories is [var only] && Read("KDUMP_SAVEDIR").Kind != Text.ShellReadingKind.NotLiteral ? only : "";
        // sftp:// is another way than ssh://, and a password in the URL is not what was asked for.
        var same = wanted.SameLocation(Target) && (wanted.Kind != KdumpTargetKind.Ssh ||
            (now.StartsWith("ssh://", StringComparison.OrdinalIgnoreCase) && !now[6..].Split('@')[0].Contains(':', StringComparison.Ordinal)));
        return now.Length > 0 && same ? this : Changed("KDUMP_SAVEDIR", url);
    }

    private KdumpSysconfig Changed(string name, string value) => new(variables.With(name, value));

    // kdump-save and mkdumprd cut the URL with the shell and hand its parts on unquoted; 1.x decodes %XX.
    private static string Url(string path) => path.IndexOfAny([' ', '%', '?', '#', '*', '[', ']', '~', ';', '&', '|', '<', '>', '(', ')']) < 0 ? path
        : throw new HostException(ErrorIds.NotExpressible, "", $"KDUMP_SAVEDIR cannot hold the directory '{Printable.Escape(path)}'.")
        {
            Remedy = "use a directory whose name has letters, digits and '.', '_', '-'.",
        };
}
