using System.Text;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Ssh;

public sealed class MarkerDecoderTests
{
    private const string Nonce = "0123456789ABCDEF0123456789ABCDEF";

    private static readonly byte[] Stream = Encoding.Latin1.GetBytes(
        $"banner\n\n{Nonce} ready\nrc noise\n{Nonce} begin 1\n\0\x00ff\n\n{Nonce[..31]}\n{Nonce}\n{Nonce[..5]}\n\n{Nonce} end 1 255\n\n{Nonce} begin 2\n\n{Nonce} end 2 0\n\n");

    private static readonly string Expected = string.Concat(
        "banner\n", "<ready>", "rc noise", "<begin 1>", $"\0\x00ff\n\n{Nonce[..31]}\n{Nonce}\n{Nonce[..5]}\n", "<end 1 255>", "<begin 2>", "<end 2 0>", "\n");

    [Fact]
    public void Splits_at_every_byte_give_the_same_pieces()
    {
        for (var first = 0; first <= Stream.Length; first++)
        {
            Assert.Equal(Expected, Decode([first, Stream.Length - first]));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(33)]
    public void Equal_chunks_give_the_same_pieces(int size) =>
        Assert.Equal(Expected, Decode(Enumerable.Repeat(size, Stream.Length / size + 1)));

    [Fact]
    public void Random_chunks_give_the_same_pieces()
    {
        var random = new Random(1);
        for (var run = 0; run < 2000; run++)
        {
            Assert.Equal(Expected, Decode(Enumerable.Range(0, Stream.Length).Select(_ => random.Next(1, 50))));
        }
    }

    [Fact]
    public void A_marker_without_end_is_refused()
    {
        var decoder = new MarkerDecoder(Nonce, new Recorder());
        Assert.Throws<FormatException>(() => decoder.Feed(Encoding.ASCII.GetBytes($"\n{Nonce} {new string('x', 300)}")));
    }

    [Fact]
    public void A_half_prefix_at_the_end_of_the_stream_is_data()
    {
        var recorder = new Recorder();
        var decoder = new MarkerDecoder(Nonce, recorder);
        decoder.Feed(Encoding.ASCII.GetBytes($"x\n{Nonce[..9]}"));
        decoder.Finish();
        Assert.Equal($"x\n{Nonce[..9]}", recorder.Text.ToString());
    }

    private static string Decode(IEnumerable<int> sizes)
    {
        var recorder = new Recorder();
        var decoder = new MarkerDecoder(Nonce, recorder);
        var at = 0;
        foreach (var size in sizes)
        {
            var count = Math.Min(size, Stream.Length - at);
            decoder.Feed(Stream.AsSpan(at, count));
            at += count;
        }

        decoder.Finish();
        Assert.Equal(Stream.Length, at);
        return recorder.Text.ToString();
    }

    private sealed class Recorder : IMarkerSink
    {
        public StringBuilder Text { get; } = new();

        public void Data(ReadOnlySpan<byte> data) => Text.Append(Encoding.Latin1.GetString(data));

        public void Marker(string text) => Text.Append('<').Append(text).Append('>');
    }
}
