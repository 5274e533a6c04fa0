from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.fold import Fold, Output
from risk.market.correlation_model import CorrelationModel
from risk.market.market_columns import MarketColumns, bar_columns, curve_columns
from risk.market.market_events import Role, decode_block
from risk.market.market_rows import MarketRows
from risk.market.market_routing import MarketRouting
from risk.market.portfolio_fold import PortfolioFold
from risk.market.portfolio_parameters import PortfolioLimits, PortfolioParameters
from risk.market.position_fold import PositionFold
from risk.partitioner import partitions_of
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.portfolio_risk import PortfolioRisk
from schemas.position import Position
from schemas.source import Source

PARTITIONS = 3
START_NS = 1_767_225_600_000_000_000
MINUTE_NS = 60_000_000_000
DAY_NS = 1_440 * MINUTE_NS
MINUTES = 420
SYMBOLS = tuple(f"s{at}" for at in range(9))
PORTFOLIOS = tuple(f"p{at}" for at in range(8))
TOPICS: dict[Role, str] = {"ticks": "ticks", "rates": "rates", "positions": "positions"}
PARAMETERS = PortfolioParameters(
    "small",
    "0123456789ab",
    CorrelationModel(
        symbols=("s0", "s1", "s2"),
        news=0.05,
        decay=0.9,
        target=((1.0, 0.5, 0.2), (0.5, 1.0, 0.3), (0.2, 0.3, 1.0)),
    ),
    limits=PortfolioLimits(interest_rate_loss_percent=5.0, cool_down_ns=30 * MINUTE_NS),
)
Log = list[tuple[bytes | None, bytes, int]]
"""Keys, values and event times of a partition's records."""


class BarSource:
    """Stands for the fold of ticks: each message is a bar that closed, in the order of the times at which they did."""

    def __init__(self, partition: int) -> None:
        self._routing = MarketRouting("ticks", partition, PARTITIONS)

    def advance(self, chunk: Chunk) -> list[Output]:
        """Return the blocks of a chunk's bars."""
        bars = [msgspec.json.decode(value or b"") for value in chunk.values]
        numbers = np.array([bar["numbers"] for bar in bars], dtype=np.float64).reshape(-1, 5).T
        names = ("close", "log_return_percent", "variance_percent2", "next_variance_percent2", "standardised_residual")
        rows = bar_columns(
            np.arange(len(bars)),
            np.array([bar["known_ns"] for bar in bars], dtype=np.int64),
            [bar["symbol"] for bar in bars],
            np.array([bar["end_ns"] for bar in bars], dtype=np.int64),
            **dict(zip(names, numbers, strict=True)),
        )
        return self._routing.outputs(chunk, rows)


class CurveSource:
    """Stands for the fold of rates: each message is a curve that closed."""

    def __init__(self, partition: int) -> None:
        self._routing = MarketRouting("rates", partition, PARTITIONS)

    def advance(self, chunk: Chunk) -> list[Output]:
        """Return the blocks of a chunk's curves."""
        curves = [msgspec.json.decode(value or b"") for value in chunk.values]
        rows = curve_columns(
            np.arange(len(curves)),
            np.array([curve["known_ns"] for curve in curves], dtype=np.int64),
            [curve["currency"] for curve in curves],
            np.array([curve["curve_ns"] for curve in curves], dtype=np.int64),
            tenors_years=[np.array(curve["tenors"]) for curve in curves],
            zero_percent=[np.array(curve["zero"]) for curve in curves],
        )
        return self._routing.outputs(chunk, rows)


def bar_log(draw: np.random.Generator) -> list[tuple[str, bytes, int]]:
    """Return (symbol, message, time) of bars of correlated walks: one symbol rests for hours, and one is slow."""
    closes = np.full(len(SYMBOLS), 100.0)
    found = []
    for minute in range(MINUTES):
        common = draw.standard_t(4)
        for at, symbol in enumerate(SYMBOLS):
            if (at == 3 and 100 <= minute < 300) or draw.random() < 0.05:
                continue
            residual = float(0.6 * common + 0.8 * draw.normal())
            change = 0.1 * residual
            closes[at] *= np.exp(change / 100.0)
            delay_ns = 3 * MINUTE_NS if at == 4 and draw.random() < 0.3 else 0
            known_ns = START_NS + (minute + 1) * MINUTE_NS + delay_ns + int(draw.integers(0, 20)) * 1_000_000_000
            bar = {
                "symbol": symbol,
                "end_ns": START_NS + (minute + 1) * MINUTE_NS,
                "known_ns": known_ns,
                "numbers": [float(closes[at]), change, 0.01, 0.01 + 0.001 * residual**2, residual],
            }
            found.append((symbol, msgspec.json.encode(bar), known_ns))
    return found


def curve_log(draw: np.random.Generator) -> list[tuple[str, bytes, int]]:
    """Return (currency, message, time) of curves of three currencies, one of them without standard shocks."""
    found = []
    for at in range(60):
        currency = ("EUR", "USD", "KWD")[at % 3]
        known_ns = START_NS + at * 7 * MINUTE_NS
        tenors = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0][: 4 + at % 3]
        zero = (3.0 + np.cumsum(draw.normal(0.0, 0.1, len(tenors)))).tolist()
        curve = {"currency": currency, "known_ns": known_ns, "curve_ns": known_ns, "tenors": tenors, "zero": zero}
        found.append((currency, msgspec.json.encode(curve), known_ns))
    return found


def position_log(draw: np.random.Generator) -> list[tuple[str, bytes, int]]:
    """Return (portfolio, message, time) of positions in symbols and bonds, taken up and given up; a few are malformed."""
    found = []
    for at in range(300):
        portfolio = str(draw.choice(PORTFOLIOS))
        time_ns = START_NS + int(MINUTES * MINUTE_NS * min(at / 60, draw.random()))
        quantity = float(draw.choice([0.0, 0.0, 10.0, -5.0, 3.5]))
        if draw.random() < 0.2:
            terms: dict[str, Any] = {
                "currency": str(draw.choice(["EUR", "USD", "KWD"])),
                "maturity_ns": START_NS + int(draw.integers(-1, 12)) * 365 * DAY_NS,
                "coupon_percent": float(draw.integers(0, 5)),
                "frequency": int(draw.choice([0, 1, 2])),
            }
        else:
            terms = {"symbol": str(draw.choice([*SYMBOLS, "unquoted"]))}
        position = Position(1, portfolio, time_ns, quantity, **terms)
        found.append((portfolio, encode(position), time_ns))
        if at % 40 == 7:
            found.append((portfolio, encode(position).replace(b'"portfolio"', b'"folio"'), time_ns))
    return sorted(found, key=lambda one: one[2])


@cache
def logs_of(seed: int) -> dict[tuple[Role, int], Log]:
    """Return the source logs, partition by partition."""
    draw = np.random.default_rng(seed)
    messages: dict[Role, list[tuple[str, bytes, int]]] = {
        "ticks": sorted(bar_log(draw), key=lambda one: one[2]),
        "rates": curve_log(draw),
        "positions": position_log(draw),
    }
    logs: dict[tuple[Role, int], Log] = {(role, at): [] for role in messages for at in range(PARTITIONS)}
    for role, sent in messages.items():
        for (key, value, time_ns), at in zip(sent, partitions_of([key for key, *_ in sent], PARTITIONS).tolist(), strict=True):
            logs[role, at].append((key.encode(), value, time_ns))
    return logs


def chunks_of(topic: str, partition: int, log: list[tuple[bytes | None, bytes]], edges: list[int]) -> list[Chunk]:
    """Return a log in consecutive chunks, the last of which says that it is; offsets have gaps, as logs have."""
    if not log:
        return [Chunk(topic, partition, (), (), (), caught_up=True)]
    chunks = []
    for first, end in pairwise(sorted({0, *(edge for edge in edges if edge < len(log)), len(log)})):
        offsets = tuple(range(2 * first + 5, 2 * end + 5, 2))
        keys, values = zip(*log[first:end], strict=True)
        chunks.append(Chunk(topic, partition, offsets, keys, values, end == len(log)))
    return chunks


def edges_of(sizes: list[int], count: int) -> list[int]:
    """Return where chunks of the given sizes, taken in turn, end."""
    edges = [0]
    while edges[-1] < count:
        edges.append(edges[-1] + sizes[len(edges) % len(sizes)])
    return edges


def source_of(role: Role, partition: int) -> Any:
    """Return what makes blocks of a source's messages."""
    if role == "ticks":
        return BarSource(partition)
    return CurveSource(partition) if role == "rates" else PositionFold(partition, partitions=PARTITIONS)


def portfolio_fold(partition: int) -> PortfolioFold:
    """Return an empty fold of the second hop."""
    return PortfolioFold(partition, partitions=PARTITIONS, parameters=PARAMETERS, topics=TOPICS)


@dataclass
class Given:
    """What a run gave: what each partition published, and the states."""

    outputs: dict[tuple[str, str, int], list[bytes]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    state: dict[tuple[str, int], tuple[tuple[bytes, bytes], ...]] = field(default_factory=dict)

    def take(self, fold: Fold, chunk: Chunk) -> list[Output]:
        """Advance a fold, note what it gave, and return what goes to the second hop."""
        emitted = fold.advance(chunk)
        for output in emitted.outputs:
            if output.stream != "market_events":
                self.outputs.setdefault((output.stream, chunk.topic, output.partition), []).append(output.value)
        for name, count in (*emitted.counts.items(), ("rejected", sum(emitted.rejected.values()))):
            self.counts[name] = self.counts.get(name, 0) + count
        return [output for output in emitted.outputs if output.stream == "market_events"]


def events_of(
    logs: dict[tuple[Role, int], Log], sizes: list[int], order: int, given: Given
) -> dict[int, list[tuple[bytes | None, bytes]]]:
    """Return the second hop's logs: chunks of the sizes in turn, sources interleaved by the seed `order`."""
    draw = Random(order)
    sources = {at: source_of(*at) for at in logs}
    waiting = {
        (role, at): chunks_of(role, at, [(key, value) for key, value, _ in log], edges_of(sizes, len(log)))
        for (role, at), log in logs.items()
    }
    events: dict[int, list[tuple[bytes | None, bytes]]] = {at: [] for at in range(PARTITIONS)}
    while waiting:
        source = draw.choice(sorted(waiting))
        chunk = waiting[source].pop(0)
        fold = sources[source]
        for output in given.take(fold, chunk) if isinstance(fold, PositionFold) else fold.advance(chunk):
            events[output.partition].append((None, output.value))
        if not waiting[source]:
            del waiting[source]
    given.state |= {at: tuple(sorted(fold.take_changed())) for at, fold in sources.items() if at[0] == "positions"}
    return events


def run(logs: dict[tuple[Role, int], Log], sizes: list[int], order: int) -> Given:
    """Run both hops."""
    given = Given()
    for at, log in events_of(logs, sizes, order, given).items():
        fold = portfolio_fold(at)
        for chunk in chunks_of("market-events", at, log, edges_of(sizes, len(log))):
            assert given.take(fold, chunk) == []
        given.state["portfolios", at] = tuple(sorted(fold.take_changed()))
    return given


@cache
def whole() -> Given:
    """Return what one chunk a partition gives."""
    return run(logs_of(1), [1_000_000], order=0)


def risks(given: Given) -> list[PortfolioRisk]:
    """Return all portfolio risk of a run."""
    values = [one for (stream, *_), values in given.outputs.items() if stream == "portfolio_risk" for one in values]
    return [msgspec.json.decode(value, type=PortfolioRisk) for value in values]
