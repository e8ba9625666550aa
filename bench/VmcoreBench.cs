using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Bench;

/// <summary>Reading dumps, beside makedumpfile and libkdumpfile on the same files in the same run.</summary>
internal static class VmcoreBench
{
    private const int Runs = 7;

    /// <summary>Measures; says what is not there to be measured.</summary>
    public static List<Row> Measure(string repository, string scratch)
    {
        var rows = new List<Row>();
        var samples = Environment.GetEnvironmentVariable("KDUMPNFS_SAMPLES") ?? Path.Combine(repository, "../shared/samples");
        var dumps = Directory.Exists(samples) ? Directory.GetFiles(samples, "*.vmcore").Order(StringComparer.Ordinal).ToList() : [];
        if (dumps.Count == 0)
        {
            Console.WriteLine($"No dumps in {samples}: only the small ones of the tests are measured.");
            dumps = [.. Directory.GetFiles(Path.Combine(repository, "tests/Unit/Vmcore/samples"), "*.mini")];
        }

        var scanner = Tools.Scanner(repository, scratch);
        foreach (var dump in dumps)
        {
            var name = Path.GetFileName(dump);
            Dmesg(rows, dump, name, repository, scratch);
            Store(rows, dump, name);
            Scan(rows, dump, name, Plain(dump, name, scratch), scanner);
        }

        // The compressions of which there is no dump at hand, made of one that is.
        if (dumps.Find(IsLzo) is { } lzo)
        {
            foreach (var (name, flag) in new[] { ("raw", 0U), ("zlib", 1U), ("snappy", 4U) })
            {
                var packed = Path.Combine(scratch, $"{name}.vmcore");
                Transcoder.Write(lzo, packed, flag);
                Scan(rows, packed, $"{Path.GetFileName(lzo)} as {name}", packed, scanner);
                File.Delete(packed);
            }
        }

        SshRows.Add(rows, dumps);
        Large(rows, repository, scratch);
        LargeLog(rows, dumps.Find(IsLzo), repository, scratch);
        return rows;
    }

    private static bool IsLzo(string dump) => dump.EndsWith("lzo.vmcore", StringComparison.Ordinal) || dump.EndsWith("lzo.mini", StringComparison.Ordinal);

    /// <summary>In a process of its own: the report of a dump, and the most memory that it took.</summary>
    public static int Peak(string dump)
    {
        using var image = VmcoreImage.Open(dump);
        var report = ReportBuilder.FromDump(image, dump);
        var peak = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        Console.WriteLine($"{report.Kind} {peak.Split(':')[1].Trim().Split(' ')[0]}");
        return 0;
    }

    private static void Dmesg(List<Row> rows, string dump, string name, string repository, string scratch)
    {
        var ours = Times(Runs * 3, () =>
        {
            using var image = VmcoreImage.Open(dump);
            image.ReadLog().WriteTo(Stream.Null);
        });
        if (Tools.Find("makedumpfile") is not { } makedumpfile)
        {
            Console.WriteLine("makedumpfile is not installed: nothing to compare dmesg with.");
            rows.Add(Row.Of($"dmesg of {name}, in process, warm", ours, "ms", null));
            return;
        }

        var plain = Plain(dump, name, scratch);
        var target = Path.Combine(scratch, "dmesg.txt");
        List<double> theirs;
        try
        {
            theirs = Times(Runs, () =>
            {
                File.Delete(target);
                Tools.Run(makedumpfile, "--dump-dmesg", plain, target);
            });
        }
        catch (InvalidOperationException)
        {
            // Debian 12 builds it without snappy and zstd.
            Console.WriteLine($"makedumpfile cannot read {name}: nothing to compare its dmesg with.");
            rows.Add(Row.Of($"dmesg of {name}, in process, warm", ours, "ms", null));
            return;
        }

        using (var image = VmcoreImage.Open(dump))
        {
            var text = new MemoryStream();
            image.ReadLog().WriteTo(text);
            if (!text.ToArray().AsSpan().SequenceEqual(File.ReadAllBytes(target)))
            {
                throw new InvalidOperationException($"The text of {name} is not that of makedumpfile: there is nothing to compare.");
            }
        }

        rows.Add(Compared($"dmesg of {name}, in process, warm", ours, "ms", "makedumpfile --dump-dmesg", Median(theirs), 1.0));
        var command = Path.Combine(repository, "out/cli/kdumpnfs");
        if (File.Exists(command))
        {
            var cold = Times(Runs, () => Tools.Run(command, "dmesg", dump));
            var extra = Median(cold) - Median(theirs);
            rows.Add(new Row($"dmesg of {name}, whole command", Median(cold), "ms", "makedumpfile + 250 ms", Median(cold) / (Median(theirs) + 250), "<= 1", extra <= 250, Spread(cold)));
        }
    }

    // The tools read no flattened dump as a file; it is rearranged first, outside of the measurement.
    private static string Plain(string dump, string name, string scratch)
    {
        if (!name.Contains("flattened", StringComparison.Ordinal))
        {
            return dump;
        }

        var plain = Path.Combine(scratch, name + ".plain");
        if (!File.Exists(plain))
        {
            using var output = File.Create(plain);
            FlattenedConverter.Convert(dump, output);
        }

        return plain;
    }

    private static void Store(List<Row> rows, string dump, string name)
    {
        if (name.Contains("flattened", StringComparison.Ordinal))
        {
            return;
        }

        var source = new CountingSource(dump);
        using (var image = VmcoreImage.Open((IByteSource)source))
        {
            ReportBuilder.FromDump(image, dump);
        }

        rows.Add(new Row($"bytes read for a report of {name} through a connection", source.Bytes / 1048576.0, "MiB", null, null, "<= 2 MiB", source.Bytes <= 2 << 20, 0));
        rows.Add(new Row($"round trips for it", source.Trips, "", null, null, null, null, 0));
    }

    private static void Scan(List<Row> rows, string dump, string name, string plain, string? scanner)
    {
        var ours = Times(Runs, () =>
        {
            using var image = VmcoreImage.Open(dump);
            if (VmcoreScan.Run(image).FirstProblem is { } problem)
            {
                throw new InvalidOperationException(problem);
            }
        });
        if (scanner is null)
        {
            rows.Add(Row.Of($"full scan of {name}, {Environment.ProcessorCount} cores", ours, "ms", null));
            return;
        }

        // Version 0.5 of the library knows no flattened dumps.
        var readable = name.Contains("flattened", StringComparison.Ordinal) ? plain : dump;
        List<double> theirs;
        try
        {
            theirs = Times(Runs, () => Tools.Run(scanner, readable));
        }
        catch (InvalidOperationException e)
        {
            Console.WriteLine($"libkdumpfile cannot read {name}: {e.Message}");
            rows.Add(Row.Of($"full scan of {name}, {Environment.ProcessorCount} cores", ours, "ms", null));
            return;
        }

        rows.Add(Compared($"full scan of {name}, {Environment.ProcessorCount} cores", ours, "ms", "libkdumpfile, one core", Median(theirs), 1 / 1.2));
    }

    private static void Large(List<Row> rows, string repository, string scratch)
    {
        var path = Path.Combine(scratch, "4tib.vmcore");
        LargeDump.Write(Path.Combine(repository, "tests/Unit/Vmcore/samples/lzo.mini"), path, 1UL << 30);
        var watch = Stopwatch.StartNew();
        var said = Tools.Run(Path.Combine(AppContext.BaseDirectory, "KdumpNfs.Bench"), "--peak", path).Trim().Split(' ');
        var peak = long.Parse(said[^1], CultureInfo.InvariantCulture) / 1024.0;
        rows.Add(new Row("report of a made-up 4 TiB host's dump, whole process", watch.ElapsedMilliseconds, "ms", null, null, null, null, 0));
        rows.Add(new Row($"its peak working set ({said[0]})", peak, "MiB", null, null, "<= 96 MiB", peak <= 96, 0));
    }

    // Made of a whole dump where there is one: makedumpfile reads more than the small ones have.
    private static void LargeLog(List<Row> rows, string? dump, string repository, string scratch)
    {
        var path = Path.Combine(scratch, "log.vmcore");
        var messages = LargeLogDump.Write(dump ?? Path.Combine(repository, "tests/Unit/Vmcore/samples/lzo.mini"), path, 1UL << 30);
        Dmesg(rows, path, $"a made-up 4 TiB host's dump with a full 16 MiB log ({messages} messages)", repository, scratch);
    }

    private static Row Compared(string name, List<double> runs, string unit, string against, double other, double atMost)
    {
        var ratio = Median(runs) / other;
        return new Row(name, Median(runs), unit, $"{against}: {other.ToString("0.#", CultureInfo.InvariantCulture)}", ratio,
            $"<= {atMost.ToString("0.##", CultureInfo.InvariantCulture)}x", ratio <= atMost, Spread(runs));
    }

    private static List<double> Times(int runs, Action work)
    {
        work();
        var times = new List<double>();
        for (var i = 0; i < runs; i++)
        {
            var start = Stopwatch.GetTimestamp();
            work();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return times;
    }

    private static double Median(List<double> runs) => runs.Order().ElementAt(runs.Count / 2);

    private static double Spread(List<double> runs) => (runs.Max() - runs.Min()) / Median(runs);

    /// <summary>A file that counts what a connection would carry.</summary>
    private sealed class CountingSource(string path) : IBatchByteSource
    {
        private readonly byte[] _file = File.ReadAllBytes(path);

        public long Length => _file.LongLength;

        public long Bytes { get; private set; }

        public int Trips { get; private set; }

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = (int)Math.Clamp(Length - offset, 0, buffer.Length);
            _file.AsMemory((int)offset, count).CopyTo(buffer);
            Bytes += count;
            Trips++;
            return ValueTask.FromResult(count);
        }

        public ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadManyAsync(IReadOnlyList<ByteRange> ranges, CancellationToken cancellationToken)
        {
            Trips++;
            Bytes += ranges.Sum(r => (long)r.Length);
            return ValueTask.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>([.. ranges.Select(r => new ReadOnlyMemory<byte>(_file, (int)r.Offset, r.Length))]);
        }
    }
}
