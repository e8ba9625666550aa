using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Hosts: those of sessions, of ssh_config and of known_hosts. -SshConfigFile and -KnownHostsFile on the line are read instead of the usual files.</summary>
public sealed class HostNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var known = Completions.Bound(fakeBoundParameters, "KnownHostsFile");
        var hosts = Sessions.Pool.All.Select(session => new Completions.Choice(session.HostName, $"session {session.Id}, {session.State}"))
            .Concat(HostNames.Read(Completions.Bound(fakeBoundParameters, "SshConfigFile"), known is null ? null : [known])
                .Select(host => new Completions.Choice(host.Name, host.Source)))
            .DistinctBy(host => host.Text, StringComparer.OrdinalIgnoreCase);
        return Completions.Of(wordToComplete, hosts);
    }
}
