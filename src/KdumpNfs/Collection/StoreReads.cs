using System.Globalization;
using System.Text;
using KdumpNfs.Ssh;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Collection;

/// <summary>
/// Reads pieces of many files of a store at once. Whoever has the turn asks for all that wait, so however many files are read at a time, they share their
/// round trips.
/// </summary>
internal sealed class StoreReads(IHostConnection connection) : IDisposable
{
    // The script's text and its answer shall stay small.
    private const int RangesAtOnce = 512;
    private const long BytesAtOnce = 8 << 20;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Queue<Request> _waiting = new();

    /// <summary>Scripts that were run.</summary>
    public int RoundTrips { get; private set; }

    /// <summary>Bytes that came.</summary>
    public long BytesRead { get; private set; }

    /// <summary>A file as a source. Its length is the one that it was listed with.</summary>
    public IBatchByteSource Open(string path, long length) => new File(this, path, length);

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(string path, IReadOnlyList<ByteRange> ranges, CancellationToken cancellationToken)
    {
        var mine = new Request(path, ranges);
        lock (_waiting)
        {
            _waiting.Enqueue(mine);
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (!mine.Answer.Task.IsCompleted)
            {
                await ServeAsync(Next(), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }

        return await mine.Answer.Task.ConfigureAwait(false);
    }

    private List<Request> Next()
    {
        var batch = new List<Request>();
        lock (_waiting)
        {
            var (ranges, bytes) = (0, 0L);
            while (_waiting.TryPeek(out var next) && (batch.Count == 0 || (ranges + next.Ranges.Count <= RangesAtOnce && bytes + next.Bytes <= BytesAtOnce)))
            {
                batch.Add(_waiting.Dequeue());
                ranges += next.Ranges.Count;
                bytes += next.Bytes;
            }
        }

        return batch;
    }

    // A file that cannot be read spoils the answer for all in it; then each is asked for alone.
    private async Task ServeAsync(List<Request> batch, CancellationToken cancellationToken)
    {
        try
        {
            if (await TryAsync(batch, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            foreach (var request in batch)
            {
                if (batch.Count == 1 || !await TryAsync([request], cancellationToken).ConfigureAwait(false))
                {
                    request.Answer.SetException(new IOException("The store could not read it, or it got shorter meanwhile."));
                }
            }
        }
        catch (Exception e)
        {
            foreach (var request in batch)
            {
                request.Answer.TrySetException(e);
            }

            throw;
        }
    }

    private async Task<bool> TryAsync(List<Request> batch, CancellationToken cancellationToken)
    {
        // nofollow and nonblock: a link or a pipe may have taken the name just now.
        var script = new StringBuilder("r() { dd if=\"$f\" bs=65536 iflag=skip_bytes,count_bytes,nofollow,nonblock skip=\"$1\" count=\"$2\" status=none || exit 1; }\n");
        foreach (var request in batch)
        {
            script.Append(CultureInfo.InvariantCulture, $"f={ShellQuote.Word(request.Path)}\n");
            foreach (var range in request.Ranges)
            {
                script.Append(CultureInfo.InvariantCulture, $"r {range.Offset} {range.Length}\n");
            }
        }

        var result = await connection.RunAsync(new RemoteScript(script.ToString()), cancellationToken).ConfigureAwait(false);
        RoundTrips++;
        BytesRead += result.Output.Length;
        if (result.ExitStatus != 0 || result.Output.Length != batch.Sum(r => r.Bytes))
        {
            return false;
        }

        var at = 0;
        foreach (var request in batch)
        {
            var answer = new List<ReadOnlyMemory<byte>>(request.Ranges.Count);
            foreach (var range in request.Ranges)
            {
                answer.Add(result.Output.Slice(at, range.Length));
                at += range.Length;
            }

            request.Answer.SetResult(answer);
        }

        return true;
    }

    private sealed class Request(string path, IReadOnlyList<ByteRange> ranges)
    {
        public string Path => path;

        public IReadOnlyList<ByteRange> Ranges => ranges;

        public long Bytes { get; } = ranges.Sum(r => (long)r.Length);

        public TaskCompletionSource<IReadOnlyList<ReadOnlyMemory<byte>>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class File(StoreReads reads, string path, long length) : IBatchByteSource
    {
        public long Length => length;

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = (int)Math.Clamp(length - offset, 0, buffer.Length);
            if (count == 0)
            {
                return 0;
            }

            var answer = await reads.ReadAsync(path, [new ByteRange(offset, count)], cancellationToken).ConfigureAwait(false);
            answer[0].CopyTo(buffer);
            return count;
        }

        public async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadManyAsync(IReadOnlyList<ByteRange> ranges, CancellationToken cancellationToken) =>
            ranges.Count == 0 ? [] : await reads.ReadAsync(path, ranges, cancellationToken).ConfigureAwait(false);
    }
}
