using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <content>Edits. Lines written here end in a line feed alone, also in a file with carriage returns: the tools would take one as part of the value.</content>
public sealed partial class KdumpConf
{
    /// <summary>The file with this export as the only target. Whatever target was named goes, its first line's place and comment stay;
    /// <c>path</c> is set, <c>-F</c> of a former ssh or raw target is taken out of core_collector, everything else is left as it is.
    /// A file that says so already is returned unchanged.</summary>
    /// <param name="server">The store, IPv6 without brackets.</param>
    /// <param name="export">The exported directory.</param>
    /// <param name="dumpPath">The directory inside it; null leaves the <c>path</c> of the file, or its default.</param>
    /// <exception cref="HostException">InvalidInput: wrong on every host; NotExpressible: kdump.conf has no way to write it;
    /// ConfigurationInvalid: the file cannot be edited so that the tools would read it.</exception>
    public KdumpConf WithNfsTarget(string server, string export, string? dumpPath = null)
    {
        var input = TargetInput.Create(server, export, dumpPath);
        CheckExpressible(input.Export, "export");
        CheckExpressible(input.DumpPath ?? "", "dump path");
        RefuseBinary();
        var wanted = KdumpTarget.Nfs(input.Server, input.Export, null);
        var result = WithTarget("nfs", wanted.Text, now => now.Store is not null && now.Export is not null && now.SameLocation(wanted with { DumpPath = now.DumpPath }))
            .WithPath(input.DumpPath, "nfs").WithForm(flattened: false);
        return result.Checked(KdumpTarget.Nfs(input.Server, input.Export, result.DumpPath));
    }

    /// <summary>The file with a directory of the host's own disks as the only target: on a device that is mounted for the dump, or where the
    /// directory lies. Whatever target was named goes.</summary>
    /// <param name="fileSystem">The device's file system, which names the directive; null with <paramref name="device"/>.</param>
    /// <param name="device">Device, UUID=… or LABEL=…; null for the mounted file systems.</param>
    /// <param name="dumpPath">The directory; null leaves the <c>path</c> of the file, or its default.</param>
    /// <exception cref="HostException">As for an export.</exception>
    public KdumpConf WithLocalTarget(string? fileSystem, string? device, string? dumpPath)
    {
        CheckExpressible(dumpPath ?? "", "dump path");
        RefuseBinary();
        var result = (device is null ? WithoutTarget() : WithTarget(fileSystem!, device, now => now.Device == device)).WithPath(dumpPath, fileSystem ?? "path").WithForm(flattened: false);
        return result.Checked(device is null
            ? new KdumpTarget { Kind = KdumpTargetKind.Local, DumpPath = result.DumpPath }
            : new KdumpTarget { Kind = KdumpTargetKind.FileSystem, Device = device, DumpPath = result.DumpPath });
    }

    /// <summary>The file with an account on a server as the only target, the key that it takes and a core_collector that writes a stream (<c>-F</c>).</summary>
    /// <param name="user">The account.</param>
    /// <param name="server">The server as it is on the network, IPv6 without brackets; kdumpctl refuses a name with capitals.</param>
    /// <param name="keyPath">The private key on the host.</param>
    /// <param name="dumpPath">The directory on the server; null leaves the <c>path</c> of the file, or its default.</param>
    /// <exception cref="HostException">As for an export.</exception>
    public KdumpConf WithSshTarget(string user, string server, string keyPath, string? dumpPath)
    {
        CheckExpressible(dumpPath ?? "", "dump path");
        CheckExpressible(keyPath, "key");
        RefuseBinary();
        var text = $"{user}@{server}";
        var result = WithTarget("ssh", text, now => now.Text == text).WithPath(dumpPath, "ssh").WithForm(flattened: true);
        if ((result.Get("sshkey") ?? DefaultSshKey) != keyPath || result.Count("sshkey") > 1)
        {
            result = result.WithOnly("sshkey", ByteText.FromValue(keyPath), "ssh");
        }

        return result.Checked(KdumpTarget.ParseSsh(text, result.DumpPath));
    }

    /// <summary>The file with the options of a dump; what they leave null stays.</summary>
    /// <param name="options">The options.</param>
    /// <param name="failureDirective">The directive for what follows a failure: <c>default</c> before EL8, else <c>failure_action</c>.</param>
    /// <exception cref="HostException">NotExpressible: the core collector is not makedumpfile; ConfigurationInvalid: makedumpfile would refuse it.</exception>
    public KdumpConf WithOptions(CaptureOptions options, string failureDirective)
    {
        ArgumentNullException.ThrowIfNull(options);
        var result = WithCoreCollector(options.DumpLevel, options.Compression, options.MessageLevel);
        return options.FailureAction is { } action ? result.WithFailureAction(FailureActions.Word(action), failureDirective) : result;
    }

    private KdumpConf WithFailureAction(string action, string directive)
    {
        if (FailureAction == action && Count("failure_action") + Count("default") <= 1)
        {
            return this;
        }

        RefuseBinary();
        var all = directives.Where(d => d.Name is "failure_action" or "default").ToList();
        return all.Count == 0 ? Inserted(directive, action, "core_collector")
            : Edited(all.ToDictionary(d => d.Line, d => d == all[^1] ? [d.With(directive, action)] : CommentAlone(d)));
    }

    private KdumpConf WithPath(string? path, string after) => path is not null && (DumpPath != path || Count("path") > 1)
        ? WithOnly("path", ByteText.FromValue(path), after)
        : this;

    // What the capture writes into a file must not be a stream, and what it writes into a pipe must be one.
    private KdumpConf WithForm(bool flattened) => Collector is { IsMakedumpfile: true } collector && collector.Flattened != flattened
        ? WithOnly("core_collector", collector.With(flattened: flattened).ToString(), "path")
        : this;

    private KdumpConf Checked(KdumpTarget wanted) => Targets.Count == (wanted.Kind == KdumpTargetKind.Local ? 0 : 1) && Target.SameLocation(wanted)
        ? this
        : throw new HostException(ErrorIds.ConfigurationInvalid, "", "kdump.conf names a dump target in a way that cannot be replaced.")
        {
            Remedy = "take the target out of kdump.conf on the host.",
        };

    /// <summary>The file with another dump level, compression or message level in its core_collector; null leaves each. The words around them stay.</summary>
    /// <exception cref="HostException">NotExpressible: the core collector is not makedumpfile; ConfigurationInvalid: makedumpfile would refuse it.</exception>
    public KdumpConf WithCoreCollector(DumpLevel? level, VmcoreCompression? compression, int? messageLevel = null)
    {
        var now = Collector.ToString();
        var wanted = Collector.With(level, compression, messageLevel: messageLevel).ToString();
        if (wanted == now && Count("core_collector") <= 1)
        {
            return this;
        }

        RefuseBinary();
        return WithOnly("core_collector", wanted, "path");
    }

    private KdumpConf WithTarget(string name, string text, Func<KdumpTarget, bool> same)
    {
        var named = directives.Where(d => ToTarget(d) is not null).ToList();
        if (named is [{ } only] && only.Name == name && same(ToTarget(only)!))
        {
            return this;
        }

        var value = ByteText.FromValue(text);
        if (named.Count == 0)
        {
            return Inserted(name, value, "path");
        }

        var edits = new Dictionary<int, string[]>();
        foreach (var directive in named)
        {
            var first = ReferenceEquals(directive, named[0]);
            edits[directive.Line] = directive.Name == "dracut_args"
                ? [.. first ? new[] { $"{name} {value}" } : [], .. WithoutMount(directive)]
                : first ? [directive.With(name, value)] : CommentAlone(directive);
        }

        return Edited(edits);
    }

    private KdumpConf WithoutTarget()
    {
        var named = directives.Where(d => ToTarget(d) is not null).ToList();
        return named.Count == 0 ? this : Edited(named.ToDictionary(d => d.Line, d => d.Name == "dracut_args" ? WithoutMount(d) : CommentAlone(d)));
    }

    private static string[] WithoutMount(ConfDirective directive)
    {
        var rest = DracutMount.Remove(directive.Value) ?? throw new HostException(ErrorIds.ConfigurationInvalid, "",
            $"kdump.conf line {directive.Line + 1}: the quotes of dracut_args do not close, so that its --mount cannot be taken out.")
        {
            Remedy = "correct that line on the host.",
        };
        return rest.Length == 0 ? CommentAlone(directive) : [directive.With(directive.Name, rest)];
    }

    // A directive that goes leaves its comment behind.
    private static string[] CommentAlone(ConfDirective directive) => directive.Comment.Length > 0 ? [directive.Comment] : [];

    private int Count(string name) => directives.Count(d => d.Name == name);

    /// <summary>Sets a directive in the place of its last occurrence, which is the one in force, and takes out the others. The value is document text.</summary>
    private KdumpConf WithOnly(string name, string value, string after)
    {
        var all = directives.Where(d => d.Name == name).ToList();
        return all.Count == 0
            ? Inserted(name, value, after)
            : Edited(all.ToDictionary(d => d.Line, d => d == all[^1] ? [d.With(name, value)] : CommentAlone(d)));
    }

    /// <summary>Adds a directive: behind its commented-out example, else behind a related directive, else at the end.</summary>
    private KdumpConf Inserted(string name, string value, string related)
    {
        var lines = document.Lines;
        var at = lines.Count - 1;
        while (at >= 0 && !lines[at].Text.StartsWith("#" + name + " ", StringComparison.Ordinal))
        {
            at--;
        }

        at = at >= 0 ? at : directives.LastOrDefault(d => d.Name == related)?.Line ?? lines.Count - 1;
        return new KdumpConf(LineDocument.Of([.. lines.Take(at + 1), new TextLine($"{name} {value}"), .. lines.Skip(at + 1)]));
    }

    private KdumpConf Edited(Dictionary<int, string[]> edits)
    {
        var lines = new List<TextLine>();
        for (var i = 0; i < document.Lines.Count; i++)
        {
            var line = document.Lines[i];
            if (!edits.TryGetValue(i, out var texts))
            {
                lines.Add(line);
                continue;
            }

            for (var j = 0; j < texts.Length; j++)
            {
                lines.Add(new TextLine(texts[j], line.Ended || j + 1 < texts.Length));
            }
        }

        return new KdumpConf(LineDocument.Of(lines));
    }

    private void RefuseBinary()
    {
        if (Problems.FirstOrDefault(p => p.Id == ConfigProblemIds.NotText && p.Lines.Count == 0) is { } binary)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, "", "kdump.conf has a NUL byte, and the host's tools read nothing of it.")
            {
                HostSaid = binary.Words,
                Remedy = "restore the file on the host, from its package or a backup.",
            };
        }
    }

    private static void CheckExpressible(string path, string what)
    {
        // '#' is a comment even within quotes; mkdumprd hands source and directory to dracut as one blank-separated text;
        // kdump-lib.sh cuts the server off at the last ":/".
        var bad = path.IndexOfAny([' ', '#']) >= 0 ? path.Contains('#', StringComparison.Ordinal) ? "a '#'" : "a space"
            : path.Contains(":/", StringComparison.Ordinal) ? "':/'" : null;
        if (bad is not null)
        {
            throw new HostException(ErrorIds.NotExpressible, "", $"The {what} '{path}' has {bad}, which /etc/kdump.conf cannot hold.")
            {
                Remedy = "use a directory whose name has neither blanks nor '#' nor ':/'.",
            };
        }
    }
}
