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
from risk.market.market_columns import bar_columns, curve_columns
from risk.market.market_events import Role, decode_block
from risk.market.market_routing import MarketRouting
from risk.market.market_rows import MarketRows
from risk.partitioner import partitions_of
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.portfolio_fold import PortfolioFold
from risk.portfolios.portfolio_parameters import PortfolioLimits, PortfolioParameters
from risk.portfolios.position_fold import PositionFold
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.portfolio_risk import PortfolioRisk
from schemas.position import Position
from schemas.source import Source

PARTITIONS = 3
START_NS = 1_767_225_600_000_000_000
MINUTE_NS = 60_000_000_000
DAY_NS = 1_440 * MINUTE_NS
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
Log = list[tuple[bytes | None, bytes]]
"""Keys and values of a partition's records."""


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


def bar_log(draw: np.random.Generator, minutes: int) -> list[tuple[str, bytes, int]]:
    """Return (symbol, message, time) of bars of correlated walks: one symbol rests for hours, and one is slow."""
    closes = np.full(len(SYMBOLS), 100.0)
    found = []
    for minute in range(minutes):
        common = draw.standard_t(4)
        for at, symbol in enumerate(SYMBOLS):
            if (at == 3 and minutes // 4 <= minute < minutes // 2) or draw.random() < 0.05:
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


def curve_log(draw: np.random.Generator, minutes: int) -> list[tuple[str, bytes, int]]:
    """Return (currency, message, time) of curves of three currencies, one of them without standard shocks."""
    found = []
    for at in range(minutes // 7):
        currency = ("EUR", "USD", "KWD")[at % 3]
        known_ns = START_NS + at * 7 * MINUTE_NS
        tenors = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0][: 4 + at % 3]
        zero = (3.0 + np.cumsum(draw.normal(0.0, 0.1, len(tenors)))).tolist()
        curve = {"currency": currency, "known_ns": known_ns, "curve_ns": known_ns, "tenors": tenors, "zero": zero}
        found.append((currency, msgspec.json.encode(curve), known_ns))
    return found


def position_log(draw: np.random.Generator, minutes: int) -> list[tuple[str, bytes, int]]:
    """Return (portfolio, message, time) of positions in symbols and bonds, taken up and given up; some malformed."""
    found = []
    for at in range(200):
        portfolio = str(draw.choice(PORTFOLIOS))
        time_ns = START_NS + int(minutes * MINUTE_NS * min(at / 100, draw.random() ** 2))
        quantity = float(draw.choice([0.0, 0.0, 10.0, -5.0, 3.5]))
        if draw.random() < 0.2:
            terms: dict[str, Any] = {
                "currency": str(draw.choice(["EUR", "USD", "KWD"])),
                "maturity_ns": START_NS + int(draw.integers(-1, 12)) * 365 * DAY_NS,
                "coupon_percent": float(draw.integers(0, 5)),
                "frequency": int(draw.choice([0, 1, 2])),
            }
        else:
            # The first two portfolios hold what was trained on alone.
            terms = {"symbol": str(draw.choice([*SYMBOLS, "unquoted"][: 3 if portfolio in PORTFOLIOS[:2] else None]))}
        position = Position(1, portfolio, time_ns, quantity, **terms)
        found.append((portfolio, encode(position), time_ns))
        if at % 40 == 7:
            found.append((portfolio, encode(position).replace(b'"portfolio"', b'"folio"'), time_ns))
    return sorted(found, key=lambda one: one[2])


@cache
def logs_of(seed: int, minutes: int) -> dict[tuple[Role, int], Log]:
    """Return the source logs, partition by partition."""
    draw = np.random.default_rng(seed)
    messages: dict[Role, list[tuple[str, bytes, int]]] = {
        "ticks": sorted(bar_log(draw, minutes), key=lambda one: one[2]),
        "rates": curve_log(draw, minutes),
        "positions": position_log(draw, minutes),
    }
    logs: dict[tuple[Role, int], Log] = {(role, at): [] for role in messages for at in range(PARTITIONS)}
    for role, sent in messages.items():
        targets = partitions_of([key for key, *_ in sent], PARTITIONS).tolist()
        for (key, value, _), at in zip(sent, targets, strict=True):
            logs[role, at].append((key.encode(), value))
    return logs


def chunks_of(topic: str, partition: int, log: Log, edges: list[int]) -> list[Chunk]:
    """Return a log in consecutive chunks, the last of which says that it is; offsets have gaps, as logs have."""
    if not log:
        return [Chunk.of(topic, partition, (), (), (), caught_up=True)]
    chunks = []
    for first, end in pairwise(sorted({0, *(edge for edge in edges if edge < len(log)), len(log)})):
        offsets = tuple(range(2 * first + 5, 2 * end + 5, 2))
        keys, values = zip(*log[first:end], strict=True)
        chunks.append(Chunk.of(topic, partition, offsets, keys, values, end == len(log)))
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


def events_of(logs: dict[tuple[Role, int], Log], sizes: list[int], order: int, given: Given) -> dict[int, Log]:
    """Return the second hop's logs: chunks of the sizes in turn, sources interleaved by the seed `order`."""
    draw = Random(order)
    sources = {at: source_of(*at) for at in logs}
    waiting = {(role, at): chunks_of(role, at, log, edges_of(sizes, len(log))) for (role, at), log in logs.items()}
    events: dict[int, Log] = {at: [] for at in range(PARTITIONS)}
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


SMALL, LARGE = 60, 420
"""How many minutes the market of a test has; the large one has enough bars to simulate history."""


@cache
def whole(minutes: int) -> Given:
    """Return what one chunk a partition gives."""
    return run(logs_of(1, minutes), [1_000_000], order=0)


def published(given: Given, stream: str) -> list[bytes]:
    """Return all values that a run published to a stream."""
    return [value for (name, *_), values in given.outputs.items() if name == stream for value in values]


def risks(given: Given) -> list[PortfolioRisk]:
    """Return all portfolio risk of a run; numbers that are not finite would not decode."""
    return [msgspec.json.decode(value, type=PortfolioRisk) for value in published(given, "portfolio_risk")]


def test_every_position_is_forwarded_or_a_dead_letter() -> None:
    """Nothing is lost between the hops, not one row is late, and all that can be said of a portfolio is said."""
    logs, given = logs_of(1, LARGE), whole(LARGE)
    positions = sum(len(logs["positions", at]) for at in range(PARTITIONS))
    assert given.counts["forwarded"] + given.counts["rejected"] == positions
    assert given.counts["positions"] == given.counts["forwarded"]
    assert given.counts["rejected"] == len(published(given, "dead_letters")) == 5
    assert given.counts["bars"] == PARTITIONS * sum(len(logs["ticks", at]) for at in range(PARTITIONS))
    assert given.counts["late"] == given.counts["released_early"] == 0
    found = risks(given)
    markets = [one.market for one in found if one.market is not None]
    assert {one.correlation for one in markets} == {"ewma", "dcc"}
    assert {one.risk_method for one in markets} == {"fitted_distribution", "filtered_historical"}
    assert any(one.unpriced for one in markets)
    assert {one.interest_rates.currency for one in found if one.interest_rates} == {"EUR", "USD", "KWD"}
    assert len({(one.portfolio, one.risk_id) for one in found}) == len(found)


def test_every_alert_explains_itself() -> None:
    """Score less usual score is the sum of contributions, and an alert's event has a risk message of the same id."""
    alerts = [msgspec.json.decode(value, type=Alert) for value in published(whole(LARGE), "alerts")]
    ids = {one.risk_id for one in risks(whole(LARGE))}
    assert {alert.reasons[0].code for alert in alerts} == {
        "PORTFOLIO_VALUE_AT_RISK_99_EXCEEDED",
        "INTEREST_RATE_LOSS_LIMIT_EXCEEDED",
    }
    for alert in alerts:
        assert alert.alert_id in ids
        assert alert.score > alert.threshold == 1.0
        assert sum(alert.contributions.values()) == pytest.approx(alert.score - alert.usual_score, rel=1e-9)
        for reason in alert.reasons:
            assert reason.contribution == alert.contributions[reason.feature] > 0.0


def test_components_add_up_to_the_value_at_risk() -> None:
    """What the symbols add to the normal value at risk of one bar at 99 % is all of it."""
    for one in risks(whole(LARGE)):
        if one.market is not None and one.market.risk:
            (figure,) = [
                figure
                for figure in one.market.risk
                if (figure.method, figure.confidence_percent, figure.horizon_bars) == ("normal", 99.0, 1)
            ]
            assert sum(one.market.components_percent.values()) == pytest.approx(figure.value_at_risk_percent, rel=1e-9)


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=5), order=st.integers(0, 2**32 - 1))
def test_neither_cuts_nor_interleaving_change_a_byte(sizes: list[int], order: int) -> None:
    """Random chunks, read in a random order of sources, give the same outputs and the same state."""
    assert run(logs_of(1, SMALL), sizes, order) == whole(SMALL)


@pytest.mark.parametrize("size", [7, 1_024])
def test_batches_of_any_size_change_no_byte(size: int) -> None:
    """A day of bars gives the same outputs and the same state in chunks of any size, as history is simulated."""
    assert run(logs_of(1, LARGE), [size], order=size) == whole(LARGE)


@cache
def market_log(order: int) -> Log:
    """Return the second hop's log of the partition with most portfolios, sources interleaved by the seed `order`."""
    return events_of(logs_of(1, SMALL), [20], order, Given())[HOME]


HOME = int(np.argmax(np.bincount(partitions_of(PORTFOLIOS, PARTITIONS), minlength=PARTITIONS)))


@settings(max_examples=15)
@given(
    stops=st.lists(st.integers(0, 10_000), min_size=1, max_size=3),
    back=st.integers(0, 5),
    size=st.integers(1, 60),
    order=st.integers(0, 5),
)
def test_a_second_hop_restored_anywhere_goes_on_exactly(stops: list[int], back: int, size: int, order: int) -> None:
    """Restored again and again, also while it still reads again what had waited, it gives each output once."""
    log = market_log(order)
    chunks = chunks_of("market-events", HOME, log, edges_of([size], len(log)))
    undisturbed = portfolio_fold(HOME)
    expected = [output for chunk in chunks for output in undisturbed.advance(chunk).outputs]
    rows: dict[bytes, bytes] = {}
    found: list[Output] = []
    fold = portfolio_fold(HOME)
    first = 0
    for stop in [*stops, len(chunks)]:
        end = len(chunks) if stop == len(chunks) else first + stop % (len(chunks) - first + 1)
        for chunk in chunks[first:end]:
            found += fold.advance(chunk).outputs
        rows.update(fold.take_changed())
        cut = fold.cut()
        # The log is read from where the cut says or, since offsets are committed after it, from before that.
        read_on = [at for at, chunk in enumerate(chunks) if chunk.offsets[-1] >= fold.read_on_offset()]
        first = max(0, min(read_on, default=len(chunks)) - back)
        fold = portfolio_fold(HOME)
        fold.restore(cut, rows.items())
    for chunk in chunks[first:]:
        found += fold.advance(chunk).outputs
    assert len(expected) > 100
    assert found == expected
    assert rows == dict(undisturbed.take_changed())


@settings(max_examples=20)
@given(stop=st.integers(0, 300), size=st.integers(1, 60))
def test_a_first_hop_restored_anywhere_goes_on_exactly(stop: int, size: int) -> None:
    """A fold of positions that is restored forwards and refuses the rest as the undisturbed one does."""
    log = logs_of(1, SMALL)["positions", HOME]
    chunks = chunks_of("positions", HOME, log, edges_of([size], len(log)))
    whole_fold = PositionFold(HOME, partitions=PARTITIONS)
    expected = [output for chunk in chunks for output in whole_fold.advance(chunk).outputs]
    first = PositionFold(HOME, partitions=PARTITIONS)
    found = [output for chunk in chunks[: stop % (len(chunks) + 1)] for output in first.advance(chunk).outputs]
    rows = dict(first.take_changed())
    second = PositionFold(HOME, partitions=PARTITIONS)
    second.restore(first.cut(), rows.items())
    # What was read already is delivered again.
    found += [output for chunk in chunks for output in second.advance(chunk).outputs if rows_in([output])]
    assert [one for one in found if rows_in([one])] == [one for one in expected if rows_in([one])]
    assert rows | dict(second.take_changed()) == dict(whole_fold.take_changed())


@settings(max_examples=10)
@given(size=st.integers(1, 200))
def test_what_is_delivered_again_changes_nothing(size: int) -> None:
    """A second hop that is given records again gives nothing for them, and its state stays."""
    log = market_log(0)
    fold = portfolio_fold(HOME)
    (all_of_it,) = chunks_of("market-events", HOME, log, [])
    fold.advance(all_of_it)
    fold.take_changed()
    before = fold.cut()
    for chunk in chunks_of("market-events", HOME, log, edges_of([size], len(log))):
        assert fold.advance(chunk).outputs == []
    assert fold.take_changed() == []
    assert fold.cut() == before


@settings(max_examples=10)
@given(at=st.sets(st.integers(0, 10_000), max_size=3), size=st.integers(1, 60))
def test_messages_left_out_are_as_if_they_had_never_come(at: set[int], size: int) -> None:
    """Without some messages, in whichever blocks they lie, the rest is what a log without them gives."""
    rows = MarketRows(TOPICS)
    chunks = chunks_of("market-events", HOME, market_log(1), edges_of([size], len(market_log(1))))
    sources = [source for chunk in chunks for source in rows.of(chunk)]
    excluded = {sources[one % len(sources)] for one in at}
    fold, other = portfolio_fold(HOME), portfolio_fold(HOME)
    for chunk in chunks:
        found = fold.advance(rows.without(chunk, excluded)).outputs
        kept = [rows.without(chunk.where([one]), excluded) for one in range(len(chunk.offsets))]
        assert found == [output for one in kept for output in other.advance(one).outputs]
        assert not excluded.intersection(source_in(output) for output in found if output.stream == "portfolio_risk")


def source_in(output: Output) -> Source:
    """Return the source that a portfolio's risk names."""
    return msgspec.json.decode(output.value, type=PortfolioRisk).source


def rows_in(outputs: list[Output]) -> int:
    """Return how many rows the blocks among the outputs hold."""
    return sum(len(decode_block(output.value)) for output in outputs if output.stream == "market_events")
