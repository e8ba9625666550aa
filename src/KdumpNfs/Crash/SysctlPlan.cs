using System.Security.Cryptography;
using KdumpNfs.Text;

namespace KdumpNfs.Crash;

/// <summary>A kernel parameter before and after a change.</summary>
/// <param name="Key">Its name, with dots.</param>
/// <param name="Before">The value in force before.</param>
/// <param name="After">The value in force after.</param>
public sealed record SysctlValueChange(string Key, string Before, string After)
{
    /// <summary>One line.</summary>
    public override string ToString() => $"{Key} {Before} -> {After}";
}

/// <summary>A change of kernel parameters: what is to be in force, in our drop-in and in the record of what was there before.</summary>
internal sealed record SysctlPlan
{
    /// <summary>What the plan was made from.</summary>
    public required SysctlFacts Facts { get; init; }

    /// <summary>Values to give the running kernel; those in force already are not among them.</summary>
    public IReadOnlyList<SysctlValueChange> Values { get; init; } = [];

    /// <summary>The drop-in afterwards; null for none.</summary>
    public byte[]? NewContent { get; init; }

    /// <summary>The record afterwards; null for none.</summary>
    public SysctlRecord? NewRecord { get; init; }

    /// <summary>Parameters that the running kernel does not know.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>Parameters that somebody else changed since; a restore leaves them.</summary>
    public IReadOnlyList<string> Foreign { get; init; } = [];

    /// <summary>The drop-in before; null for none.</summary>
    public byte[]? OldContent => Facts.DropIn?.Content.ToArray();

    /// <summary>Whether the drop-in changes.</summary>
    public bool WritesFile => (OldContent is null) != (NewContent is null) || !(OldContent ?? []).AsSpan().SequenceEqual(NewContent);

    /// <summary>Whether anything is to be done on the host.</summary>
    public bool Changes => Values.Count > 0 || WritesFile || (Facts.Record is not null && NewRecord is null);

    /// <summary>The change of the drop-in as a unified diff.</summary>
    public string Diff => WritesFile ? UnifiedDiff.Show(OldContent ?? [], NewContent ?? [], EnableSysrqOperation.DropInPath, EnableSysrqOperation.DropInPath) : "";

    /// <summary>Sets parameters.</summary>
    public static SysctlPlan Set(SysctlFacts facts, IReadOnlyList<KeyValuePair<string, string>> wanted, SettingScope scope)
    {
        var known = wanted.Where(w => facts.Value(w.Key) is not null).ToList();
        var values = known.Where(w => facts.Value(w.Key) != w.Value).Select(w => new SysctlValueChange(w.Key, facts.Value(w.Key)!, w.Value)).ToList();
        var old = facts.DropIn?.Content.ToArray();
        var document = SysctlDropIn.Parse(old ?? []);
        var touched = values.Select(v => v.Key).ToHashSet(StringComparer.Ordinal);
        if (scope == SettingScope.Persistent)
        {
            foreach (var (key, value) in known)
            {
                var edited = document.With(key, value);
                if (edited != document)
                {
                    touched.Add(key);
                }

                document = edited;
            }
        }

        var content = known.Count > 0 && scope == SettingScope.Persistent ? document.ToBytes() : old;
        var plan = new SysctlPlan
        {
            Facts = facts,
            Values = values,
            NewContent = content,
            NewRecord = facts.Record,
            Unknown = [.. wanted.Where(w => facts.Value(w.Key) is null).Select(w => w.Key)],
        };
        if (touched.Count == 0)
        {
            return plan;
        }

        var record = facts.Record is { } earlier
            ? earlier with { SharedSince = earlier.SharedSince || earlier.DropInSha != Sha(old), DropInSha = Sha(content) }
            : new SysctlRecord { Since = facts.Now, DropInBefore = old, DropInSha = Sha(content) };
        var remembered = record.Values.Select(v => touched.Contains(v.Key) ? v with { Set = known.First(w => w.Key == v.Key).Value } : v).ToList();
        remembered.AddRange(known.Where(w => touched.Contains(w.Key) && remembered.TrueForAll(v => v.Key != w.Key))
            .Select(w => new RememberedValue(w.Key, facts.Value(w.Key)!, w.Value)));
        return plan with { NewRecord = record with { Values = remembered } };
    }

    /// <summary>Sets parameters in the files of an image tree. Which of them its kernel knows is seen when it runs: sysctl leaves out the others then.</summary>
    public static SysctlPlan Image(SysctlFacts facts, IReadOnlyList<KeyValuePair<string, string>> wanted) => new()
    {
        Facts = facts,
        NewContent = wanted.Aggregate(SysctlDropIn.Parse(facts.DropIn?.Content.ToArray() ?? []), (document, w) => document.With(w.Key, w.Value)).ToBytes(),
    };

    /// <summary>Brings back what was there before us, but nothing that somebody else changed since.</summary>
    /// <param name="facts">The host.</param>
    /// <param name="scope">Boot: only what is in force; the drop-in and what is remembered stay.</param>
    public static SysctlPlan Restore(SysctlFacts facts, SettingScope scope)
    {
        var old = facts.DropIn?.Content.ToArray();
        if (facts.Record is not { } record)
        {
            return new SysctlPlan { Facts = facts, NewContent = old };
        }

        var foreign = new List<string>();
        var values = new List<SysctlValueChange>();
        foreach (var value in record.Values)
        {
            if (facts.Value(value.Key) is not { } now || now == value.Before)
            {
                continue;
            }

            // After a reboot a value of ours may be gone: what is there now is not ours to change.
            if (now == value.Set)
            {
                values.Add(new SysctlValueChange(value.Key, now, value.Before));
            }
            else
            {
                foreign.Add(value.Key);
            }
        }

        if (scope == SettingScope.Boot)
        {
            return new SysctlPlan { Facts = facts, Values = values, NewContent = old, NewRecord = record, Foreign = foreign };
        }

        // Nobody else wrote it: byte for byte what it was. Else only our lines go back.
        var content = !record.SharedSince && record.DropInSha == Sha(old) ? record.DropInBefore : OurLinesBack(record, old, foreign);
        return new SysctlPlan { Facts = facts, Values = values, NewContent = content, Foreign = [.. foreign.Distinct()] };
    }

    private static byte[]? OurLinesBack(SysctlRecord record, byte[]? old, List<string> foreign)
    {
        if (old is null)
        {
            return null;
        }

        var before = SysctlDropIn.Parse(record.DropInBefore ?? []);
        var document = SysctlDropIn.Parse(old);
        foreach (var value in record.Values)
        {
            var now = document.Get(value.Key);
            if (now == value.Set)
            {
                document = document.WithLinesOf(value.Key, before);
            }
            else if (now is not null && now != before.Get(value.Key))
            {
                foreign.Add(value.Key);
            }
        }

        // A file that only ever held lines of ours goes as it came.
        var content = document.ToBytes();
        return content.Length == 0 && record.DropInBefore is not { Length: 0 } ? null : content;
    }

    private static string Sha(byte[]? content) => content is null ? "" : Convert.ToHexString(SHA256.HashData(content)).ToLowerInvariant();
}
