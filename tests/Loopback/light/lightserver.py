"""SSH hosts that answer with what a real node answered: for a controller's time and memory, not for what a host does.

Every 127.x.y.z is a host of its own (machine id and name follow the address). A command that asks for files gets the recorded file; the loop program of
KdumpNfs gets the replies of that program, with the recorded facts for facts.sh and status 127 for any other script. Key exchange, cipher and
host key are the same for every client. A worker ends when its stdin does, so none outlives its parent.

    lightserver.py HOME PORT ROUND-TRIP-SECONDS
"""
import asyncio
import collections
import hashlib
import re
import sys

import asyncssh

home, port, round_trip = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
with open(f"{home}/facts", "rb") as file:
    facts = file.read()
with open(f"{home}/answer", "rb") as file:
    answer = file.read()

# The parts around what differs from host to host: values of known length, so that the records stay whole.
identity = re.compile(rb"(?<=\nmachine\.id 32\n)[0-9a-f]{32}(?=\n)")
before, after = identity.split(facts, maxsplit=1)
program = re.compile(r"head -c (\d+);")


def facts_of(address):
    return before + hashlib.md5(address.encode()).hexdigest().encode() + after


async def loop_program(process, size):
    """The far end of KdumpNfs' connection, see sshloop.sh."""
    text = await process.stdin.readexactly(size)
    nonce = re.match(rb"_kn_n=([0-9A-F]{32})\n", text).group(1)

    def say(words):
        process.stdout.write(b"\n%s %s\n" % (nonce, words))
        process.stderr.write(b"\n%s %s\n" % (nonce, words))

    say(b"ready")
    while line := await process.stdin.readline():
        number, length, _ = line.split()
        script = await process.stdin.readexactly(int(length))
        while (count := await process.stdin.readline()) not in (b"0\n", b""):
            await process.stdin.readexactly(int(count))
        say(b"begin %s" % number)
        known = b"kvline crash.loaded " in script
        if known:
            process.stdout.write(facts_of(process.get_extra_info("sockname")[0]))
        say(b"end %s %d" % (number, 0 if known else 127))
        if await process.stdin.readline() != b"next\n":
            break
    process.exit(0)


async def serve(process):
    try:
        if match := program.search(process.command or ""):
            await loop_program(process, int(match.group(1)))
        elif (process.command or "").startswith("cat "):
            process.stdout.write(answer)
            process.exit(0)
        else:
            process.exit(127)
    except (asyncio.IncompleteReadError, asyncssh.Error, BrokenPipeError):
        process.exit(98)


class Server(asyncssh.SSHServer):
    def connection_made(self, conn):
        if not conn.get_extra_info("sockname")[0].startswith("127."):
            conn.abort()

    def begin_auth(self, username):
        return True


def add_round_trip(loop):
    """What a client sends arrives later by the time of a round trip, its connection request too; nothing overtakes."""
    connection = asyncssh.connection.SSHServerConnection
    arriving = collections.defaultdict(collections.deque)

    def later(name):
        original = getattr(connection, name)

        def come(self):
            waiting = arriving[self]
            call, arguments = waiting.popleft()
            if not waiting:
                del arriving[self]
            if name == "connection_made" or self._transport is not None:
                call(self, *arguments)

        def method(self, *arguments):
            arriving[self].append((original, arguments))
            loop.call_later(round_trip, come, self)

        setattr(connection, name, method)

    later("connection_made")
    later("data_received")
    later("eof_received")


async def main():
    loop = asyncio.get_running_loop()
    if round_trip > 0:
        add_round_trip(loop)
    over = asyncio.Event()
    loop.add_reader(sys.stdin, lambda: sys.stdin.buffer.raw.read(1) or over.set())
    await asyncssh.create_server(
        Server, "0.0.0.0", port, reuse_port=True, backlog=1024, encoding=None, process_factory=serve,
        server_host_keys=[f"{home}/host"], authorized_client_keys=f"{home}/user.pub", password_auth=False, kbdint_auth=False, gss_host=None,
        allow_pty=False, agent_forwarding=False, compression_algs=["none"], login_timeout=120,
        kex_algs=["curve25519-sha256", "curve25519-sha256@libssh.org"], encryption_algs=["aes128-gcm@openssh.com"], mac_algs=["hmac-sha2-256"])
    print("ready", flush=True)
    await over.wait()


try:
    import uvloop
    uvloop.install()
except ImportError:
    pass
asyncio.run(main())
