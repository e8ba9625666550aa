using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Report;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>
/// Damaged dumps: whatever is in them, only VmcoreFormatException comes out, quickly and in bounded memory. Seeds are fixed; KDUMPNFS_FUZZ_ROUNDS asks for
/// more rounds, KDUMPNFS_FUZZ_SEED for other ones.
/// </summary>
public class FuzzTests
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("KDUMPNFS_FUZZ_ROUNDS"), out var rounds) ? rounds : 150;
    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("KDUMPNFS_FUZZ_SEED"), out var seed) ? seed : 20261122;

    public static TheoryData<string> Inputs => ["lzo.mini", "zstd.mini", "flattened", "structured", "structured-elf", "flattened-elf", "log"];

    private static byte[] Input(string name) => name switch
    {
        "flattened" => MachineBuilder.Flatten(File.ReadAllBytes(Samples.File("lzo.mini")), 30_000, r => r),
        "structured" => Structured().ToKdump(6, 1),
        "structured-elf" => Structured().ToElf(),
        "flattened-elf" => MachineBuilder.Flatten(Structured().ToElf(), 3000, r => r.Reverse()),
        "log" => File.ReadAllBytes(Samples.File("rhel-lzo.dmesg.txt")),
        _ => File.ReadAllBytes(Samples.File(name)),
    };

    /// <summary>A made-up machine with a structured log of sixty messages.</summary>
    internal static MachineBuilder Structured()
    {
        var buffer = new byte[8192];
        var at = 0;
        for (var i = 0; i < 60; i++)
        {
            var record = LogTests.Record((ulong)i * 1_000_000, $"message {i}\nwith two lines", i % 8, 2);
            record.CopyTo(buffer, at);
            at += record.Length;
        }

        return LogTests.Structured(buffer, 0, at);
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Damaged_dumps_end_in_a_report_or_in_the_documented_exception(string name)
    {
        var good = Input(name);
        var random = new Random(Seed);
        for (var round = 0; round < Rounds; round++)
        {
            var bad = Mutate(good, random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var started = ThreadTime.Now;
            Read(bad, name == "log");

            // What this thread computed, however busy the machine is.
            var took = ThreadTime.Now - started;
            Assert.True(took < TimeSpan.FromSeconds(1), $"{name}, seed {Seed}, round {round}: {took}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 256L << 20, $"{name}, seed {Seed}, round {round}: memory");
        }
    }

    internal static void Read(byte[] bytes, bool text)
    {
        if (text)
        {
            ReportText.Of(ReportBuilder.FromLog(System.Text.Encoding.UTF8.GetString(bytes), "x"));
            return;
        }

        try
        {
            using var image = VmcoreImage.Open(new ExcerptByteSource(bytes.Length).Add(0, bytes));
            ReportText.Of(ReportBuilder.FromDump(image, "x"));
            image.CheckEnd();
            image.CheckStructure();
            VmcoreScan.Run(image, 1);
        }
        catch (VmcoreFormatException)
        {
        }
    }

    internal static byte[] Mutate(byte[] good, Random random)
    {
        var bad = (byte[])good.Clone();

        // Headers are a small part of the file and decide most, so half of the changes go there.
        int Place() => random.Next(2) == 0 ? random.Next(Math.Min(bad.Length, 12_000)) : random.Next(bad.Length);
        for (var change = random.Next(1, 6); change > 0; change--)
        {
            var at = Place();
            switch (random.Next(5))
            {
                case 0:
                    bad[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bad[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bad.AsSpan(at, Math.Min(8, bad.Length - at)).Fill((byte)(random.Next(2) == 0 ? 0xff : 0));
                    break;
                case 3:
                    var from = Place();
                    var count = Math.Min(random.Next(1, 64), bad.Length - Math.Max(at, from));
                    bad.AsSpan(from, count).CopyTo(bad.AsSpan(at));
                    break;
                default:
                    // A digit of VMCOREINFO, if one is near.
                    var digit = bad.AsSpan(at).IndexOfAnyInRange((byte)'0', (byte)'9');
                    if (digit >= 0)
                    {
                        bad[at + digit] = (byte)"0123456789abcdef"[random.Next(16)];
                    }

                    break;
            }
        }

        return random.Next(8) == 0 ? bad[..random.Next(bad.Length)] : bad;
    }
}
