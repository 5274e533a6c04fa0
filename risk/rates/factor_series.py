"""The factors of closed curves as series, for models that forecast whatever has a level (`risk.market`)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.rates.closed_curves import ClosedCurves
from risk.rates.curve_factors import FACTORS


@dataclass(frozen=True, slots=True)
class FactorSeries:
    """Three rows a curve, in the order of the curves: key such as "USD:level", level and change in percent.

    `curve` int64[3n] is the place of each row's curve; the change is 0 at a currency's first curve.
    """

    curve: NDArray[np.int64]
    key: list[str]
    level: NDArray[np.float64]
    change: NDArray[np.float64]


def factor_series(curves: ClosedCurves) -> FactorSeries:
    """Return the level and the change of each factor of each curve.

    >>> from risk.rates.curve_step import CurveStep
    >>> from risk.rates.rate_parameters import RateParameters
    >>> points = np.full(2, 120), np.array([2.0, 2.5]), np.array([1, 2])
    >>> series = factor_series(CurveStep(RateParameters(curve_ns=1)).advance(["USD"] * 2, *points))
    >>> series.key, series.level.round(3).tolist()
    (['USD:level', 'USD:slope', 'USD:curvature'], [1.99, 0.0, 0.0])
    """
    return FactorSeries(
        curve=np.repeat(np.arange(len(curves)), len(FACTORS)),
        key=[f"{currency}:{factor}" for currency in curves.currency for factor in FACTORS],
        level=curves.factors_percent.ravel(),
        change=curves.factor_move_bp.ravel() / 100.0,
    )
