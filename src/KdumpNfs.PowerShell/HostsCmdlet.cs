using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>A cmdlet that works on hosts as they arrive from the pipeline, many at once. <see cref="FleetCmdlet"/> also takes sessions to them.</summary>
public abstract class HostsCmdlet : ConnectingCmdlet
{
    /// <summary>The hosts: names, addresses or hosts of ssh_config, or objects with a property HostName. A session from the pipeline is used as it is.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("ComputerName", "Cn")]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    [HostNameTransformation]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string[]? HostName { get; set; }

    /// <summary>Login name; without it that of ssh_config, or else the local account.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? UserName { get; set; }

    /// <summary>Port of the SSH server; without it that of ssh_config, or else 22.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [PortTransformation]
    public int? Port { get; set; }

    /// <summary>Private key file; without it those of ssh_config, or else the usual ones in ~/.ssh.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("IdentityFilePath")]
    [AllowNull]
    [AllowEmptyString]
    public string? KeyFilePath { get; set; }

    /// <summary>Makes the cmdlet's operation; <see cref="Prepare"/> checks the hosts of the command line after it.</summary>
    protected abstract void PrepareOperation();

    /// <summary>
    /// What to do for a host, with the values that are bound now: parameters from the pipeline change with the next object. The work runs on
    /// a thread of the pool and talks through its context only.
    /// </summary>
    protected abstract Func<HostContext, CancellationToken, Task> WorkFor(SshHost host);

    /// <summary>Checks parameters that belong to a base class; nothing was contacted yet.</summary>
    protected virtual void CheckParameters()
    {
    }

    /// <summary>The hosts that are meant where no name is bound.</summary>
    protected virtual IEnumerable<SshHost> HostsWithoutName() => [];

    /// <summary>Starts work on a host, or keeps it for later.</summary>
    protected virtual void Begin(SshHost host, Func<HostContext, CancellationToken, Task> work) => Fleet.Add(this, host, work);

    /// <summary>A host by its name, with the other parameters that are bound now.</summary>
    protected virtual SshHost Resolve(string name) => MakeHost(name, UserName, Port, KeyFilePath);

    /// <inheritdoc/>
    protected sealed override void Prepare()
    {
        CheckParameters();
        PrepareOperation();

        // What the command line says is wrong for every host; what the pipeline brings is wrong for its own host only.
        if (HostName is { Length: 0 } || (HostName is null && !MyInvocation.ExpectingInput && !HostsWithoutName().Any()))
        {
            throw Refused("No host was given.", "Name a host: -HostName web01");
        }

        foreach (var name in HostName ?? ["localhost"])
        {
            if (HostName is null)
            {
                MakeHost(name, UserName, Port, KeyFilePath);
            }
            else
            {
                Resolve(name);
            }
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (HostName is null)
        {
            foreach (var host in HostsWithoutName().ToList())
            {
                Begin(host, WorkFor(host));
            }
        }

        foreach (var name in HostName ?? [])
        {
            if (IsStopping)
            {
                return;
            }

            SshHost host;
            try
            {
                host = Resolve(name);
            }
            catch (HostException e)
            {
                Failed(e);
                continue;
            }

            Begin(host, WorkFor(host));
        }

        Fleet.Turn(this);
    }
}
