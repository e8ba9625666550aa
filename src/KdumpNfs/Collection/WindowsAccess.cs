using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace KdumpNfs.Collection;

/// <summary>Who may read what was fetched, where there are no Unix modes.</summary>
internal static class WindowsAccess
{
    /// <summary>The access list of a directory for its owner alone, as SDDL: nothing is inherited from above; the owner, the system and the administrators may
    /// do everything in it and in all below. The latter two can take that right anyway, and backups run as them.</summary>
    /// <param name="owner">Security identifier (S-1-5-21-…) of the account.</param>
    /// <remarks>Source: Microsoft, "Security Descriptor String Format" and "ACE Strings".</remarks>
    public static string OwnerOnly(string owner) => $"D:P(A;OICI;FA;;;{owner})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

    /// <summary>Makes a directory with that list from its first moment on; one that is there is left as it is.</summary>
    [SupportedOSPlatform("windows")]
    public static void MakeFolder(string path)
    {
        using var user = WindowsIdentity.GetCurrent();
        var security = new DirectorySecurity();
        security.SetSecurityDescriptorSddlForm(OwnerOnly(user.User!.Value), AccessControlSections.Access);
        security.CreateDirectory(path);
    }
}
