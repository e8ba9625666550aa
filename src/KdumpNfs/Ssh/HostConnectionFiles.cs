using System.Globalization;

namespace KdumpNfs.Ssh;

/// <summary>Files of a host, read through its connection.</summary>
public static class HostConnectionFiles
{
    /// <summary>Reads bytes of a file at an offset, by a command on the connection: with its user's rights, or root's with Sudo.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="path">Absolute path on the host.</param>
    /// <param name="offset">First byte, from 0.</param>
    /// <param name="count">How many bytes; fewer come back at the end of the file, none beyond it.</param>
    /// <param name="cancellationToken">Cancelling closes the connection.</param>
    /// <exception cref="HostException">FileNotReadable: missing, a directory, no permission; or what a script can give.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadFileAsync(
        this IHostConnection connection, string path, long offset, int count, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);

        // dd seeks in the file, head and tail would read all of it up to the offset. Flags of GNU coreutils 8.16 (2012) and busybox.
        var numbers = string.Create(CultureInfo.InvariantCulture, $"bs=65536 iflag=skip_bytes,count_bytes skip={offset} count={count}");
        var script = new RemoteScript($"""
            f={ShellQuote.Word(path)}
            [ ! -d "$f" ] || ! echo "Is a directory" >&2 || exit 1
            exec dd {numbers} status=none <"$f"
            """);
        var result = await connection.RunAsync(script, cancellationToken).ConfigureAwait(false);

        // Beyond the end dd says so and reads nothing; that is no failure.
        if (result.ExitStatus != 0)
        {
            throw new HostException(ErrorIds.FileNotReadable, connection.Host.HostName, $"{Printable.Escape(path)} could not be read.")
            {
                HostSaid = result.ErrorText,
                Remedy = "Check the path; dumps are readable for root only, so connect as root or with -Sudo.",
            };
        }

        return result.Output;
    }
}
