using System.Runtime.InteropServices;
using System.Security;
using System.Security.Cryptography;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>A password or passphrase. It never appears in text: not through ToString, not in a record's output, not in an error.</summary>
/// <remarks>It is kept for as long as what needs it: a session keeps it to be able to connect again.</remarks>
public sealed class Secret
{
    /// <summary>Most that sudo reads of a line (SUDO_CONV_REPL_MAX of sudo_plugin.h is 1023 bytes).</summary>
    private const int MaxBytes = 1000;

    private readonly SecureString _text;

    /// <summary>A secret.</summary>
    /// <param name="text">Its text; copied.</param>
    /// <param name="what">What it is, for the error: "sudo password".</param>
    /// <exception cref="HostException">InvalidInput: empty, too long, or with a line break or NUL, which no prompt can be given.</exception>
    public Secret(SecureString text, string what = "password")
    {
        ArgumentNullException.ThrowIfNull(text);
        _text = text.Copy();
        _text.MakeReadOnly();
        var bytes = ToBytes();
        try
        {
            if (bytes.Length is 0 or > MaxBytes || bytes.AsSpan().IndexOfAny((byte)'\n', (byte)'\r', (byte)0) >= 0)
            {
                throw new HostException(ErrorIds.InvalidInput, "", $"The {what} is empty, too long, or has a line break in it.")
                {
                    Remedy = "Give it as one line of at most 1000 bytes.",
                };
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>A secret from text that is in memory anyway.</summary>
    public static Secret From(string text, string what = "password")
    {
        ArgumentNullException.ThrowIfNull(text);
        using var secure = new SecureString();
        foreach (var c in text)
        {
            secure.AppendChar(c);
        }

        return new Secret(secure, what);
    }

    /// <summary>Its bytes in UTF-8. Whoever takes them clears them.</summary>
    public byte[] ToBytes()
    {
        var pointer = Marshal.SecureStringToGlobalAllocUnicode(_text);
        try
        {
            var characters = new char[_text.Length];
            Marshal.Copy(pointer, characters, 0, characters.Length);
            var bytes = Encoding.UTF8.GetBytes(characters);
            Array.Clear(characters);
            return bytes;
        }
        finally
        {
            Marshal.ZeroFreeGlobalAllocUnicode(pointer);
        }
    }

    /// <summary>Its text, for libraries that take nothing else.</summary>
    public string Reveal()
    {
        var bytes = ToBytes();
        try
        {
            return Encoding.UTF8.GetString(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Never the secret.</summary>
    public override string ToString() => "(secret)";
}
