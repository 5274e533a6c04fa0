import numpy as np

from risk.back_tests.back_test import WINDOW_BARS, BackTest
from risk.back_tests.back_test_figures import back_test_figures, exceeded_percent

LEVELS = (0.95, 0.99)


def test_figures_are_those_of_the_tests() -> None:
    """Each level has its own counts and p-values, and the traffic light that of 99 % alone, of a whole window."""
    count = WINDOW_BARS
    losses = np.array([1.0] * (count - 1) + [3.0])
    values = np.tile([2.0, 2.5], (count, 1))
    tests = BackTest(LEVELS).advance(["p"] * count, losses, values, values + 1.0)
    at_95, at_99 = back_test_figures(tests, count - 1, LEVELS)
    assert (at_95.confidence_percent, at_99.confidence_percent) == (95.0, 99.0)
    assert (at_95.bars, at_95.exceedances, at_99.exceedances) == (count, 1, 1)
    assert (at_95.zone, at_95.plus_factor) == (None, None)
    assert (at_99.zone, at_99.plus_factor) == ("green", 0.0)
    assert back_test_figures(tests, count - 2, LEVELS)[1].zone is None
    assert at_99.kupiec_p == tests.proportion_of_failures_p_value[-1, 1] != at_95.kupiec_p
    assert at_99.christoffersen_p == tests.conditional_coverage_p_value[-1, 1]
    assert at_99.dynamic_quantile_p == tests.dynamic_quantile_p_value[-1, 1]
    assert at_99.shortfall_z2 == tests.acerbi_szekely_z2[-1, 1]
    assert at_99.quantile_loss_percent == tests.mean_quantile_loss_percent[-1, 1]
    assert exceeded_percent(tests, count - 1, LEVELS) == (95.0, 99.0)
    assert exceeded_percent(tests, count - 2, LEVELS) == ()
