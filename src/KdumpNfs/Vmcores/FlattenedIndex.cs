using System.Globalization;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcores;

/// <summary>The chain of records of a flattened dump, walked by the store in one round trip: with perl a seek each, without a process each.</summary>
internal static class FlattenedIndex
{
    /// <summary>20,000 records are about 640 MB of a dump, and on a store without perl half a minute of its time.</summary>
    public const int MaximumRecords = 20_000;

    /// <summary>Bytes in a record of makedumpfile, about.</summary>
    public const int RecordBytes = 32 << 10;

    /// <summary>Walks the chain. The source reads the same file.</summary>
    /// <exception cref="HostException">FlattenedNotIndexed: too many records; FileNotReadable.</exception>
    public static FlattenedReader Make(IHostConnection connection, string path, RandomSource source, CancellationToken cancellationToken)
    {
        if (source.Length / RecordBytes > MaximumRecords)
        {
            throw TooLong(connection, path, source.Length);
        }

        var script = HostScript.Load("flatindex", ("F", path), ("MAX", MaximumRecords.ToString(CultureInfo.InvariantCulture)));
        var result = connection.RunAsync(script, cancellationToken).GetAwaiter().GetResult();
        if (result.ExitStatus != 0)
        {
            throw StoreFile.NotReadable(connection, path, result.ErrorText);
        }

        var records = new List<FlattenedPiece>();
        string? end = null;
        foreach (var line in result.OutputText.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            if (words.Length != 3)
            {
                end = line;
                break;
            }

            var (offset, size, at) = (Number(words[0]), Number(words[1]), Number(words[2]));
            if (offset < 0 || size <= 0 || at < 0 || at > source.Length || offset > long.MaxValue - size)
            {
                end = "damaged";
                break;
            }

            records.Add(new FlattenedPiece(offset, Math.Min(size, source.Length - at), at));
        }

        records.RemoveAll(r => r.Size <= 0);
        return end switch
        {
            "more" => throw TooLong(connection, path, source.Length),
            "end" => FlattenedReader.Build(source, records, null),
            "damaged" => FlattenedReader.Build(source, records, "A flattened record has a place or a size that cannot be; the file is damaged there."),
            _ => FlattenedReader.Build(source, records, "The flattened file ends without its end record; the dump is cut."),
        };
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static HostException TooLong(IHostConnection connection, string path, long length) =>
        new(ErrorIds.FlattenedNotIndexed, connection.Host.HostName, string.Create(
            CultureInfo.InvariantCulture, $"{Printable.Escape(path)} is in the flattened format, which has no index, and has {length} bytes: finding its records, about {length / RecordBytes}, would take a store without perl {length / RecordBytes / 700} s."))
        {
            Remedy = "Rearrange it on the store (makedumpfile -R vmcore < vmcore.flat), or read it where the share is mounted; Convert-Vmcore rearranges a local file.",
        };
}
