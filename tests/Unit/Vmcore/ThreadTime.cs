using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Processor time of the current thread: limits that hold on a busy machine, too. Elsewhere than on Linux, the time that passed.</summary>
internal static class ThreadTime
{
    // CLOCK_THREAD_CPUTIME_ID in the kernel's uapi/linux/time.h.
    private const int ThreadClock = 3;

    public static TimeSpan Now
    {
        get
        {
            if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            {
                return Stopwatch.GetElapsedTime(0);
            }

            Assert.Equal(0, GetTime(ThreadClock, out var time));
            return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
        }
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int GetTime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
