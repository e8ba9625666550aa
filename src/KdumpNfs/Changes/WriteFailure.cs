namespace KdumpNfs.Changes;

/// <summary>A file of a host that could not be written: which of the usual reasons it was, and what to do about it.</summary>
internal static class WriteFailure
{
    /// <summary>NoSpace, FileSystemReadOnly, or WriteFailed for anything else.</summary>
    /// <param name="said">The host's words: those of strerror in the C locale, which jobs run in.</param>
    public static string IdOf(string? said)
    {
        bool Has(string words) => said?.Contains(words, StringComparison.Ordinal) == true;
        return Has("No space left on device") || Has("Disk quota exceeded") ? ErrorIds.NoSpace
            : Has("Read-only file system") ? ErrorIds.FileSystemReadOnly
            : ErrorIds.WriteFailed;
    }

    /// <summary>Whether it is one of them.</summary>
    public static bool Is(string id) => id is ErrorIds.WriteFailed or ErrorIds.NoSpace or ErrorIds.FileSystemReadOnly;

    /// <summary>What to do about it on the host.</summary>
    public static string Remedy(string id) => id switch
    {
        ErrorIds.NoSpace => "Make room there (df -h and df -i show which file system is full), then run the command again.",
        ErrorIds.FileSystemReadOnly => "Find out why it is read-only: after an I/O error the kernel makes it so (dmesg), and some systems mean to be (transactional or image-based ones).",
        _ => "Look at free space, at attributes (lsattr) and at whether the file system is read-only on the host.",
    };
}
