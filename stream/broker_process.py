"""A broker run as a child process of ours: started, awaited, stopped, and never left behind.

The child gets a session of its own, so that Ctrl-C reaches only us and we can checkpoint before the broker
goes. On Linux the kernel kills it when we die, however we die (prctl(2), PR_SET_PDEATHSIG).
"""

import contextlib
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_API_VERSIONS = 18
_METADATA = 3
_LOG_TAIL_BYTES = 2_000


class BrokerError(RuntimeError):
    """A broker did not start, or died while it was awaited; the message ends with the tail of its log."""


@dataclass(slots=True)
class BrokerProcess:
    """One broker of the Kafka protocol on 127.0.0.1:`port`, run by `command`, its output appended to `log`.

    Start it from a thread that lives as long as the broker shall: Linux takes the end of that thread for the
    death of the parent.
    """

    command: Sequence[str]
    port: int
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def bootstrap(self) -> str:
        """The address for clients, such as `127.0.0.1:9092`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, timeout_seconds: float = 60.0) -> None:
        """Start the broker and return once it answers a metadata request and names a broker.

        Raises BrokerError when the port is taken, when the broker exits first, and when it has not answered
        within `timeout_seconds` (it is killed then).
        """
        if self.pid is not None:
            raise BrokerError(f"the broker on {self.bootstrap} already runs (process {self.pid}): stop it first")
        if not _is_free(self.port):
            raise BrokerError(f"port {self.port} of 127.0.0.1 is taken: stop what listens there, or choose another")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
        deadline = time.monotonic() + timeout_seconds
        try:
            while not answers(self.port):
                if self._process.poll() is not None:
                    raise BrokerError(self._failure(f"exited with status {self._process.returncode}"))
                if time.monotonic() > deadline:
                    raise BrokerError(self._failure(f"did not answer within {timeout_seconds:g} s"))
                time.sleep(0.05)
        except BaseException:
            self.kill()
            raise

    def stop(self, timeout_seconds: float = 20.0) -> None:
        """Ask the broker to end (SIGTERM), and kill it if it has not within `timeout_seconds`."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_seconds)
        self.kill()

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a crash would; does nothing when none runs."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop the broker and start it again on the same port and data."""
        self.stop()
        self.start()

    def _failure(self, what: str) -> str:
        tail = self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")
        return f"the broker on {self.bootstrap} {what}; its log {self.log} ends with:\n{tail}"


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections that a broker left in TIME_WAIT do not take its port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int, timeout_seconds: float = 2.0) -> bool:
    """Tell whether a broker on 127.0.0.1:`port` answers, and knows of at least one live broker.

    Speaks the protocol itself (ApiVersions v0, then Metadata v1 of no topics), and so needs no event loop.

    >>> answers(free_port())
    False
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_seconds) as connection:
            _ask(connection, _API_VERSIONS, version=0, body=b"")
            metadata = _ask(connection, _METADATA, version=1, body=struct.pack(">i", 0))
    except (OSError, EOFError):
        return False
    (brokers,) = struct.unpack_from(">i", metadata)
    return bool(brokers > 0)


def _ask(connection: socket.socket, api: int, version: int, body: bytes) -> bytes:
    no_client_id = -1
    request = struct.pack(">hhih", api, version, 1, no_client_id) + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _read_exactly(connection, 4))
    return _read_exactly(connection, size)[4:]


def _read_exactly(connection: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            raise EOFError
        got += piece
    return bytes(got)


def _die_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return set_death_signal
