"""How back-tests are published."""

from collections.abc import Sequence

from risk.back_tests.back_test import TRAFFIC_LIGHT_LEVEL, WINDOW_BARS, BackTests
from risk.back_tests.traffic_light import ZONES
from schemas.back_test import BackTestFigure


def confidence_percent(level: float) -> float:
    """Return a level such as 0.99 in percent, as people write it.

    >>> confidence_percent(0.975)
    97.5
    """
    return round(100.0 * level, 9)


def back_test_figures(tests: BackTests, at: int, levels: Sequence[float]) -> tuple[BackTestFigure, ...]:
    """Return the figures of row `at` of the tests, one a level; a zone only once there are the bars that it needs.

    The traffic light counts exceedances of 250 bars: of a few, one exceedance would be red.
    """
    figures = []
    for number, level in enumerate(levels):
        light = level == TRAFFIC_LIGHT_LEVEL and tests.bars[at] >= WINDOW_BARS
        figures.append(
            BackTestFigure(
                confidence_percent=confidence_percent(level),
                bars=int(tests.bars[at]),
                exceedances=int(tests.exceedances[at, number]),
                kupiec_p=float(tests.proportion_of_failures_p_value[at, number]),
                christoffersen_p=float(tests.conditional_coverage_p_value[at, number]),
                dynamic_quantile_p=float(tests.dynamic_quantile_p_value[at, number]),
                shortfall_z2=float(tests.acerbi_szekely_z2[at, number]),
                quantile_loss_percent=float(tests.mean_quantile_loss_percent[at, number]),
                zone=ZONES[int(tests.traffic_light_zone[at])] if light else None,
                plus_factor=float(tests.plus_factor[at]) if light else None,
            )
        )
    return tuple(figures)


def exceeded_percent(tests: BackTests, at: int, levels: Sequence[float]) -> tuple[float, ...]:
    """Return the confidences whose value at risk row `at` of the tests exceeded."""
    exceeded = tests.exceeded[at].tolist()
    return tuple(confidence_percent(level) for level, one in zip(levels, exceeded, strict=True) if one)
