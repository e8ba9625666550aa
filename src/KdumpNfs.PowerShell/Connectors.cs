using System.Reflection;
using System.Runtime.Loader;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;

namespace KdumpNfs.PowerShell;

/// <summary>
/// The transports of the module. SSH.NET and everything below it live in the module's folder private/ and in a load context of their own:
/// other modules bring other versions of the same assemblies into the same session. A module without that folder has OpenSSH only.
/// </summary>
internal static class Connectors
{
    private static readonly object Gate = new();
    private static IHostConnector? _sshNet;

    /// <summary>The connector for a transport.</summary>
    /// <exception cref="HostException">TransportNotAvailable.</exception>
    public static IHostConnector For(SshTransport transport) => transport switch
    {
        SshTransport.OpenSsh => new OpenSshConnector(),
        SshTransport.SshNet => SshNet() ?? throw new HostException(ErrorIds.TransportNotAvailable, "", "This build of the module has no SSH.NET.")
        {
            Remedy = "Use -Transport OpenSsh, or a module that was built where the package SSH.NET restores.",
        },
        _ => new AutoConnector(SshNet()),
    };

    /// <summary>Forgets the transport of the private context; a module that is imported again starts anew.</summary>
    public static void Release()
    {
        lock (Gate)
        {
            (_sshNet as IDisposable)?.Dispose();
            _sshNet = null;
        }
    }

    private static IHostConnector? SshNet()
    {
        lock (Gate)
        {
            if (_sshNet is not null)
            {
                return _sshNet;
            }

            var folder = Path.Combine(Path.GetDirectoryName(typeof(Connectors).Assembly.Location)!, "private");
            var file = Path.Combine(folder, "KdumpNfs.SshNet.dll");
            if (!File.Exists(file))
            {
                return null;
            }

            var type = new PrivateContext(folder).LoadFromAssemblyPath(file).GetType("KdumpNfs.SshNet.SshNetConnector", throwOnError: true)!;
            return _sshNet = (IHostConnector)Activator.CreateInstance(type)!;
        }
    }

    private sealed class PrivateContext(string folder) : AssemblyLoadContext("KdumpNfs.private")
    {
        // The engine's types must be the same on both sides of the interface, whatever lies in the folder.
        private static readonly Assembly[] Shared = [typeof(IHostConnector).Assembly, typeof(Vmcore.VmcoreHeader).Assembly, typeof(Connectors).Assembly];

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            if (Array.Find(Shared, a => a.GetName().Name == assemblyName.Name) is { } shared)
            {
                return shared;
            }

            // A name comes from an assembly's reference table; it is looked up among the files that we ship and nowhere else.
            var file = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(file) ? LoadFromAssemblyPath(file) : null;
        }
    }
}
