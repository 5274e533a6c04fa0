from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from types import SimpleNamespace
from typing import cast

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.bundle import Bundle
from risk.chunk import Chunk
from risk.fold import Emitted, Fold, Output
from risk.market.garch import GarchParameters, VolatilityParameters
from risk.market.symbol_volatility import SymbolVolatility
from risk.market.tick_fold import TickFold, severity
from schemas.alert import Alert
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.tick import Tick
from schemas.volatility import Volatility
from training.market.tick_simulator import MINUTE_BARS, MINUTE_NS, simulate_ticks

PARAMETERS = VolatilityParameters(
    MINUTE_NS,
    0.94,
    525_600.0,
    {
        "*": MINUTE_BARS,
        # Foresees too little variance, so that some bars exceed.
        "B": GarchParameters(mu=0.0, omega=1e-5, alpha=0.05, beta=0.5, backcast=1e-5, last_variance=1e-5),
    },
)

MALFORMED = [None, b"", b"?", b'{"schema_version":1}', b"\xff", b'{"symbol":"A","symbol":"A"}']


def fold_of(volatility: VolatilityParameters | None = PARAMETERS, *, version: str = "0123456789ab") -> TickFold:
    """Return an empty fold; of the bundle it reads only what is given here."""
    bundle = SimpleNamespace(manifest=SimpleNamespace(name="demo"), version=version, volatility=volatility)
    return TickFold(cast(Bundle, bundle))


def log_of(n: int, seed: int) -> Chunk:
    """Return ticks of three symbols with a malformed record after every tenth, at offsets with gaps."""
    ticks = simulate_ticks(["A", "B", "C"], n, seed, ticks_per_bar=3)
    records: list[tuple[bytes | None, bytes | None]] = []
    for at, symbol in enumerate(ticks.symbol):
        time_ns, bid, ask = int(ticks.event_time_ns[at]), float(ticks.bid[at]), float(ticks.ask[at])
        tick = Tick(schema_version=1, symbol=symbol, event_time_ns=time_ns, bid=bid, ask=ask)
        records.append((symbol.encode(), encode(tick)))
        if at % 10 == 9:
            records.append((b"A", MALFORMED[at // 10 % len(MALFORMED)]))
    offsets = tuple(100 + 2 * at for at in range(len(records)))
    keys, values = zip(*records, strict=True)
    return Chunk("ticks", 3, offsets, keys, values, caught_up=True)


LOG = log_of(300, seed=1)


def between(first: int, end: int) -> Chunk:
    """Return some consecutive records of the log as a chunk."""
    part = slice(first, end)
    return Chunk(LOG.topic, LOG.partition, LOG.offsets[part], LOG.keys[part], LOG.values[part], caught_up=False)


def cut_up(cuts: Iterable[int]) -> list[Chunk]:
    """Return the whole log in consecutive chunks."""
    edges = sorted({0, *cuts, len(LOG.offsets)})
    return [between(first, end) for first, end in pairwise(edges)]


def outputs_of(fold: Fold, chunks: Iterable[Chunk]) -> list[Output]:
    """Advance by the chunks and return every output, stream by stream: how streams interleave is free."""
    found = [output for chunk in chunks for output in fold.advance(chunk).outputs]
    return sorted(found, key=lambda one: one.stream)


cuts = st.lists(st.integers(0, len(LOG.offsets)), max_size=8)


def decoded(emitted: Emitted) -> tuple[list[Volatility], list[Alert], list[DeadLetter]]:
    """Return the messages emitted, by kind."""
    by_stream: dict[str, list[bytes]] = {"volatility": [], "alerts": [], "dead_letters": []}
    for output in emitted.outputs:
        by_stream[output.stream].append(output.value)
    return (
        [msgspec.json.decode(one, type=Volatility) for one in by_stream["volatility"]],
        [msgspec.json.decode(one, type=Alert) for one in by_stream["alerts"]],
        [msgspec.json.decode(one, type=DeadLetter) for one in by_stream["dead_letters"]],
    )


@given(cuts)
def test_chunks_do_not_matter(at: list[int]) -> None:
    """However the log is cut into chunks, outputs, rows and cut are the same byte for byte."""
    whole, parts = fold_of(), fold_of()
    assert outputs_of(parts, cut_up(at)) == outputs_of(whole, [LOG])
    assert parts.take_changed() == whole.take_changed()
    assert (parts.cut(), len(parts)) == (whole.cut(), len(whole))


@given(st.integers(0, len(LOG.offsets)), cuts)
def test_a_restored_fold_goes_on_as_if_nothing_happened(stop: int, at: list[int]) -> None:
    """A fold restored from cut and rows, and given the whole log again, gives what was still to come."""
    fold, restored = fold_of(), fold_of()
    fold.advance(between(0, stop))
    restored.restore(fold.cut(), fold.take_changed())
    assert restored.read_on_offset() == fold.read_on_offset()
    assert outputs_of(restored, cut_up(at)) == outputs_of(fold, [between(stop, len(LOG.offsets))])
    assert dict(restored.take_changed()) == dict(fold.take_changed())
    assert restored.cut() == fold.cut()


@given(cuts)
def test_a_redelivered_chunk_changes_nothing(at: list[int]) -> None:
    """A chunk that the state contains gives no output, and neither row nor cut changes."""
    fold = fold_of()
    fold.advance(LOG)
    before = fold.cut()
    fold.take_changed()
    assert outputs_of(fold, cut_up(at)) == []
    assert (fold.take_changed(), fold.cut()) == ([], before)


def test_every_record_is_answered() -> None:
    """Each record is either a tick that was taken or a dead letter, with its bytes and its place."""
    emitted = fold_of().advance(LOG)
    _, _, letters = decoded(emitted)
    assert emitted.counts["quoted"] == 300
    assert len(letters) == 30 == sum(emitted.rejected.values())
    assert emitted.rejected == Counter(letter.reason for letter in letters)
    for letter in letters:
        at = LOG.offsets.index(letter.source.offset)
        assert (letter.payload, letter.key) == (LOG.values[at] or b"", LOG.keys[at])
        assert (letter.source.topic, letter.source.partition) == ("ticks", 3)


def test_volatility_tells_what_the_step_found() -> None:
    """Messages carry the columns of the step, keyed by symbol, from the tick that closed the bar."""
    good = [at for at in range(len(LOG.offsets)) if LOG.values[at] not in MALFORMED]
    ticks = [msgspec.json.decode(LOG.values[at] or b"", type=Tick) for at in good]
    bars = SymbolVolatility(PARAMETERS).advance(
        [one.symbol for one in ticks],
        np.array([one.event_time_ns for one in ticks]),
        np.array([one.bid for one in ticks]),
        np.array([one.ask for one in ticks]),
    )
    emitted = fold_of().advance(LOG)
    volatilities, alerts, _ = decoded(emitted)
    assert emitted.counts == {"quoted": 300, "forecast": len(bars), "alerted": len(alerts)}
    assert len(volatilities) == len(bars) > 50
    for at, one in enumerate(volatilities):
        assert one.symbol == bars.symbol[at]
        assert one.source.offset == LOG.offsets[good[int(bars.index[at])]]
        for name in (
            "bar_end_ns",
            "close",
            "log_return_percent",
            "garch_variance_percent2",
            "ewma_variance_percent2",
            "annualised_volatility_percent",
            "value_at_risk_95_percent",
            "value_at_risk_99_percent",
            "exceeded_95",
            "exceeded_99",
        ):
            assert getattr(one, name) == getattr(bars, name)[at]
    assert emitted.volatility_percent == {one.symbol: one.annualised_volatility_percent for one in volatilities}
    outputs = [one for one in emitted.outputs if one.stream == "volatility"]
    assert [one.key for one in outputs] == [one.symbol.encode() for one in volatilities]
    assert [one.identity.hex() for one in outputs] == [one.volatility_id for one in volatilities]
    assert len({one.volatility_id for one in volatilities}) == len(volatilities)
    assert {one.partition for one in emitted.outputs} == {3}


def test_an_alert_tells_which_loss_exceeded_which_forecast() -> None:
    """Each exceedance of the 99 % value at risk raises one alert, whose reason is loss and forecast."""
    volatilities, alerts, _ = decoded(fold_of().advance(LOG))
    exceeded = {(one.symbol, one.bar_end_ns): one for one in volatilities if one.exceeded_99}
    assert exceeded.keys() == {(one.entity_id, one.event_time_ns) for one in alerts}
    assert len(alerts) >= 3
    forecast: dict[tuple[str, int], float] = {}
    for before, after in ((a, b) for a in volatilities for b in volatilities if a.symbol == b.symbol):
        if after.bar_end_ns == before.bar_end_ns + MINUTE_NS:
            forecast[after.symbol, after.bar_end_ns] = before.value_at_risk_99_percent
    for alert in alerts:
        (reason,) = alert.reasons
        bar = exceeded[alert.entity_id, alert.event_time_ns]
        assert (alert.source, alert.alert_id) == (bar.source, bar.volatility_id)
        assert alert.event_id == f"{bar.symbol}@{bar.bar_end_ns}"
        assert (alert.entity_kind, alert.outcome, alert.threshold) == ("symbol", "review", 1.0)
        assert (reason.code, reason.feature) == ("VALUE_AT_RISK_99_EXCEEDED", "loss_percent")
        assert reason.value == pytest.approx(100 * (1 - np.exp(bar.log_return_percent / 100)))
        assert reason.value > reason.usual_value > 0.0
        if (alert.entity_id, alert.event_time_ns) in forecast:
            assert reason.usual_value == forecast[alert.entity_id, alert.event_time_ns]
        assert alert.score > 1.0
        assert reason.contribution == alert.score - 1.0
        assert alert.score - alert.usual_score == sum(alert.contributions.values())
        assert (alert.contributions, alert.features) == (
            {"loss_percent": reason.contribution},
            {"loss_percent": reason.value},
        )
        # The mean of these symbols is zero, and their returns are small.
        assert alert.score == pytest.approx(reason.value / reason.usual_value, rel=1e-3)
        assert alert.severity == severity(alert.score)


def test_other_bundles_give_other_ids() -> None:
    """Two bundles' messages on one bar have different ids, so neither hides the other."""
    first, second = outputs_of(fold_of(), [LOG]), outputs_of(fold_of(version="ba9876543210"), [LOG])
    ids = {one.identity for one in first if one.stream != "dead_letters"}
    assert ids
    assert not ids & {one.identity for one in second if one.stream != "dead_letters"}


def test_a_bundle_without_volatility_is_refused() -> None:
    """A fold cannot be made from a bundle that has no volatility parameters."""
    with pytest.raises(ValueError, match="no volatility"):
        fold_of(None)


def test_the_state_is_bound_to_the_length_of_its_bars() -> None:
    """Rows of minutes are not restored into a fold of hours."""
    hours = VolatilityParameters(60 * MINUTE_NS, 0.94, 8_760.0, PARAMETERS.symbols)
    assert fold_of(hours).state_version != fold_of().state_version


def test_severity_grows_with_the_score() -> None:
    """The severity steps up at 1.5 and 2 times what was allowed."""
    scores = [1.0, 1.49, 1.5, 1.99, 2.0, 1e9]
    assert [severity(one) for one in scores] == ["medium"] * 2 + ["high"] * 2 + ["critical"] * 2
