"""How much of a shock a curve's move is: 1 is what alerts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.rates.closed_curves import ClosedCurves
from risk.rates.rate_parameters import RateParameters


@dataclass(frozen=True, slots=True)
class CurveShocks:
    """Scores of n curves, float64: `factor` [n, 3] of level, slope and curvature, `tenor` [n] of the worst tenor.

    `worst_tenor` int64[n] is that tenor's place in the curve; `score` [n] is the greatest of the four.
    """

    factor: NDArray[np.float64]
    tenor: NDArray[np.float64]
    worst_tenor: NDArray[np.int64]
    score: NDArray[np.float64]


def curve_shocks(curves: ClosedCurves, parameters: RateParameters) -> CurveShocks:
    """Return how near each move comes to an alert, by its deviations and by its basis points.

    >>> from risk.rates.curve_step import CurveStep
    >>> parameters = RateParameters(curve_ns=1)
    >>> times = np.array([1, 2, 3])
    >>> curves = CurveStep(parameters).advance(["USD"] * 3, np.full(3, 6), np.array([2.0, 2.25, 0.0]), times)
    >>> curve_shocks(curves, parameters).tenor.tolist()
    [0.0, 0.5]
    """
    factor = shock_score(curves.factor_move_bp, curves.factor_deviations, parameters)
    tenors = shock_score(curves.tenor_move_bp, curves.tenor_deviations, parameters)
    worst = np.argmax(tenors, axis=1)
    tenor = tenors[np.arange(len(worst)), worst]
    return CurveShocks(factor, tenor, worst, np.maximum(np.max(factor, axis=1), tenor))


def shock_score(
    move_bp: NDArray[np.float64], deviations: NDArray[np.float64], parameters: RateParameters
) -> NDArray[np.float64]:
    """Return the score of moves, of their shape: the greater of abnormal and breach, each 1 where it alerts.

    >>> shock_score(np.array([-25.0, 5.0]), np.array([-6.0, 6.0]), RateParameters()).tolist()
    [1.2, 0.1]
    """
    size = np.abs(move_bp)
    abnormal = np.where(size >= parameters.least_move_bp, np.abs(deviations) / parameters.shock_deviations, 0.0)
    return np.maximum(abnormal, size / parameters.breach_bp)
