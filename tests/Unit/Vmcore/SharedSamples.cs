using System.Runtime.CompilerServices;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Whole dumps beside the repository (../shared/samples); tests over them are skipped where they are not.</summary>
internal static class SharedSamples
{
    public static readonly string[] Names = ["debian-flattened-zlib.vmcore", "rhel-lzo.vmcore", "zstd.vmcore"];

    public static string PathOf(string name)
    {
        var path = Path.Combine(Folder(), name);
        Skip.IfNot(File.Exists(path), $"There is no {path}.");
        return path;
    }

    private static string Folder([CallerFilePath] string here = "") =>
        Environment.GetEnvironmentVariable("KDUMPNFS_SAMPLES") ?? Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../../shared/samples"));
}
