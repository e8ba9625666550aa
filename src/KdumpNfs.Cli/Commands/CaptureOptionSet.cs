using System.CommandLine;
using KdumpNfs.Kdump;

namespace KdumpNfs.Cli.Commands;

/// <summary>Options about how a dump is made, which every command that sets a target has.</summary>
internal sealed class CaptureOptionSet
{
    private readonly Option<string?> _level = Shared.DumpLevel("What the dump leaves out; without it the host keeps what it has");
    private readonly Option<VmcoreCompression?> _compression = new("--compression") { Description = "How pages are compressed; without it the host keeps what it has" };
    private readonly Option<int?> _messages = new("--message-level") { Description = "What makedumpfile prints, 0 to 31" };
    private readonly Option<FailureAction?> _failure = new("--failure-action") { Description = "What the capture does when the dump failed" };

    /// <summary>Adds the options to a command.</summary>
    public CaptureOptionSet(Command command)
    {
        foreach (var option in new Option[] { _level, _compression, _messages, _failure })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The options, checked.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public CaptureOptions Read(ParseResult parsed) => CaptureOptions.Create(
        parsed.GetValue(_level) is { } text ? (int)DumpLevels.Parse(text) : null, parsed.GetValue(_compression), parsed.GetValue(_messages), parsed.GetValue(_failure));
}
