using System.Security.Cryptography;
using System.Text;

namespace KdumpNfs.Collection;

/// <summary>One file on its way to this machine: it grows under a temporary name and gets its own when it is whole and its hash is the store's.</summary>
/// <remarks>
/// The temporary name carries a hash of the file's size, time and inode on the store: what an earlier run began is continued only if it is
/// a part of the same file. Copies are for their owner alone (0600 in directories of 0700): a dump holds the memory of a server, its
/// keys and passwords included. On Windows the directory's access list says the same (<see cref="WindowsAccess"/>).
/// </remarks>
internal sealed class LocalCopy : IDisposable
{
    private const string Temporary = ".kdumpnfs-part-";
    private readonly string _part;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly StoreEntry _entry;
    private FileStream? _stream;

    public LocalCopy(string folder, StoreEntry entry)
    {
        _entry = entry;
        Path = System.IO.Path.Combine(folder, LocalName.Encode(entry.Name!));
        _part = Path + Temporary + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(entry.Stat)))[..12];
    }

    /// <summary>Its final name.</summary>
    public string Path { get; }

    /// <summary>How much of it is here.</summary>
    public long Length { get; private set; }

    /// <summary>Whether the file is here under its final name with the store's size and time.</summary>
    public bool IsHere => new FileInfo(Path) is { Exists: true, LinkTarget: null } file && file.Length == _entry.Bytes &&
        (file.LastWriteTimeUtc - _entry.Modified.UtcDateTime).Duration() < TimeSpan.FromSeconds(2);

    /// <summary>Whether something else has its name.</summary>
    public bool IsTaken => (File.Exists(Path) || Directory.Exists(Path) || new FileInfo(Path).LinkTarget is not null) && !IsHere;

    /// <summary>Makes a directory that only its owner may enter; one that is there is left as it is.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsAccess.MakeFolder(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Opens the part that is here, or a new one, and hashes what there is.</summary>
    /// <param name="hashing">Told how much of the part was hashed.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task OpenAsync(Action<long> hashing, CancellationToken cancellationToken)
    {
        // A part of another file of that name is of no use any more.
        foreach (var stale in Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(Path)!, System.IO.Path.GetFileName(Path) + Temporary + "*").Where(f => f != _part))
        {
            File.Delete(stale);
        }

        if (new FileInfo(_part) is { LinkTarget: not null } link)
        {
            link.Delete();
        }

        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        _stream = new FileStream(_part, options);
        if (_stream.Length > _entry.Bytes)
        {
            _stream.SetLength(0);
        }

        var buffer = new byte[1 << 20];
        for (int read; (read = await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            _hash.AppendData(buffer, 0, read);
            Length += read;
            hashing(Length);
        }
    }

    /// <summary>Takes the next bytes. Called on the connection's reader: a disk that is slower than the network slows the store down.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (Length + bytes.Length > _entry.Bytes)
        {
            throw new InvalidDataException("The store sends more than the file has.");
        }

        _stream!.Write(bytes);
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>SHA-256 of what is here, lower-case hex. Ends the taking.</summary>
    public string Hash() => Convert.ToHexString(_hash.GetHashAndReset()).ToLowerInvariant();

    /// <summary>Gives the file its name, with the store's time: by it a later run knows that it is here.</summary>
    public void Finish(bool replace)
    {
        _stream!.Flush(flushToDisk: true);
        _stream.Dispose();
        File.SetLastWriteTimeUtc(_part, _entry.Modified.UtcDateTime);
        File.Move(_part, Path, overwrite: replace);
    }

    /// <summary>Throws the part away: it is not what the store has.</summary>
    public void Discard()
    {
        Dispose();
        File.Delete(_part);
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _hash.Dispose();
    }
}
