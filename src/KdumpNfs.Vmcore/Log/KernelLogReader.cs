using KdumpNfs.Vmcore.Memory;

namespace KdumpNfs.Vmcore.Log;

/// <summary>Finds the kernel's log and reads it.</summary>
internal static class KernelLogReader
{
    /// <summary>The largest log that is read: log_buf_len= may be up to 2 GiB, which nobody uses.</summary>
    public const int MaximumBytes = 64 << 20;

    /// <summary>Reads the log in whichever form this kernel has it.</summary>
    /// <exception cref="VmcoreFormatException">VMCOREINFO names none, or its memory is not in the dump.</exception>
    public static KernelLog Read(VmcoreInfo info, AddressSpace space) =>
        info.Symbol("prb") is { } ring ? RingBufferLog.Read(info, space, ring)
        : info.Symbol("log_buf") is not { } buffer || info.Symbol("log_buf_len") is not { } length
            ? throw new VmcoreFormatException("VMCOREINFO names no kernel log (neither prb nor log_buf).")
        : info.Symbol("log_first_idx") is { } first && info.Symbol("log_next_idx") is { } next ? StructuredLog.Read(info, space, buffer, length, first, next)
        : info.Symbol("log_end") is { } end ? PlainLog.Read(info, space, buffer, length, end)
        : throw new VmcoreFormatException("VMCOREINFO names a kernel log and not where it begins and ends.");

    /// <summary>The length of the log's buffer.</summary>
    public static int Length(AddressSpace space, ulong address)
    {
        var length = space.UInt32(address, "the length of the kernel log");
        return length is > 0 and <= MaximumBytes ? (int)length
            : throw new VmcoreFormatException($"The kernel log claims {length} bytes; the dump is damaged.");
    }

    /// <summary>What VMCOREINFO must say.</summary>
    public static int Required(int? value, string what) => value ?? throw new VmcoreFormatException($"VMCOREINFO does not have {what}, which the kernel log needs.");
}
