"""What every back-test says of the forecasts of one level, in words that a reader needs no textbook for."""

import numpy as np
from numpy.typing import NDArray

from risk.back_tests.acerbi_szekely import acerbi_szekely
from risk.back_tests.back_test import TRAFFIC_LIGHT_LEVEL, WINDOW_BARS
from risk.back_tests.back_test_result import BackTestResult
from risk.back_tests.christoffersen import conditional_coverage, independence
from risk.back_tests.duration_test import duration_test
from risk.back_tests.dynamic_quantile import dynamic_quantile
from risk.back_tests.proportion_of_failures import proportion_of_failures
from risk.back_tests.traffic_light import ZONES, plus_factor, traffic_light_zone
from training.market.report import BackTest, RiskColumns

SIGNIFICANCE = 0.05

_NO_DOUBT = "no sign of it"


def back_tests(loss_percent: NDArray[np.float64], risk: RiskColumns) -> tuple[BackTest, ...]:
    """Return the back-tests of a level's forecasts for losses float64[n] in percent, over all bars together.

    At 99 % the traffic light of the last 250 bars is one of them, if there are as many.
    """
    level, exceeded = risk.level, risk.exceeded
    bars, many = len(exceeded), int(np.count_nonzero(exceeded))
    expected = (1.0 - level) * bars
    few = "there are too few" if many < expected else "there are too many"
    found = [
        _told(
            level,
            "Kupiec",
            f"Are {many:,} exceedances of {expected:,.1f} expected too many or too few?",
            proportion_of_failures(exceeded, level),
            "no: as many as chance allows",
            f"yes: {few}",
        ),
        _told(
            level,
            "Christoffersen, independence",
            "Does one exceedance follow another?",
            independence(exceeded),
            _NO_DOUBT,
            "yes: they come together",
        ),
        _told(
            level,
            "Christoffersen, coverage",
            "Are number and order together as they should be?",
            conditional_coverage(exceeded, level),
            "yes",
            "no",
        ),
        _told(
            level,
            "Dynamic quantile",
            "Can exceedances be foretold from those before, or from the value at risk?",
            dynamic_quantile(exceeded, risk.value_at_risk_percent, level),
            _NO_DOUBT,
            "yes: a better model is possible",
        ),
        _told(
            level,
            "Durations",
            "Are the waits between exceedances those of chance?",
            duration_test(exceeded),
            "yes",
            "no: they come in bursts, or too evenly",
        ),
        _shortfall(loss_percent, risk),
    ]
    if abs(level - TRAFFIC_LIGHT_LEVEL) < 1e-9 and bars >= WINDOW_BARS:
        found.append(_traffic_light(exceeded, level))
    return tuple(found)


def _told(level: float, name: str, asks: str, result: BackTestResult, kept: str, rejected: str) -> BackTest:
    passed = result.p_value >= SIGNIFICANCE
    return BackTest(level, name, asks, result.statistic, result.p_value, passed, kept if passed else rejected)


def _shortfall(loss_percent: NDArray[np.float64], risk: RiskColumns) -> BackTest:
    asks = "Were the losses beyond the value at risk greater than the expected shortfall?"
    name = "Acerbi-Szekely Z1"
    if not risk.exceeded.any():
        return BackTest(risk.level, name, asks, 0.0, None, None, "no loss was beyond it")
    z1 = acerbi_szekely(loss_percent, risk.value_at_risk_percent, risk.expected_shortfall_percent, risk.level).z1
    much = f"{abs(z1):.0%} {'greater' if z1 < 0.0 else 'less'} on average"
    return BackTest(risk.level, name, asks, z1, None, None, much if abs(z1) >= 0.005 else "as great, on average")


def _traffic_light(exceeded: NDArray[np.bool_], level: float) -> BackTest:
    many = int(np.count_nonzero(exceeded[-WINDOW_BARS:]))
    zone = ZONES[traffic_light_zone(WINDOW_BARS, many, level)]
    added = plus_factor(WINDOW_BARS, many, level)
    adds = f"; adds {added:.2f} to the multiplier of 3" if added else ""
    asks = f"How many exceedances in the last {WINDOW_BARS} bars?"
    return BackTest(level, "Basel traffic light", asks, float(many), None, zone == "green", f"{zone}{adds}")
