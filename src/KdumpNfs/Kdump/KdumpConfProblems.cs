using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>What kdumpctl says to a kdump.conf (parse_config and need_initrd_rebuild of rhkdump/kdump-utils), with all findings instead of the first.</summary>
internal static class KdumpConfProblems
{
    private const string FailureActions = "reboot|halt|poweroff|shell|dump_to_rootfs";
    private const string FinalActions = "reboot|halt|poweroff";

    /// <summary>Finds them in the order of the file; what concerns values as a whole comes last.</summary>
    public static IReadOnlyList<ConfigProblem> Find(LineDocument document, IReadOnlyList<ConfDirective> directives)
    {
        var found = new List<ConfigProblem>();
        if (directives.Count > 0 && document.Lines.Any(line => line.Text.Contains('\0', StringComparison.Ordinal)))
        {
            // grep takes a file with a NUL for binary and prints none of its lines; kdumpctl then goes on with the defaults, a local dump.
            return [new ConfigProblem(ConfigProblemIds.NotText, [], "grep: /etc/kdump.conf: binary file matches")];
        }

        var options = new Dictionary<string, ConfDirective>(StringComparer.Ordinal);
        foreach (var directive in directives)
        {
            if (!ByteText.IsUtf8(document.Lines[directive.Line].Text))
            {
                found.Add(new ConfigProblem(ConfigProblemIds.NotText, [directive.Line + 1],
                    "the line is not UTF-8, and in a UTF-8 locale the tools pass over it"));
            }

            Check(directive, options, found);
        }

        string? Value(string name) => options.TryGetValue(name, out var d) ? d.Value : null;
        void Action(string name, string allowed)
        {
            if (Value(name) is { } value && !allowed.Split('|').Contains(value))
            {
                found.Add(new ConfigProblem(ConfigProblemIds.InvalidValue, [options[name].Line + 1], $"Usage kdump.conf: {name} {{{allowed}}}"));
            }
        }

        Action("failure_action", FailureActions);
        Action("final_action", FinalActions);
        foreach (var name in new[] { "force_no_rebuild", "force_rebuild" })
        {
            if (Value(name) is not (null or "0" or "1"))
            {
                found.Add(new ConfigProblem(ConfigProblemIds.InvalidValue, [options[name].Line + 1], $"Error: {name} value is invalid"));
            }
        }

        if (Value("force_rebuild") == "1" && Value("force_no_rebuild") == "1")
        {
            found.Add(new ConfigProblem(ConfigProblemIds.InvalidValue, Lines(options["force_rebuild"], options["force_no_rebuild"]),
                "Error: force_rebuild and force_no_rebuild are enabled simultaneously in kdump.conf"));
        }

        return found;
    }

    private static void Check(ConfDirective directive, Dictionary<string, ConfDirective> options, List<ConfigProblem> found)
    {
        int[] line = [directive.Line + 1];
        switch (directive.Name)
        {
            case "dracut_args":
                CheckDracutArgs(directive, options, found);
                Set("dracut_args", directive, options, found);
                return;
            case "raw" or "ext2" or "ext3" or "ext4" or "minix" or "btrfs" or "xfs" or "nfs" or "ssh" or "virtiofs":
                Set("_target", directive, options, found);
                CarriageReturn(directive, found);
                if (directive is { Name: "ssh", Value.Length: > 0 } && !directive.Value.Contains('@', StringComparison.Ordinal))
                {
                    found.Add(new ConfigProblem(ConfigProblemIds.SshUserMissing, line,
                        "Please verify that /etc/kdump.conf contains 'ssh <user>@<host>' and that it is properly formatted."));
                }

                return;
            case "default":
                found.Add(new ConfigProblem(ConfigProblemIds.OldDirective, line,
                    "Option 'default' was renamed 'failure_action' and will be removed in the future.") { Refused = false });
                Set("failure_action", directive, options, found);
                return;
            case "path" or "core_collector":
                CarriageReturn(directive, found);
                Set(directive.Name, directive, options, found);
                return;
            case "sshkey" or "kdump_post" or "kdump_pre" or "kdump_emergency" or "extra_bins" or "extra_modules" or "failure_action" or
                "final_action" or "force_rebuild" or "force_no_rebuild" or "fence_kdump_args" or "fence_kdump_nodes" or "auto_reset_crashkernel":
                Set(directive.Name, directive, options, found);
                return;
            case "net" or "options" or "link_delay" or "disk_timeout" or "debug_mem_level" or "blacklist":
                found.Add(new ConfigProblem(ConfigProblemIds.DeprecatedDirective, line,
                    $"Deprecated kdump config option: {directive.Name}. Refer to kdump.conf manpage for alternatives."));
                return;
            default:
                found.Add(new ConfigProblem(ConfigProblemIds.InvalidDirective, line, $"Invalid kdump config option {ByteText.ToValue(directive.Name)}"));
                return;
        }
    }

    private static void CheckDracutArgs(ConfDirective directive, Dictionary<string, ConfDirective> options, List<ConfigProblem> found)
    {
        switch (DracutMount.Count(directive.Value))
        {
            case 0:
                return;
            case 1:
                var (source, type) = DracutMount.Read(directive.Value);
                if (type.Length == 0 || source.Length == 0)
                {
                    found.Add(new ConfigProblem(ConfigProblemIds.EmptyValue, [directive.Line + 1],
                        $"Invalid kdump config value for option '{(type.Length == 0 ? "_fstype" : "_target")}'"));
                    return;
                }

                Set("_target", directive, options, found);
                return;
            default:
                found.Add(new ConfigProblem(ConfigProblemIds.SeveralMounts, [directive.Line + 1], "Multiple mount targets specified in one \"dracut_args\"."));
                return;
        }
    }

    private static void Set(string name, ConfDirective directive, Dictionary<string, ConfDirective> options, List<ConfigProblem> found)
    {
        if (directive.Value.Length == 0)
        {
            found.Add(new ConfigProblem(ConfigProblemIds.EmptyValue, [directive.Line + 1], $"Invalid kdump config value for option '{name}'"));
        }
        else if (!options.TryAdd(name, directive))
        {
            found.Add(name == "_target"
                ? new ConfigProblem(ConfigProblemIds.SeveralTargets, Lines(options[name], directive), "More than one dump targets specified")
                : new ConfigProblem(ConfigProblemIds.DuplicateDirective, Lines(options[name], directive), $"Duplicated kdump config value of option {name}"));
        }
    }

    private static void CarriageReturn(ConfDirective directive, List<ConfigProblem> found)
    {
        if (directive.Value.EndsWith('\r'))
        {
            found.Add(new ConfigProblem(ConfigProblemIds.CarriageReturn, [directive.Line + 1],
                $"the value of {directive.Name} ends in a carriage return, which the tools take as part of it"));
        }
    }

    private static int[] Lines(ConfDirective one, ConfDirective other) =>
        one.Line < other.Line ? [one.Line + 1, other.Line + 1] : [other.Line + 1, one.Line + 1];
}
