using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace KdumpNfs.Vmcore.Report;

/// <summary>A short text that is equal for the same fault and different for others, so that a fleet's crashes can be grouped.</summary>
/// <remarks>
/// <para>Form: <c>1:KIND:FUNCTION:HASH</c>. 1 is the version of these rules; another version gives other signatures for the same fault. KIND and FUNCTION are there
/// for people; the hash is the first 48 bits of SHA-256 over version, kind, function and what follows, as hexadecimal.</para>
/// <para>In the hash: the kind; the function in which it happened; the next three reliable frames of the trace without those that only report (panic, page_fault), wait
/// (schedule, of hung tasks) or are how the kernel is entered (system calls, threads, idle). Names of functions without the suffixes of clones (.cold, .isra.0,
/// .constprop.0, .part.0, .llvm.1, .lto_priv.0, .cfi_jt) and without offsets, sizes, addresses, "?" frames and frames at offset 0 (return addresses behind a call that does not return, named after the next function).</para>
/// <para>Where no function is known, and for crashes that are not a fault of code (out of memory, init killed, no root, machine check, NMI), the kernel's words
/// take its place, numbers and addresses taken out; the exit code of init stays. Sysrq crashes are all equal: somebody asked for them.</para>
/// <para>Not in it: host, time, task, CPU, kernel release, taint, modules, registers.</para>
/// </remarks>
public static partial class PanicSignature
{
    /// <summary>The version of the rules.</summary>
    public const int Version = 1;

    private const int Frames = 3;

    /// <summary>The signature of an event; null when its kind is not known.</summary>
    public static string? Of(PanicEvent panic)
    {
        ArgumentNullException.ThrowIfNull(panic);
        if (panic.Kind == PanicKind.Unknown)
        {
            return null;
        }

        var byWords = panic.Kind is PanicKind.OutOfMemory or PanicKind.InitKilled or PanicKind.BootFailure or PanicKind.MachineCheck or PanicKind.Nmi;
        var function = panic.Kind == PanicKind.Sysrq || byWords || panic.FaultingFunction is null ? null : FunctionName.Normalize(panic.FaultingFunction);
        var parts = new List<string> { Version.ToString(CultureInfo.InvariantCulture), panic.Kind.ToString() };
        if (panic.Kind != PanicKind.Sysrq)
        {
            if (function is null)
            {
                parts.Add(Words(panic.Reason ?? ""));
            }
            else
            {
                parts.Add(function);
                parts.AddRange(Callers(panic, function));
            }
        }

        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))).AsSpan(0, 6)).ToLowerInvariant();
        return $"{Version.ToString(CultureInfo.InvariantCulture)}:{panic.Kind}:{function ?? "-"}:{hash}";
    }

    /// <summary>The frames behind the function, without those that say nothing about the fault.</summary>
    private static IEnumerable<string> Callers(PanicEvent panic, string function)
    {
        var frames = panic.CallTrace.Where(f => f.Reliable && !f.IsBehindCaller).Select(f => FunctionName.Normalize(f.Function)).ToList();

        // The trace may begin with the report, or with the function itself.
        var own = frames.IndexOf(function);
        var rest = own >= 0 ? frames.Skip(own + 1) : frames.SkipWhile(TraceWords.IsMachinery);
        return rest.Where(f => !TraceWords.IsMachinery(f) && !TraceWords.IsEntry(f) && !TraceWords.IsWaiting(f)).Take(Frames);
    }

    private static string Words(string reason)
    {
        const string Panic = "Kernel panic - not syncing: ";
        var text = reason.StartsWith(Panic, StringComparison.Ordinal) ? reason[Panic.Length..] : reason;

        // In brackets stands the line that led to the panic, with its task, or the panic that followed.
        var bracket = text.EndsWith(')') ? text.LastIndexOf(" (", StringComparison.Ordinal) : -1;
        text = bracket > 0 ? text[..bracket] : text;
        var exit = ExitCode().Match(text);
        return Numbers().Replace(text, "#").Trim() + (exit.Success ? exit.Value : "");
    }

    [GeneratedRegex(@"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{8,}\b|\d+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"exitcode=0x[0-9a-f]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ExitCode();
}
