namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>Gives some bytes and then nothing for ever.</summary>
internal sealed class StuckStream(int count) : MemoryStream(new byte[count])
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position == Length)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return await base.ReadAsync(buffer, cancellationToken);
    }
}
