namespace KdumpNfs.Text;

/// <summary>What was made of the last few texts: hosts of a fleet mostly have the same file, so it is read once and not once a host.</summary>
/// <param name="make">Makes it of the text alone; what it gives never changes.</param>
internal sealed class Recent<T>(Func<string, T> make)
    where T : class
{
    /// <summary>How many are kept: families times the few versions of a file that a fleet has while it is being changed.</summary>
    public const int Most = 16;

    private (string Text, T Made)[] _kept = [];

    /// <summary>What is made of a text, now or before.</summary>
    public T Of(string text)
    {
        var kept = Volatile.Read(ref _kept);
        foreach (var (known, there) in kept)
        {
            if (known == text)
            {
                return there;
            }
        }

        var made = make(text);

        // Two at once may lose one of them, which then is made again.
        Volatile.Write(ref _kept, [(text, made), .. kept.Take(Most - 1)]);
        return made;
    }
}
