"""A network between some workers and the broker that can be cut and slowed: a proxy, on a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE_BYTES = 1 << 16


class Network:
    """Passes connections on from one port of the loopback to another."""

    def __init__(self, told_port: int, own_port: int) -> None:
        self._ports = (told_port, own_port)
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._stopping = asyncio.Event()

    def cut(self) -> None:
        """Let nothing through; connections stay, as they do when packets are lost."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def heal(self, *, drop_connections: bool) -> None:
        """Let everything through, what was held back first; or only what comes by new connections."""

        def act() -> None:
            if drop_connections:
                for writer in self._writers:
                    writer.transport.abort()
            self._open.set()

        self._loop.call_soon_threadsafe(act)

    def run(self) -> None:
        """Work until stopped."""
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def stop(self) -> None:
        """End the work."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self) -> None:
        self._open.set()
        server = await asyncio.start_server(self._connect, "127.0.0.1", self._ports[0])
        await self._stopping.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.1)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._ports[1])
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self._writers |= pair
        with suppress(OSError):
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        self._writers -= pair
        for one in pair:
            one.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE_BYTES):
            await self._open.wait()
            writer.write(piece)
            await writer.drain()
        raise ConnectionResetError


@contextmanager
def network(told_port: int, own_port: int) -> Iterator[Network]:
    """Give a working network while the block lasts."""
    proxy = Network(told_port, own_port)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
