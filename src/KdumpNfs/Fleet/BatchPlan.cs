using System.Globalization;

namespace KdumpNfs.Fleet;

/// <summary>How a change goes through a fleet: in batches of these sizes, until too many hosts have failed.</summary>
/// <remarks>The next batch begins when all of the one before have ended. The last size holds for all further batches.</remarks>
public sealed class BatchPlan
{
    private readonly List<Size> _sizes;

    private BatchPlan(List<Size> sizes, int? maxFailure)
    {
        _sizes = sizes;
        MaxFailure = maxFailure;
    }

    /// <summary>How many hosts may fail; one more and no further host is started. Null for any number.</summary>
    public int? MaxFailure { get; }

    /// <summary>Whether a size is a share of all hosts, so that their number has to be known before the first one is started.</summary>
    public bool NeedsTotal => _sizes.Exists(size => size.IsPercent);

    /// <summary>Reads what was asked for.</summary>
    /// <param name="sizes">Numbers of hosts, or shares of all of them such as <c>25%</c>; null or empty for one batch of all.</param>
    /// <param name="maxFailure">How many hosts may fail. Null: none where there are batches, for a canary that failed must stop the rest; else any number.</param>
    /// <returns>Null when neither was asked for.</returns>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static BatchPlan? Create(IReadOnlyCollection<string>? sizes, int? maxFailure)
    {
        if (maxFailure < 0)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"{maxFailure.Value.ToString(CultureInfo.InvariantCulture)} is no number of hosts that may fail.")
            {
                Remedy = "Give -MaxFailure 0 to stop at the first failure, or more.",
            };
        }

        var batches = sizes is { Count: > 0 };
        return !batches && maxFailure is null ? null : new BatchPlan([.. (sizes ?? []).SelectMany(text => (text ?? "").Split(',')).Select(Parse)], maxFailure ?? (batches ? 0 : null));
    }

    /// <summary>Hosts in a batch.</summary>
    /// <param name="batch">Which one, from 0.</param>
    /// <param name="total">How many hosts there are; only needed where <see cref="NeedsTotal"/>.</param>
    public int SizeOf(int batch, int total)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        if (_sizes.Count == 0)
        {
            return int.MaxValue;
        }

        var size = _sizes[Math.Min(batch, _sizes.Count - 1)];
        return size.IsPercent ? Math.Max(1, (int)Math.Ceiling(total * (size.Number / 100.0))) : size.Number;
    }

    private static Size Parse(string text)
    {
        var word = text.Trim();
        var percent = word.EndsWith('%');
        return int.TryParse(percent ? word[..^1].TrimEnd() : word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && !(percent && number > 100)
            ? new Size(number, percent)
            : throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(text)}' is no size of a batch.")
            {
                Remedy = "Give numbers of hosts, or shares of all of them: 1, or 1,5,25%",
            };
    }

    private readonly record struct Size(int Number, bool IsPercent);
}
