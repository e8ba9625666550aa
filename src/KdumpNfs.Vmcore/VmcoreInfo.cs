using System.Globalization;
using System.Text;

namespace KdumpNfs.Vmcore;

/// <summary>The note VMCOREINFO: lines KEY=VALUE that the crashed kernel left for makedumpfile.</summary>
/// <remarks>Source: the kernel's Documentation/admin-guide/kdump/vmcoreinfo.rst (OSRELEASE, CRASHTIME).</remarks>
internal sealed record VmcoreInfo(string? Release, DateTimeOffset? CrashTime)
{
    public static VmcoreInfo Parse(ReadOnlySpan<byte> text)
    {
        string? release = null;
        DateTimeOffset? crashTime = null;
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            if (line.StartsWith("OSRELEASE="u8))
            {
                release = HeaderText.Read(line["OSRELEASE=".Length..]);
            }
            else if (line.StartsWith("CRASHTIME="u8) && long.TryParse(
                Encoding.ASCII.GetString(line["CRASHTIME=".Length..]), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                crashTime = CrashClock.FromSeconds(seconds);
            }
        }

        return new VmcoreInfo(release, crashTime);
    }
}
