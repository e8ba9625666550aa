using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>Counts how often a text occurs in a stream, whatever pieces it arrives in.</summary>
internal sealed class PromptWatch(string prompt)
{
    private readonly byte[] _prompt = Encoding.ASCII.GetBytes(prompt);
    private byte[] _tail = [];

    /// <summary>Takes the next bytes; gives how many times the text ended in them.</summary>
    public int Feed(ReadOnlySpan<byte> data)
    {
        byte[] text = [.. _tail, .. data];
        var rest = text.AsSpan();
        var count = 0;
        int at;
        while ((at = rest.IndexOf(_prompt)) >= 0)
        {
            count++;
            rest = rest[(at + _prompt.Length)..];
        }

        // One byte less than the text: what is kept can never be a whole one that was counted already.
        _tail = rest[Math.Max(0, rest.Length - _prompt.Length + 1)..].ToArray();
        return count;
    }
}
