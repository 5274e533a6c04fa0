"""The curves of each currency: points in, closed curves with their factors, moves and volatilities out."""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.rates.closed_curves import CLOSED_CURVE, ClosedCurves
from risk.rates.curve_factors import curve_factors
from risk.rates.move_volatility import deviations_of, next_move_variance, volatility_of
from risk.rates.open_curve import (
    ABSENT,
    CURVE_ROW,
    LATE,
    NO_ROOM,
    TAKEN,
    add_point,
    has_arrived,
    is_late,
    is_of_a_later_curve,
)
from risk.rates.par_bootstrap import bootstrap_zero_percent
from risk.rates.rate_parameters import RateParameters
from risk.rates.svensson_fit import fit_svensson_arrays

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""


class CurveStep(KeyedStep):
    """Curves by currency, advanced by points in the order of the log.

    A point of a later curve closes the open one, or all of `complete_months` do; a point of a closed curve, or of one
    before that which is open, is late and changes nothing. A tenor that comes twice counts with its last yield.

    >>> step = CurveStep(RateParameters(curve_ns=10))
    >>> months, par, times = np.array([12, 120, 12]), np.array([2.0, 3.0, 2.5]), np.array([10, 10, 20])
    >>> curves = step.advance(["USD"] * 3, months, par, times)
    >>> curves.index.tolist(), curves.tenors.tolist(), curves.par_percent[0, :2].tolist()
    ([2], [2], [2.0, 3.0])
    """

    def __init__(self, parameters: RateParameters) -> None:
        self._parameters = parameters
        self._complete = np.array(parameters.complete_months, dtype=np.int64)
        self._rows = KeyedRows(CURVE_ROW)

    def advance(
        self,
        currency: Sequence[str],
        tenor_months: NDArray[np.int64],
        par_percent: NDArray[np.float64],
        event_time_ns: NDArray[np.int64],
    ) -> ClosedCurves:
        """Take points, each column of length n; return the curves that they closed, and which points were refused."""
        rows = self._rows.rows(currency)
        answers = np.empty(len(rows), dtype=np.int64)
        # A point that closes the curve before its own is alone in its own, and so does not complete it.
        found = np.zeros(len(rows), dtype=CLOSED_CURVE)
        closed = _advance(
            self._rows.table,
            rows,
            tenor_months,
            par_percent,
            event_time_ns,
            self._parameters.curve_ns,
            self._complete,
            self._parameters.carried_curves,
            self._parameters.ewma_lambda,
            self._parameters.warm_up_moves,
            self._parameters.least_volatility_bp,
            answers,
            found,
        )
        columns = {name: found[name][:closed] for name in CLOSED_CURVE.names or ()}
        return ClosedCurves(
            currency=[currency[at] for at in columns["index"].tolist()],
            late=np.flatnonzero(answers == LATE),
            no_room=np.flatnonzero(answers == NO_ROOM),
            **columns,
        )


@njit(cache=True)
def _advance(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    tenor_months: NDArray[np.int64],
    par_percent: NDArray[np.float64],
    event_time_ns: NDArray[np.int64],
    curve_ns: int,
    complete_months: NDArray[np.int64],
    carried_curves: int,
    ewma_lambda: float,
    warm_up_moves: int,
    least_volatility_bp: float,
    answers: NDArray[np.int64],
    found: NDArray[np.void],
) -> int:
    """Advance the table by points, answer each, and fill in the curves that closed; return how many did."""
    closed = 0
    for at in range(len(rows)):
        row, time_ns = table[rows[at]], event_time_ns[at]
        if is_late(row, time_ns, curve_ns):
            answers[at] = LATE
            continue
        if is_of_a_later_curve(row, time_ns, curve_ns):
            found[closed]["index"] = at
            _close(row, carried_curves, ewma_lambda, warm_up_moves, least_volatility_bp, found[closed])
            closed += 1
        answers[at] = add_point(row, tenor_months[at], par_percent[at], time_ns)
        if answers[at] == TAKEN and len(complete_months) > 0 and has_arrived(row, complete_months):
            found[closed]["index"] = at
            _close(row, carried_curves, ewma_lambda, warm_up_moves, least_volatility_bp, found[closed])
            closed += 1
    return closed


@njit(cache=True)
def _close(
    row: np.void,
    carried_curves: int,
    ewma_lambda: float,
    warm_up_moves: int,
    least_volatility_bp: float,
    curve: np.void,
) -> None:
    """Close the row's open curve into `curve`, and make it the one that the next is compared with."""
    slots = row["slots"]
    before, age_before = row["par"][:slots].copy(), row["age"][:slots].copy()
    for slot in range(slots):
        if row["arrived"][slot] == 1:
            row["par"][slot], row["age"][slot] = row["open_par"][slot], 0
        elif row["age"][slot] >= carried_curves:
            row["age"][slot] = ABSENT
        elif row["age"][slot] != ABSENT:
            row["age"][slot] += 1
        row["arrived"][slot] = 0
    row["closed_ns"], row["open_ns"] = row["open_ns"], 0
    curve["event_time_ns"] = row["closed_ns"]

    in_order = np.argsort(row["months"][:slots])
    present = in_order[row["age"][:slots][in_order] != ABSENT]
    months, par = row["months"][:slots][present], row["par"][:slots][present]
    tenors = months / 12.0
    zero, prices_par = bootstrap_zero_percent(months, par)
    curve["tenors"], curve["prices_par"] = len(present), prices_par
    factors = curve_factors(tenors, zero)
    coefficients, decays, fit_error_bp = fit_svensson_arrays(tenors, zero)
    curve["fit_error_bp"] = fit_error_bp
    for at in range(4):
        curve["coefficients_percent"][at] = coefficients[at]
    for at in range(2):
        curve["decays_years"][at] = decays[at]

    for at in range(len(present)):
        slot = present[at]
        curve["tenor_months"][at], curve["age_curves"][at] = months[at], row["age"][slot]
        curve["par_percent"][at], curve["zero_percent"][at] = par[at], zero[at]
        curve["discount_factor"][at] = math.exp(-zero[at] / 100.0 * tenors[at])
        if row["age"][slot] == 0 and age_before[slot] != ABSENT:
            # A tenor that was carried moved over several curves, which may be as many times the variance.
            curves = age_before[slot] + 1
            move = 100.0 * (par[at] - before[slot])
            variance, moves = row["tenor_variance"][slot], row["tenor_moves"][slot]
            volatility = volatility_of(variance * curves, moves, warm_up_moves, least_volatility_bp)
            curve["tenor_move_bp"][at], curve["tenor_volatility_bp"][at] = move, volatility
            curve["tenor_deviations"][at] = deviations_of(move, volatility)
            row["tenor_variance"][slot] = next_move_variance(variance, moves, move * move / curves, ewma_lambda)
            row["tenor_moves"][slot] += 1

    both = present[age_before[present] != ABSENT]
    curve["has_move"] = len(both) > 0
    for at in range(3):
        curve["factors_percent"][at] = factors[at]
    if len(both) == 0:
        return
    # Only the tenors of both curves are compared, so that a tenor that comes or goes is no move of the factors.
    both_months = row["months"][:slots][both]
    both_zero, _ = bootstrap_zero_percent(both_months, row["par"][:slots][both])
    zero_before, _ = bootstrap_zero_percent(both_months, before[both])
    moved = curve_factors(both_months / 12.0, both_zero) - curve_factors(both_months / 12.0, zero_before)
    moves = row["factor_moves"]
    for at in range(3):
        move, variance = 100.0 * moved[at], row["factor_variance"][at]
        volatility = volatility_of(variance, moves, warm_up_moves, least_volatility_bp)
        curve["factor_move_bp"][at], curve["factor_volatility_bp"][at] = move, volatility
        curve["factor_deviations"][at] = deviations_of(move, volatility)
        row["factor_variance"][at] = next_move_variance(variance, moves, move * move, ewma_lambda)
    row["factor_moves"] += 1
