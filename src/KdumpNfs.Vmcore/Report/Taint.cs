namespace KdumpNfs.Vmcore.Report;

/// <summary>One reason why a kernel counts as tainted.</summary>
/// <param name="Letter">Its letter in the log.</param>
/// <param name="Meaning">What it says.</param>
public sealed record TaintFlag(char Letter, string Meaning)
{
    /// <summary>Letter and meaning.</summary>
    public override string ToString() => $"{Letter}: {Meaning}";

    // Source: the kernel's Documentation/admin-guide/tainted-kernels.rst. G only says that no proprietary module is loaded.
    private static readonly Dictionary<char, string> Meanings = new()
    {
        ['P'] = "a proprietary module was loaded",
        ['F'] = "a module was loaded by force",
        ['S'] = "the kernel runs on a system out of its specification",
        ['R'] = "a module was unloaded by force",
        ['M'] = "the processor reported a machine check",
        ['B'] = "a bad page was found",
        ['U'] = "user space asked for the taint",
        ['D'] = "the kernel had died before (an oops or BUG)",
        ['A'] = "an ACPI table was overridden",
        ['W'] = "the kernel had warned before",
        ['C'] = "a staging driver was loaded",
        ['I'] = "a bug of the firmware was worked around",
        ['O'] = "a module from outside the kernel was loaded",
        ['E'] = "an unsigned module was loaded",
        ['L'] = "there was a soft lockup before",
        ['K'] = "the kernel was live patched",
        ['X'] = "the distribution's own taint",
        ['T'] = "the kernel was built with randomized structures",
        ['N'] = "an in-kernel test was run",
        ['J'] = "user space used a mutating debug operation (fwctl)",
    };

    /// <summary>Spells out the letters of a log.</summary>
    public static IReadOnlyList<TaintFlag> Parse(string? letters) =>
        [.. (letters ?? "").Where(c => c is not ('G' or '-') && !char.IsWhiteSpace(c)).Distinct().Select(c => new TaintFlag(c, Meanings.GetValueOrDefault(c, "unknown to this version")))];
}
