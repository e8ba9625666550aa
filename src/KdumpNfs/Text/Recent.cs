namespace KdumpNfs.Text;

/// <summary>What was made of the last few texts: hosts of a fleet mostly have the same file, so it is read once and not once a host.</summary>
/// <param name="make">Makes it of the bytes alone; what it gives never changes. Null where each call brings its own.</param>
internal sealed class Recent<T>(Func<byte[], T>? make = null)
    where T : class
{
    /// <summary>How many are kept: families times the few versions of a file that a fleet has while it is being changed.</summary>
    public const int Most = 16;

    private (byte[] Text, T Made)[] _kept = [];

    /// <summary>What is made of a text, now or before.</summary>
    public T Of(ReadOnlySpan<byte> text) => Of(text, make!);

    /// <summary>What is made of a text, now or before, by this or by an earlier call; every one of them makes the same of the same bytes.</summary>
    public T Of(ReadOnlySpan<byte> text, Func<byte[], T> make)
    {
        var kept = Volatile.Read(ref _kept);
        foreach (var (known, there) in kept)
        {
            if (text.SequenceEqual(known))
            {
                return there;
            }
        }

        var own = text.ToArray();
        var made = make(own);

        // Two at once may lose one of them, which then is made again.
        Volatile.Write(ref _kept, [(own, made), .. kept.Take(Most - 1)]);
        return made;
    }
}
