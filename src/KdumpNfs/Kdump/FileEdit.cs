using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KdumpNfs.Hosts;
using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>What a request makes of a host's configuration file, and how that is shown.</summary>
internal sealed class FileEdit
{
    // For as long as a request lives, which is a run: most hosts of a fleet have the same file.
    private static readonly ConditionalWeakTable<TargetRequest, ConcurrentDictionary<(HostFamily Family, string Directive, string Path), Recent<FileEdit>>> Known = [];

    private readonly byte[]? _before;

    private FileEdit(byte[]? before, byte[] after, string path)
    {
        NewContent = after;
        WritesFile = before is null || !before.AsSpan().SequenceEqual(after);
        OldSha256 = before is null ? null : Sha(before);
        NewSha256 = Sha(after);
        var mask = new SecretMask();
        var (hidden, shown) = (mask.Hide((ReadOnlySpan<byte>)before), mask.Hide((ReadOnlySpan<byte>)after));
        Diff = WritesFile ? UnifiedDiff.Show(hidden, shown, path, path) : "";
        HasSecrets = mask.Count > 0;
        _before = HasSecrets ? before : null;
    }

    /// <summary>The file after the change.</summary>
    public byte[] NewContent { get; }

    /// <summary>Whether the file's content changes.</summary>
    public bool WritesFile { get; }

    /// <summary>SHA-256 of the file as it was read, lower-case hex; null where there is none.</summary>
    public string? OldSha256 { get; }

    /// <summary>SHA-256 of the file after the change, lower-case hex.</summary>
    public string NewSha256 { get; }

    /// <summary>The change as a unified diff without passwords; empty where the file stays.</summary>
    public string Diff { get; }

    private bool HasSecrets { get; }

    /// <summary>The edit of a host's file.</summary>
    /// <exception cref="HostException">What <see cref="TargetRequest.Content"/> refuses.</exception>
    public static FileEdit Of(HostFacts facts, TargetRequest request)
    {
        var path = facts.ImageRoot + facts.ConfigurationPath;
        return request.NeedsFileAlone && facts.Configuration is { } file
            ? Known.GetOrCreateValue(request).GetOrAdd((facts.Family, facts.FailureActionDirective, path), _ => new Recent<FileEdit>())
                .Of(file.Content.Span, before => new FileEdit(before, request.Content(facts), path))
            : new FileEdit(facts.Configuration?.Content.ToArray(), request.Content(facts), path);
    }

    /// <summary>A mask that knows the passwords of both files, for one host alone: it learns more from what that says.</summary>
    public SecretMask Mask()
    {
        var mask = new SecretMask();
        if (HasSecrets)
        {
            mask.Hide((ReadOnlySpan<byte>)_before);
            mask.Hide((ReadOnlySpan<byte>)NewContent);
        }

        return mask;
    }

    private static string Sha(byte[] content) => Convert.ToHexString(SHA256.HashData(content)).ToLowerInvariant();
}
