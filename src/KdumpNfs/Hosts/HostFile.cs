using System.Security.Cryptography;

namespace KdumpNfs.Hosts;

/// <summary>A configuration file as it was read from a host.</summary>
/// <param name="Path">Absolute path on the host.</param>
/// <param name="Content">Exact bytes.</param>
/// <param name="Mode">Permission bits, octal, as stat prints them.</param>
/// <param name="Owner">Numeric <c>uid:gid</c>.</param>
/// <param name="Modified">Time of last modification by the host's clock, to the second.</param>
public sealed record HostFile(string Path, ReadOnlyMemory<byte> Content, string Mode, string Owner, DateTimeOffset Modified)
{
    /// <summary>SHA-256 of the content, lower-case hex: what sha256sum prints on the host.</summary>
    public string Sha256 => Convert.ToHexString(SHA256.HashData(Content.Span)).ToLowerInvariant();

    /// <summary>The content as UTF-8 text, for people.</summary>
    public string Text => System.Text.Encoding.UTF8.GetString(Content.Span);
}
