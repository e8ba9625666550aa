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
        var result = WithTarget(KdumpTarget.Nfs(input.Server, input.Export, null));
        if (input.DumpPath is { } path && (result.DumpPath != path || result.Count("path") > 1))
        {
            result = result.WithOnly("path", ByteText.FromValue(path), "nfs");
        }

        if (result.Collector is { IsMakedumpfile: true, Flattened: true } collector)
        {
            result = result.WithOnly("core_collector", collector.With(flattened: false).ToString(), "path");
        }

        if (result.Targets.Count != 1 || !result.Target.SameLocation(KdumpTarget.Nfs(input.Server, input.Export, result.DumpPath)))
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, "", "kdump.conf names a dump target in a way that cannot be replaced.")
            {
                Remedy = "take the target out of kdump.conf on the host.",
            };
        }

        return result;
    }

    /// <summary>The file with another dump level or compression in its core_collector; null leaves either. The words around them stay.</summary>
    /// <exception cref="HostException">NotExpressible: the core collector is not makedumpfile; ConfigurationInvalid: makedumpfile would refuse it.</exception>
    public KdumpConf WithCoreCollector(DumpLevel? level, VmcoreCompression? compression)
    {
        var now = Collector.ToString();
        var wanted = Collector.With(level, compression).ToString();
        if (wanted == now && Count("core_collector") <= 1)
        {
            return this;
        }

        RefuseBinary();
        return WithOnly("core_collector", wanted, "path");
    }

    private KdumpConf WithTarget(KdumpTarget wanted)
    {
        var named = directives.Where(d => ToTarget(d) is not null).ToList();
        if (named is [{ Name: "nfs" } only] && ToTarget(only) is { Store: { } store, Export: { } export } &&
            KdumpTarget.Canonical(store) == KdumpTarget.Canonical(wanted.Store!) && KdumpTarget.NormalPath(export) == wanted.Export)
        {
            return this;
        }

        var value = ByteText.FromValue(wanted.Text);
        if (named.Count == 0)
        {
            return Inserted("nfs", value, "path");
        }

        var edits = new Dictionary<int, string[]>();
        foreach (var directive in named)
        {
            var first = ReferenceEquals(directive, named[0]);
            edits[directive.Line] = directive.Name == "dracut_args"
                ? [.. first ? new[] { "nfs " + value } : [], .. WithoutMount(directive)]
                : first ? [directive.With("nfs", value)] : CommentAlone(directive);
        }

        return Edited(edits);
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
