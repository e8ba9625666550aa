using KdumpNfs.Vmcore;

namespace KdumpNfs.Collection;

/// <summary>Turns what was found in a crash directory into what it means.</summary>
/// <remarks>
/// <para>Complete: a dump under its final name whose head and end are there (VmcoreCheck) and which the reader can read (DumpReading). That holds from the moment it is so, even if the file was touched
/// seconds ago: every family gives the dump its final bytes before it goes on, and waiting two more minutes each time would prove nothing.</para>
/// <para>Incomplete at once: makedumpfile's mark in the header; a temporary name after the capture said that it is over (RHEL's
/// kexec-dmesg.log is written after the dump; SUSE's final README.txt).</para>
/// <para>Otherwise Writing as long as the dump, the dmesg file or the directory changed in the last two minutes of the store's clock, then
/// Incomplete. So a file under its final name without its end, as Debian leaves it when makedumpfile fails, is Writing for two minutes: SUSE writes under
/// the final name from the first byte, and a client of NFS may show old lengths for a minute.</para>
/// <para>A dump in a temporary name that is newer than a complete one, and still changes, is a second crash in the same minute on
/// Debian, whose directory names have no seconds: Writing.</para>
/// </remarks>
internal static class VmcoreAssessment
{
    /// <summary>How long a dump may be silent before it counts as given up.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(2);

    /// <summary>Judges a directory; null when its name is no crash directory's.</summary>
    /// <param name="directory">What was found.</param>
    /// <param name="now">The store's clock at that moment.</param>
    /// <param name="storeHost">The storage server, null when local.</param>
    /// <param name="root">The directory that it is in.</param>
    public static VmcoreDump? Assess(CrashDirectory directory, DateTimeOffset now, string? storeHost, string root)
    {
        if (CrashDirectoryName.Parse(directory.Name) is not { } name)
        {
            return null;
        }

        var path = $"{root.TrimEnd('/')}/{directory.Name}";
        var changing = directory.Files.Where(f => CrashFile.RoleOf(f.Name) is not (CrashFileRole.Other or CrashFileRole.CaptureLog));
        var lastChange = changing.Select(f => f.Modified).Append(directory.Modified).Max();
        var touched = (now - lastChange).Duration() < Quiet;

        var best = Candidates(directory).OrderByDescending(c => Rank(c, touched)).ThenByDescending(c => c.File.Modified).FirstOrDefault();
        var (state, reason, over) = Judge(directory, best, touched, finalFromStart: name.Family == VmcoreFamily.Suse);
        var header = best?.Finding?.Check?.Header;
        var (crashTime, source) = CrashTime(directory, name, header);
        return new VmcoreDump
        {
            CrashedHost = name.Host ?? header?.NodeName ?? "",
            NodeName = header?.NodeName,
            CrashTime = crashTime,
            CrashTimeSource = source,
            DirectoryTime = name.LocalTime,
            State = state,
            Reason = reason,
            Verdict = best?.Finding?.Check?.Integrity ?? VmcoreIntegrity.NotChecked,
            CheckDepth = best?.Finding?.Depth ?? VmcoreCheckDepth.None,
            CaptureOver = over,
            Family = name.Family,
            Format = header?.Format ?? VmcoreFormat.Unknown,
            Compression = header?.Compression ?? PageCompression.None,
            KernelRelease = header?.Release,
            PanicReason = PanicReason.Find(directory.DmesgLines),
            StoreHost = storeHost,
            Path = path,
            DumpFile = best is null ? null : $"{path}/{best.File.Name}",
            Bytes = best?.File.Bytes ?? 0,
            LastChange = lastChange,
            Held = directory.Hold is not null,
            HoldReason = directory.Hold is { } words && words.Trim().Length > 0 ? Printable.Escape(words.Trim()) : null,
            Files = directory.Files,
        };
    }

    private sealed record Candidate(VmcoreFile File, bool Final, DumpFinding? Finding)
    {
        public VmcoreIntegrity Integrity => Finding?.Check?.Integrity ?? VmcoreIntegrity.NotChecked;

        public bool Complete => Final && Integrity == VmcoreIntegrity.Whole;
    }

    private static IEnumerable<Candidate> Candidates(CrashDirectory directory) =>
        from file in directory.Files
        let role = CrashFile.RoleOf(file.Name)
        where role is CrashFileRole.Dump or CrashFileRole.TemporaryDump
        select new Candidate(file, role == CrashFileRole.Dump, directory.Dumps.FirstOrDefault(d => d.FileName == file.Name));

    private static int Rank(Candidate candidate, bool touched) => candidate switch
    {
        { Complete: true } => 3,

        // Ties with a whole one go to the newer: the second crash of the same minute.
        { Final: false } when touched => 3,
        { Final: true, Integrity: VmcoreIntegrity.NotChecked } => 2,
        { Final: true } => 1,
        _ => 0,
    };

    private static (VmcoreState State, string? Reason, bool Over) Judge(CrashDirectory directory, Candidate? dump, bool touched, bool finalFromStart)
    {
        if (dump is { Complete: true })
        {
            return (VmcoreState.Complete, null, true);
        }

        var said = CaptureFailure.FromReadme(directory.Readme) ?? CaptureFailure.FromLog(directory.CaptureLogLines);
        var ended = directory.HasCaptureLog || CaptureFailure.IsFinalReadme(directory.Readme);
        var seen = dump?.Finding?.Check?.Reason;
        if (dump is { Integrity: VmcoreIntegrity.MarkedIncomplete } || (ended && dump is not { Final: true }))
        {
            return (VmcoreState.Incomplete, said ?? seen ?? "The capture ended without a dump.", true);
        }

        if (dump is { Final: true, Integrity: VmcoreIntegrity.NotChecked, Finding: not null })
        {
            return (VmcoreState.NotChecked, seen ?? "The dump cannot be read; use -Sudo, dumps are root's.", true);
        }

        // SUSE's last word is written behind the dump, which has its final name from the start.
        var final = finalFromStart && CaptureFailure.IsFinalReadme(directory.Readme);
        if (touched && !final)
        {
            return (VmcoreState.Writing, dump is null ? "The dump has not begun yet." : null, false);
        }

        // With SUSE a file under its final name may still be waiting for its first byte.
        // What the reader says of the dump itself is closer to it than a line of the capture's log.
        var words = dump is { Final: true, Integrity: VmcoreIntegrity.Damaged } ? seen ?? said : said ?? (dump is { Final: true } ? seen : null);
        return (VmcoreState.Incomplete, words ?? Silence(dump), ended || (dump is { Final: true } && !finalFromStart));
    }

    private static string Silence(Candidate? dump) => dump is null
        ? "There is no dump, and nothing changed for two minutes."
        : $"{dump.File.Name} stopped at {dump.File.Bytes} bytes; nothing changed for two minutes.";

    private static (DateTimeOffset?, CrashTimeSource) CrashTime(CrashDirectory directory, CrashDirectoryName name, VmcoreHeader? header)
    {
        if (header?.CrashTime is { } crash)
        {
            return (crash, CrashTimeSource.Dump);
        }

        var files = directory.Files.Where(f => CrashFile.RoleOf(f.Name) is not (CrashFileRole.Other or CrashFileRole.CaptureLog)).ToList();
        return files.Count > 0 ? (files.Min(f => f.Modified), CrashTimeSource.StoreFiles)
            : name.Utc is { } utc ? (utc, CrashTimeSource.DirectoryName)
            : (null, CrashTimeSource.None);
    }
}
