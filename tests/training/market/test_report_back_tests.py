import numpy as np
import pytest
from scipy import stats

from risk.back_tests.back_test import BackTest as LiveBackTest
from tests.training.market.small_report import small_report
from training.market.report import RiskColumns
from training.market.report_back_tests import back_tests


def columns(bars: int, at: list[int], level: float = 0.99) -> RiskColumns:
    """Return forecasts of a value at risk of 2 and a shortfall of 3 that some bars exceeded."""
    return RiskColumns(level, np.full(bars, 2.0), np.full(bars, 3.0), np.isin(np.arange(bars), at))


def losses(risk: RiskColumns, beyond: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return losses of 1, and where the value at risk was exceeded of `beyond`."""
    return np.asarray(np.where(risk.exceeded, beyond, 1.0))


def test_the_published_example_of_kupiec_is_told() -> None:
    """20 exceedances of 252 bars at 95 % give a statistic of 3.91 (Jorion, Value at Risk), and are too many."""
    risk = columns(252, list(range(0, 240, 12)), 0.95)
    kupiec = back_tests(losses(risk, 3.0), risk)[0]
    assert round(kupiec.statistic, 2) == 3.91
    assert kupiec.p_value == pytest.approx(stats.chi2.sf(3.91, 1), abs=2e-4)
    assert (kupiec.passed, kupiec.verdict) == (False, "yes: there are too many")
    assert "20 exceedances of 12.6 expected" in kupiec.asks


def test_too_few_exceedances_are_told_as_such() -> None:
    """None in 1,000 bars at 99 % is as much against the level as too many are, and is said to be too few."""
    risk = columns(1000, [])
    kupiec = back_tests(losses(risk, 3.0), risk)[0]
    assert (kupiec.passed, kupiec.verdict) == (False, "yes: there are too few")


def test_the_tests_are_those_of_the_stream() -> None:
    """On 250 bars the p-values are those that a worker publishes."""
    report = small_report(250)
    levels = [one.level for one in report.levels]
    stacked = (
        np.stack([getattr(one, name) for one in report.levels], axis=1)
        for name in ("value_at_risk_percent", "expected_shortfall_percent")
    )
    live = LiveBackTest(levels).advance(["X"] * 250, report.loss_percent, *stacked)
    for at, one in enumerate(report.levels):
        found = {test.name: test for test in back_tests(report.loss_percent, one)}
        assert found["Kupiec"].p_value == live.proportion_of_failures_p_value[-1, at]
        assert found["Christoffersen, coverage"].p_value == live.conditional_coverage_p_value[-1, at]
        assert found["Dynamic quantile"].p_value == live.dynamic_quantile_p_value[-1, at]


@pytest.mark.parametrize(
    ("beyond", "verdict"),
    [(4.5, "50% greater on average"), (3.0, "as great, on average"), (2.4, "20% less on average")],
)
def test_the_size_of_losses_beyond_is_held_against_the_shortfall(beyond: float, verdict: str) -> None:
    """A shortfall of 3 and losses beyond the value at risk of so much."""
    risk = columns(400, [5, 90, 200])
    found = {one.name: one for one in back_tests(losses(risk, beyond), risk)}
    assert found["Acerbi-Szekely Z1"].verdict == verdict
    assert found["Acerbi-Szekely Z1"].passed is None


@pytest.mark.parametrize(
    ("count", "verdict"),
    [(4, "green"), (5, "yellow; adds 0.40 to the multiplier of 3"), (10, "red; adds 1.00 to the multiplier of 3")],
)
def test_the_light_is_of_the_last_250_bars(count: int, verdict: str) -> None:
    """Exceedances before them do not count (Basel Committee, 1996, table 2)."""
    risk = columns(500, [*range(100, 130), *range(260, 260 + 20 * count, 20)])
    light = back_tests(losses(risk, 3.0), risk)[-1]
    assert (light.name, light.verdict, light.passed) == ("Basel traffic light", verdict, count == 4)


def test_the_light_is_told_at_99_percent_of_250_bars_or_more() -> None:
    """Neither of another level nor of a shorter past."""
    for risk in (columns(500, [3], 0.975), columns(249, [3])):
        assert "Basel traffic light" not in {one.name for one in back_tests(losses(risk, 3.0), risk)}


def test_no_loss_beyond_leaves_nothing_to_compare() -> None:
    """Without an exceedance no size can be told, and nothing is not a number."""
    risk = columns(300, [])
    assert all(np.isfinite(one.statistic) for one in back_tests(losses(risk, 3.0), risk))
