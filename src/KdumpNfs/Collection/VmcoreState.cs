namespace KdumpNfs.Collection;

/// <summary>Where a dump stands.</summary>
public enum VmcoreState
{
    /// <summary>It grew or was touched in the last two minutes of the store's clock, and is not complete yet.</summary>
    Writing,

    /// <summary>It has its final name, its end is there, and it reads as a dump. See <see cref="VmcoreDump.CheckDepth"/> for how far that was looked at.</summary>
    Complete,

    /// <summary>It was given up, is cut, or nothing came for two minutes. <see cref="VmcoreDump.Reason"/> says why.</summary>
    Incomplete,

    /// <summary>It has its final name, and whether it is whole was not looked at (compressed, or not readable). Not a pass.</summary>
    NotChecked,
}

/// <summary>How far a look into a dump went.</summary>
public enum VmcoreCheckDepth
{
    /// <summary>Not looked at.</summary>
    None,

    /// <summary>Its head and its end (<see cref="Vmcore.VmcoreCheck"/>): flattened dumps that are too long to find their records, and dumps inside a general compression.</summary>
    Ends,

    /// <summary>
    /// The reader opened it: notes, bitmap, descriptors, segments or the whole chain of records, and some pages
    /// (<see cref="Vmcore.VmcoreImage.CheckStructure"/>). Test-Vmcore -Full reads every page.
    /// </summary>
    Structure,
}

/// <summary>Whose way of laying out a crash directory it is.</summary>
public enum VmcoreFamily
{
    /// <summary><c>ADDRESS-YYYY-MM-DD-HH:MM:SS</c> or <c>kdump-test-ID</c> (kdump-utils, kexec-tools: kdump.sh).</summary>
    RedHat,

    /// <summary><c>HOSTTAG-YYYYMMDDHHMM</c> (kdump-tools: kdump-config).</summary>
    Debian,

    /// <summary><c>HOSTNAME-YYYY-MM-DD-HH-MM</c> (openSUSE's kdump: kdump-save).</summary>
    Suse,
}

/// <summary>Where a crash time was taken from.</summary>
public enum CrashTimeSource
{
    /// <summary>Not known.</summary>
    None,

    /// <summary>The dump itself: the crashed kernel's clock at the crash.</summary>
    Dump,

    /// <summary>The earliest time of a file in the directory, by the store's clock: some seconds to minutes after the crash.</summary>
    StoreFiles,

    /// <summary>The directory's name, where that is a time in UTC (<c>kdump-test-ID</c>): when the test was asked for.</summary>
    DirectoryName,
}
