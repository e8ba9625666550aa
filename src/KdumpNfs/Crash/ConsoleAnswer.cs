namespace KdumpNfs.Crash;

/// <summary>Why the listening to a console ended.</summary>
public enum ConsoleEnd
{
    /// <summary>It spoke and then was quiet for the time given.</summary>
    Quiet,

    /// <summary>The expression that was waited for was seen.</summary>
    Until,

    /// <summary>It said nothing at all.</summary>
    Silent,

    /// <summary>The time was up; it may have said more.</summary>
    Limit,

    /// <summary>It said more than was asked for.</summary>
    Full,

    /// <summary>Whoever listened had heard enough.</summary>
    Stopped,

    /// <summary>The program that holds the console ended, or the connection to the console server did; it may have said more.</summary>
    Lost,
}

/// <summary>What a console said after a key.</summary>
/// <param name="Key">The key.</param>
/// <param name="SentAt">When the break was sent, by the controller's clock.</param>
/// <param name="Duration">How long was listened.</param>
/// <param name="Text">What was said from the break on, as it came (UTF-8, without NULs): control characters are in it, escape them before showing.</param>
/// <param name="End">Why the listening ended.</param>
public sealed record ConsoleAnswer(char Key, DateTimeOffset SentAt, TimeSpan Duration, string Text, ConsoleEnd End);

/// <summary>Proves that a console is the one of the host that was meant.</summary>
/// <param name="Word">A word that nobody else knows; nothing is sent before it was seen on the console.</param>
/// <param name="ShowAsync">Makes the host write it to its console; runs when the console is open.</param>
public sealed record ConsoleProof(string Word, Func<CancellationToken, Task> ShowAsync);
