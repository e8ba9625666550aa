using KdumpNfs.Changes;

namespace KdumpNfs.Tests.Unit.Changes;

/// <summary>Why a file of a host was not written, from the words of its tools.</summary>
public sealed class WriteFailureTests
{
    [Theory]
    [InlineData("No backup of /etc/kdump.conf could be made: cp: cannot create regular file '/etc/kdump.conf.kdumpnfs-1.bak': Read-only file system", ErrorIds.FileSystemReadOnly)]
    [InlineData("/etc/kdump.conf could not be written: base64: write error: No space left on device", ErrorIds.NoSpace)]
    [InlineData("mkdir: cannot create directory '/srv/kdump': Disk quota exceeded", ErrorIds.NoSpace)]
    [InlineData("mv: cannot move: Operation not permitted", ErrorIds.WriteFailed)]
    [InlineData(null, ErrorIds.WriteFailed)]
    public void A_reason_has_an_id_and_something_to_do(string? said, string id)
    {
        Assert.Equal(id, WriteFailure.IdOf(said));
        Assert.True(WriteFailure.Is(id));
        Assert.NotEqual("", WriteFailure.Remedy(id));
    }

    [Fact]
    public void Other_ids_are_none_of_them() => Assert.False(WriteFailure.Is(ErrorIds.FileChanged));
}
