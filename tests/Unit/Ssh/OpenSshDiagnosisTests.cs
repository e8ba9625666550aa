using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;

namespace KdumpNfs.Tests.Unit.Ssh;

/// <summary>What ssh says when a connection ends, as OpenSSH 7.4 to 9.9 say it, and the id that it becomes.</summary>
public sealed class OpenSshDiagnosisTests
{
    [Theory]
    [InlineData("kex_exchange_identification: read: Connection reset by peer", ErrorIds.NotAdmitted)]
    [InlineData("kex_exchange_identification: Connection closed by remote host", ErrorIds.NotAdmitted)]
    [InlineData("ssh_exchange_identification: Connection closed by remote host", ErrorIds.NotAdmitted)]
    [InlineData("kex_exchange_identification: banner line contains invalid characters", ErrorIds.ProtocolError)]
    [InlineData("Connection reset by 192.0.2.7 port 22", ErrorIds.ConnectionReset)]
    [InlineData("Connection closed by 192.0.2.7 port 22", ErrorIds.ConnectionLost)]
    [InlineData("", ErrorIds.ConnectionLost)]
    [InlineData("ssh: connect to host web01 port 22: Connection refused", ErrorIds.Unreachable)]
    [InlineData("ssh: connect to host web01 port 22: Connection timed out", ErrorIds.Timeout)]
    public void Before_the_program_runs(string words, string id) => Assert.Equal(id, Explain(words).ErrorId);

    [Theory]
    [InlineData("client_loop: send disconnect: Broken pipe", ErrorIds.ConnectionReset)]
    [InlineData("Read from remote host web01: Connection reset by peer\nclient_loop: send disconnect: Broken pipe", ErrorIds.ConnectionReset)]
    [InlineData("Connection to web01 closed by remote host.", ErrorIds.ConnectionLost)]
    [InlineData("packet_write_wait: Connection to 192.0.2.7 port 22: Broken pipe", ErrorIds.ConnectionReset)]
    [InlineData("ssh_dispatch_run_fatal: Connection to 192.0.2.7 port 22: message authentication code incorrect", ErrorIds.ConnectionLost)]
    [InlineData("a script's warning", ErrorIds.Timeout)]
    [InlineData("cat: write error: Broken pipe", ErrorIds.Timeout)]
    public void While_it_runs(string words, string id)
    {
        var error = Explain(words, TimeSpan.FromSeconds(90));
        Assert.Equal(id, error.ErrorId);
        Assert.Equal(words, error.HostSaid);
        Assert.NotNull(error.Remedy);
    }

    [Theory]
    [InlineData(60, 255, ErrorIds.Timeout)]
    [InlineData(10, 255, ErrorIds.ConnectionLost)]
    [InlineData(60, 137, ErrorIds.ConnectionLost)]
    public void Without_a_word_after_a_silence(int seconds, int status, string id) =>
        Assert.Equal(id, Explain("", TimeSpan.FromSeconds(seconds), status).ErrorId);

    private static HostException Explain(string words, TimeSpan? silentFor = null, int status = 255) =>
        OpenSshDiagnosis.Explain(new SshHost("web01"), new SshOptions(), words.Length == 0 ? "" : words + "\n", "", status, silentFor);
}
