using System.Runtime.CompilerServices;
using KdumpNfs.Vmcore.Report;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Panics of many kernels, labelled; corpus/README.md says where they come from.</summary>
public class CorpusTests
{
    public static TheoryData<string> Cases => [.. Names];

    private static IEnumerable<string> Names => Directory.GetFiles(Folder(), "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal);

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "corpus");

    internal static (Dictionary<string, string> Labels, string Log) Load(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(Folder(), name + ".txt"));
        var labels = lines.TakeWhile(l => l.StartsWith("# ", StringComparison.Ordinal)).Select(l => l[2..].Split(": ", 2)).ToDictionary(p => p[0], p => p[1]);
        return (labels, string.Join('\n', lines.Skip(labels.Count)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Kind_and_function_are_what_the_label_says(string name)
    {
        var (labels, log) = Load(name);
        var panic = PanicLog.Read(log);

        Assert.Equal(labels["kind"], panic.Kind.ToString());
        Assert.Equal(labels["function"], panic.FaultingFunction ?? "-");
        Assert.NotNull(panic.Reason);
        Assert.NotNull(PanicSignature.Of(panic));
        if (log.Contains(" PID: ", StringComparison.Ordinal) || log.Contains("Pid: ", StringComparison.Ordinal))
        {
            Assert.NotNull(panic.TaskName);
            Assert.NotNull(panic.TaskPid);
            Assert.NotNull(panic.Taint);
            Assert.StartsWith(labels["series"], panic.Release, StringComparison.Ordinal);
        }

        if (log.Contains("Hardware name: ", StringComparison.Ordinal))
        {
            Assert.NotNull(panic.MachineModel);
        }
    }

    [Fact]
    public void Signatures_are_equal_for_the_same_fault_and_different_for_others()
    {
        var all = Names.Select(name =>
        {
            var (labels, log) = Load(name);
            var own = name[(name.IndexOf('-', StringComparison.Ordinal) + 1)..];
            return (Group: labels.GetValueOrDefault("same-as", own), Signature: PanicSignature.Of(PanicLog.Read(log))!, Name: name);
        }).ToList();

        Assert.True(all.Count >= 30);
        Assert.True(all.Select(c => Load(c.Name).Labels["series"]).Distinct().Count() >= 5);
        foreach (var group in all.GroupBy(c => c.Group))
        {
            Assert.True(group.Select(c => c.Signature).Distinct().Count() == 1, $"{group.Key}: {string.Join(", ", group)}");
        }

        foreach (var same in all.GroupBy(c => c.Signature))
        {
            Assert.True(same.Select(c => c.Group).Distinct().Count() == 1, string.Join(", ", same));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Another_host_boot_and_compiler_leave_the_signature(string name)
    {
        var (_, log) = Load(name);
        var panic = PanicLog.Read(log);
        var other = log.Replace("PID: ", "PID: 1", StringComparison.Ordinal).Replace("Hardware name: ", "Hardware name: Other ", StringComparison.Ordinal)
            .Replace("ffffffff8", "ffffffffa", StringComparison.Ordinal).Replace("ffffffffc0", "ffffffffc2", StringComparison.Ordinal)
            .Replace("+0x", ".isra.0.cold+0x", StringComparison.Ordinal);

        Assert.Equal(PanicSignature.Of(panic), PanicSignature.Of(PanicLog.Read(other)));
    }
}
