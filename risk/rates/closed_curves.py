"""Curves that closed, as columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.rates.open_curve import MOST_TENORS

_T = (MOST_TENORS,)

CLOSED_CURVE = np.dtype(
    [
        ("index", "<i8"),
        ("event_time_ns", "<i8"),
        ("tenors", "<i8"),
        ("prices_par", "?"),
        ("has_move", "?"),
        ("tenor_months", "<i8", _T),
        ("age_curves", "<i8", _T),
        ("par_percent", "<f8", _T),
        ("zero_percent", "<f8", _T),
        ("discount_factor", "<f8", _T),
        ("tenor_move_bp", "<f8", _T),
        ("tenor_volatility_bp", "<f8", _T),
        ("tenor_deviations", "<f8", _T),
        ("coefficients_percent", "<f8", (4,)),
        ("decays_years", "<f8", (2,)),
        ("fit_error_bp", "<f8"),
        ("factors_percent", "<f8", (3,)),
        ("factor_move_bp", "<f8", (3,)),
        ("factor_volatility_bp", "<f8", (3,)),
        ("factor_deviations", "<f8", (3,)),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class ClosedCurves:
    """Curves in the order in which they closed: n of them, each with up to M tenors, and where points were refused.

    `index` int64[n] is the position in the batch of the point that closed the curve. `event_time_ns` int64[n] is the
    greatest of the curve's points. The first `tenors[i]` places of the columns [n, M] hold curve i's tenors in rising
    order, the others zeros: `age_curves` is 0 for a yield that came with the curve and k for one carried from k curves
    before. Zero rates are continuously compounded, and `prices_par` is False where no positive discount factors explain
    the par yields. `coefficients_percent` [n, 4], `decays_years` [n, 2] and `fit_error_bp` are Svensson's curve.

    The columns [n, 3] are level, slope and curvature. Moves in bp are against the curve before, over the tenors that
    both have; they are of zero rates for the factors and of par yields for the tenors. `has_move` is False for a
    currency's first curve. Volatilities are those forecast for this curve's moves, and deviations are moves in units of
    them, 0 while there are too few moves to tell.

    `late` and `no_room` int64 are positions in the batch of points of curves already closed, and of tenors too many.
    """

    index: NDArray[np.int64]
    currency: list[str]
    event_time_ns: NDArray[np.int64]
    tenors: NDArray[np.int64]
    prices_par: NDArray[np.bool_]
    has_move: NDArray[np.bool_]
    tenor_months: NDArray[np.int64]
    age_curves: NDArray[np.int64]
    par_percent: NDArray[np.float64]
    zero_percent: NDArray[np.float64]
    discount_factor: NDArray[np.float64]
    tenor_move_bp: NDArray[np.float64]
    tenor_volatility_bp: NDArray[np.float64]
    tenor_deviations: NDArray[np.float64]
    coefficients_percent: NDArray[np.float64]
    decays_years: NDArray[np.float64]
    fit_error_bp: NDArray[np.float64]
    factors_percent: NDArray[np.float64]
    factor_move_bp: NDArray[np.float64]
    factor_volatility_bp: NDArray[np.float64]
    factor_deviations: NDArray[np.float64]
    late: NDArray[np.int64]
    no_room: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.currency)
