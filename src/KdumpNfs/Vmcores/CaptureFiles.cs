using System.Globalization;
using KdumpNfs.Collection;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Vmcores;

/// <summary>The small files beside a dump: kernel log, capture log, SUSE's account of the dump.</summary>
/// <param name="Files">Name and bytes.</param>
/// <param name="Left">What is there and was left out, one sentence each.</param>
internal sealed record CaptureFiles(IReadOnlyList<(string Name, byte[] Bytes)> Files, IReadOnlyList<string> Left)
{
    private const int MaximumBytes = 16 << 20;

    /// <summary>The text of the kernel's log, the finished one first; null where there is none.</summary>
    public (string Name, byte[] Bytes)? KernelLog =>
        Files.Where(f => CrashFile.RoleOf(f.Name) is CrashFileRole.Dmesg).Concat(Files.Where(f => CrashFile.RoleOf(f.Name) is CrashFileRole.TemporaryDmesg))
            .Select(f => ((string, byte[])?)f).FirstOrDefault();

    /// <summary>Reads them on a store, in one round trip.</summary>
    public static async Task<CaptureFiles> ReadAsync(IHostConnection connection, string directory, CancellationToken cancellationToken)
    {
        var script = HostScript.Load("bundlefiles", ("DIRECTORY", directory), ("MAX", MaximumBytes.ToString(CultureInfo.InvariantCulture)));
        var reply = await HostReply.RunAsync(connection, script, cancellationToken).ConfigureAwait(false);
        return reply.Text("error") is not null ? new CaptureFiles([], [$"The files in {directory} cannot be read by this account."])
            : new CaptureFiles(
                [.. reply.All("name").Where(IsWanted).Distinct(StringComparer.Ordinal).Select(name => (name, Convert.FromBase64String(reply.Text(name + ".bytes") ?? "")))],
                [.. reply.All("left").Select(Printable.Escape)]);
    }

    /// <summary>Reads them on this machine.</summary>
    public static async Task<CaptureFiles> ReadAsync(string directory, CancellationToken cancellationToken)
    {
        var files = new List<(string, byte[])>();
        var left = new List<string>();
        try
        {
            foreach (var file in new DirectoryInfo(directory).EnumerateFiles().Where(f => IsWanted(f.Name)).OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                // A pipe that a crashed host left on the share has no length and is never opened.
                if (file.LinkTarget is not null || file.Length == 0)
                {
                    continue;
                }

                if (file.Length > MaximumBytes)
                {
                    left.Add(string.Create(CultureInfo.InvariantCulture, $"{file.Name} has {file.Length} bytes, too many for a log."));
                    continue;
                }

                try
                {
                    files.Add((file.Name, await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false)));
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    left.Add($"{file.Name} cannot be read: {e.Message}");
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            left.Add($"The files in {Printable.Escape(directory)} cannot be read: {e.Message}");
        }

        return new CaptureFiles(files, left);
    }

    private static bool IsWanted(string name) =>
        CrashFile.RoleOf(name) is CrashFileRole.Dmesg or CrashFileRole.TemporaryDmesg or CrashFileRole.CaptureLog or CrashFileRole.Readme;
}
