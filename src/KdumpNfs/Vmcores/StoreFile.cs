using System.Globalization;
using System.Text;
using KdumpNfs.Ssh;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcores;

/// <summary>A file on a store, read through a connection: only the bytes that are asked for cross the network, many pieces in one round trip.</summary>
public sealed class StoreFile : IBatchByteSource
{
    // A script for each batch; its text shall stay small.
    private const int RangesAtOnce = 256;

    private readonly IHostConnection _connection;
    private readonly string _path;

    private StoreFile(IHostConnection connection, string path, long length)
    {
        _connection = connection;
        _path = path;
        Length = length;
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <summary>Bytes that were read so far.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Round trips so far, the first look at the file included.</summary>
    public int RoundTrips { get; private set; } = 1;

    /// <summary>Looks at a file.</summary>
    /// <exception cref="HostException">FileNotReadable, or what a script can give.</exception>
    public static async Task<StoreFile> OpenAsync(IHostConnection connection, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var script = new RemoteScript($"""
            f={ShellQuote.Word(path)}
            [ ! -d "$f" ] || ! echo "Is a directory" >&2 || exit 1
            [ -e "$f" ] || ! echo "No such file" >&2 || exit 1
            [ -f "$f" ] || ! echo "Not a regular file" >&2 || exit 1
            [ -r "$f" ] || ! echo "Permission denied" >&2 || exit 1
            exec stat -L -c %s "$f"
            """);
        var result = await connection.RunAsync(script, cancellationToken).ConfigureAwait(false);
        return result.ExitStatus == 0 && long.TryParse(result.OutputText.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? new StoreFile(connection, path, length)
            : throw NotReadable(connection, path, result.ErrorText);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        if (count == 0)
        {
            return 0;
        }

        var bytes = await _connection.ReadFileAsync(_path, offset, count, cancellationToken).ConfigureAwait(false);
        RoundTrips++;
        BytesRead += bytes.Length;
        bytes.CopyTo(buffer);
        return bytes.Length;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadManyAsync(IReadOnlyList<ByteRange> ranges, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        var answers = new List<ReadOnlyMemory<byte>>(ranges.Count);
        for (var first = 0; first < ranges.Count; first += RangesAtOnce)
        {
            var part = ranges.Skip(first).Take(RangesAtOnce).ToList();
            var script = new StringBuilder($"f={ShellQuote.Word(_path)}\nr() {{ dd bs=65536 iflag=skip_bytes,count_bytes skip=\"$1\" count=\"$2\" status=none <\"$f\" || exit 1; }}\n");
            foreach (var range in part)
            {
                script.Append(CultureInfo.InvariantCulture, $"r {range.Offset} {range.Length}\n");
            }

            var result = await _connection.RunAsync(new RemoteScript(script.ToString()), cancellationToken).ConfigureAwait(false);
            RoundTrips++;
            BytesRead += result.Output.Length;

            // All ranges lie inside the length that the file had; a shorter answer would mix them up.
            if (result.ExitStatus != 0 || result.Output.Length != part.Sum(r => (long)r.Length))
            {
                throw NotReadable(_connection, _path, result.ExitStatus != 0 ? result.ErrorText : "The file got shorter while it was read.");
            }

            var at = 0;
            foreach (var range in part)
            {
                answers.Add(result.Output.Slice(at, range.Length));
                at += range.Length;
            }
        }

        return answers;
    }

    internal static HostException NotReadable(IHostConnection connection, string path, string said) =>
        new(ErrorIds.FileNotReadable, connection.Host.HostName, $"{Printable.Escape(path)} could not be read.")
        {
            HostSaid = said,
            Remedy = "Check the path; dumps are readable for root only, so connect as root or with -Sudo.",
        };
}
