import math
from collections.abc import Sequence

import arch.data.sp500
import numpy as np
import pytest
from arch import arch_model
from arch.univariate.distribution import SkewStudent
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate
from scipy.stats import norm

from risk.back_tests.exceedances import exceedances
from risk.back_tests.proportion_of_failures import proportion_of_failures
from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.value_at_risk.loss import loss_percent
from risk.value_at_risk.value_at_risk_step import (
    LEAST_RESIDUALS,
    METHODS,
    PATHS,
    RESIDUALS,
    ValueAtRisk,
    ValuesAtRisk,
)
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_model import Garch
from risk.volatility.volatility_models import VolatilityModels

LEVELS = (0.95, 0.975, 0.99)
SKEWED = (4.0, -0.3)
DISTRIBUTIONS = {"*": StandardisedDistribution("normal"), "X": StandardisedDistribution("skewt", *SKEWED)}
NORMAL, FITTED, HISTORICAL, MONTE_CARLO = range(len(METHODS))


def summed(symbols: Sequence[str], innovations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return paths of independent bars of mean 0 and variance 1."""
    return np.asarray(innovations.sum(axis=2))


def advance(
    step: ValueAtRisk, symbol: str, residuals: NDArray[np.float64], mean: float = 0.0, variance: float = 1.0
) -> ValuesAtRisk:
    """Advance one symbol by residuals, with the same forecast of every bar."""
    n = len(residuals)
    variances = np.tile(variance * np.array(step.horizons_bars, dtype=np.float64), (n, 1))
    return step.advance([symbol] * n, residuals, np.full(n, mean), variances, summed)


def plain_tail(losses: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return (value at risk, expected shortfall) of equally likely losses, worst first until the share is full."""
    ordered = sorted(losses.tolist(), reverse=True)
    left, total, share = 1.0 - level, 0.0, 1.0 / len(ordered)
    for loss in ordered:
        if left < share - 1e-12:
            return loss, (total + left * loss) / (1.0 - level)
        total, left = total + share * loss, left - share
    raise AssertionError("the shares add up to 1")


@given(st.integers(0, 2**32 - 1), st.sampled_from([250, 400, 700]), st.floats(-0.5, 0.5), st.floats(0.01, 30.0))
def test_one_bar_is_that_of_a_plain_twin(seed: int, bars: int, mean: float, variance: float) -> None:
    """Over one bar, and scaled over thirty, each method has the tail of its own residuals, by their definition."""
    residuals = np.random.default_rng(seed).standard_t(4.0, bars)
    step = ValueAtRisk(DISTRIBUTIONS, LEVELS, (1, 30))
    advance(step, "X", residuals[:-1])
    found = advance(step, "X", residuals[-1:], mean, variance)
    assert found.filtered.tolist() == [True]
    for at, horizon in enumerate((1, 30)):
        deviation = math.sqrt(variance * horizon)
        for number, level in enumerate(LEVELS):
            losses = np.array([loss_percent(horizon * mean + deviation * z) for z in residuals[-RESIDUALS:].tolist()])
            got = found.value_at_risk_percent[0, :, number, at], found.expected_shortfall_percent[0, :, number, at]
            assert [one[HISTORICAL] for one in got] == pytest.approx(plain_tail(losses, level), rel=1e-9)
            edges = norm.ppf(1.0 - level), float(SkewStudent().ppf(1.0 - level, SKEWED))
            expected = [loss_percent(horizon * mean + deviation * z) for z in edges]
            assert got[0][[NORMAL, FITTED]].tolist() == pytest.approx(expected, rel=1e-9)
            s, centre = deviation / 100.0, horizon * mean / 100.0
            price = math.exp(centre + s * s / 2.0) * norm.cdf(edges[0] - s) / (1.0 - level)
            assert got[1][NORMAL] == pytest.approx(100.0 * (1.0 - price), rel=1e-7)
            # Its cells are finer than the tail, so Monte Carlo is the fitted distribution but for a part of a cell.
            assert got[0][MONTE_CARLO] == pytest.approx(got[0][FITTED], abs=0.05 * deviation)
            assert got[1][MONTE_CARLO] == pytest.approx(got[1][FITTED], abs=0.02 * deviation)


def test_the_fitted_shortfall_is_an_integral() -> None:
    """The fitted distribution's expected shortfall is the mean of arch's quantiles over the tail, as losses."""
    step = ValueAtRisk(DISTRIBUTIONS, LEVELS, (1,))
    found = advance(step, "X", np.zeros(1), 0.1, 4.0).expected_shortfall_percent[0, FITTED, :, 0]
    for number, level in enumerate(LEVELS):

        def loss(x: float, share: float = 1.0 - level) -> float:
            z = float(SkewStudent().ppf(share * math.exp(-x), SKEWED))
            return loss_percent(0.1 + 2.0 * z) * math.exp(-x)

        assert found[number] == pytest.approx(integrate.quad(loss, 0.0, 30.0, limit=200)[0], rel=1e-6)


def test_simulated_paths_draw_what_their_methods_say() -> None:
    """Innovations of the historical paths are the symbol's residuals, those of the others the cells of its model."""
    seen: list[NDArray[np.float64]] = []

    def kept(symbols: Sequence[str], innovations: NDArray[np.float64]) -> NDArray[np.float64]:
        seen.append(innovations.copy())
        return summed(symbols, innovations)

    residuals = np.random.default_rng(1).standard_t(4.0, 300)
    step = ValueAtRisk(DISTRIBUTIONS, LEVELS, (1, 5, 10, 30))
    advance(step, "X", residuals[:-1])
    variances = np.array([[1.0, 5.0, 10.0, 30.0]])
    found = step.advance(["X"], residuals[-1:], np.zeros(1), variances, kept)
    assert [one.shape for one in seen] == [(1, 2 * PATHS, 5), (1, 2 * PATHS, 10)]
    assert np.array_equal(seen[0], seen[1][:, :, :5])
    historical, drawn = seen[1][0, :PATHS], seen[1][0, PATHS:]
    assert set(historical.ravel().tolist()) == set(residuals.tolist())
    assert len(np.unique(drawn)) == PATHS
    assert drawn.mean(axis=0) == pytest.approx(np.zeros(10), abs=0.02)
    # Both draw by the same points: a higher one is a higher residual and a higher cell.
    assert np.all(np.diff(historical[np.lexsort((historical[:, 0], drawn[:, 0])), 0]) >= 0.0)
    for at, horizon in ((1, 5), (2, 10)):
        for method, paths in ((HISTORICAL, historical), (MONTE_CARLO, drawn)):
            losses = np.array([loss_percent(one) for one in paths[:, :horizon].sum(axis=1).tolist()])
            for number, level in enumerate(LEVELS):
                got = found.value_at_risk_percent[0, method, number, at]
                shortfall = found.expected_shortfall_percent[0, method, number, at]
                assert (got, shortfall) == pytest.approx(plain_tail(losses, level), rel=1e-9)


def test_paths_without_clusters_grow_with_the_root_of_time() -> None:
    """Where variance does not change and residuals are normal, simulated bars come to what scaling says."""
    step = ValueAtRisk({"*": StandardisedDistribution("normal")}, LEVELS, (2, 5, 10, 20))
    residuals = norm.ppf((np.random.default_rng(3).permutation(RESIDUALS) + 0.5) / RESIDUALS)
    found = advance(step, "X", residuals).value_at_risk_percent[-1]
    assert found[MONTE_CARLO] == pytest.approx(found[NORMAL], rel=0.08)
    assert found[HISTORICAL] == pytest.approx(found[NORMAL], rel=0.08)


def test_ten_simulated_bars_of_a_garch_are_those_of_many_random_paths() -> None:
    """Through a volatility model, ten bars have the tail of 400,000 random paths of the same model."""
    omega, alpha, beta = 0.05, 0.15, 0.8
    model = Garch(omega=omega, alpha=(alpha,), beta=(beta,), backcast_percent2=1.0)
    variance = ConditionalVariance(VolatilityModels({"*": model}))
    bars = variance.advance(["X"], np.array([3.0]), np.zeros(1))
    step = ValueAtRisk({"*": StandardisedDistribution("normal")}, LEVELS, (10,))
    cumulated = variance.variance_path(["X"], 10).sum(axis=1, keepdims=True)
    found = step.advance(["X"], bars.standardised_residual, np.zeros(1), cumulated, variance.simulate)
    draw = np.random.default_rng(7)
    total, now = np.zeros(400_000), np.full(400_000, bars.next_variance_percent2[0])
    for _ in range(10):
        residual = np.sqrt(now) * draw.standard_normal(len(now))
        total, now = total + residual, omega + alpha * residual**2 + beta * now
    losses = -100.0 * np.expm1(total / 100.0)
    expected = [np.quantile(losses, level) for level in LEVELS]
    assert found.value_at_risk_percent[0, MONTE_CARLO, :, 0].tolist() == pytest.approx(expected, rel=0.07)


def test_few_residuals_are_no_history() -> None:
    """Until there are 250 residuals the fitted distribution stands in, and the flag says so."""
    step = ValueAtRisk(DISTRIBUTIONS, LEVELS, (1, 10, 30))
    found = advance(step, "X", np.random.default_rng(5).standard_t(4.0, LEAST_RESIDUALS + 5))
    first = LEAST_RESIDUALS - 1
    assert found.filtered.tolist() == [False] * first + [True] * 6
    for column in (found.value_at_risk_percent, found.expected_shortfall_percent):
        assert np.array_equal(column[:first, HISTORICAL, :, [0, 2]], column[:first, FITTED, :, [0, 2]])
        assert np.array_equal(column[:first, HISTORICAL, :, 1], column[:first, MONTE_CARLO, :, 1])
        assert not np.any(column[first:, HISTORICAL] == column[first:, FITTED])


def test_old_residuals_are_forgotten() -> None:
    """What came before the last 500 residuals changes nothing any more."""
    draw = np.random.default_rng(9)
    last = draw.standard_t(4.0, RESIDUALS)
    one, other = ValueAtRisk(DISTRIBUTIONS, LEVELS, (1, 10)), ValueAtRisk(DISTRIBUTIONS, LEVELS, (1, 10))
    advance(one, "X", 50.0 * draw.standard_t(4.0, 321))
    after = advance(one, "X", last), advance(other, "X", last)
    assert after[0].value_at_risk_percent[-1].tolist() == after[1].value_at_risk_percent[-1].tolist()
    wild, calm = (one.value_at_risk_percent[LEAST_RESIDUALS, HISTORICAL, :, 0] for one in after)
    assert np.all(wild > calm)


def test_another_distribution_counts_from_the_next_bar() -> None:
    """After one was installed a symbol forecasts as if made with it, and no other symbol changes."""
    residuals = np.random.default_rng(13).standard_t(4.0, LEAST_RESIDUALS + 20)
    changed = StandardisedDistribution("t", 3.0)
    one = ValueAtRisk(DISTRIBUTIONS, LEVELS, (1, 10))
    other = ValueAtRisk({**DISTRIBUTIONS, "X": changed}, LEVELS, (1, 10))
    for step in (one, other):
        advance(step, "X", residuals[:-1])
        advance(step, "Y", residuals[:-1])
    one.install("X", changed)
    for symbol in ("X", "Y"):
        found, expected = (advance(step, symbol, residuals[-1:]) for step in (one, other))
        assert np.array_equal(found.value_at_risk_percent, expected.value_at_risk_percent)
        assert np.array_equal(found.expected_shortfall_percent, expected.expected_shortfall_percent)
    assert one.dump() == other.dump()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(-2.0, 2.0), st.floats(1e-4, 1e4))
def test_further_levels_lose_more(seed: int, mean: float, variance: float) -> None:
    """Every method's values at risk rise with the level, and no expected shortfall is below its value at risk."""
    step = ValueAtRisk(DISTRIBUTIONS, LEVELS, (1, 10, 30))
    advance(step, "X", np.random.default_rng(seed).standard_t(3.0, 260))
    found = advance(step, "X", np.zeros(1), mean, variance)
    value, shortfall = found.value_at_risk_percent[0], found.expected_shortfall_percent[0]
    assert np.all(np.diff(value, axis=1) >= 0.0)
    assert np.all(np.diff(shortfall, axis=1) >= 0.0)
    assert np.all(shortfall >= value)
    assert np.all(shortfall <= 100.0 + 1e-9)


@pytest.mark.parametrize(
    ("distributions", "levels", "horizons", "message"),
    [
        ({"X": StandardisedDistribution("normal")}, (0.99,), (1,), 'lack the pooled entry "\\*"'),
        (DISTRIBUTIONS, (0.01,), (1,), "level 0.01 of a value at risk: give it from 0.9"),
        (DISTRIBUTIONS, (1.0,), (1,), "level 1.0 of a value at risk: give it from 0.9"),
        (DISTRIBUTIONS, (0.99,), (), "horizons_bars \\(\\): give one or more"),
        (DISTRIBUTIONS, (0.99,), (1, 0), "horizons_bars \\(1, 0\\): give one or more"),
    ],
)
def test_impossible_questions_are_refused(
    distributions: dict[str, StandardisedDistribution],
    levels: tuple[float, ...],
    horizons: tuple[int, ...],
    message: str,
) -> None:
    """Levels and horizons that make no sense, or no pooled distribution, are refused with the remedy."""
    with pytest.raises(ValueError, match=message):
        ValueAtRisk(distributions, levels, horizons)


def test_twenty_years_of_the_s_and_p_500_exceed_as_often_as_promised() -> None:
    """Of the S&P 500 under a GARCH(1,1) fitted to it, history keeps the 99 % level and the normal does not."""
    returns = 100.0 * np.diff(np.log(arch.data.sp500.load()["Adj Close"].to_numpy(dtype=np.float64)))
    fit = arch_model(returns, mean="Constant", vol="GARCH", p=1, q=1, rescale=False).fit(disp="off")
    mu, omega, alpha, beta = fit.params.tolist()
    deviation = np.asarray(fit.conditional_volatility)
    following = omega + alpha * (returns - mu) ** 2 + beta * deviation**2
    found = ValueAtRisk({"*": StandardisedDistribution("normal")}, (0.99,), (1,)).advance(
        ["SPX"] * len(returns), (returns - mu) / deviation, np.full(len(returns), mu), following[:, None], summed
    )
    losses = np.array([loss_percent(one) for one in returns.tolist()])
    p_values = [
        proportion_of_failures(
            exceedances(losses[RESIDUALS:], found.value_at_risk_percent[RESIDUALS - 1 : -1, method, 0, 0].copy()), 0.99
        ).p_value
        for method in (NORMAL, HISTORICAL)
    ]
    assert p_values[0] < 1e-6
    assert p_values[1] > 0.05
