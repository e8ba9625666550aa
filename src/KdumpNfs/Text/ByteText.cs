using System.Text;

namespace KdumpNfs.Text;

/// <summary>Bytes as text without loss: one character (U+0000 to U+00FF) a byte inside a document, UTF-8 where a value leaves or enters it.</summary>
/// <remarks>Configuration files have no declared encoding; a comment in Latin-1 must survive an edit beside it.</remarks>
internal static class ByteText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>One character a byte.</summary>
    public static string FromBytes(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>The bytes of a document's text.</summary>
    public static byte[] ToBytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>What a person or a comparison gets: the UTF-8 text, or the bytes as characters where they are not UTF-8.</summary>
    public static string ToValue(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        try
        {
            return Strict.GetString(ToBytes(text));
        }
        catch (DecoderFallbackException)
        {
            return text;
        }
    }

    /// <summary>A value as document text (the characters are its UTF-8 bytes).</summary>
    /// <exception cref="HostException">InvalidInput: the value is not valid Unicode.</exception>
    public static string FromValue(string value)
    {
        try
        {
            return FromBytes(Strict.GetBytes(value));
        }
        catch (EncoderFallbackException e)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(value)}' is not valid Unicode text.", e);
        }
    }

    /// <summary>Whether the text's bytes are valid UTF-8.</summary>
    public static bool IsUtf8(string text) => Ascii.IsValid(text) || System.Text.Unicode.Utf8.IsValid(ToBytes(text));
}
