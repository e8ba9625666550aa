using System.CommandLine;
using KdumpNfs.Fleet;

namespace KdumpNfs.Cli.Commands;

/// <summary>Arguments and options that several commands have.</summary>
internal static class Shared
{
    /// <summary>How long the end of a command waits for connections to close.</summary>
    public static readonly TimeSpan CloseLimit = TimeSpan.FromMilliseconds(300);

    /// <summary>Adds the limit of hosts that work with one store; read it with <see cref="Stores"/>.</summary>
    public static Option<int> StoreLimit(Command command)
    {
        var option = new Option<int>("--store-limit") { Description = "Hosts that probe a store and rebuild for it at once, whatever --throttle says", DefaultValueFactory = _ => SharedLimit.DefaultForStores };
        command.Options.Add(option);
        return option;
    }

    /// <summary>The limit as the operations want it.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static SharedLimit Stores(ParseResult parsed, Option<int> option) => SharedLimit.ForStores(parsed.GetValue(option));

    /// <summary>The hosts to work on.</summary>
    public static Argument<string[]> Hosts() => new("HOST")
    {
        Description = "Hosts: names, addresses or hosts of ssh_config; - for lines of stdin",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>The image tree of a build host, as an option of a command.</summary>
    public static Option<string?> ImageRoot(Command command)
    {
        var option = new Option<string?>("--image-root") { Description = "A directory on the host, which is a build host then: the image tree there is changed instead of the host itself" };
        command.Options.Add(option);
        return option;
    }

    /// <summary>What a dump leaves out.</summary>
    public static Option<string?> DumpLevel(string description) => new("--dump-level") { Description = description + ": 0 to 31, or names such as Zero,Free" };

    /// <summary>Gives plans instead of making changes.</summary>
    public static Option<bool> PassPlan() => new("--pass-plan") { Description = "Give the plan of each host and change nothing; with --json apply-plan takes it later" };
}
