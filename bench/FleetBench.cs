using System.Globalization;
using System.Text;

namespace KdumpNfs.Bench;

/// <summary>A fleet from one prompt, beside what else goes through many hosts: the same hosts, the same servers, by turns in the same run.</summary>
/// <remarks>
/// KDUMPNFS_BENCH_HOSTS is the most hosts that a row takes, KDUMPNFS_BENCH_ROUNDS how often each is measured. CPU is that of the controller's whole
/// process tree; the servers are no part of it. Key exchange, cipher and keys are fixed in the servers' configuration.
/// </remarks>
/// <param name="repository">The project's directory.</param>
/// <param name="scratch">A directory for what is needed meanwhile.</param>
/// <param name="only">The one part to measure (sshd, light, or a row's name below); null for all.</param>
internal sealed class FleetBench(string repository, string scratch, string? only)
{
    private const string Crypto = "KexAlgorithms curve25519-sha256\nCiphers aes128-gcm@openssh.com\n";

    private static readonly int MostHosts = Setting("KDUMPNFS_BENCH_HOSTS", int.MaxValue);
    private static readonly int Rounds = Setting("KDUMPNFS_BENCH_ROUNDS", 3);

    private readonly List<Row> _rows = [];
    private readonly string _facts = Path.Combine(AppContext.BaseDirectory, "recorded", "node1.facts");

    /// <summary>Measures; says what is not there to be measured, or to be compared with.</summary>
    public List<Row> Measure()
    {
        if (!File.Exists(Command))
        {
            Console.WriteLine($"Fleets are not measured: there is no {Command}.");
            return _rows;
        }

        foreach (var (name, package) in new[] { ("clush", "clustershell"), ("parallel-ssh", "pssh"), ("ansible-playbook", "ansible-core") })
        {
            if (Tools.Find(name) is null)
            {
                Console.WriteLine($"{name} is not installed ({package}): nothing is compared with it.");
            }
        }

#if !SSHNET
        Console.WriteLine("SSH.NET is no part of this build: fleets are measured through OpenSSH, and there is no bare loop to compare with.");
#endif
        Part("sshd", LoopbackFleet.NotRunnable, ("status", Status), ("change", Change));
        Part("light", LightFleet.NotRunnable, ("latency", Latency), ("memory", Memory), ("first", FirstResult), ("interrupt", Interrupt));
        return _rows;
    }

    private string Command => Path.Combine(repository, "out/cli/kdumpnfs");

    // Made of bench/Bare, compiled as the command is.
    private string Bare => Path.Combine(repository, "out/bare/KdumpNfs.Bare");

    // The same as somebody's own script would run: compiled as it starts.
    private string Script => Path.Combine(repository, "out/script/KdumpNfs.Bare.dll");

    private static string? Transport =>
#if SSHNET
        "SshNet";
#else
        "OpenSsh";
#endif

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 ? value : otherwise;

    private static int Count(int hosts) => Math.Min(hosts, MostHosts);

    private static string Load => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    private void Part(string servers, string? obstacle, params (string Name, Action Measure)[] rows)
    {
        foreach (var row in rows.Where(r => only is null || only == servers || only == r.Name))
        {
            if (obstacle is null)
            {
                row.Measure();
            }
            else
            {
                Console.WriteLine($"{row.Name} is not measured: {obstacle}.");
            }
        }
    }

    // 1: what a host costs the controller.
    private void Status()
    {
        using var fleet = LoopbackFleet.Start(Count(200), Crypto);
        var reach = new Reach(fleet.Hosts.Select(h => h.Address.ToString()), fleet.UserKey, fleet.Port, fleet.KnownHosts, scratch);
        var rivals = new Dictionary<string, Func<Measured>>
        {
            ["ours"] = () => Kdumpnfs(reach, 32, "status", "--json"),
        };
        AddCats(rivals, reach, 32);
        AddBare(rivals, reach, 32);
        var name = $"controller CPU a host, status of {reach.Count} hosts (sshd), 32 at once";
        var runs = Turns(name, rivals, m => m.Cpu * 1000 / reach.Count);
        Compare(name, runs, "ours", ["clush", "parallel-ssh"], "ms", 1 / 8.0);
        Compare(name + ", without the command around it", runs, "engine", ["bare"], "ms", 1.5);
        Compare(name + ", beside the bare loop as a script", runs, "ours", ["script"], "ms", 1.5);
    }

    // 2: a change and its repetition.
    private void Change()
    {
        using var fleet = LoopbackFleet.Start(Count(50), Crypto);
        var reach = new Reach(fleet.Hosts.Select(h => h.Address.ToString()), fleet.UserKey, fleet.Port, fleet.KnownHosts, scratch);
        var rivals = new Dictionary<string, Func<Measured>>
        {
            ["ours"] = () => Twice(() => Kdumpnfs(reach, 32, "set-nfs-target", "--json", "--yes", "--nfs-server", "192.0.2.10", "--export", "/dumps", "--dump-path", "/b", "--store-limit", "32")),
        };
        if (Tools.Find("ansible-playbook") is { } ansible)
        {
            var folder = AnsibleFolder(reach);
            rivals["ansible-playbook"] = () => Twice(() => Measured.Run("/dev/null", [ansible, "-i", Path.Combine(folder, "hosts"), Path.Combine(folder, "play.yml")], reach.Count,
                environment: new Dictionary<string, string> { ["ANSIBLE_CONFIG"] = Path.Combine(folder, "ansible.cfg"), ["ANSIBLE_HOME"] = folder }));
        }

        // Each begins with a host that dumps to the other directory, and ends with one that need not be changed.
        var back = LoopbackFleet.Configuration("a");
        var name = $"controller CPU a host, target changed and then left, {reach.Count} hosts (sshd), 32 at once";
        var runs = Turns(name, rivals, m => m.Cpu * 1000 / reach.Count, () =>
        {
            foreach (var host in fleet.Hosts)
            {
                host.Write("/etc/kdump.conf", back);
            }
        });
        foreach (var host in fleet.Hosts.Where(h => !h.Read("/etc/kdump.conf").Contains("path /b", StringComparison.Ordinal)))
        {
            throw new InvalidOperationException($"{host.Address} was not changed: there is nothing to compare.");
        }

        Compare(name, runs, "ours", ["ansible-playbook"], "ms", 1 / 15.0);
    }

    // 3: time, where every round trip takes some.
    private void Latency()
    {
        using var fleet = Light(Count(500), TimeSpan.FromMilliseconds(50));
        var reach = Of(fleet);
        var rivals = new Dictionary<string, Func<Measured>>
        {
            ["ours"] = () => Kdumpnfs(reach, 100, "status", "--json"),
        };
        AddCats(rivals, reach, 100);
        rivals.Remove("parallel-ssh");
        AddBare(rivals, reach, 100);
        var name = $"time for {reach.Count} hosts (light), 50 ms of round trip, 100 at once";
        var runs = Turns(name, rivals, m => m.Wall);
        Compare(name, runs, "ours", ["clush"], "s", 0.8);
        Compare(name + ", without the command around it", runs, "engine", ["bare"], "s", 1.15);
        Compare(name + ", beside the bare loop as a script", runs, "ours", ["script"], "s", 1.15);
    }

    // 4: memory.
    private void Memory()
    {
        var peaks = new List<double>();
        foreach (var hosts in new[] { Count(1000), Count(5000) }.Distinct())
        {
            using var fleet = Light(hosts);
            var reach = Of(fleet);
            var name = $"peak working set, {hosts} hosts (light), 128 at once";
            var runs = Turns(name, new Dictionary<string, Func<Measured>> { ["ours"] = () => Kdumpnfs(reach, 128, "status", "--json") }, m => m.Peak);
            _rows.Add(Row.Of(name, runs["ours"], "MiB", 250));
            peaks.Add(_rows[^1].Value);
        }

        if (peaks.Count == 2)
        {
            var ratio = peaks[1] / peaks[0];
            _rows.Add(new Row("peak working set of the larger fleet by that of the smaller", ratio, "x", null, null, "0.9 to 1.1", ratio is >= 0.9 and <= 1.1, 0));
        }
    }

    // 6: when the first object comes.
    private void FirstResult()
    {
        using var fleet = Light(Count(1000));
        var (many, one) = (Of(fleet), Of(fleet, 1));
        var name = $"first result of {many.Count} hosts (light), 128 at once";
        var runs = Turns(name, new Dictionary<string, Func<Measured>>
        {
            ["a single host"] = () => Kdumpnfs(one, 128, "status", "--json"),
            ["ours"] = () => Kdumpnfs(many, 128, "status", "--json"),
        }, m => m.First * 1000);
        Compare(name, runs, "ours", ["a single host"], "ms", 1.2);
    }

    // 7: the prompt after Ctrl-C, where hosts need two seconds for every answer.
    private void Interrupt()
    {
        using var fleet = Light(Count(256), TimeSpan.FromSeconds(2));
        var reach = Of(fleet);
        foreach (var after in new[] { 3.0, 9.0 })
        {
            var name = $"Ctrl-C to prompt after {after} s, {Math.Min(128, reach.Count)} hosts (light, 2 s of round trip) in flight";
            var runs = Turns(name, new Dictionary<string, Func<Measured>>
            {
                ["ours"] = () => Measured.Run(reach.Input, Line(reach, 128, "status", "--json"), 0, TimeSpan.FromSeconds(after)),
            }, m => m.AfterInterrupt is { } time && m.Status == 130 ? time : throw new InvalidOperationException($"The command was not interrupted: it ended with {m.Status} after {m.Wall} s."));
            _rows.Add(Row.Of(name, runs["ours"], "s", 1));
        }
    }

    private Measured Kdumpnfs(Reach reach, int atOnce, params string[] command) => Measured.Run(reach.Input, Line(reach, atOnce, command), reach.Count);

    private List<string> Line(Reach reach, int atOnce, params string[] command) =>
    [
        Command, .. command, "--transport", Transport!, "-l", "root", "-i", reach.Key, "-p", $"{reach.Port}", "--known-hosts", reach.KnownHosts, "-F", "/dev/null",
        "--throttle", $"{atOnce}", "--connect-timeout", "120", "-",
    ];

    private static void AddCats(Dictionary<string, Func<Measured>> rivals, Reach reach, int atOnce)
    {
        var options = $"-F /dev/null -i {reach.Key} -p {reach.Port} -o UserKnownHostsFile={reach.KnownHosts} -o BatchMode=yes";
        if (Tools.Find("clush") is { } clush)
        {
            rivals["clush"] = () => Measured.Run("/dev/null", [clush, $"--hostfile={reach.Input}", "-f", $"{atOnce}", "-l", "root", "-t", "120", "-o", options, "cat /etc/kdump.conf"], reach.Count);
        }

        if (Tools.Find("parallel-ssh") is { } parallel)
        {
            rivals["parallel-ssh"] = () => Measured.Run("/dev/null", [parallel, "-h", reach.Input, "-p", $"{atOnce}", "-l", "root", "-t", "0", "-i", "-x", options, "cat /etc/kdump.conf"], reach.Count);
        }
    }

    private void AddBare(Dictionary<string, Func<Measured>> rivals, Reach reach, int atOnce)
    {
#if SSHNET
        foreach (var (name, part) in new[] { ("bare", "cat"), ("engine", "status") })
        {
            rivals[name] = () => Measured.Run(reach.Input, [Bare, part, reach.Key, $"{reach.Port}", reach.KnownHosts, $"{atOnce}"], reach.Count);
        }

        if (File.Exists(Script) && Tools.Find("dotnet") is { } dotnet)
        {
            rivals["script"] = () => Measured.Run(reach.Input, [dotnet, Script, "cat", reach.Key, $"{reach.Port}", reach.KnownHosts, $"{atOnce}"], reach.Count);
        }
#else
        _ = (rivals, reach, atOnce, Bare, Script);
#endif
    }

    private static Measured Twice(Func<Measured> run)
    {
        var (first, second) = (run(), run());
        return first with { Cpu = first.Cpu + second.Cpu, Wall = first.Wall + second.Wall };
    }

    /// <summary>By turns, so that all see the same machine.</summary>
    private static Dictionary<string, List<double>> Turns(string name, Dictionary<string, Func<Measured>> rivals, Func<Measured, double> value, Action? prepare = null)
    {
        var runs = rivals.Keys.ToDictionary(k => k, _ => new List<double>(), StringComparer.Ordinal);
        Console.WriteLine($"{name} (load {Load})");
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (rival, run) in rivals)
            {
                prepare?.Invoke();
                runs[rival].Add(value(run()));
            }

            Console.WriteLine("  " + string.Join(", ", runs.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Key} {r.Value[^1]:0.##}"))) + $" (load {Load})");
        }

        return runs;
    }

    /// <summary>A row for each of those that are compared with; the goal is against the best of them.</summary>
    private void Compare(string name, Dictionary<string, List<double>> runs, string ours, IReadOnlyList<string> others, string unit, double goal)
    {
        if (!runs.TryGetValue(ours, out var own))
        {
            return;
        }

        var there = others.Where(runs.ContainsKey).ToList();
        if (there.Count == 0)
        {
            _rows.Add(Row.Of(name, own, unit, null));
            return;
        }

        var best = there.MinBy(o => Row.Of("", runs[o], unit, null).Value)!;
        foreach (var other in there)
        {
            var (us, them) = (Row.Of(name, own, unit, null), Row.Of("", runs[other], unit, null));
            var ratio = us.Value / them.Value;
            _rows.Add(us with
            {
                Against = string.Create(CultureInfo.InvariantCulture, $"{other}: {them.Value:0.##} (spread {them.Spread:P0})"),
                Ratio = ratio,
                Goal = other == best ? string.Create(CultureInfo.InvariantCulture, $"<= {goal:0.###}x") : null,
                Met = other == best ? ratio <= goal : null,
            });
        }
    }

    private LightFleet Light(int hosts, TimeSpan roundTrip = default) =>
        LightFleet.Start(hosts, File.ReadAllBytes(_facts), Encoding.ASCII.GetBytes(LoopbackFleet.Configuration("a")), roundTrip);

    private Reach Of(LightFleet fleet, int atMost = int.MaxValue) => new(fleet.Addresses.Take(atMost), fleet.UserKey, fleet.Port, fleet.KnownHosts, scratch);

    // The same file by the ways that a playbook has: what is there is read, the new one made of a template, the service told when it changed.
    private string AnsibleFolder(Reach reach)
    {
        var folder = Directory.CreateDirectory(Path.Combine(scratch, "ansible")).FullName;
        File.WriteAllLines(Path.Combine(folder, "hosts"), File.ReadLines(reach.Input));
        File.WriteAllText(Path.Combine(folder, "kdump.conf.j2"), LoopbackFleet.Configuration("{{ directory }}"));
        File.WriteAllText(Path.Combine(folder, "ansible.cfg"), $"""
            [defaults]
            forks = 32
            remote_user = root
            remote_port = {reach.Port}
            private_key_file = {reach.Key}
            interpreter_python = /usr/bin/python3
            [ssh_connection]
            pipelining = True
            ssh_args = -F /dev/null -o UserKnownHostsFile={reach.KnownHosts} -o ControlMaster=auto -o ControlPersist=15s
            control_path_dir = {folder}/cp

            """);
        File.WriteAllText(Path.Combine(folder, "play.yml"), """
            - hosts: all
              gather_facts: false
              vars: {directory: b}
              tasks:
                - name: what is there
                  slurp: {src: /etc/kdump.conf}
                  register: before
                - name: the file
                  template: {src: kdump.conf.j2, dest: /etc/kdump.conf, mode: "0644", backup: true}
                  register: written
                - name: the service
                  command: kdumpctl restart
                  when: written.changed

            """);
        return folder;
    }

    /// <summary>How hosts are reached, and their names in a file.</summary>
    private sealed record Reach
    {
        public Reach(IEnumerable<string> hosts, string key, int port, string knownHosts, string scratch)
        {
            var names = hosts.ToList();
            (Key, Port, KnownHosts, Count) = (key, port, knownHosts, names.Count);
            Input = Path.Combine(scratch, $"hosts-{Guid.NewGuid():N}");
            File.WriteAllLines(Input, names);
        }

        public string Key { get; }

        public int Port { get; }

        public string KnownHosts { get; }

        public string Input { get; }

        public int Count { get; }
    }
}
