import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history_messages import tick_messages
from risk.chunk import Chunk
from risk.fold import Emitted, Fold, Output
from risk.market.market_events import decode_block
from risk.market.tick_fold import TickFold
from risk.volatility.volatility_model import Garch
from risk.volatility.volatility_models import model_name
from schemas.alert import Alert
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.forecast import Forecast
from schemas.refit import Refit
from schemas.volatility import Volatility
from tests.small_market_bundle import MINUTE_NS, small_market_bundle
from training.market.tick_simulator import simulate_ticks

BUNDLE = small_market_bundle(stale_after_ns=90_000_000_000)
REFITTED = Garch(omega=2e-5, alpha=(0.2,), beta=(0.7,), backcast_percent2=2e-4)
MALFORMED = [None, b"", b"?", b'{"schema_version":1}', b"\xff", b'{"symbol":"A","symbol":"A"}', b'{"cause":"schedule"}']


def fold_of(version: str = BUNDLE.version) -> TickFold:
    """Return an empty fold."""
    return TickFold(3, partitions=4, bundle=small_market_bundle(version, stale_after_ns=90_000_000_000))


def refit_of(symbol: str, time_ns: int, model: Garch = REFITTED, version: str = BUNDLE.version) -> bytes:
    """Return a refit as it lies on the topic."""
    return encode(Refit(1, symbol, time_ns, version, "schedule", msgspec.to_builtins(model)))


def log_of(n: int, seed: int) -> Chunk:
    """Return ticks of three symbols at offsets with gaps, malformed records and two refits among them.

    One symbol is silent in the middle.
    """
    ticks = list(tick_messages(simulate_ticks(["A", "B", "C"], n, seed, ticks_per_bar=2)))
    records: list[tuple[bytes | None, bytes | None]] = []
    for at, (symbol, value) in enumerate(ticks):
        if symbol == "C" and n // 3 < at < n // 2:
            continue
        records.append((symbol.encode(), value))
        if at % 10 == 9:
            records.append((b"A", MALFORMED[at // 10 % len(MALFORMED)]))
        if at in (n // 2, 2 * n // 3):
            name = "B" if at == n // 2 else "new"
            records.append((name.encode(), refit_of(name, 1_704_067_200_000_000_000 + at)))
    offsets = tuple(100 + 2 * at for at in range(len(records)))
    keys, values = zip(*records, strict=True)
    return Chunk.of("ticks", 3, offsets, keys, values, caught_up=True)


LOG = log_of(600, seed=1)


def between(first: int, end: int) -> Chunk:
    """Return consecutive records of the log."""
    return LOG.where(range(first, end))


def outputs_of(fold: Fold, chunks: Iterable[Chunk]) -> list[Output]:
    """Return what a fold gives, but for the hop, whose blocks follow the chunks."""
    return [one for chunk in chunks for one in fold.advance(chunk).outputs if one.stream != "market_events"]


def by_stream(outputs: Iterable[Output]) -> dict[str, list[Output]]:
    """Return outputs by stream, in order."""
    found: dict[str, list[Output]] = {}
    for one in outputs:
        found.setdefault(one.stream, []).append(one)
    return found


WHOLE = fold_of()
WHOLE_EMITTED: Emitted = WHOLE.advance(LOG)
WHOLE_OUTPUTS = by_stream(one for one in WHOLE_EMITTED.outputs if one.stream != "market_events")
WHOLE_ROWS = dict(WHOLE.take_changed())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, len(LOG.offsets)), max_size=6))
def test_cuts_change_nothing(cuts: list[int]) -> None:
    """However the log is cut, refits and silences included, each stream has the same bytes in the same order."""
    fold = fold_of()
    edges = sorted({0, *cuts, len(LOG.offsets)})
    assert by_stream(outputs_of(fold, [between(*one) for one in pairwise(edges)])) == WHOLE_OUTPUTS
    assert dict(fold.take_changed()) == WHOLE_ROWS


@settings(max_examples=10, deadline=None)
@given(st.integers(0, len(LOG.offsets)))
def test_a_restored_fold_goes_on_as_if_never_stopped(at: int) -> None:
    """From a cut and its rows, and the log sent again from before, the rest gives the same; nothing is taken twice."""
    first = fold_of()
    given = outputs_of(first, [between(0, at)])
    restored = fold_of()
    rows = first.take_changed()
    restored.restore(first.cut(), rows)
    assert (restored.last_offset(), restored.read_on_offset()) == (first.last_offset(), first.read_on_offset())
    given += outputs_of(restored, [between(max(0, at - 50), len(LOG.offsets))])
    assert by_stream(given) == WHOLE_OUTPUTS
    assert dict(rows) | dict(restored.take_changed()) == WHOLE_ROWS


def test_every_bar_is_published_with_its_forecasts() -> None:
    """A closed bar gives one volatility and one forecast of each forecaster, named by symbol, bar and bundle."""
    bars = [msgspec.json.decode(one.value, type=Volatility) for one in WHOLE_OUTPUTS["volatility"]]
    assert len(bars) == WHOLE_EMITTED.counts["bars"] > 150
    assert len({one.volatility_id for one in bars}) == len(bars)
    forecasts = [msgspec.json.decode(one.value, type=Forecast) for one in WHOLE_OUTPUTS["forecasts"]]
    models = {one.model for one in forecasts}
    assert Counter((one.symbol, one.bar_end_ns) for one in forecasts) == {
        (one.symbol, one.bar_end_ns): len(models) for one in bars
    }
    assert len({one.forecast_id for one in forecasts}) == len(forecasts)
    for one in bars:
        assert {(figure.method, figure.horizon_bars) for figure in one.risk} == {
            (method, horizon)
            for method in ("normal", "fitted_distribution", "filtered_historical", "monte_carlo")
            for horizon in (1, 3)
        }
        assert [test.zone is None for test in one.back_tests] == [True, True, one.back_tests[2].bars < 250]


def test_a_bar_is_held_against_what_was_forecast_for_it() -> None:
    """Exceedances are those of the loss over the value at risk in force that the bar before told, and are counted."""
    before: dict[str, Volatility] = {}
    exceedances: Counter[str] = Counter()
    for one in (msgspec.json.decode(output.value, type=Volatility) for output in WHOLE_OUTPUTS["volatility"]):
        if (last := before.get(one.symbol)) is not None:
            assert one.variance_percent2 == last.next_variance_percent2 or one.parameters_from_ns
            loss = -100.0 * np.expm1(one.log_return_percent / 100.0)
            allowed = {figure.confidence_percent: figure.value_at_risk_percent for figure in last.risk_in_force}
            assert set(one.exceeded_percent) == {level for level, most in allowed.items() if loss > most}
        exceedances[one.symbol] += 99.0 in one.exceeded_percent
        assert one.back_tests[2].exceedances == exceedances[one.symbol]
        before[one.symbol] = one
    assert exceedances["B"] > 2


def test_a_value_at_risk_in_force_learns_from_its_exceedances() -> None:
    """It has one figure a level, by the method told; exceedances make it wider than forecast, other bars narrower."""
    before: dict[str, list[float]] = {}
    for one in (msgspec.json.decode(output.value, type=Volatility) for output in WHOLE_OUTPUTS["volatility"]):
        plain = [
            figure.value_at_risk_percent
            for figure in one.risk
            if figure.method == one.risk_method and figure.horizon_bars == 1
        ]
        assert [(figure.method, figure.confidence_percent, figure.horizon_bars) for figure in one.risk_in_force] == [
            (one.risk_method, level, 1) for level in (95.0, 97.5, 99.0)
        ]
        figures = [(figure.value_at_risk_percent, figure.expected_shortfall_percent) for figure in one.risk_in_force]
        assert figures == sorted(figures)
        widths = [
            np.log1p(-made / 100.0) / np.log1p(-given / 100.0) for (made, _), given in zip(figures, plain, strict=True)
        ]
        if (last := before.get(one.symbol)) is None:
            assert widths == pytest.approx([1.0, 1.0, 1.0], rel=1e-9)
        else:
            grown = 0.0015 * ((99.0 in one.exceeded_percent) / 0.01 - 1.0)
            assert widths[2] == pytest.approx(last[2] * np.exp(grown), rel=1e-6)
        before[one.symbol] = widths
    assert before["B"][2] > 1.2


def test_a_refit_takes_over_where_it_lies() -> None:
    """Bars that close after a refit are of the new parameters, the others are as without it."""
    bars = [msgspec.json.decode(one.value, type=Volatility) for one in WHOLE_OUTPUTS["volatility"]]
    refits = [
        at for at, value in enumerate(LOG.values) if value is not None and b'"refit' not in value and b"omega" in value
    ]
    at_offset = LOG.offsets[refits[0]]
    unfitted = fold_of()
    plain = outputs_of(unfitted, [LOG.where([at for at in range(len(LOG.offsets)) if at not in refits])])
    before = {
        one.volatility_id: one
        for one in (msgspec.json.decode(o.value, type=Volatility) for o in plain if o.stream == "volatility")
    }
    mine = [one for one in bars if one.symbol == "B"]
    assert {one.parameters_from_ns for one in mine if one.source.offset < at_offset} == {0}
    later = [one for one in mine if one.source.offset > at_offset]
    assert {one.parameters_from_ns for one in later} == {1_704_067_200_000_000_000 + 300}
    for one in bars:
        same = one == before[one.volatility_id]
        assert same == (one.symbol != "B" or one.source.offset < at_offset)
    # The first bar after it was forecast by the former model but for its variance, and forecasts by the new one.
    first, second = later[:2]
    assert second.variance_percent2 == pytest.approx(
        REFITTED.omega + 0.2 * first.log_return_percent**2 + 0.7 * first.variance_percent2, rel=1e-12
    )
    assert WHOLE_EMITTED.counts["refits"] == 2
    assert model_name(REFITTED) == second.model


def test_a_refit_of_another_bundle_is_passed_over() -> None:
    """What was estimated for other models has no effect, and is counted."""
    fold = fold_of()
    record = refit_of("A", MINUTE_NS * 28_400_000, version="ffffffffffff")
    emitted = fold.advance(Chunk.of("ticks", 3, (1,), (b"A",), (record,), caught_up=True))
    assert emitted.counts["refits_passed_over"] == 1
    assert [one for one in emitted.outputs if one.stream != "market_events"] == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        (b"Z", refit_of("A", MINUTE_NS * 28_400_000), "key="),
        (b"A", refit_of("A", MINUTE_NS * 28_400_000).replace(b'"garch"', b'"grch"'), "model: Invalid value 'grch'"),
        (b"A", refit_of("A", MINUTE_NS * 28_400_000).replace(b"0.7", b"0.9"), "would grow without bound"),
        (
            b"A",
            refit_of(
                "A", MINUTE_NS * 28_400_000, Garch(omega=1e-5, alpha=(0.1,) * 4, beta=(0.1,), backcast_percent2=1.0)
            ),
            "the state keeps",
        ),
    ],
    ids=["key", "kind", "unbounded", "too far back"],
)
def test_a_refit_that_cannot_be_used_is_a_dead_letter(key: bytes, value: bytes, told: str) -> None:
    """It is refused by what is wrong with it, and the symbol goes on with the model that it has."""
    emitted = fold_of().advance(Chunk.of("ticks", 3, (1,), (key,), (value,), caught_up=True))
    (letter,) = (one for one in emitted.outputs if one.stream == "dead_letters")
    assert told in msgspec.json.decode(letter.value, type=DeadLetter).detail
    assert emitted.counts["refits"] == 0


def test_a_new_bundle_ends_re_estimated_parameters() -> None:
    """Parameters that took the place of another bundle's models are dropped at a restore; of its own they stay."""
    same = fold_of()
    same.restore(WHOLE.cut(), WHOLE_ROWS.items())
    bundle = small_market_bundle(stale_after_ns=90_000_000_000)
    volatility = bundle.parameters.volatility
    changed = msgspec.structs.replace(
        volatility,
        symbols=volatility.symbols | {"C": msgspec.structs.replace(volatility.symbols["*"], mean_percent=0.001)},
    )
    parameters = msgspec.structs.replace(bundle.parameters, volatility=changed)
    other = TickFold(3, partitions=4, bundle=type(bundle)(bundle.manifest, "f" * 12, parameters, bundle.graphs))
    other.restore(WHOLE.cut(), WHOLE_ROWS.items())
    assert same._risk.model("B") == REFITTED
    assert same._risk.model("new") == REFITTED
    assert other._risk.model("B") == volatility.symbols["B"]
    assert model_name(other._risk.model("new")) == model_name(volatility.symbols["*"])


def test_alerts_add_up_and_come_once_an_event() -> None:
    """Every alert's contributions add up to its score; there are exceedances and a silence, and ids are distinct."""
    alerts = [msgspec.json.decode(one.value, type=Alert) for one in WHOLE_OUTPUTS["alerts"]]
    codes = Counter(reason.code for alert in alerts for reason in alert.reasons)
    assert codes["VALUE_AT_RISK_99_EXCEEDED"] > 0
    assert codes["STALE_FEED"] > 0
    assert len({alert.alert_id for alert in alerts}) == len(alerts) == WHOLE_EMITTED.counts["alerted"]
    for alert in alerts:
        assert alert.entity_kind == "symbol"
        assert alert.score - alert.usual_score == pytest.approx(sum(alert.contributions.values()))
        assert alert.score >= alert.threshold
        assert all(reason.text for reason in alert.reasons)
    exceeded = {
        (one.symbol, one.bar_end_ns)
        for one in (msgspec.json.decode(output.value, type=Volatility) for output in WHOLE_OUTPUTS["volatility"])
        if 99.0 in one.exceeded_percent
    }
    told = {
        (alert.entity_id, alert.event_time_ns)
        for alert in alerts
        for reason in alert.reasons
        if reason.code == "VALUE_AT_RISK_99_EXCEEDED"
    }
    assert told < exceeded


def test_every_bar_goes_to_every_partition_of_the_portfolios() -> None:
    """The hop's blocks carry each bar once to each partition, with its numbers."""
    blocks = [
        (one.partition, decode_block(one.value)) for one in WHOLE_EMITTED.outputs if one.stream == "market_events"
    ]
    bars = [msgspec.json.decode(one.value, type=Volatility) for one in WHOLE_OUTPUTS["volatility"]]
    for partition in range(4):
        mine = [block for at, block in blocks if at == partition]
        keys = [key for block in mine for key in block.key]
        numbers = np.concatenate([np.frombuffer(block.numbers) for block in mine]).reshape(-1, 5)
        assert keys == [one.symbol for one in bars]
        assert numbers[:, 0].tolist() == [one.close for one in bars]
        assert numbers[:, 3].tolist() == [one.next_variance_percent2 for one in bars]


def test_malformed_records_are_dead_letters() -> None:
    """Each record that nobody can use is answered once, in the order of the log, and changes nothing."""
    letters = [msgspec.json.decode(one.value, type=DeadLetter) for one in WHOLE_OUTPUTS["dead_letters"]]
    offsets = [letter.source.offset for letter in letters]
    expected = [
        offset
        for offset, key, value in zip(LOG.offsets.tolist(), LOG.keys, LOG.values, strict=True)
        if value in MALFORMED and key == b"A"
    ]
    assert offsets == expected
    assert sum(WHOLE_EMITTED.rejected.values()) == len(letters)


def test_other_bundles_give_other_ids() -> None:
    """Two bundles' messages on one bar have different ids, so neither hides the other."""
    other = by_stream(outputs_of(fold_of("ba9876543210"), [LOG]))
    for stream in ("volatility", "forecasts", "alerts"):
        assert not {one.identity for one in WHOLE_OUTPUTS[stream]} & {one.identity for one in other[stream]}


def test_messages_are_json_without_infinities() -> None:
    """Every message can be read by a strict reader of JSON."""
    for stream in ("volatility", "forecasts", "alerts"):
        for one in WHOLE_OUTPUTS[stream]:
            json.loads(one.value, parse_constant=lambda name: pytest.fail(name))
