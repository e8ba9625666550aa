using System.Globalization;
using System.Text;
using KdumpNfs.Vmcore.Memory;

namespace KdumpNfs.Vmcore.Symbols;

/// <summary>A symbol and a place in it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Offset">Bytes from its beginning.</param>
/// <param name="Size">Bytes to the next symbol; 0 when it is the last.</param>
internal readonly record struct SymbolPlace(string Name, ulong Offset, ulong Size)
{
    /// <summary>As the kernel writes it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}+0x{Offset:x}/0x{Size:x}");
}

/// <summary>The symbols that a kernel carries for its own traces, found through VMCOREINFO (6.0 and later).</summary>
/// <remarks>
/// Sources: the kernel's kernel/kallsyms.c and scripts/kallsyms.c. Addresses are 32-bit offsets, kept in one of three ways over time: absolute for
/// per-CPU symbols and else negative (x86 with SMP before 6.15), relative to kallsyms_relative_base, or relative to their own place; the way in which
/// _stext comes out right is the one. Names are sequences of tokens; the length before each has two bytes when the first one's upper bit is set (6.1).
/// VMCOREINFO does not name kallsyms_markers (the place of every 256th name), but they lie right before the token table; where they are not
/// found there, names are counted from the first. Only the pages that a search touches are read.
/// </remarks>
internal sealed class Kallsyms
{
    private const int MaximumSymbols = 4_000_000;
    private const int MaximumName = 1024;
    private const int Window = 4096;

    private readonly AddressSpace _space;
    private readonly uint _count;
    private readonly ulong _names, _offsets, _base, _markers;
    private readonly string[] _tokens;
    private readonly Dictionary<ulong, SymbolPlace?> _found = [];
    private Func<int, uint, ulong> _address = null!;

    private Kallsyms(AddressSpace space, uint count, ulong names, ulong offsets, ulong relativeBase, ulong markers, string[] tokens)
    {
        _space = space;
        _count = count;
        _names = names;
        _offsets = offsets;
        _base = relativeBase;
        _markers = markers;
        _tokens = tokens;
    }

    /// <summary>Opens the symbols; null where the kernel does not name them or they are not in the dump.</summary>
    public static Kallsyms? TryOpen(VmcoreInfo info, AddressSpace space)
    {
        if (info.Symbol("kallsyms_names") is not { } names || info.Symbol("kallsyms_num_syms") is not { } number ||
            info.Symbol("kallsyms_token_table") is not { } tokens || info.Symbol("kallsyms_token_index") is not { } index ||
            info.Symbol("kallsyms_offsets") is not { } offsets || info.Symbol("_stext") is not { } text)
        {
            return null;
        }

        try
        {
            var count = space.UInt32(number, "the number of symbols");
            var relative = info.Symbol("kallsyms_relative_base") is { } address ? space.Word(address, "the base of the symbols") : 0;
            if (count is < 2 or > MaximumSymbols || ReadTokens(space, tokens, index) is not { } table)
            {
                return null;
            }

            var symbols = new Kallsyms(space, count, names, offsets, relative, FindMarkers(space, names, tokens, count), table);
            return symbols.ChooseAddressing(text) ? symbols : null;
        }
        catch (VmcoreFormatException)
        {
            // The dump lacks those pages; addresses stay numbers.
            return null;
        }
    }

    /// <summary>The symbol that an address is in; null when it is before the first one, or the dump lacks the pages.</summary>
    public SymbolPlace? Find(ulong address)
    {
        if (!_found.TryGetValue(address, out var place))
        {
            try
            {
                place = Search(address);
            }
            catch (VmcoreFormatException)
            {
                place = null;
            }

            _found[address] = place;
        }

        return place;
    }

    private static string[]? ReadTokens(AddressSpace space, ulong table, ulong index)
    {
        var places = new byte[512];
        space.Read(index, places, "the index of the symbols' tokens");
        var last = space.Order.UInt16(places.AsSpan(510));
        var text = new byte[last + 64];
        space.ReadLenient(table, text);
        var tokens = new string[256];
        for (var i = 0; i < 256; i++)
        {
            var start = space.Order.UInt16(places.AsSpan(i * 2));
            if (start >= text.Length || text.AsSpan(start).IndexOf((byte)0) is not (>= 0 and var length))
            {
                return null;
            }

            tokens[i] = Encoding.Latin1.GetString(text, start, length);
        }

        return tokens;
    }

    // The markers end at the token table, at most seven bytes of padding before it; the first one is 0 and they grow.
    private static ulong FindMarkers(AddressSpace space, ulong names, ulong tokens, uint count)
    {
        var number = (count + 255) / 256;
        if (tokens <= names || tokens - names < number * 4)
        {
            return 0;
        }

        var at = (tokens - (number * 4)) & ~7UL;
        Span<byte> bytes = stackalloc byte[8];
        if (!space.TryRead(at, bytes) || space.Order.UInt32(bytes) != 0)
        {
            return 0;
        }

        var second = space.Order.UInt32(bytes[4..]);
        return number == 1 || (second is > 256 and < 256 * MaximumName && second < at - names) ? at : 0;
    }

    private bool ChooseAddressing(ulong text)
    {
        foreach (var way in new Func<int, uint, ulong>[]
        {
            (_, value) => (int)value >= 0 ? value : _base - 1 - (ulong)(int)value,
            (_, value) => _base + value,
            (index, value) => _offsets + ((ulong)index * 4) + (ulong)(int)value,
        })
        {
            _address = way;
            if (Index(text) is { } index && AddressOf(index) == text)
            {
                return true;
            }
        }

        return false;
    }

    private ulong AddressOf(int index) => _address(index, _space.UInt32(_offsets + ((ulong)index * 4), "the addresses of the symbols"));

    // The last symbol at or before the address.
    private int? Index(ulong address)
    {
        var (low, high) = (0, (int)_count);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (AddressOf(middle) <= address)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return AddressOf(low) <= address ? low : null;
    }

    private SymbolPlace? Search(ulong address)
    {
        if (Index(address) is not { } index)
        {
            return null;
        }

        // Of several names for one address the kernel takes the first.
        var start = AddressOf(index);
        while (index > 0 && AddressOf(index - 1) == start)
        {
            index--;
        }

        ulong end = 0;
        for (var i = index + 1; i < _count && i < index + 4096 && end == 0; i++)
        {
            end = AddressOf(i) is var other && other > start ? other : 0;
        }

        return NameOf(index) is { } name ? new SymbolPlace(name, address - start, end == 0 ? 0 : end - start) : null;
    }

    private string? NameOf(int index)
    {
        var place = _names;
        var number = 0;
        if (_markers != 0)
        {
            place += _space.UInt32(_markers + ((ulong)(index >> 8) * 4), "the markers of the symbols");
            number = index & ~255;
        }

        var window = new byte[Window];
        ulong from = 0;
        var known = 0;
        for (; ; number++)
        {
            // Enough for a name and its length, whatever they are.
            if (known == 0 || place - from > (ulong)(known - MaximumName - 2))
            {
                from = place;
                known = window.Length;
                if (_space.ReadLenient(from, window) == window.Length)
                {
                    return null;
                }
            }

            var bytes = window.AsSpan((int)(place - from));
            int length = bytes[0], head = 1;
            if (length >= 0x80)
            {
                length = (length & 0x7f) | (bytes[1] << 7);
                head = 2;
            }

            if (length is 0 or > MaximumName)
            {
                return null;
            }

            if (number == index)
            {
                return Expand(bytes.Slice(head, length));
            }

            place += (ulong)(head + length);
        }
    }

    // The first character is the symbol's type.
    private string? Expand(ReadOnlySpan<byte> data)
    {
        var name = new StringBuilder();
        foreach (var b in data)
        {
            name.Append(_tokens[b]);
            if (name.Length > MaximumName)
            {
                return null;
            }
        }

        var text = name.Length < 2 ? null : name.ToString(1, name.Length - 1);
        return text is not null && text.All(c => c is > ' ' and < '\x7f') ? text : null;
    }
}
