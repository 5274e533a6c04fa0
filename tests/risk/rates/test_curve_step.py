import math
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.rates.closed_curves import ClosedCurves
from risk.rates.curve_factors import curve_factors
from risk.rates.curve_step import CurveStep
from risk.rates.par_bootstrap import bootstrap_zero_percent
from risk.rates.rate_parameters import RateParameters
from risk.rates.svensson_fit import fit_svensson

PARAMETERS = RateParameters(curve_ns=10, carried_curves=2, warm_up_moves=2, ewma_lambda=0.7, least_volatility_bp=3.0)

Point = tuple[str, int, float, int]

tenors = st.sampled_from([3, 12, 24, 120, 360])


def in_sequence(steps: list[Point]) -> list[Point]:
    """Return points whose times advance by the steps given, or go back when a step is negative."""
    times = accumulate(one[3] for one in steps)
    return [(*one[:3], 100 + time) for one, time in zip(steps, times, strict=True)]


points = st.lists(
    st.tuples(st.sampled_from(["USD", "EUR"]), tenors, st.floats(-1.0, 9.0), st.integers(-4, 9)), max_size=60
).map(in_sequence)


def advance(step: CurveStep, history: list[Point]) -> ClosedCurves:
    """Advance by points given row by row."""
    return step.advance(
        [one[0] for one in history],
        np.array([one[1] for one in history], dtype=np.int64),
        np.array([one[2] for one in history], dtype=np.float64),
        np.array([one[3] for one in history], dtype=np.int64),
    )


@dataclass
class Twin:
    """What is known of one currency, in plain Python."""

    closed_bin: int = -1
    open_bin: int = -1
    time: int = 0
    open: dict[int, float] = field(default_factory=dict)
    par: dict[int, float] = field(default_factory=dict)
    age: dict[int, int] = field(default_factory=dict)
    squares: dict[int | str, list[float]] = field(default_factory=dict)
    factor_squares: list[NDArray[np.float64]] = field(default_factory=list)


def factors_of(par: dict[int, float]) -> NDArray[np.float64]:
    """Return the factors of a curve of par yields."""
    months = np.array(sorted(par))
    return curve_factors(months / 12, bootstrap_zero_percent(months, np.array([par[one] for one in sorted(par)]))[0])


def variance_of(squares: list[float]) -> float:
    """Return the variance after squared moves, the latest last, from its definition."""
    variance = 0.0
    for number, square in enumerate(squares, start=1):
        weight = max(1 - PARAMETERS.ewma_lambda, 1 / number)
        variance = (1 - weight) * variance + weight * square
    return variance


def deviations(move: float, squares: list[float], curves: int = 1) -> float:
    """Return a move in units of the volatility before it."""
    if len(squares) < PARAMETERS.warm_up_moves:
        return 0.0
    return move / max(math.sqrt(variance_of(squares) * curves), PARAMETERS.least_volatility_bp)


def close(twin: Twin) -> dict[str, object]:
    """Close a twin's open curve and return what is known of it."""
    before, age_before = dict(twin.par), dict(twin.age)
    for month in list(twin.par):
        if month not in twin.open:
            twin.age[month] += 1
            if twin.age[month] > PARAMETERS.carried_curves:
                del twin.par[month], twin.age[month]
    twin.par.update(twin.open)
    twin.age.update(dict.fromkeys(twin.open, 0))
    months = sorted(twin.par)
    found: dict[str, object] = {"time": twin.time, "months": months, "ages": [twin.age[one] for one in months]}
    found["par"] = [twin.par[one] for one in months]
    moves, told = [], []
    for month in months:
        move, one = 0.0, 0.0
        if month in before and month in twin.open:
            curves = age_before[month] + 1
            move = 100 * (twin.par[month] - before[month])
            squares = twin.squares.setdefault(month, [])
            one = deviations(move, squares, curves)
            squares.append(move**2 / curves)
        moves.append(move)
        told.append(one)
    found["moves"], found["deviations"] = moves, told
    both = [month for month in months if month in before]
    found["factor_moves"], found["factor_deviations"] = np.zeros(3), np.zeros(3)
    if both:
        move3 = 100 * (factors_of({m: twin.par[m] for m in both}) - factors_of({m: before[m] for m in both}))
        past = twin.factor_squares
        found["factor_moves"] = move3
        found["factor_deviations"] = np.array([deviations(move3[n], [one[n] for one in past]) for n in range(3)])
        past.append(move3**2)
    twin.closed_bin, twin.open_bin, twin.open = twin.open_bin, -1, {}
    return found


def plain(history: list[Point]) -> tuple[list[tuple[int, str, dict[str, object]]], list[int]]:
    """Return each closed curve with the point that closed it, and the late points."""
    twins: dict[str, Twin] = {}
    found, late = [], []
    for index, (currency, month, par, time) in enumerate(history):
        twin, bin_ = twins.setdefault(currency, Twin()), time // 10
        if bin_ <= twin.closed_bin or bin_ < twin.open_bin:
            late.append(index)
            continue
        if twin.open and bin_ > twin.open_bin:
            found.append((index, currency, close(twin)))
        twin.time = max(twin.time, time) if twin.open else time
        twin.open_bin = bin_
        twin.open[month] = par
    return found, late


@given(points)
def test_curves_are_those_of_plain_python(history: list[Point]) -> None:
    """Tenors, ages, moves, deviations and late points are those of a slow twin with dictionaries."""
    curves = advance(CurveStep(PARAMETERS), history)
    expected, late = plain(history)
    assert curves.late.tolist() == late
    assert (curves.index.tolist(), curves.currency) == ([one[0] for one in expected], [one[1] for one in expected])
    for at, (_, _, one) in enumerate(expected):
        there = slice(int(curves.tenors[at]))
        assert curves.event_time_ns[at] == one["time"]
        assert curves.tenor_months[at, there].tolist() == one["months"]
        assert curves.age_curves[at, there].tolist() == one["ages"]
        assert curves.par_percent[at, there].tolist() == one["par"]
        assert curves.tenor_move_bp[at, there] == pytest.approx(np.array(one["moves"]), abs=1e-9)
        assert curves.tenor_deviations[at, there] == pytest.approx(np.array(one["deviations"]), abs=1e-9)
        assert curves.factor_move_bp[at] == pytest.approx(one["factor_moves"], abs=1e-7)
        assert curves.factor_deviations[at] == pytest.approx(one["factor_deviations"], rel=1e-7, abs=1e-7)
        assert not curves.tenor_months[at, there.stop :].any()


@given(points)
def test_a_curve_holds_what_the_pieces_say_of_it(history: list[Point]) -> None:
    """Zero rates, discount factors, factors and fit are those of the functions for one curve."""
    curves = advance(CurveStep(PARAMETERS), history)
    for at in range(len(curves)):
        there = slice(int(curves.tenors[at]))
        months = curves.tenor_months[at, there]
        zero, fits = bootstrap_zero_percent(months, curves.par_percent[at, there])
        assert (curves.zero_percent[at, there].tolist(), curves.prices_par[at]) == (zero.tolist(), fits)
        assert curves.discount_factor[at, there] == pytest.approx(np.exp(-zero / 100 * months / 12), rel=1e-14)
        assert curves.factors_percent[at].tolist() == curve_factors(months / 12, zero).tolist()
        fitted = fit_svensson(months / 12, zero)
        assert curves.fit_error_bp[at] == fitted.fit_error_bp
        assert curves.coefficients_percent[at].tolist() == fitted.coefficients_percent.tolist()
        assert curves.decays_years[at].tolist() == fitted.decays_years.tolist()


def test_a_curve_closes_as_soon_as_it_is_complete() -> None:
    """Its last awaited tenor closes it; what comes after of the same time is late, and an incomplete one waits."""
    step = CurveStep(RateParameters(curve_ns=10, complete_months=(12, 120)))
    history: list[Point] = [
        ("USD", 3, 1.0, 10),
        ("USD", 120, 3.0, 11),
        ("USD", 12, 2.0, 12),
        ("USD", 360, 4.0, 13),
        ("USD", 12, 2.1, 20),
        ("USD", 12, 2.2, 30),
    ]
    curves = advance(step, history)
    assert (curves.index.tolist(), curves.event_time_ns.tolist()) == ([2, 5], [12, 20])
    assert (curves.tenors.tolist(), curves.late.tolist()) == ([3, 3], [3])
    assert curves.age_curves[1, :3].tolist() == [1, 0, 1]


def test_a_tenor_that_comes_or_goes_is_no_move_of_the_factors() -> None:
    """While all yields stay, a new long tenor and its end move neither level, slope nor curvature."""
    step = CurveStep(RateParameters(curve_ns=1, carried_curves=0))
    quiet: list[Point] = [("USD", month, 1.0 + month / 100, time) for time in range(1, 6) for month in (3, 24, 60)]
    quiet += [("USD", 240, 9.0, time) for time in (2, 3)]
    curves = advance(step, [*sorted(quiet, key=lambda one: one[3]), ("USD", 3, 1.0, 6)])
    assert curves.tenors.tolist() == [3, 4, 4, 3, 3]
    assert not curves.factor_move_bp.any()
    assert curves.has_move.tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("months", [(12,), (12, 12)])
def test_complete_months_are_two_or_more(months: tuple[int, ...]) -> None:
    """One tenor, or one twice, would let a point close two curves and is refused."""
    with pytest.raises(ValueError, match="complete_months="):
        RateParameters(complete_months=months)
