namespace KdumpNfs.PowerShell;

/// <summary>A cmdlet that changes hosts, many at once.</summary>
public abstract class ChangeCmdlet : FleetCmdlet
{
}
