namespace KdumpNfs.Kdump;

/// <summary>Something in a configuration file that the host's own tools refuse, or read in more than one way.</summary>
/// <param name="Id">One of <see cref="ConfigProblemIds"/>.</param>
/// <param name="Lines">The lines concerned, counted from 1; empty where it is the whole file.</param>
/// <param name="Words">What the host's tool prints about it, or, where it says nothing, what goes wrong.</param>
public sealed record ConfigProblem(string Id, IReadOnlyList<int> Lines, string Words)
{
    /// <summary>False where the tools only warn and go on.</summary>
    public bool Refused { get; init; } = true;

    /// <summary>Lines and words for people.</summary>
    public override string ToString()
    {
        var where = Lines.Count switch { 0 => "", 1 => $"line {Lines[0]}: ", _ => $"lines {string.Join(", ", Lines)}: " };
        return where + Printable.Escape(Words);
    }
}

/// <summary>Stable ids of what can be wrong with a configuration file.</summary>
public static class ConfigProblemIds
{
    /// <summary>A directive that may occur once occurs again.</summary>
    public const string DuplicateDirective = nameof(DuplicateDirective);

    /// <summary>A directive that today's tools refuse and once knew (<c>net</c>, <c>options</c>, …).</summary>
    public const string DeprecatedDirective = nameof(DeprecatedDirective);

    /// <summary>A directive that will go and still works (<c>default</c>).</summary>
    public const string OldDirective = nameof(OldDirective);

    /// <summary>A directive that the tools do not know (<c>nfs4</c>, a spelling mistake).</summary>
    public const string InvalidDirective = nameof(InvalidDirective);

    /// <summary>More than one dump target.</summary>
    public const string SeveralTargets = nameof(SeveralTargets);

    /// <summary>A directive without a value.</summary>
    public const string EmptyValue = nameof(EmptyValue);

    /// <summary>A value that the directive does not take.</summary>
    public const string InvalidValue = nameof(InvalidValue);

    /// <summary>More than one <c>--mount</c> in one <c>dracut_args</c>.</summary>
    public const string SeveralMounts = nameof(SeveralMounts);

    /// <summary>An ssh target without a user.</summary>
    public const string SshUserMissing = nameof(SshUserMissing);

    /// <summary>The file has a NUL, or bytes that are not UTF-8 where they matter, and the tools stop reading it.</summary>
    public const string NotText = nameof(NotText);

    /// <summary>A carriage return is part of a value: the file was saved with the line ends of another system.</summary>
    public const string CarriageReturn = nameof(CarriageReturn);

    /// <summary>A value that only a shell that runs the file can tell.</summary>
    public const string NotLiteral = nameof(NotLiteral);

    /// <summary>sh and systemd read a variable differently.</summary>
    public const string ReadersDisagree = nameof(ReadersDisagree);
}
