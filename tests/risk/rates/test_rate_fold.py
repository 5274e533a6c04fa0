from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from forecast_steps import FILES, FORECASTERS
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.fold import Output
from risk.forecasts.forecast_step import Forecasts
from risk.market.market_alert import severity
from risk.market.market_events import decode_block
from risk.merchant_events import int64_column
from risk.rates.curve_step import CurveStep
from risk.rates.rate_parameters import RateParameters
from schemas.alert import Alert
from schemas.curve import Curve
from schemas.dead_letter import DeadLetter
from schemas.forecast import Forecast
from tests.risk.rates.rate_log import MALFORMED, between, chunk_of, cut_up, fold_of, messages_of, outputs_of
from training.rates.curve_simulator import simulate_rates
from training.rates.treasury import read_par_curves

RATES = simulate_rates(["USD", "EUR"], 20, seed=1)


def log_of() -> Chunk:
    """Return simulated points with a malformed record after every tenth, and a late one after every hundredth."""
    records: list[tuple[bytes | None, bytes | None]] = []
    for at, record in enumerate(messages_of(RATES)):
        records.append(record)
        if at % 10 == 9:
            records.append((b"USD", MALFORMED[at // 10 % len(MALFORMED)]))
        if at % 100 == 99:
            records.append(messages_of(RATES)[at - 44])
    return chunk_of(records)


LOG = log_of()
cuts = st.lists(st.integers(0, len(LOG.offsets)), max_size=8)
# Moves of 12 bp alert, so that twenty days hold some alerts.
NERVOUS = RateParameters(breach_bp=12.0, cool_down_ns=0, warm_up_moves=5)


def decoded(outputs: list[Output]) -> tuple[list[Curve], list[Alert], list[DeadLetter]]:
    """Return the messages emitted, by kind."""
    return (
        [msgspec.json.decode(one.value, type=Curve) for one in outputs if one.stream == "curves"],
        [msgspec.json.decode(one.value, type=Alert) for one in outputs if one.stream == "alerts"],
        [msgspec.json.decode(one.value, type=DeadLetter) for one in outputs if one.stream == "dead_letters"],
    )


@given(cuts)
def test_chunks_do_not_matter(at: list[int]) -> None:
    """However the log is cut into chunks, messages, rows and cut are the same byte for byte."""
    whole, parts = fold_of(NERVOUS), fold_of(NERVOUS)
    assert outputs_of(parts, cut_up(LOG, at)) == outputs_of(whole, [LOG])
    assert parts.take_changed() == whole.take_changed()
    assert (parts.cut(), len(parts)) == (whole.cut(), len(whole))


@given(st.integers(0, len(LOG.offsets)), cuts)
def test_a_restored_fold_goes_on_as_if_nothing_happened(stop: int, at: list[int]) -> None:
    """A fold restored from cut and rows, and given the whole log again, gives what was still to come."""
    fold, restored = fold_of(NERVOUS), fold_of(NERVOUS)
    fold.advance(between(LOG, 0, stop))
    restored.restore(fold.cut(), fold.take_changed())
    assert restored.read_on_offset() == fold.read_on_offset()
    assert outputs_of(restored, cut_up(LOG, at)) == outputs_of(fold, [between(LOG, stop, len(LOG.offsets))])
    assert dict(restored.take_changed()) == dict(fold.take_changed())
    assert restored.cut() == fold.cut()


@given(cuts)
def test_a_redelivered_chunk_changes_nothing(at: list[int]) -> None:
    """A chunk that the state contains gives no message, and neither row nor cut changes."""
    fold = fold_of()
    fold.advance(LOG)
    before = fold.cut()
    fold.take_changed()
    assert outputs_of(fold, cut_up(LOG, at)) == []
    assert (fold.take_changed(), fold.cut()) == ([], before)


def test_every_record_is_answered() -> None:
    """Each record is a point that was taken or a dead letter, with its bytes and its place; late ones say so."""
    emitted = fold_of().advance(LOG)
    _, _, letters = decoded(emitted.outputs)
    assert emitted.counts["points"] == len(RATES)
    assert len(letters) == len(LOG.offsets) - len(RATES) == sum(emitted.rejected.values())
    assert emitted.rejected == Counter(letter.reason for letter in letters)
    assert emitted.rejected["event_too_late"] == len(RATES) // 100
    for letter in letters:
        at = LOG.offsets.tolist().index(letter.source.offset)
        assert (letter.payload, letter.key) == (LOG.values[at] or b"", LOG.keys[at])


def test_one_tenor_too_many_is_a_dead_letter() -> None:
    """The forty-first tenor of a curve is refused with what to do."""
    value = messages_of(RATES)[0][1] or b""
    values = [value.replace(b'"tenor_months":1,', b'"tenor_months":%d,' % months) for months in range(1, 42)]
    _, _, (letter,) = decoded(fold_of().advance(chunk_of([(b"USD", one) for one in values])).outputs)
    assert (letter.reason, "tenor_months=41" in letter.detail) == ("out_of_range", True)


def test_curves_tell_what_the_step_found() -> None:
    """Messages carry the columns of the step, keyed by currency, from the point that closed the curve."""
    curves = CurveStep(RateParameters()).advance(
        RATES.currency, RATES.tenor_months, RATES.rate_percent, RATES.event_time_ns
    )
    emitted = fold_of().advance(chunk_of(messages_of(RATES)))
    messages, alerts, _ = decoded(emitted.outputs)
    assert emitted.counts == {"points": len(RATES), "curves": len(curves), "alerted": len(alerts)}
    assert len(messages) == len(curves) == 2 * 19
    for at, one in enumerate(messages):
        tenors = slice(len(one.tenor_months))
        assert (one.currency, one.event_time_ns) == (curves.currency[at], curves.event_time_ns[at])
        assert one.source.offset == 100 + 2 * curves.index[at]
        for name, column in (
            ("tenor_months", curves.tenor_months),
            ("par_percent", curves.par_percent),
            ("zero_percent", curves.zero_percent),
            ("discount_factor", curves.discount_factor),
            ("age_curves", curves.age_curves),
            ("move_bp", curves.tenor_move_bp),
            ("volatility_bp", curves.tenor_volatility_bp),
            ("deviations", curves.tenor_deviations),
        ):
            assert list(getattr(one, name)) == column[at, tenors].tolist()
        assert list(one.svensson.coefficients_percent) == curves.coefficients_percent[at].tolist()
        assert list(one.svensson.decays_years) == curves.decays_years[at].tolist()
        assert one.svensson.fit_error_bp == curves.fit_error_bp[at]
        for number, factor in enumerate((one.level, one.slope, one.curvature)):
            assert factor.value_percent == curves.factors_percent[at, number]
            assert factor.move_bp == curves.factor_move_bp[at, number]
            assert factor.volatility_bp == curves.factor_volatility_bp[at, number]
            assert factor.deviations == curves.factor_deviations[at, number]
        assert (one.has_move, one.prices_par) == (curves.has_move[at], curves.prices_par[at])
    outputs = [one for one in emitted.outputs if one.stream == "curves"]
    assert [one.identity.hex() for one in outputs] == [one.curve_id for one in messages]
    assert len({one.curve_id for one in messages}) == len(messages)
    assert {one.key for one in outputs} == {b"USD", b"EUR"}


def test_an_alert_says_which_moves_made_it() -> None:
    """Reasons name the moves of the curve, contributions share out the score, and the strongest comes first."""
    curves, alerts, _ = decoded(fold_of(NERVOUS).advance(LOG).outputs)
    by_id = {one.curve_id: one for one in curves}
    codes = Counter(reason.code for alert in alerts for reason in alert.reasons)
    assert codes.keys() >= {"CURVE_SHOCK_LEVEL", "CURVE_SHOCK_SLOPE", "CURVE_SHOCK_CURVATURE", "TENOR_SHOCK"}
    for alert in alerts:
        curve = by_id[alert.alert_id]
        assert (alert.entity_kind, alert.entity_id, alert.source) == ("curve", curve.currency, curve.source)
        assert alert.event_id == f"curve/{curve.currency}@{curve.event_time_ns}"
        assert (alert.threshold, alert.usual_score, alert.outcome) == (1.0, 1.0, "review")
        assert alert.severity == severity(alert.score)
        assert alert.score - alert.usual_score == pytest.approx(sum(alert.contributions.values()))
        contributions = [one.contribution for one in alert.reasons]
        assert contributions == sorted(contributions, reverse=True)
        for reason in alert.reasons:
            if reason.code == "CURVE_INVERTED":
                continue
            named = reason.feature.removesuffix("_move_bp")
            expected = getattr(curve, named).move_bp if named != "tenor" else reason.value
            assert (reason.value, reason.value in (*curve.move_bp, expected)) == (expected, True)
            assert ("rose" if reason.value > 0.0 else "fell") in reason.text


def test_reasons_are_told_in_words() -> None:
    """A level that jumps after quiet weeks, and the inversion that it brings, read as people say them."""
    history = simulate_rates(["USD"], 30, seed=2)
    quiet = history.rate_percent.copy().reshape(30, 11)
    quiet[:] = np.linspace(1.0, 2.0, 11)
    quiet[::2] += 0.02
    quiet[28:, 0:4] += 1.5
    quiet[28:, 1] += 0.05
    object.__setattr__(history, "rate_percent", quiet.ravel())
    _, (alert,), _ = decoded(fold_of().advance(chunk_of(messages_of(history))).outputs)
    texts = {one.code: one.text for one in alert.reasons}
    assert texts["TENOR_SHOCK"] == "3-month yield rose 157 bp, 78.5 times the 2 bp that it usually moves"
    assert texts["CURVE_SHOCK_SLOPE"].startswith("slope fell 15")
    assert texts["CURVE_INVERTED"].startswith("the 10-year rate is 0.8")
    assert alert.severity == "critical"


def test_portfolios_are_sent_the_curves() -> None:
    """Each partition of market events gets every curve's nodes, with the time that it stands for."""
    chunk = chunk_of(messages_of(RATES))
    emitted = fold_of().advance(chunk)
    curves, _, _ = decoded(emitted.outputs)
    outputs = [one for one in emitted.outputs if one.stream == "market_events"]
    assert {one.partition for one in outputs} == {0, 1, 2, 3}
    block = decode_block(next(one.value for one in outputs if one.partition == 2))
    assert (block.key, block.role, block.partition) == ([one.currency for one in curves], "rates", 3)
    assert int64_column(block.end_ns).tolist() == [one.event_time_ns for one in curves]
    first = curves[0]
    numbers = np.frombuffer(block.numbers, dtype="<f8")[: 2 * len(first.tenor_months)]
    assert numbers.tolist() == [*(np.array(first.tenor_months) / 12).tolist(), *first.zero_percent]


def test_factors_are_forecast_after_each_curve() -> None:
    """Each factor of each curve has a message of each forecaster, which are those of the step by itself."""
    outputs = outputs_of(fold_of(), [chunk_of(messages_of(RATES))])
    curves, _, _ = decoded(outputs)
    messages = [msgspec.json.decode(one.value, type=Forecast) for one in outputs if one.stream == "forecasts"]
    step = Forecasts(FORECASTERS, FILES)
    assert len(messages) == 3 * len(step.models) * len(curves)
    found = iter(messages)
    for curve in curves:
        for name in ("level", "slope", "curvature"):
            factor = getattr(curve, name)
            key = f"{curve.currency}:{name}"
            bars = step.advance([key], np.array([factor.value_percent]), np.array([factor.move_bp / 100.0]))
            for number, model in enumerate(step.models):
                one = next(found)
                assert (one.symbol, one.model, one.bar_end_ns) == (key, model, curve.event_time_ns)
                assert list(one.values) == bars.forecast[0, number].tolist()
                assert (one.change, one.previous_value) == (bars.change[0], bars.previous_forecast[0, number])
                assert (one.mase, one.source) == (bars.mase[0, number], curve.source)
    assert len({one.forecast_id for one in messages}) == len(messages)


def test_other_bundles_give_other_ids() -> None:
    """Two bundles' messages on one curve have different ids, so neither hides the other."""
    first, second = outputs_of(fold_of(), [LOG]), outputs_of(fold_of(version="ba9876543210"), [LOG])
    ids = {one.identity for one in first if one.stream != "dead_letters"}
    assert ids
    assert not ids & {one.identity for one in second if one.stream != "dead_letters"}


def test_the_state_is_bound_to_the_length_of_its_curves() -> None:
    """Rows of days are not restored into a fold of hours."""
    assert fold_of(RateParameters(curve_ns=3_600_000_000_000)).state_version != fold_of().state_version


@pytest.fixture(scope="module")
def treasury(shared_data: Path) -> Chunk:
    """Give the log of all Treasury curves since 2000."""
    return chunk_of(messages_of(read_par_curves(shared_data / "rates" / "ust.csv")))


@pytest.fixture(scope="module")
def treasury_outputs(treasury: Chunk) -> list[Output]:
    """Give what the whole log leads to as one chunk."""
    return outputs_of(fold_of(), [treasury])


@pytest.mark.parametrize("size", [97, 4_096])
def test_two_decades_of_treasury_curves_do_not_depend_on_the_chunks(
    treasury: Chunk, treasury_outputs: list[Output], size: int
) -> None:
    """In chunks of any size they give the bytes of one giant chunk."""
    assert outputs_of(fold_of(), cut_up(treasury, range(0, len(treasury.offsets), size))) == treasury_outputs


def day(time_ns: int) -> str:
    """Return the day of a time."""
    return str(np.datetime64(time_ns, "ns").astype("datetime64[D]"))


def test_great_shocks_alert_once_and_not_daily(treasury_outputs: list[Output]) -> None:
    """Lehman's fall in 2008 and the spring of 2020 are one alert each; in 22 years there are about two a year."""
    curves, alerts, letters = decoded(treasury_outputs)
    assert (len(curves), letters) == (5_551, [])
    assert all(one.prices_par for one in curves)
    shocks = [day(one.event_time_ns) for one in alerts if any("SHOCK" in reason.code for reason in one.reasons)]
    assert [one for one in shocks if "2008-07" <= one < "2009-03"] == ["2008-09-15"]
    assert [one for one in shocks if "2020-01" <= one < "2020-12"] == ["2020-02-28"]
    assert 20 <= len(shocks) <= 60
    inversions = [day(one.event_time_ns) for one in alerts if any(r.code == "CURVE_INVERTED" for r in one.reasons)]
    # Before and on the way to each of the three recessions; 22 March 2019 was in the news as the first since 2007.
    assert {one[:4] for one in inversions} == {"2000", "2006", "2007", "2019", "2020"}
    assert len(inversions) == 8
    assert "2019-03-22" in inversions


def test_most_of_what_moves_a_curve_is_level_slope_and_curvature(treasury_outputs: list[Output]) -> None:
    """Three principal components carry nearly all variance (Litterman and Scheinkman, 1991) and are our factors."""
    curves, _, _ = decoded(treasury_outputs)
    wanted = (3, 6, 12, 24, 36, 60, 84, 120)
    rows, factors = [], []
    for one in curves:
        move = dict(zip(one.tenor_months, one.move_bp, strict=True))
        if one.has_move and all(month in move for month in wanted):
            rows.append([move[month] for month in wanted])
            factors.append([one.level.move_bp, one.slope.move_bp, one.curvature.move_bp])
    moves, factor_moves = np.array(rows), np.array(factors)
    values, vectors = np.linalg.eigh(np.cov(moves.T))
    shares = values[::-1] / values.sum()
    assert shares[0] > 0.6
    assert shares[:3].sum() > 0.9
    components = moves @ vectors[:, ::-1][:, :3]
    against = np.abs(np.corrcoef(components.T, factor_moves.T)[:3, 3:])
    assert against[0, 0] > 0.85
    assert against[1, 1] > 0.6
    fitted = np.linalg.lstsq(components, factor_moves, rcond=None)[0]
    left = factor_moves - components @ fitted
    assert np.all(left.var(axis=0) < 0.15 * factor_moves.var(axis=0))


def test_svensson_fits_treasury_curves(treasury_outputs: list[Output]) -> None:
    """Since 2000 the median error is below 4 bp, and below 20 bp on every day."""
    errors = np.array([one.svensson.fit_error_bp for one in decoded(treasury_outputs)[0]])
    assert np.median(errors) < 4.0
    assert errors.max() < 20.0
