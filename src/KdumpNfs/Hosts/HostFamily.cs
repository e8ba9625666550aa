namespace KdumpNfs.Hosts;

/// <summary>Which tools manage kdump on a host. Decided by what is installed, by os-release only where nothing is.</summary>
public enum HostFamily
{
    /// <summary>None that is known here.</summary>
    Unknown,

    /// <summary>kdumpctl and /etc/kdump.conf: RHEL, CentOS, Rocky, Alma, Fedora, openEuler, Anolis, Kylin.</summary>
    RedHat,

    /// <summary>kdump-config and /etc/default/kdump-tools: Debian, Ubuntu.</summary>
    Debian,

    /// <summary>kdumptool and /etc/sysconfig/kdump: SLES, openSUSE.</summary>
    Suse,
}
