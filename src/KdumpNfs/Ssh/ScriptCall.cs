using System.Buffers;
using System.Globalization;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>One script in work: what it printed so far.</summary>
internal sealed class ScriptCall(int id, Action<ReadOnlyMemory<byte>>? onOutput)
{
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly ArrayBufferWriter<byte> _error = new();
    private Stage _outputStage;
    private Stage _errorStage;

    private enum Stage
    {
        Before,
        Within,
        After,
    }

    public int Id { get; } = id;

    public Action<ReadOnlyMemory<byte>>? OnOutput { get; } = onOutput;

    /// <summary>Set when both streams had their end marker, or when the connection ended.</summary>
    public TaskCompletionSource<ScriptResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes data; true when the caller must pass it to <see cref="OnOutput"/>.</summary>
    /// <exception cref="FormatException">More than <see cref="ScriptLoop.CollectLimit"/>.</exception>
    public bool Collect(bool isError, ReadOnlySpan<byte> data)
    {
        if ((isError ? _errorStage : _outputStage) != Stage.Within)
        {
            return false;
        }

        if (!isError && OnOutput is not null)
        {
            return true;
        }

        var buffer = isError ? _error : _output;
        if (data.Length > ScriptLoop.CollectLimit - buffer.WrittenCount)
        {
            throw new FormatException($"a script printed more than {ScriptLoop.CollectLimit >> 20} MiB.");
        }

        buffer.Write(data);
        return false;
    }

    /// <summary>Takes a marker of this call: <c>begin ID</c> or <c>end ID STATUS</c>.</summary>
    public void OnMarker(bool isError, string[] words)
    {
        ref var stage = ref isError ? ref _errorStage : ref _outputStage;
        if (words[0] == "begin" && stage == Stage.Before)
        {
            stage = Stage.Within;
            return;
        }

        if (words[0] != "end" || stage != Stage.Within || words.Length != 3 ||
            !int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            throw new FormatException($"a marker out of order: {string.Join(' ', words)}");
        }

        stage = Stage.After;
        if (_outputStage == Stage.After && _errorStage == Stage.After)
        {
            Done.TrySetResult(new ScriptResult(_output.WrittenMemory, _error.WrittenMemory, status));
        }
    }
}

/// <summary>Keeps the last bytes of a stream, for error messages.</summary>
internal sealed class TailBuffer(int capacity)
{
    private readonly object _gate = new();
    private readonly byte[] _bytes = new byte[capacity];
    private int _count;

    public void Append(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (data.Length >= capacity)
            {
                data[^capacity..].CopyTo(_bytes);
                _count = capacity;
                return;
            }

            var drop = Math.Max(0, _count + data.Length - capacity);
            _bytes.AsSpan(drop, _count - drop).CopyTo(_bytes);
            data.CopyTo(_bytes.AsSpan(_count - drop));
            _count += data.Length - drop;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _count = 0;
        }
    }

    public override string ToString()
    {
        lock (_gate)
        {
            return Encoding.UTF8.GetString(_bytes, 0, _count);
        }
    }
}
