namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>Something that is wrong with a host itself.</summary>
/// <param name="Name">For people.</param>
/// <param name="Make">The script that makes it so, in the host.</param>
/// <param name="Undo">The script that ends it.</param>
/// <param name="ErrorId">What a change is answered with.</param>
public sealed record HostFault(string Name, string Make, string Undo, string ErrorId)
{
    /// <summary>Every kind.</summary>
    public static IReadOnlyList<HostFault> All { get; } =
    [
        new("/etc is read-only", "mount --bind /etc /etc; mount -o remount,ro,bind /etc", "umount /etc", ErrorIds.FileSystemReadOnly),
        new("no room in /etc", "mkdir /run/etc; mount -t tmpfs -o size=40m tmpfs /run/etc; cp -a /etc/. /run/etc/; dd if=/dev/zero of=/run/etc/fill bs=4k 2>/dev/null; mount --move /run/etc /etc || mount --bind /run/etc /etc", "umount /etc; umount /run/etc 2>/dev/null; rmdir /run/etc", ErrorIds.NoSpace),
        new("no shell", "mv /usr/bin/sh /usr/bin/sh.away; mv /usr/bin/dash /usr/bin/dash.away", "mv /usr/bin/dash.away /usr/bin/dash; mv /usr/bin/sh.away /usr/bin/sh", ErrorIds.NoShell),
        new("sudo says no", "mkdir -p /usr/local/bin; printf '#!/bin/sh\\necho \"Sorry, user root is not allowed to execute /bin/sh as root on node.\" >&2; exit 1\\n' >/usr/local/bin/sudo; chmod 755 /usr/local/bin/sudo", "rm /usr/local/bin/sudo", ErrorIds.SudoRefused),
        new("the image cannot be built", "touch /etc/fleet/rebuild-fails", "rm /etc/fleet/rebuild-fails", ErrorIds.ChangeRolledBack),
        new("the crash kernel cannot be loaded", "echo 'path /b' >/etc/fleet/load-fails", "rm /etc/fleet/load-fails", ErrorIds.ChangeRolledBack),
        new("the export is gone", "mv /srv/exports/dumps /srv/exports/away", "mv /srv/exports/away /srv/exports/dumps", ErrorIds.ExportNotMountable),
    ];

    /// <inheritdoc/>
    public override string ToString() => Name;
}
