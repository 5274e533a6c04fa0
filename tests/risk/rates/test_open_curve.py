import numpy as np

from risk.rates.curve_step import CurveStep
from risk.rates.open_curve import CURVE_ROW, MOST_TENORS, NO_ROOM, TAKEN, add_point
from risk.rates.rate_parameters import RateParameters


def test_a_curve_takes_forty_tenors_and_no_more() -> None:
    """The forty-first tenor finds no room, while a tenor that is there may come again."""
    row = np.zeros(1, dtype=CURVE_ROW)[0]
    assert [add_point(row, months, 1.0, 5) for months in range(1, MOST_TENORS + 1)] == [TAKEN] * MOST_TENORS
    assert add_point(row, MOST_TENORS + 1, 1.0, 5) == NO_ROOM
    assert add_point(row, 7, 2.0, 5) == TAKEN
    assert row["open_par"][6] == 2.0


def test_a_tenor_that_left_the_curve_makes_room() -> None:
    """Once tenors are carried no longer, as many new ones find room, and start without a volatility."""
    step = CurveStep(RateParameters(curve_ns=1, carried_curves=0))
    first = np.arange(1, MOST_TENORS + 1)
    step.advance(["USD"] * MOST_TENORS, first, np.ones(MOST_TENORS), np.full(MOST_TENORS, 1))
    curves = step.advance(["USD"] * 3, np.array([1, 1, 1100]), np.ones(3), np.array([2, 3, 3]))
    assert (curves.tenors.tolist(), curves.no_room.tolist()) == ([MOST_TENORS, 1], [])
    curves = step.advance(["USD"], np.array([1]), np.ones(1), np.array([4]))
    assert curves.tenor_months[0, :2].tolist() == [1, 1100]
    assert curves.tenor_move_bp[0, 1] == 0.0
