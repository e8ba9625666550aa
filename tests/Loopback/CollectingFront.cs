using KdumpNfs.Fleet;

namespace KdumpNfs.Tests.Loopback;

/// <summary>A front end that keeps what it is told, and agrees to every change.</summary>
public sealed class CollectingFront : IFleetFront
{
    /// <summary>Results.</summary>
    public List<object> Outputs { get; } = [];

    /// <summary>Errors.</summary>
    public List<HostException> Errors { get; } = [];

    /// <summary>Warnings.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>Told of every step.</summary>
    public Action<string>? OnVerbose { get; init; }

    /// <inheritdoc/>
    public void Output(object value) => Outputs.Add(value);

    /// <inheritdoc/>
    public void Failed(HostException failure) => Errors.Add(failure);

    /// <inheritdoc/>
    public void Verbose(string hostName, string text) => OnVerbose?.Invoke(text);

    /// <inheritdoc/>
    public void Warning(string hostName, string text) => Warnings.Add(text);

    /// <inheritdoc/>
    public void Progress(HostProgress progress)
    {
    }

    /// <inheritdoc/>
    public bool Confirm(ChangeQuestion question) => true;
}
