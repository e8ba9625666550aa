using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Collection;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Setup;

/// <summary>A directory that scripts take for a host's root, with programs of its own before those of this machine.</summary>
internal sealed class FakeHost : IDisposable
{
    private readonly Tool.TempDirectory _tree = Tool.Directory();

    public FakeHost() => Directory.CreateDirectory(Path.Combine(_tree.Path, "job"));

    public string Root => _tree.Path;

    public FakeHost File(string path, string content)
    {
        _tree.Write(path.TrimStart('/'), System.Text.Encoding.UTF8.GetBytes(content));
        return this;
    }

    /// <summary>A program in a directory that comes first on PATH; <c>$tree</c> is the host's root.</summary>
    public FakeHost Program(string name, string script) => Executable("fakebin/" + name, script);

    /// <summary>A program at a place in the tree.</summary>
    public FakeHost Executable(string place, string script)
    {
        var path = _tree.Write(place.TrimStart('/'), System.Text.Encoding.UTF8.GetBytes($"#!/bin/sh\ntree='{Root}'\n{script}\n"));
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return this;
    }

    public string Read(string path) => System.IO.File.ReadAllText(Root + path);

    public bool Exists(string path) => System.IO.File.Exists(Root + path);

    /// <summary>Runs a script that only reads.</summary>
    public async Task<HostReply> FactsAsync(string name, params (string Name, string Value)[] values)
    {
        await using var connection = new ShellConnection();
        return await HostReply.RunAsync(connection, new RemoteScript(Before + HostScript.Load(name, [("tree", Root), .. values]).Text), CancellationToken.None);
    }

    /// <summary>Runs a script as it is.</summary>
    public async Task<HostReply> ScriptAsync(string script)
    {
        await using var connection = new ShellConnection();
        return await HostReply.RunAsync(connection, new RemoteScript(Before + script), CancellationToken.None);
    }

    /// <summary>Runs a job as detach.sh would: result records on descriptor 3, everything else in a log.</summary>
    public async Task<HostReply> JobAsync(string script)
    {
        var path = _tree.Write("job/script", System.Text.Encoding.UTF8.GetBytes(Before + script.Replace("job=/run/kdumpnfs/job", $"job='{Root}/job'", StringComparison.Ordinal)));
        await using var connection = new ShellConnection();
        return await HostReply.RunAsync(connection, new RemoteScript($"sh '{path}' >'{Root}/job/log' 2>&1 3>'{Root}/job/result'\nrc=$?\nprintf 'job.exit %d\\n%s\\n' ${{#rc}} $rc >>'{Root}/job/result'\ncat '{Root}/job/result'\n"),
            CancellationToken.None);
    }

    private string Before => $"PATH='{Root}/fakebin':$PATH\nexport PATH\n";

    public void Dispose() => _tree.Dispose();
}
