using System.Diagnostics;

namespace KdumpNfs.Bench;

/// <summary>Programs to compare with.</summary>
internal static class Tools
{
    /// <summary>A program on PATH or in sbin; null when it is not there.</summary>
    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin")
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program and gives its output.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program}: {error.Result}");
    }

    /// <summary>Builds the reader over libkdumpfile; null, and a line that says so, where there is no compiler or no library.</summary>
    public static string? Scanner(string repository, string scratch)
    {
        if (Find("gcc") is not { } gcc || !File.Exists("/usr/include/libkdumpfile/kdumpfile.h"))
        {
            Console.WriteLine("gcc and libkdumpfile-dev are not installed: nothing to compare the full scan with.");
            return null;
        }

        var program = Path.Combine(scratch, "readall");
        Run(gcc, "-O2", "-o", program, Path.Combine(repository, "bench/readall.c"), "-lkdumpfile", "-laddrxlat");
        return program;
    }
}
