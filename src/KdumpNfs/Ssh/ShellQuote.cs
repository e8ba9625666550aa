namespace KdumpNfs.Ssh;

/// <summary>The only way a value gets into a shell script: as one word that sh reads back unchanged.</summary>
/// <remarks>POSIX.1-2017, Shell Command Language, 2.2.2: within single quotes every character is itself; a single quote cannot occur.</remarks>
public static class ShellQuote
{
    /// <summary>Quotes a value as one word of POSIX sh.</summary>
    /// <exception cref="HostException">InvalidInput: the value has a NUL or is not valid Unicode, so no shell could be given it unchanged.</exception>
    public static string Word(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        for (var i = 0; i < value.Length; i++)
        {
            var pair = char.IsHighSurrogate(value[i]) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]);
            if (value[i] == '\0' || (char.IsSurrogate(value[i]) && !pair))
            {
                throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(value)}' has a character that no shell can be given.");
            }

            i += pair ? 1 : 0;
        }

        return "'" + value.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
    }

    /// <summary>An assignment <c>name='value'</c> with a line feed.</summary>
    internal static string Assignment(string name, string value) => $"{name}={Word(value)}\n";
}
