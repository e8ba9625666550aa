using System.Diagnostics;

namespace KdumpNfs.Tests.Loopback;

/// <summary>Programs the tests need.</summary>
public static class CommandRunner
{
    /// <summary>How <c>kdumpnfs</c> is started: KDUMPNFS_COMMAND is the one that was built (out/cli/kdumpnfs, native code where that can be made); without, the assembly beside the tests.</summary>
    public static string[] KdumpNfs =>
        Environment.GetEnvironmentVariable("KDUMPNFS_COMMAND") is { Length: > 0 } built ? [built] : ["dotnet", Path.Combine(AppContext.BaseDirectory, "KdumpNfs.Cli.dll")];

    /// <summary>Whether a program is on PATH.</summary>
    public static bool Exists(string name) => PathOf(name) is not null;

    /// <summary>Where a program is, or null.</summary>
    public static string? PathOf(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
            .Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end; returns exit status, stdout and stderr together.</summary>
    /// <exception cref="InvalidOperationException">It ended with another status than 0, and may not.</exception>
    public static (int Status, string Text) Run(string program, string[] arguments, bool mayFail = false)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd() + error.Result;
        process.WaitForExit();
        return mayFail || process.ExitCode == 0
            ? (process.ExitCode, text)
            : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {text}");
    }
}
