using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;

namespace KdumpNfs.Bench;

/// <summary>What Import-Module costs in a fresh PowerShell, beside a binary module that has nothing in it.</summary>
internal static class ImportBench
{
    private const int Runs = 9;

    /// <summary>The rows; none where there is no pwsh or no built module.</summary>
    public static IReadOnlyList<Row> Measure(string root, string scratch)
    {
        var module = Path.Combine(root, "out", "module", "KdumpNfs", "KdumpNfs.psd1");
        var pwsh = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(d => Path.Combine(d, "pwsh")).FirstOrDefault(File.Exists);
        if (pwsh is null || !File.Exists(module))
        {
            Console.WriteLine("Import-Module is not measured: there is no pwsh on PATH, or no built module.");
            return [];
        }

        var empty = Path.Combine(scratch, "Empty");
        Directory.CreateDirectory(empty);
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("Empty, Version=1.0.0.0"), typeof(object).Assembly);
        assembly.DefineDynamicModule("Empty").DefineType("Nothing", TypeAttributes.Public).CreateType();
        assembly.Save(Path.Combine(empty, "Empty.dll"));
        File.WriteAllText(Path.Combine(empty, "Empty.psd1"), "@{ RootModule = 'Empty.dll'; ModuleVersion = '1.0'; CmdletsToExport = @(); FunctionsToExport = @(); AliasesToExport = @() }");

        var (ours, nothing) = (new List<double>(), new List<double>());
        for (var run = 0; run <= Runs; run++)
        {
            // By turns, so that both see the same machine; the first turn fills its caches.
            var (a, b) = (Import(pwsh, Path.Combine(empty, "Empty.psd1")), Import(pwsh, module));
            if (run > 0)
            {
                nothing.Add(a);
                ours.Add(b);
            }
        }

        var more = ours.Zip(nothing, (o, n) => o - n).ToList();
        return
        [
            Row.Of("Import-Module, an empty binary module", nothing, "ms", null),
            Row.Of("Import-Module KdumpNfs", ours, "ms", null),
            Row.Of("Import-Module KdumpNfs, more than the empty one", more, "ms", 300),
        ];
    }

    private static double Import(string pwsh, string manifest)
    {
        var start = new ProcessStartInfo(pwsh, ["-NoProfile", "-NonInteractive", "-Command",
            $"$w = [Diagnostics.Stopwatch]::StartNew(); Import-Module '{manifest.Replace("'", "''", StringComparison.Ordinal)}' -ErrorAction Stop; $w.Elapsed.TotalMilliseconds.ToString([cultureinfo]::InvariantCulture)"])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 && double.TryParse(said.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var time) ? time
            : throw new InvalidOperationException($"pwsh could not import {manifest}: {said}");
    }
}
