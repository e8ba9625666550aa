using System.Diagnostics;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary>The command as a user runs it: another process, its three streams and its exit status.</summary>
internal static class KdumpNfsCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Runs it to its end.</summary>
    public static (int Status, string Output, string Error) Run(string input, params string[] arguments)
    {
        using var process = Start(arguments);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return Finish(process);
    }

    /// <summary>Runs it to its end with a file of settings in force.</summary>
    public static (int Status, string Output, string Error) RunWith(string settings, params string[] arguments) => Finish(Start(settings, arguments));

    /// <summary>Starts it.</summary>
    public static Process Start(params string[] arguments) => Start(null, arguments);

    private static Process Start(string? settings, string[] arguments)
    {
        // A test run in the background of a script ignores SIGINT, and its children would inherit that.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", .. CommandRunner.KdumpNfs, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Nothing that the user of this machine has set.
        start.Environment["KDUMPNFS_PREFERENCE"] = settings;
        return Process.Start(start)!;
    }

    /// <summary>Waits for its end.</summary>
    public static (int Status, string Output, string Error) Finish(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException("The command did not end.");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
