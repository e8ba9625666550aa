using System.CommandLine;
using System.Security;
using KdumpNfs.Ssh;

namespace KdumpNfs.Cli;

/// <summary>Options for secrets. A secret itself is never an option: command lines are seen by everybody on the machine.</summary>
internal sealed class SecretOptions
{
    private readonly Option<string?> _sudoFile = new("--sudo-password-file") { Description = "File whose first line is the password for sudo, given only if it asks; implies --sudo" };
    private readonly Option<bool> _askSudo = new("--ask-sudo-password") { Description = "Ask on the terminal for the password for sudo; implies --sudo" };
    private readonly Option<string?> _keyFile = new("--key-passphrase-file") { Description = "File whose first line opens encrypted private keys" };
    private readonly Option<bool> _askKey = new("--ask-key-passphrase") { Description = "Ask on the terminal for the passphrase of private keys" };

    // One answer serves the whole command, however often its access is made.
    private Secret? _sudo;
    private Secret? _key;

    /// <summary>The options.</summary>
    public IEnumerable<Option> All => [_sudoFile, _askSudo, _keyFile, _askKey];

    /// <summary>For sudo; null when none was given.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public Secret? SudoPassword(ParseResult parsed) => _sudo ??= Read(parsed, _sudoFile, _askSudo, "sudo password");

    /// <summary>For private keys; null when none was given.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public Secret? KeyPassphrase(ParseResult parsed) => _key ??= Read(parsed, _keyFile, _askKey, "key passphrase");

    private static Secret? Read(ParseResult parsed, Option<string?> fileOption, Option<bool> askOption, string what)
    {
        var file = parsed.GetValue(fileOption);
        return (file, parsed.GetValue(askOption)) switch
        {
            (null, false) => null,
            (null, true) => Ask(what, fileOption.Name),
            (_, true) => throw ConnectionOptions.Refused($"{fileOption.Name} and {askOption.Name} are given.", "Give one of them."),
            _ => FromFile(file, fileOption.Name, what),
        };
    }

    private static Secret FromFile(string file, string option, string what)
    {
        try
        {
            // Of ordinary files only: a pipe of the shell's, <(pass show sudo), is another matter.
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            using var stream = File.OpenRead(file);
            if (!OperatingSystem.IsWindows() && stream.CanSeek && (File.GetUnixFileMode(stream.SafeFileHandle) & Others) != 0)
            {
                throw ConnectionOptions.Refused($"Others can read or write '{Printable.Escape(file)}'.", $"chmod 600 the file that {option} names.");
            }

            using var reader = new StreamReader(stream);
            return Secret.From(reader.ReadLine() ?? "", what);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ConnectionOptions.Refused($"'{Printable.Escape(file)}' cannot be read: {e.Message}", $"Give {option} a file whose first line is the {what}.");
        }
    }

    private static Secret Ask(string what, string fileOption)
    {
        if (Console.IsInputRedirected)
        {
            throw ConnectionOptions.Refused($"The {what} is to be asked for, and there is no terminal.", $"Give it in a file: {fileOption}");
        }

        Console.Error.Write($"{char.ToUpperInvariant(what[0])}{what[1..]}: ");
        using var text = new SecureString();
        for (ConsoleKeyInfo key; (key = Console.ReadKey(intercept: true)).Key != ConsoleKey.Enter;)
        {
            if (key.Key == ConsoleKey.Backspace && text.Length > 0)
            {
                text.RemoveAt(text.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                text.AppendChar(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return new Secret(text, what);
    }
}
