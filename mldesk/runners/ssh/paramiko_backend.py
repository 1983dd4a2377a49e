"""SSH by paramiko: one Transport per machine on the way, programs at the far end over its channels.

Only good algorithms are offered; the host's key is checked against KnownHosts before anything is said to it, and
nothing waits without a limit. Timeouts are seconds.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading

import paramiko

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.ssh.config import Hop, Route
from mldesk.runners.ssh.credentials import Credentials
from mldesk.runners.ssh.dialling import dial
from mldesk.runners.ssh.errors import NoRoute, Refused, at
from mldesk.runners.ssh.host_keys import HostKey
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.login import BROKEN, Login
from mldesk.runners.ssh.piece_queue import PieceQueue
from mldesk.runners.ssh.stream import StreamEnded, Tail, closing_after

DIAL_SECONDS = 10.0
HANDSHAKE_SECONDS = 20.0   # banner and key exchange, each
LOGIN_SECONDS = 120.0      # one method; a person may be looking for their token
WRITE_SECONDS = 30.0       # a far end that reads nothing for so long is given up
KEEPALIVE = 15.0
WINDOW = 16 * 1024 * 1024  # bytes the far end may send ahead, at most: bandwidth times delay of a long line
_NEAR = 4 * 1024 * 1024    # likewise on a short line, where more only piles up in sshd, which copies it again and again
_FAST = 400e6              # bytes a second for which the window is meant to be wide enough
_PIECE = 32 * 1024         # bytes of one packet

_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_DIGESTS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
_OLD = {
    "ciphers": ["aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"],
    "macs": ["hmac-sha1", "hmac-md5", "hmac-sha1-96", "hmac-md5-96"],
}
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}  # that sign with a type of key; else its own name

log = logging.getLogger("mldesk.ssh")
logging.getLogger("paramiko").addHandler(logging.NullHandler())  # else its every hiccup goes to stderr


class ParamikoConnection:
    """One way to a host, logged in. Made by ``connect``; threads may share it."""

    channels_are_cheap = True

    def __init__(self, transports: list[paramiko.Transport]) -> None:
        """``transports``: jump hosts first, each carrying the next."""
        self._transports = transports
        self.round_trip = 0.0

    @property
    def alive(self) -> bool:
        return all(transport.is_active() for transport in self._transports)

    @property
    def algorithms(self) -> str:
        """What the last hop was sealed with, for diagnosis."""
        transport = self._transports[-1]
        return f"{transport.remote_version}, {transport.local_cipher}"

    def open_exec(self, command: str, timeout: float = 20.0) -> ParamikoStream:
        """Start a command at the far end, without a terminal. Raises RunnerUnreachable."""
        try:
            channel = self._transports[-1].open_session(window_size=self._window(), timeout=timeout)
            channel.in_buffer = PieceQueue()  # before the far end is asked for anything, so nothing came yet
            stream = ParamikoStream(channel)
        except BROKEN as error:
            raise RunnerUnreachable(f"The host opens no further channel: {error}") from error
        try:
            with closing_after(stream, timeout):
                channel.exec_command(command)
        except BROKEN as error:
            stream.release()
            raise RunnerUnreachable(f"The host starts no program for us: {error}") from error
        stream.start()
        return stream

    def _window(self) -> int:
        return min(WINDOW, max(_NEAR, int(self.round_trip * _FAST)))

    def explain(self, _stream: object) -> RunnerUnreachable | None:
        return None if self.alive else RunnerUnreachable("The connection to the host broke.")

    def close(self) -> None:
        """Hang up on every hop at once; what waits on a channel ends. A second call does nothing."""
        for transport in reversed(self._transports):
            transport.close()
        for transport in self._transports:
            transport.join(5.0)


class ParamikoStream:
    """The ByteStream of one exec channel. Its stderr is drained beside, since both share one window."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._tail = Tail()
        self._drain = threading.Thread(target=self._drain_errors, name="mldesk-ssh-stderr", daemon=True)
        channel.settimeout(WRITE_SECONDS)

    def start(self) -> None:
        """Begin to listen to its stderr."""
        self._drain.start()

    def read(self, most: int) -> bytes:
        while True:
            try:
                return bytes(self._channel.recv(most))
            except TimeoutError:
                if self._channel.closed:
                    return b""
            except BROKEN:  # while it widened the window, on a line that broke
                return b""

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        try:
            while view:
                sent = self._channel.send(bytes(view[:_PIECE]))
                if not sent:  # paramiko's word for a channel that is done
                    raise StreamEnded("the channel is closed")
                view = view[sent:]
        except TimeoutError as error:
            raise StreamEnded("the far end takes nothing in") from error
        except BROKEN as error:
            raise StreamEnded(str(error) or "the connection is gone") from error

    def finish(self) -> None:
        with contextlib.suppress(*BROKEN):
            self._channel.shutdown_write()

    def close(self) -> None:
        with contextlib.suppress(*BROKEN):
            self._channel.close()

    def release(self) -> None:
        self.close()
        if self._drain.is_alive():
            self._drain.join(5.0)

    def wait(self, seconds: float) -> int | None:
        if not self._channel.status_event.wait(seconds) or self._channel.exit_status < 0:
            return None
        return int(self._channel.exit_status)

    @property
    def complaint(self) -> str:
        if (self._channel.eof_received or self._channel.closed) and self._drain.is_alive():
            self._drain.join(2.0)  # its last words are here, and may not have been read yet
        return str(self._tail)

    def _drain_errors(self) -> None:
        while True:
            try:
                data = self._channel.recv_stderr(4096)
            except TimeoutError:
                if self._channel.closed:
                    return
                continue
            except BROKEN:
                return
            if not data:
                return
            self._tail.add(data)


def connect(route: Route, known: KnownHosts, credentials: Credentials) -> ParamikoConnection:
    """Log in at the end of the route, through its jump hosts.

    Raises NoRoute, UnknownHost, HostKeyChanged, HostKeyRevoked, LoginRefused, RunnerUnreachable.
    """
    transports: list[paramiko.Transport] = []
    connection = ParamikoConnection(transports)
    try:
        for hop in route.hops:
            transports.append(_handshake(_dial(hop, transports[-1] if transports else None), hop, known))
            Login(transports[-1], hop, credentials).run()
            transports[-1].set_keepalive(int(KEEPALIVE))
    except BaseException:
        connection.close()
        raise
    log.info("connected to %s: %s", route.target, connection.algorithms)
    return connection


def _dial(hop: Hop, through: paramiko.Transport | None) -> socket.socket | paramiko.Channel:
    where = at(hop.host, hop.port)
    try:
        if through is not None:
            return through.open_channel("direct-tcpip", (hop.host, hop.port), ("127.0.0.1", 0), timeout=DIAL_SECONDS)
        peer = dial(hop.host, hop.port, DIAL_SECONDS)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer
    except paramiko.SSHException as error:
        raise NoRoute(f"The jump host cannot reach {where}: {error}") from error
    except socket.gaierror as error:
        raise NoRoute(f"No machine is known by the name {hop.host}.",
                      hint="Check the name, and whether this machine is on the network.") from error
    except BROKEN as error:
        why = getattr(error, "strerror", None) or str(error) or "no answer"
        raise NoRoute(f"{where} cannot be reached: {why}.", hint="Is the machine on, and the network?") from error


def _handshake(peer: socket.socket | paramiko.Channel, hop: Hop, known: KnownHosts) -> paramiko.Transport:
    """Agree on keys with the host and make sure that it is the right one."""
    where = at(hop.host, hop.port)
    try:
        transport = paramiko.Transport(peer, default_window_size=WINDOW, disabled_algorithms=_OLD)
    except BaseException:
        peer.close()
        raise
    try:
        _prefer(transport, known.key_types(hop.host, hop.port))
        transport.start_client(timeout=2 * HANDSHAKE_SECONDS)
        if not (transport.is_active() and transport.initial_kex_done):  # start_client says nothing of a timeout
            raise RunnerUnreachable(f"{where} took the connection and then said nothing.")
        shown = transport.get_remote_server_key()
        known.check(hop.host, hop.port, HostKey(shown.get_name(), shown.asbytes()))
        return transport
    except paramiko.IncompatiblePeer as error:
        _hang_up(transport)
        raise Refused(f"{where} speaks only old, unsafe forms of SSH: {error}",
                      hint="Ask its owner to upgrade its SSH server.") from error
    except BROKEN as error:
        _hang_up(transport)
        # Not even a greeting: whatever forwards that port has no machine behind it now, as while one restarts.
        kind = RunnerUnreachable if transport.remote_version else NoRoute
        raise kind(f"{where} takes connections but does not speak SSH with us: {error}") from error
    except BaseException:
        _hang_up(transport)
        raise


def _prefer(transport: paramiko.Transport, known_types: tuple[str, ...]) -> None:
    """Offer the good algorithms only, and first the types of key that this host is known by."""
    options = transport.get_security_options()
    options.ciphers, options.digests = _CIPHERS, _DIGESTS
    wanted = [name for kind in known_types for name in _ALGORITHMS.get(kind, (kind,)) if name in options.key_types]
    options.key_types = tuple(dict.fromkeys([*wanted, *options.key_types]))
    transport.banner_timeout = transport.handshake_timeout = HANDSHAKE_SECONDS
    transport.auth_timeout = LOGIN_SECONDS
    transport.channel_timeout = HANDSHAKE_SECONDS


def _hang_up(transport: paramiko.Transport) -> None:
    transport.close()
    with contextlib.suppress(OSError):
        transport.sock.close()
    if transport.is_alive():
        transport.join(5.0)
    transport.packetizer.complete_handshake()  # ends the thread that would have timed the handshake out
