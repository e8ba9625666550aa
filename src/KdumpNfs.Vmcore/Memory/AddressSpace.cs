using KdumpNfs.Vmcore.Formats;

namespace KdumpNfs.Vmcore.Memory;

/// <summary>The crashed kernel's virtual memory. For one thread.</summary>
internal abstract class AddressSpace(PhysicalMemory memory, ByteOrder order)
{
    private const int PrefetchPages = 4096;

    private ulong _start, _end, _physical;

    /// <summary>How the machine lays out numbers.</summary>
    public ByteOrder Order => order;

    /// <summary>Physical memory.</summary>
    protected PhysicalMemory Memory => memory;

    /// <summary>Finds the mapping of an address; null when there is none, or its page tables are not in the dump.</summary>
    public ulong? Translate(ulong address)
    {
        if (address < _start || address >= _end)
        {
            if (Walk(address) is not { } mapping)
            {
                return null;
            }

            (_start, _end, _physical) = mapping;
        }

        return _physical + (address - _start);
    }

    /// <summary>Reads memory.</summary>
    /// <returns>How many of the bytes are not in the dump; they are zero in the buffer.</returns>
    public int ReadLenient(ulong address, Span<byte> buffer)
    {
        if (buffer.Length > memory.PageSize)
        {
            Prefetch(address, buffer.Length);
        }

        var missing = 0;
        while (!buffer.IsEmpty)
        {
            // The smallest page there is; mappings of more are remembered by Translate.
            var count = Math.Min(buffer.Length, 4096 - (int)(address & 4095));
            if (Translate(address) is { } physical)
            {
                missing += memory.Read(physical, buffer[..count]);
            }
            else
            {
                buffer[..count].Clear();
                missing += count;
            }

            buffer = buffer[count..];
            address += (ulong)count;
        }

        return missing;
    }

    /// <summary>Reads memory; false when not all of it is in the dump.</summary>
    public bool TryRead(ulong address, Span<byte> buffer) => ReadLenient(address, buffer) == 0;

    /// <summary>Reads memory.</summary>
    /// <exception cref="VmcoreFormatException">Not all of it is in the dump.</exception>
    public void Read(ulong address, Span<byte> buffer, string what)
    {
        if (!TryRead(address, buffer))
        {
            throw new VmcoreFormatException($"The dump does not have {what} (memory at {address:x}).");
        }
    }

    /// <summary>Reads a 32-bit number.</summary>
    public uint UInt32(ulong address, string what)
    {
        Span<byte> bytes = stackalloc byte[4];
        Read(address, bytes, what);
        return order.UInt32(bytes);
    }

    /// <summary>Reads a word (long, pointer).</summary>
    public ulong Word(ulong address, string what)
    {
        Span<byte> bytes = stackalloc byte[order.WordSize];
        Read(address, bytes, what);
        return order.Word(bytes);
    }

    /// <summary>Walks the page tables.</summary>
    /// <returns>The mapping that holds the address: first and end address, and the physical address of the first.</returns>
    protected abstract (ulong Start, ulong End, ulong Physical)? Walk(ulong address);

    /// <summary>Reads an entry of a page table; null when the dump does not have it.</summary>
    protected ulong? Entry(ulong table, ulong index)
    {
        Span<byte> bytes = stackalloc byte[8];
        return memory.Read(table + (index * 8), bytes) == 0 ? order.UInt64(bytes) : null;
    }

    private void Prefetch(ulong address, int length)
    {
        var pages = new List<ulong>();
        for (long done = 0; done < length && pages.Count < PrefetchPages; done += 4096)
        {
            if (Translate(address + (ulong)done) is { } physical)
            {
                pages.Add(physical);
            }
        }

        if (length > 0 && Translate(address + (ulong)length - 1) is { } last)
        {
            pages.Add(last);
        }

        memory.Prefetch(pages);
    }
}
