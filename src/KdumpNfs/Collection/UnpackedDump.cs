using KdumpNfs.Vmcore;

namespace KdumpNfs.Collection;

/// <summary>Judges a dump inside a general compression (Debian's KDUMP_COMPRESSION) by what came out of it.</summary>
internal static class UnpackedDump
{
    /// <summary>
    /// Combines the look at the file with a look inside. Only a flattened dump can be told whole from its last bytes without its length; the
    /// capture pipes makedumpfile into the compression, and a pipe can only take that format.
    /// </summary>
    /// <param name="outside">What the compressed file itself gave.</param>
    /// <param name="head">The first bytes inside.</param>
    /// <param name="tail">The last bytes inside; null when nobody unpacked that far.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<VmcoreCheckResult> JudgeAsync(VmcoreCheckResult outside, byte[] head, byte[]? tail, CancellationToken cancellationToken)
    {
        var source = new ExcerptByteSource(tail is null ? long.MaxValue : (1L << 60)).Add(0, head);
        if (tail is not null)
        {
            source.Add(source.Length - tail.Length, tail);
        }

        var inside = await VmcoreCheck.ReadAsync(source, cancellationToken).ConfigureAwait(false);
        var envelope = outside.Header?.Format ?? VmcoreFormat.Unknown;
        if (inside.Header is not { } header)
        {
            return tail is null ? outside : new VmcoreCheckResult(inside.Integrity, outside.Header, $"Inside {envelope}: {inside.Reason}");
        }

        var known = header with { Format = envelope };
        return inside.Integrity == VmcoreIntegrity.MarkedIncomplete ? inside with { Header = known }
            : tail is null ? outside with { Header = known }
            : header.Format == VmcoreFormat.Flattened ? new VmcoreCheckResult(inside.Integrity, known, inside.Reason)
            : outside with { Header = known, Reason = $"Inside {envelope} is no flattened dump; unpack it to see whether it is whole." };
    }
}
