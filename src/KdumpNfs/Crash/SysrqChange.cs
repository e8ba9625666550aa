namespace KdumpNfs.Crash;

/// <summary>What Enable-Sysrq or Disable-Sysrq did.</summary>
/// <param name="HostName">The host as it was asked for.</param>
/// <param name="Changed">False when everything was as asked for.</param>
/// <param name="Mask">The mask in force now; in an image the one that its hosts will have.</param>
/// <param name="PreviousMask">The mask that was in force; in an image the one that its drop-in had, null for none.</param>
/// <param name="Scope">How long it lasts.</param>
/// <param name="OverriddenBy">A file that wins over our drop-in at the next boot; null if ours wins.</param>
/// <param name="Diff">The change of the drop-in as a unified diff.</param>
public sealed record SysrqChange(string HostName, bool Changed, int Mask, int? PreviousMask, SettingScope Scope, string? OverriddenBy, string Diff)
{
    /// <summary>The image tree that was changed on the host, which is a build host then; null where the host itself was.</summary>
    public string? ImageRoot { get; init; }
}
