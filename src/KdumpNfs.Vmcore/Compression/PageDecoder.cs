using System.IO.Compression;
using ZstdSharp;

namespace KdumpNfs.Vmcore.Compression;

/// <summary>Unpacks pages of a kdump-compressed dump. One for each thread: it keeps the state of its decoders.</summary>
internal sealed class PageDecoder : IDisposable
{
    /// <summary>Flags of a page descriptor (makedumpfile's diskdump_mod.h).</summary>
    public const uint Zlib = 0x1, Lzo = 0x2, Snappy = 0x4, Zstd = 0x20;

    private readonly InputStream _input = new();
    private Decompressor? _zstd;

    /// <summary>Unpacks a page.</summary>
    /// <param name="input">The bytes of the descriptor.</param>
    /// <param name="length">How many of them hold the page.</param>
    /// <param name="flags">Flags of the descriptor.</param>
    /// <param name="page">The page, all of which must come out.</param>
    /// <returns>False when the bytes are not such a page.</returns>
    public bool Decode(byte[] input, int length, uint flags, Span<byte> page)
    {
        var bytes = input.AsSpan(0, length);
        switch (flags & (Zlib | Lzo | Snappy | Zstd))
        {
            case 0:
                if (length != page.Length)
                {
                    return false;
                }

                bytes.CopyTo(page);
                return true;
            case Zlib:
                return Inflate(input, length, page);
            case Lzo:
                return LzoDecoder.Decode(bytes, page) == page.Length;
            case Snappy:
                return SnappyDecoder.Decode(bytes, page) == page.Length;
            case Zstd:
                return Unzstd(bytes, page);
            default:
                return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _zstd?.Dispose();
        _input.Dispose();
    }

    private bool Inflate(byte[] input, int length, Span<byte> page)
    {
        try
        {
            _input.Reset(input, length);
            using var inflate = new ZLibStream(_input, CompressionMode.Decompress, leaveOpen: true);
            return inflate.ReadAtLeast(page, page.Length, throwOnEndOfStream: false) == page.Length;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private bool Unzstd(ReadOnlySpan<byte> input, Span<byte> page)
    {
        try
        {
            _zstd ??= new Decompressor();
            return _zstd.TryUnwrap(input, page, out var written) && written == page.Length;
        }
        catch (ZstdException)
        {
            return false;
        }
    }

    /// <summary>A buffer as a stream, used again for every page.</summary>
    private sealed class InputStream : Stream
    {
        private byte[] _bytes = [];
        private int _position, _length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => _length;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public void Reset(byte[] bytes, int length) => (_bytes, _position, _length) = (bytes, 0, length);

        public override int Read(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, _length - _position);
            _bytes.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
