namespace KdumpNfs.Vmcore;

/// <summary>
/// The bytes are not a dump, or are a cut or damaged one. The only exception that the contents of a file can cause here, whatever they are.
/// </summary>
public sealed class VmcoreFormatException : Exception
{
    /// <summary>What does not fit, one sentence for the admin.</summary>
    public VmcoreFormatException(string message)
        : base(message)
    {
    }

    /// <summary>What does not fit, and the cause.</summary>
    public VmcoreFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>For serializers only.</summary>
    public VmcoreFormatException()
        : base("The file is not a dump.")
    {
    }
}
