import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from risk.value_at_risk.recalibration import (
    LEARNING_RATE,
    MOST_LOG_FACTOR,
    Recalibration,
    RiskInForce,
    learnt_log_factor,
    recalibrated_loss_percent,
)

LEVELS = (0.95, 0.975, 0.99)
LOSSES = st.floats(-2e45, 100.0)
FACTORS = st.floats(-MOST_LOG_FACTOR, MOST_LOG_FACTOR)


def run(
    loss: NDArray[np.float64], values: NDArray[np.float64], rate: float, levels: tuple[float, ...] = LEVELS
) -> RiskInForce:
    """Return what is in force where one symbol's forecasts are given, and shortfalls a fifth above them."""
    return Recalibration(levels, rate).advance(["X"] * len(loss), loss, values, 1.2 * values)


def forecasts(draw: np.random.Generator, bars: int) -> NDArray[np.float64]:
    """Return values at risk that swing, float64[bars, levels]."""
    return np.asarray(draw.lognormal(0.0, 0.5, bars)[:, None] * stats.norm.ppf(LEVELS), dtype=np.float64)


@pytest.mark.parametrize("rate", [0.0, LEARNING_RATE, 0.01])
def test_it_is_a_plain_loop(rate: float) -> None:
    """A logarithm a level grows with what exceeded and shrinks with every bar; no level falls below the one before."""
    draw = np.random.default_rng(3)
    # The forecasts of 97.5 % learn least, so that those of 95 % are at times held against them.
    values, loss = forecasts(draw, 400) * [1.3, 1.0, 1.05], draw.standard_normal(400)
    found = run(loss, values, rate)
    grown, was, held = [0.0] * 3, [np.nan] * 3, 0
    for bar in range(400):
        floor = -np.inf
        for at, level in enumerate(LEVELS):
            assert found.value_at_risk_percent[bar, at] == pytest.approx(was[at], rel=1e-12, nan_ok=True)
            if bar:
                grown[at] += rate * ((loss[bar] > was[at]) / (1.0 - level) - 1.0)
            own = 100.0 * (1.0 - (1.0 - values[bar, at] / 100.0) ** np.exp(grown[at]))
            held += own < floor
            floor = was[at] = max(floor, own)
            assert found.next_value_at_risk_percent[bar, at] == pytest.approx(floor, rel=1e-12)
    assert held
    np.testing.assert_array_equal(found.expected_shortfall_percent[1:], found.next_expected_shortfall_percent[:-1])


@pytest.mark.parametrize("wrong", [0.3, 3.0])
def test_it_is_exceeded_as_often_as_it_says_even_if_its_model_is_wrong(wrong: float) -> None:
    """Of values at risk three times too small or too great, learning makes some that hold their levels."""
    draw = np.random.default_rng(8)
    loss = draw.standard_normal(30_000)
    values = np.tile(wrong * stats.norm.ppf(LEVELS), (len(loss), 1))
    found = run(loss, values, LEARNING_RATE)
    rates = np.mean(loss[1:, None] > found.value_at_risk_percent[1:], axis=0)
    np.testing.assert_allclose(rates, 1.0 - np.array(LEVELS), rtol=0.15)


def test_what_is_learnt_counts_the_exceedances() -> None:
    """Exceedances over those expected are the growth of the logarithm times (1 - level) / rate, bar for bar."""
    draw = np.random.default_rng(4)
    loss, values = draw.standard_normal(3_000), np.full((3_000, 1), 1.5)
    found = run(loss, values, LEARNING_RATE, (0.99,))
    exceeded = np.cumsum(loss[1:] > found.value_at_risk_percent[1:, 0])
    log_return = np.log1p(-found.next_value_at_risk_percent[:, 0] / 100.0)
    grown = np.log(log_return[1:] / np.log1p(-0.015))
    np.testing.assert_allclose(exceeded - 0.01 * np.arange(1, 3_000), grown * 0.01 / LEARNING_RATE, atol=1e-9)


@given(st.lists(st.tuples(LOSSES, LOSSES, LOSSES), min_size=1, max_size=40), st.sampled_from([0.0, 0.0015, 0.01]))
def test_a_higher_level_is_never_below_a_lower_one(bars: list[tuple[float, float, float]], rate: float) -> None:
    """Whatever comes, and however wild forecasts are, values at risk and shortfalls rise with the level."""
    loss = np.array([one for one, _, _ in bars])
    values = np.sort([[one, other, other] for _, one, other in bars], axis=1)
    step = Recalibration(LEVELS, rate)
    found = step.advance(["X"] * len(bars), loss, values, np.minimum(values + abs(values), 100.0))
    for one in (found.next_value_at_risk_percent, found.next_expected_shortfall_percent):
        assert (np.diff(one, axis=1) >= 0.0).all()
        assert (one <= 100.0).all()
    assert (found.next_expected_shortfall_percent >= found.next_value_at_risk_percent).all()


@given(LOSSES, FACTORS, FACTORS)
def test_a_greater_factor_never_lowers_a_loss(forecast: float, one: float, other: float) -> None:
    """Gains are divided by what losses are multiplied by: both become more cautious, neither becomes the other."""
    low, high = (recalibrated_loss_percent(forecast, factor) for factor in sorted((one, other)))
    assert low <= high or low == pytest.approx(high, rel=1e-12)
    assert np.sign(low) * np.sign(forecast) >= 0.0
    assert np.isfinite([low, high]).all()


@given(st.lists(st.booleans(), max_size=300), st.sampled_from([0.95, 0.99, 0.999999]), FACTORS)
def test_no_run_of_bars_leads_beyond_the_bound(exceeded: list[bool], level: float, factor: float) -> None:
    """At the highest rate too, a factor stays between a tenth and ten."""
    for one in exceeded:
        factor = learnt_log_factor(factor, one, level, 0.01)
        assert abs(factor) <= np.log(10.0)


def test_a_loss_of_all_there_is_stays_one() -> None:
    """A forecast above 100 % by a rounding is not made into no number."""
    for factor in (-1.0, 0.5):
        assert recalibrated_loss_percent(np.nextafter(100.0, 200.0), factor) == 100.0


def test_a_rate_of_nothing_leaves_forecasts_as_they_are() -> None:
    """To the bit, and also where another rate has taught the state before."""
    draw = np.random.default_rng(5)
    loss, values = draw.standard_normal(300), forecasts(draw, 300)
    taught, plain = Recalibration(LEVELS, 0.01), Recalibration(LEVELS, 0.0)
    taught.advance(["X"] * 300, loss, values, 1.2 * values)
    plain.load(taught.dump().items())
    found = plain.advance(["X"] * 300, loss, values, 1.2 * values)
    np.testing.assert_array_equal(found.next_value_at_risk_percent, values)
    np.testing.assert_array_equal(found.next_expected_shortfall_percent, 1.2 * values)


@pytest.mark.parametrize(
    ("levels", "rate", "says"),
    [
        ((0.99, 0.95), 0.0015, "give one or more that rise"),
        ((), 0.0015, "give one or more that rise"),
        (LEVELS, -0.001, "learning_rate -0.001: give it from 0"),
        (LEVELS, 0.02, "learning_rate 0.02: give it from 0"),
        (LEVELS, float("nan"), "learning_rate nan: give it from 0"),
    ],
)
def test_parameters_that_cannot_be_are_refused(levels: tuple[float, ...], rate: float, says: str) -> None:
    """The error names the field, its value and the remedy."""
    with pytest.raises(ValueError, match=says):
        Recalibration(levels, rate)
