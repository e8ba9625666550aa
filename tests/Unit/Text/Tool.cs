using System.Diagnostics;

namespace KdumpNfs.Tests.Unit.Text;

/// <summary>Runs a program of this machine and gives what it printed, byte for byte.</summary>
internal static class Tool
{
    public static (int Status, byte[] Output) Run(string program, string[] arguments, byte[]? input = null, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        try
        {
            process.StandardInput.BaseStream.Write(input ?? []);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program did not read to the end.
        }

        reading.Wait();
        process.WaitForExit();
        return (process.ExitCode, output.ToArray());
    }

    public static bool Exists(string path) => File.Exists(path);

    /// <summary>A directory that goes with the test.</summary>
    public static TempDirectory Directory() => new();

    internal sealed class TempDirectory : IDisposable
    {
        public string Path { get; } = System.IO.Directory.CreateTempSubdirectory("kdumpnfs-test-").FullName;

        public string Write(string name, byte[] content)
        {
            var path = System.IO.Path.Combine(Path, name);
            System.IO.Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
            return path;
        }

        public void Dispose() => System.IO.Directory.Delete(Path, recursive: true);
    }
}
