namespace KdumpNfs.Crash;

/// <summary>How long a kernel setting lasts.</summary>
public enum SettingScope
{
    /// <summary>Until the next boot.</summary>
    Boot,

    /// <summary>In a drop-in of ours under /etc/sysctl.d, and now.</summary>
    Persistent,
}
