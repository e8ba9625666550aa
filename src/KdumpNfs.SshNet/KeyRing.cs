using KdumpNfs.Ssh;
using Renci.SshNet;

namespace KdumpNfs.SshNet;

/// <summary>Key files that were read, lent to one login at a time: reading one costs about as much as a signature, and a fleet logs in with the same few.</summary>
/// <remarks>Kept only as long as somebody logs in; the last one takes all of them along. Keys that a passphrase opened are never kept.</remarks>
internal static class KeyRing
{
    private static readonly object Gate = new();
    private static readonly Dictionary<(string Path, FileMark Mark), Stack<PrivateKeyFile>> Free = [];
    private static int _lent;

    /// <summary>A key that was read before and that nobody else has at this moment; null where there is none. Dispose the loan to give it back.</summary>
    public static Loan? TryLend(string path)
    {
        lock (Gate)
        {
            // Nobody who lends means nothing that is kept.
            if (_lent == 0)
            {
                return null;
            }

            var mark = (path, FileMark.Of(path) ?? default);
            if (!Free.TryGetValue(mark, out var there) || !there.TryPop(out var file))
            {
                return null;
            }

            _lent++;
            return new Loan(mark, file);
        }
    }

    /// <summary>A key that is read for this login; dispose the loan to give it to others.</summary>
    /// <exception cref="Renci.SshNet.Common.SshException">As its constructor throws, and others.</exception>
    public static Loan Lend(string path)
    {
        var mark = (path, FileMark.Of(path) ?? default);
        var file = new PrivateKeyFile(path);
        lock (Gate)
        {
            _lent++;
        }

        return new Loan(mark, file);
    }

    private static void Return((string Path, FileMark Mark) mark, PrivateKeyFile file)
    {
        lock (Gate)
        {
            if (!Free.TryGetValue(mark, out var there))
            {
                Free[mark] = there = [];
            }

            there.Push(file);

            if (--_lent > 0)
            {
                return;
            }

            foreach (var left in Free.Values.SelectMany(f => f))
            {
                left.Dispose();
            }

            Free.Clear();
        }
    }

    /// <summary>A key in the hands of one login.</summary>
    internal sealed class Loan((string Path, FileMark Mark) mark, PrivateKeyFile file) : IDisposable
    {
        private int _returned;

        public PrivateKeyFile File => file;

        public string Path => mark.Path;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
            {
                Return(mark, file);
            }
        }
    }
}
