using KdumpNfs.Vmcore;

namespace KdumpNfs.Vmcores;

/// <summary>All of a dump as a stream that is read once from its beginning.</summary>
/// <param name="source">The dump; closed with the stream if it can be.</param>
/// <param name="name">Its path, for errors.</param>
/// <param name="progress">Told the part that was read, 0 to 1.</param>
internal sealed class DumpStream(IByteSource source, string name, Action<double> progress) : Stream
{
    // A round trip to a store for each piece.
    private const int Piece = 4 << 20;

    private ReadOnlyMemory<byte> _piece;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => source.Length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_piece.IsEmpty && _position < Length)
        {
            var bytes = new byte[(int)Math.Min(Piece, Length - _position)];
            int read;
            try
            {
                read = await source.ReadAsync(_position, bytes, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw NotReadable(e.Message, e);
            }

            _piece = read == bytes.Length ? bytes : throw NotReadable("it got shorter meanwhile.");
            progress((double)_position / Length);
        }

        var count = Math.Min(buffer.Length, _piece.Length);
        _piece[..count].CopyTo(buffer);
        _piece = _piece[count..];
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // The archive is written by a worker, never by a front end.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            (source as IDisposable)?.Dispose();
        }

        base.Dispose(disposing);
    }

    private HostException NotReadable(string why, Exception? inner = null) =>
        new(ErrorIds.FileNotReadable, "", $"{Printable.Escape(name)} could not be read: {why}", inner) { Remedy = "Wait until nobody writes it any more, then run the command again." };
}
