using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>A cmdlet that works on hosts as they arrive from the pipeline, many at once.</summary>
public abstract class FleetCmdlet : ConnectingCmdlet
{
    /// <summary>The hosts: names, addresses or hosts of ssh_config, or objects with a property HostName.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("ComputerName", "Cn")]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    [HostNameTransformation]
    public string[] HostName { get; set; } = null!;

    /// <summary>Login name.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? UserName { get; set; }

    /// <summary>Port of the SSH server.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [PortTransformation]
    public int? Port { get; set; }

    /// <summary>Private key file.</summary>
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

    /// <inheritdoc/>
    protected sealed override void Prepare()
    {
        PrepareOperation();

        // What the command line says is wrong for every host; what the pipeline brings is wrong for its own host only.
        if (HostName is { Length: 0 })
        {
            throw Refused("No host was given.", "Name a host: -HostName web01");
        }

        foreach (var name in HostName ?? ["localhost"])
        {
            MakeHost(name, UserName, Port, KeyFilePath);
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var name in HostName)
        {
            if (IsStopping)
            {
                return;
            }

            SshHost host;
            try
            {
                host = MakeHost(name, UserName, Port, KeyFilePath);
            }
            catch (HostException e)
            {
                Failed(e);
                continue;
            }

            Fleet.Add(this, host, WorkFor(host));
        }

        Fleet.Turn(this);
    }
}
