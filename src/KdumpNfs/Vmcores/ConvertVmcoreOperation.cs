using KdumpNfs.Fleet;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Vmcores;

/// <summary>A dump that was rearranged.</summary>
/// <param name="Path">The flattened file.</param>
/// <param name="Destination">The new file.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Records">Records of the flattened file.</param>
/// <param name="Damage">Why the flattened file ended early; null when it was whole.</param>
public sealed record VmcoreConversion(string Path, string Destination, long Bytes, long Records, string? Damage);

/// <summary>Rearranges a flattened dump of this machine into the format inside it.</summary>
public static class ConvertVmcoreOperation
{
    /// <summary>Writes the destination under a temporary name and gives it its own at the end. An existing file is not replaced without <paramref name="force"/>.</summary>
    /// <exception cref="HostException">InvalidInput, FileNotReadable, VmcoreNotReadable, WriteFailed.</exception>
    public static async Task<VmcoreConversion> RunAsync(string path, string destination, bool force, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(destination);
        ArgumentNullException.ThrowIfNull(context);
        if (File.Exists(destination) && !force)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"{Printable.Escape(destination)} exists already.") { Remedy = "Choose another destination, or -Force." };
        }

        if (!File.Exists(path))
        {
            throw new HostException(ErrorIds.FileNotReadable, "", $"{Printable.Escape(path)} is not there.") { Remedy = "Check the path." };
        }

        return await Task.Run(() => Convert(path, destination, context, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private static VmcoreConversion Convert(string path, string destination, HostContext context, CancellationToken cancellationToken)
    {
        var temporary = destination + ".incomplete";
        try
        {
            ConvertedDump result;
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
            {
                // Dumps hold keys and passwords of the crashed host.
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var output = new FileStream(temporary, options))
            {
                result = FlattenedConverter.Convert(path, output, part => context.Progress("Convert-Vmcore", "Rearranging", part), cancellationToken);
            }

            File.Move(temporary, destination, overwrite: true);
            if (result.Damage is { } damage)
            {
                context.Warning($"{Printable.Escape(path)}: {damage} The new file lacks what did not arrive.");
            }

            return new VmcoreConversion(path, destination, result.Bytes, result.Records, result.Damage);
        }
        catch (VmcoreFormatException e)
        {
            throw new HostException(ErrorIds.VmcoreNotReadable, "", $"{Printable.Escape(path)} cannot be rearranged: {e.Message}", e) { Remedy = "Only flattened dumps (makedumpfile -F) need it." };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException(ErrorIds.WriteFailed, "", $"{Printable.Escape(destination)} could not be written: {e.Message}", e) { Remedy = "Check space and permissions." };
        }
        finally
        {
            context.Progress("Convert-Vmcore", "", done: true);
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }
        }
    }
}
