using KdumpNfs.Ssh;

namespace KdumpNfs.Fleet;

/// <summary>Where messages end: a cmdlet or the command line. All calls come on the thread that pumps.</summary>
public interface IFleetFront
{
    /// <summary>A result of an operation.</summary>
    void Output(object value);

    /// <summary>A result, with the way to the host that it is about: a pipeline's next command needs the same user, port and key.</summary>
    void Output(object value, SshHost host) => Output(value);

    /// <summary>A host failed.</summary>
    void Failed(HostException failure);

    /// <summary>The story of a host.</summary>
    void Verbose(string hostName, string text);

    /// <summary>A warning.</summary>
    void Warning(string hostName, string text);

    /// <summary>How far a wait is.</summary>
    void Progress(HostProgress progress);

    /// <summary>Whether to make a change.</summary>
    bool Confirm(ChangeQuestion question);
}

/// <summary>Moves messages of a fleet to its front end, and hosts into the fleet as there is room.</summary>
public static class FleetPump
{
    /// <summary>Starts a host; when the fleet is full, handles messages until there is room.</summary>
    public static void Add(this FleetRun fleet, IFleetFront front, string hostName, Func<HostContext, CancellationToken, Task> work) =>
        Add(fleet, front, hostName, null, work);

    /// <summary>Starts a host whose results go to the front end together with the way to it.</summary>
    public static void Add(this FleetRun fleet, IFleetFront front, SshHost host, Func<HostContext, CancellationToken, Task> work)
    {
        ArgumentNullException.ThrowIfNull(host);
        Add(fleet, front, host.HostName, host, work);
    }

    /// <summary>Handles messages until there is room for another host, or the fleet was cancelled.</summary>
    public static void MakeRoom(this FleetRun fleet, IFleetFront front)
    {
        ArgumentNullException.ThrowIfNull(fleet);
        while (fleet.TryTakeUntilRoom(out var message))
        {
            Dispatch(front, message);
        }
    }

    /// <summary>Handles what is there, without waiting.</summary>
    public static void Turn(this FleetRun fleet, IFleetFront front)
    {
        ArgumentNullException.ThrowIfNull(fleet);
        while (fleet.TryTakeReady(out var message))
        {
            Dispatch(front, message);
        }
    }

    private static void Add(FleetRun fleet, IFleetFront front, string hostName, SshHost? host, Func<HostContext, CancellationToken, Task> work)
    {
        fleet.MakeRoom(front);
        if (fleet.HasRoom)
        {
            fleet.Start(hostName, work, host);
        }

        Turn(fleet, front);
    }

    /// <summary>Handles messages until every host is done.</summary>
    public static void Finish(this FleetRun fleet, IFleetFront front)
    {
        ArgumentNullException.ThrowIfNull(fleet);
        while (fleet.TryTake(out var message))
        {
            Dispatch(front, message);
        }
    }

    private static void Dispatch(IFleetFront front, FleetMessage message)
    {
        switch (message)
        {
            case HostOutput { Host: { } host } output:
                front.Output(output.Value, host);
                break;
            case HostOutput output:
                front.Output(output.Value);
                break;
            case HostFailed failed:
                front.Failed(failed.Error);
                break;
            case HostVerbose verbose:
                front.Verbose(verbose.HostName, verbose.Text);
                break;
            case HostWarning warning:
                front.Warning(warning.HostName, warning.Text);
                break;
            case HostProgress progress:
                front.Progress(progress);
                break;
            case HostQuestion question:
                var proceed = false;
                try
                {
                    proceed = front.Confirm(question.Question);
                }
                finally
                {
                    // The front end may end the pipeline from within its question; the worker must not wait for ever.
                    question.Answer(proceed);
                }

                break;
        }
    }
}
