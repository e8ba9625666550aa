namespace KdumpNfs.Ssh;

/// <summary>How a file looked when it was read: another time or length means that it has to be read again.</summary>
/// <param name="Written">When it was last written, UTC.</param>
/// <param name="Length">Its length in bytes.</param>
internal readonly record struct FileMark(DateTime Written, long Length)
{
    /// <summary>The mark of a file, or of the file that a link leads to; null where there is none.</summary>
    public static FileMark? Of(string path) => Real(path) is { Exists: true } info ? new FileMark(info.LastWriteTimeUtc, info.Length) : null;

    /// <summary>The file behind a path. A link has a time and a length of its own, which stay when the file behind it changes.</summary>
    public static FileInfo Real(string path)
    {
        var info = new FileInfo(path);
        return info.LinkTarget is null ? info : info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? info;
    }
}
