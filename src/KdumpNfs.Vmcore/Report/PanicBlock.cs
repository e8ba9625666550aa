using System.Text.RegularExpressions;

namespace KdumpNfs.Vmcore.Report;

/// <summary>The lines behind a headline: CPU, task, place, trace.</summary>
internal sealed partial class PanicBlock
{
    private const int MaximumBlock = 400;

    public int? Cpu { get; private set; }

    public int? Pid { get; private set; }

    public string? Comm { get; private set; }

    public string? Taint { get; private set; }

    public string? Release { get; private set; }

    public string? Hardware { get; private set; }

    public string? Function { get; private set; }

    public string? Offset { get; private set; }

    public string? Module { get; private set; }

    public List<CallTraceFrame> Trace { get; private set; } = [];

    /// <summary>Reads the block of an event.</summary>
    public static PanicBlock Read(List<LogLine> lines, int headline, int panic, PanicKind kind)
    {
        var block = new PanicBlock();
        var start = headline >= 0 ? headline : panic;
        if (start < 0)
        {
            return block;
        }

        // An event that begins with its own lines ends where the panic starts to print its own trace, unless that is all there is.
        var ownTrace = headline >= 0 && panic > headline;
        var end = Math.Min(lines.Count, ownTrace ? panic : start + MaximumBlock);
        block.Walk(lines, start, Math.Min(end, start + MaximumBlock));
        if (ownTrace && (block.Trace.Count == 0 || block.Cpu is null))
        {
            block.Walk(lines, panic, Math.Min(lines.Count, panic + MaximumBlock));
        }

        block.Refine(lines[start].Text, kind);
        return block;
    }

    private void Walk(List<LogLine> lines, int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            var text = lines[i].Text;
            if (Cpu is null && CpuPattern().Match(text) is { Success: true } cpu)
            {
                Cpu = LogNumber.Of(cpu.Groups["cpu"]);
                Pid ??= LogNumber.Of(cpu.Groups["pid"]);
                Comm ??= cpu.Groups["comm"].Value;
                Release ??= cpu.Groups["release"].Value;
                Taint ??= cpu.Groups["taint"] is { Success: true } taint ? string.Concat(taint.Value.Where(c => c != ' ')) : "";
            }
            else if (Comm is null && OldCpuPattern().Match(text) is { Success: true } old)
            {
                Pid = LogNumber.Of(old.Groups["pid"]);
                Comm = old.Groups["comm"].Value;
                Release = old.Groups["release"].Value;
                Taint = old.Groups["taint"] is { Success: true } taint ? string.Concat(taint.Value.Where(c => c != ' ')) : "";
            }
            else if (Hardware is null && text.IndexOf("Hardware name: ", StringComparison.Ordinal) is >= 0 and var hardware)
            {
                Hardware = text[(hardware + "Hardware name: ".Length)..].Trim();
            }
            else if (Function is null && Place(text) is { Success: true } place)
            {
                Set(place);
            }

            if (Trace.Count == 0 && CallTrace.IsHead(text))
            {
                Trace = CallTrace.Read(lines, i);
            }
        }
    }

    private void Refine(string headline, PanicKind kind)
    {
        if (SoftPattern().Match(headline) is { Success: true } soft)
        {
            // The watchdog's own context is the stuck CPU's interrupt: the numbers of the headline are the task's.
            Cpu ??= LogNumber.Of(soft.Groups["cpu"]);
            Comm = soft.Groups["comm"].Value;
            Pid = LogNumber.Of(soft.Groups["pid"]);
        }
        else if (PanicHeadline.HungPattern().Match(headline) is { Success: true } hung)
        {
            Comm = hung.Groups["comm"].Value;
            Pid = LogNumber.Of(hung.Groups["pid"]);
            Cpu = null;
        }
        else if (HardCpu().Match(headline) is { Success: true } hard)
        {
            Cpu = LogNumber.Of(hard.Groups["cpu"]);
        }
        else if (kind == PanicKind.Warning && WarningPlace().Match(headline) is { Success: true } warning)
        {
            Set(warning);
        }
        else if (StackPlace().Match(headline) is { Success: true } stack)
        {
            Set(stack);
        }

        if (Function is null && kind is not (PanicKind.OutOfMemory or PanicKind.InitKilled or PanicKind.BootFailure or PanicKind.MachineCheck or PanicKind.Nmi) &&
            Trace.Find(f => f.Reliable && !f.IsBehindCaller && !TraceWords.IsMachinery(f.Function) && !TraceWords.IsEntry(f.Function) && !TraceWords.IsWaiting(f.Function)) is { } frame)
        {
            (Function, Offset, Module) = (frame.Function, frame.Offset, frame.Module);
        }
    }

    private void Set(Match match)
    {
        Function = match.Groups["name"].Value;
        Offset = match.Groups["offset"] is { Success: true } offset ? offset.Value : null;
        Module = match.Groups["module"] is { Success: true } module ? module.Value : null;
    }

    // A place in user space (segment 0033, an address without a name) says nothing.
    private static Match Place(string text) =>
        text.Contains("RIP", StringComparison.Ordinal) || text.Contains("IP:", StringComparison.Ordinal) || text.Contains("pc", StringComparison.Ordinal) || text.Contains("PC is", StringComparison.Ordinal) ||
        text.Contains("NIP", StringComparison.Ordinal) || text.Contains("PSW", StringComparison.Ordinal) ? PlacePattern().Match(text) : Match.Empty;

    // The comm may hold spaces and anything else; release and taint behind it are plain.
    [GeneratedRegex(@"CPU: (?<cpu>\d{1,6}) (UID: \d+ )?PID: (?<pid>\d{1,10}) Comm: (?<comm>.{1,64}?) (Kdump: loaded )?(Not tainted|Tainted: (\[[A-Z]\]=\S+ ?)*(?<taint>[A-Z\- ]+?)) +(?<release>[0-9][^ ]*)( |$)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex CpuPattern();

    [GeneratedRegex(@"^Pid: (?<pid>\d{1,10}), comm: (?<comm>.{1,64}?) (Not tainted|Tainted: (?<taint>[A-Z\- ]+?)) +(\([^)]*\) )?(?<release>[0-9][^ ]*)( |$)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex OldCpuPattern();

    [GeneratedRegex(@"((RIP|IP|EIP)(: |  )+((0010|e030|0060|0061):)?(\[<[0-9a-f]+>\] *)*|^pc : (\[<[0-9a-f]+>\] *)?|^PC is at |^epc : |^NIP \[[0-9a-f]+\] |^Krnl PSW : [0-9a-f]+ [0-9a-f]+ \()(?<name>[A-Za-z_][\w.$]*)\+(?<offset>0x[0-9a-f]+/0x[0-9a-f]+)( \[(?<module>\w+)[^\]]*\])?", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PlacePattern();

    [GeneratedRegex(@"soft lockup - CPU#(?<cpu>\d{1,6}) stuck for \d+s! \[(?<comm>.{1,64}):(?<pid>\d{1,10})\]", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SoftPattern();

    [GeneratedRegex(@"(LOCKUP on cpu |CPU:? ?(?=\d+ Hard LOCKUP))(?<cpu>\d{1,6})", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex HardCpu();

    [GeneratedRegex(@" \S+:\d+ (at )?(?<name>[A-Za-z_][\w.$]*)\+(?<offset>0x[0-9a-f]+/0x[0-9a-f]+)(\(\))?( \[(?<module>\w+)\])?", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex WarningPlace();

    [GeneratedRegex(@"stack is corrupted in: (?<name>[A-Za-z_][\w.$]*)\+(?<offset>0x[0-9a-f]+/0x[0-9a-f]+)( \[(?<module>\w+)\])?", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex StackPlace();
}
