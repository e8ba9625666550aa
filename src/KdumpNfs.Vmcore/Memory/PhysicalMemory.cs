using KdumpNfs.Vmcore.Compression;
using KdumpNfs.Vmcore.Formats;

namespace KdumpNfs.Vmcore.Memory;

/// <summary>The crashed machine's memory by physical address, with a cache of unpacked pages. For one thread.</summary>
internal sealed class PhysicalMemory : IDisposable
{
    private const int CacheBytes = 4 << 20;

    private readonly DumpPages _pages;
    private readonly PageDecoder _decoder = new();
    private readonly int _shift;
    private readonly byte[]?[] _slots;
    private readonly ulong[] _numbers;
    private readonly PageState[] _states;
    private readonly Dictionary<ulong, int> _index = [];
    private int _next;
    private int _last = -1;

    public PhysicalMemory(DumpPages pages)
    {
        _pages = pages;
        _shift = int.TrailingZeroCount(pages.PageSize);
        var count = Math.Max(16, CacheBytes / pages.PageSize);
        _slots = new byte[count][];
        _numbers = new ulong[count];
        _states = new PageState[count];
    }

    /// <summary>Collects the numbers of the pages that are read; null to collect nothing.</summary>
    public ISet<ulong>? PagesRead { get; set; }

    /// <summary>Bytes in a page of the dump.</summary>
    public int PageSize => _pages.PageSize;

    /// <summary>Reads memory.</summary>
    /// <returns>How many of the bytes are not in the dump; they are zero in the buffer.</returns>
    public int Read(ulong address, Span<byte> buffer)
    {
        var missing = 0;
        while (!buffer.IsEmpty)
        {
            var inside = (int)(address & (ulong)(PageSize - 1));
            var count = Math.Min(buffer.Length, PageSize - inside);
            var slot = Slot(address >> _shift);
            _slots[slot].AsSpan(inside, count).CopyTo(buffer);
            if (_states[slot] != PageState.Present)
            {
                missing += count;
            }

            buffer = buffer[count..];
            address += (ulong)count;
        }

        return missing;
    }

    /// <summary>What the dump has of the page at an address.</summary>
    public PageState StateOf(ulong address) => _states[Slot(address >> _shift)];

    /// <summary>Tells which addresses will be read next.</summary>
    public void Prefetch(List<ulong> addresses)
    {
        var pages = new List<ulong>(addresses.Count);
        foreach (var address in addresses)
        {
            var page = address >> _shift;
            if (!_index.ContainsKey(page) && (pages.Count == 0 || pages[^1] != page))
            {
                pages.Add(page);
            }
        }

        _pages.Prefetch(pages);
    }

    /// <inheritdoc/>
    public void Dispose() => _decoder.Dispose();

    private int Slot(ulong page)
    {
        if (_last >= 0 && _numbers[_last] == page)
        {
            return _last;
        }

        if (_index.TryGetValue(page, out var slot))
        {
            return _last = slot;
        }

        // Round robin: what is walked often (page tables) is read again at small cost.
        slot = _next;
        _next = (_next + 1) % _slots.Length;
        if (_slots[slot] is null)
        {
            _slots[slot] = new byte[PageSize];
        }
        else
        {
            _index.Remove(_numbers[slot]);
        }

        _last = -1;
        PagesRead?.Add(page);
        _states[slot] = _pages.Read(page, _slots[slot], _decoder);
        _numbers[slot] = page;
        _index[page] = slot;
        return _last = slot;
    }
}
