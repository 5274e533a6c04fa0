"""Asks workers how they are, over and over, and remembers the last minutes of what they said."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

import aiohttp
import msgspec

from stream.page.worker_figures import Flow, JobFlow, WorkerFigures, between, figures_of, job_flows, together

INTERVAL_SECONDS = 2.0
TIMEOUT_SECONDS = 2.0
WINDOW_READINGS = 5
"""Rates and latencies are those since so many readings ago."""
MOST_WORKERS = 64
MOST_METRICS_BYTES = 4 << 20
FORGET_SECONDS = 300.0
"""An address that its name no longer has, and that is silent as long, is a worker that was taken away."""


@dataclass(slots=True)
class _Watched:
    """An address, its last readings with the time of each, and why it does not answer, if it does not."""

    readings: deque[tuple[float, WorkerFigures]] = field(default_factory=lambda: deque(maxlen=WINDOW_READINGS + 1))
    problem: str = "was not asked yet"
    heard_at: float = field(default_factory=time.monotonic)

    def flow(self) -> Flow:
        """Return what happened within the window; nothing while there is but one reading, or it does not answer."""
        if self.problem or len(self.readings) < 2:
            return Flow(0.0)
        (began, first), (ended, last) = self.readings[0], self.readings[-1]
        return between(first, last, ended - began)


class WorkerState(msgspec.Struct, frozen=True):
    """A worker as the page shows it; `problem` is empty where it answers."""

    address: str
    problem: str
    partitions: int
    scored_per_second: float
    records_per_second: float
    p99_ms: float | None
    rejected: int
    bundles: tuple[str, ...]


class WorkersState(msgspec.Struct, frozen=True):
    """All workers, and all their jobs together."""

    workers: list[WorkerState]
    jobs: list[JobFlow]
    scored_per_second: float
    alerts_per_second: float


class WorkerWatch:
    """Reads the metrics of workers, `host:port` by commas; a name of several addresses is a worker at each."""

    def __init__(self, workers: str) -> None:
        self._names = [address.rpartition(":")[::2] for address in workers.split(",")]
        self._watched: dict[str, _Watched] = {}

    async def follow(self) -> None:
        """Ask until cancelled; no worker keeps another, or the page, waiting."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        connector = aiohttp.TCPConnector(use_dns_cache=False, limit=MOST_WORKERS)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            while True:
                began = time.monotonic()
                await self._ask_all(session)
                await asyncio.sleep(max(0.1, INTERVAL_SECONDS - (time.monotonic() - began)))

    def state(self) -> WorkersState:
        """Return what is known now."""
        flows = {address: watched.flow() for address, watched in self._watched.items()}
        whole = together(flows.values())
        return WorkersState(
            [_state(address, watched, flows[address]) for address, watched in sorted(self._watched.items())],
            job_flows(whole),
            _rate(whole.scored, whole),
            _rate(whole.alerted, whole),
        )

    async def _ask_all(self, session: aiohttp.ClientSession) -> None:
        addresses = await self._resolve()
        for address in addresses:
            self._watched.setdefault(address, _Watched())
        now = time.monotonic()
        for address, watched in list(self._watched.items()):
            if address not in addresses and now - watched.heard_at > FORGET_SECONDS:
                del self._watched[address]
        await asyncio.gather(*(self._ask(session, address) for address in list(self._watched)))

    async def _resolve(self) -> set[str]:
        found: set[str] = set()
        for host, port in self._names:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    infos = await asyncio.get_running_loop().getaddrinfo(host, int(port), type=1)
                found.update(_address(info[4][0], port) for info in infos)
            except (OSError, TimeoutError):
                found.add(_address(host, port))
        return set(sorted(found)[:MOST_WORKERS])

    async def _ask(self, session: aiohttp.ClientSession, address: str) -> None:
        watched = self._watched[address]
        try:
            async with session.get(f"http://{address}/metrics") as reply:
                if reply.status != 200:
                    watched.problem = f"answers with status {reply.status}"
                    return
                text = (await reply.content.read(MOST_METRICS_BYTES)).decode()
                while more := await reply.content.read(MOST_METRICS_BYTES):
                    text += more.decode()
                    if len(text) > MOST_METRICS_BYTES:
                        watched.problem = "answers with more than the metrics of a worker"
                        return
            figures = await asyncio.to_thread(figures_of, text)
        except TimeoutError:
            watched.problem = f"does not answer within {TIMEOUT_SECONDS:g} s"
        except (aiohttp.ClientError, OSError) as error:
            watched.problem = _in_words(error)
        except (ValueError, KeyError):
            watched.problem = "answers with something else than metrics"
        else:
            watched.problem = ""
            watched.heard_at = time.monotonic()
            watched.readings.append((watched.heard_at, figures))


def _address(host: object, port: str) -> str:
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def _in_words(error: Exception) -> str:
    return "does not answer" if isinstance(error, aiohttp.ClientConnectorError) else f"fails: {type(error).__name__}"


def _rate(count: float, flow: Flow) -> float:
    return count / flow.seconds if flow.seconds else 0.0


def _state(address: str, watched: _Watched, flow: Flow) -> WorkerState:
    last = watched.readings[-1][1] if watched.readings else None
    slowest = [one.p99_ms for one in job_flows(flow) if one.p99_ms is not None]
    return WorkerState(
        address,
        watched.problem,
        last.partitions if last and not watched.problem else 0,
        _rate(flow.scored, flow),
        _rate(sum(flow.taken_up.values()), flow),
        max(slowest, default=None),
        int(last.rejected) if last else 0,
        last.bundles if last else (),
    )
