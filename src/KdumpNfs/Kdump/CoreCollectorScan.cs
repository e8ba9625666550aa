using System.Globalization;

namespace KdumpNfs.Kdump;

/// <content>Reading the options as getopt_long does.</content>
public sealed partial class CoreCollector
{
    private void Scan()
    {
        Compression = VmcoreCompression.None;
        DumpLevel = Kdump.DumpLevel.None;
        DumpLevels = [Kdump.DumpLevel.None];
        for (var i = WithProgram ? 1 : 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "--")
            {
                break;
            }

            i = word.StartsWith("--", StringComparison.Ordinal) ? ScanLong(i, word[2..])
                : word.Length > 1 && word[0] == '-' ? ScanShort(i, word) : i;
        }

        if (Elf && Compression != VmcoreCompression.None)
        {
            Problem ??= "-E and a compression exclude each other.";
        }
    }

    private int ScanShort(int i, string word)
    {
        for (var at = 1; at < word.Length; at++)
        {
            var letter = word[at];
            if (!Letters.Contains(letter, StringComparison.Ordinal))
            {
                Problem ??= $"unknown option -{letter}.";
                continue;
            }

            if (!WithValue.Contains(letter, StringComparison.Ordinal))
            {
                options.Add(new Option(i, at, letter, -1));
                Flattened |= letter == 'F';
                Elf |= letter == 'E';
                Compression = VmcoreCompressions.FromFlag(letter) ?? Compression;
                continue;
            }

            var inside = at + 1 < word.Length;
            var valueWord = inside ? i : i + 1 < words.Count ? i + 1 : -1;
            options.Add(new Option(i, at, letter, valueWord));
            var value = inside ? word[(at + 1)..] : valueWord < 0 ? null : words[valueWord];
            if (value is null)
            {
                Problem ??= $"-{letter} needs a value.";
            }
            else if (letter == 'd')
            {
                ReadLevels(value);
            }

            return inside ? i : Math.Max(valueWord, i);
        }

        return i;
    }

    private int ScanLong(int i, string word)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? word : word[..equals];
        var matches = LongWithValue.Concat(LongWithout).Where(o => o == name).ToArray();
        // getopt_long takes any beginning that fits one option only.
        matches = matches.Length == 1 ? matches : LongWithValue.Concat(LongWithout).Where(o => o.StartsWith(name, StringComparison.Ordinal)).ToArray();
        if (matches.Length != 1 || name.Length == 0)
        {
            Problem ??= $"unknown option --{Printable.Escape(name)}.";
            return i;
        }

        if (LongWithout.Contains(matches[0]))
        {
            return i;
        }

        var value = equals >= 0 ? word[(equals + 1)..] : i + 1 < words.Count ? words[i + 1] : null;
        if (value is null)
        {
            Problem ??= $"--{matches[0]} needs a value.";
        }
        else if (matches[0] == "message-level")
        {
            MessageLevel = Number(value);
            messageWord = equals >= 0 ? i : i + 1;
        }

        return equals >= 0 ? i : Math.Min(i + 1, words.Count - 1);
    }

    private void ReadLevels(string value)
    {
        var levels = value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Number).ToArray();
        if (levels.Length == 0 || levels.Any(l => l is < 0 or > 31))
        {
            Problem ??= $"'{Printable.Escape(value)}' is not a dump level.";
            DumpLevels = [];
            DumpLevel = null;
            return;
        }

        DumpLevels = [.. levels.Select(l => (DumpLevel)l)];
        DumpLevel = DumpLevels[0];
    }

    // atoi(3), which makedumpfile uses: the digits at the start count, nothing else does.
    private static int Number(string text)
    {
        var trimmed = text.TrimStart();
        var sign = trimmed.StartsWith('-') ? -1 : 1;
        var digits = string.Concat(trimmed.TrimStart('-', '+').TakeWhile(char.IsAsciiDigit));
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? sign * number : digits.Length > 0 ? int.MaxValue : 0;
    }
}
