using System.Diagnostics;

namespace KdumpNfs.Ssh;

internal sealed partial class ScriptLoop
{
    /// <summary>One direction of the remote command: feed it what arrives.</summary>
    public sealed class StreamSide : IMarkerSink
    {
        private readonly ScriptLoop _loop;
        private readonly bool _isError;
        private readonly MarkerDecoder _decoder;
        private readonly TailBuffer _outside = new(4096);
        private long _heard = Stopwatch.GetTimestamp();

        internal StreamSide(ScriptLoop loop, bool isError)
        {
            _loop = loop;
            _isError = isError;
            _decoder = new MarkerDecoder(loop._bootstrap.Nonce, this);
        }

        /// <summary>The last of what came, for a diagnosis when the connection ends.</summary>
        public string Tail => _outside.ToString();

        /// <summary>How long nothing has come.</summary>
        public TimeSpan SilentFor => Stopwatch.GetElapsedTime(Interlocked.Read(ref _heard));

        /// <summary>Takes bytes; a defect of the stream or of the caller's callback ends the connection.</summary>
        public void Feed(ReadOnlySpan<byte> data)
        {
            Interlocked.Exchange(ref _heard, Stopwatch.GetTimestamp());
            try
            {
                _decoder.Feed(data);
            }
#pragma warning disable CA1031 // OnOutput is the caller's code; whatever it throws fails this call.
            catch (Exception e)
#pragma warning restore CA1031
            {
                var reason = e as HostException ?? new HostException(ErrorIds.ProtocolError, _loop._hostName, $"What the host sent could not be taken: {e.Message}", e);
                _loop.Abort(reason);
            }
        }

        /// <summary>No more bytes will come.</summary>
        public void Finish() => _decoder.Finish();

        void IMarkerSink.Data(ReadOnlySpan<byte> data)
        {
            _outside.Append(data);
            _loop.OnData(_isError, data);
        }

        void IMarkerSink.Marker(string text)
        {
            _outside.Clear();
            _loop.OnMarker(_isError, text);
        }
    }
}
