import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from risk.rates.par_bootstrap import bootstrap_zero_percent
from risk.rates.svensson import DIEBOLD_LI_DECAY_YEARS, svensson_loadings, svensson_yields
from risk.rates.svensson_fit import fit_svensson

TENORS = np.array([0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0])


def plain_yield(years: float, b: np.ndarray, first: float, second: float) -> float:
    """Return the Svensson yield, written as in the paper."""
    x, y = years / first, years / second
    return float(
        b[0]
        + b[1] * (1 - np.exp(-x)) / x
        + b[2] * ((1 - np.exp(-x)) / x - np.exp(-x))
        + b[3] * ((1 - np.exp(-y)) / y - np.exp(-y))
    )


@given(st.lists(st.floats(-5.0, 5.0), min_size=4, max_size=4).map(np.array), st.floats(0.3, 5.0), st.floats(0.3, 10.0))
def test_yields_are_the_papers_formula(b: np.ndarray, first: float, second: float) -> None:
    """Yields from the loadings are those of the written formula."""
    expected = [plain_yield(one, b, first, second) for one in TENORS.tolist()]
    assert svensson_yields(b, np.array([first, second]), TENORS) == pytest.approx(np.array(expected), abs=1e-12)


@given(st.lists(st.floats(-3.0, 12.0), min_size=10, max_size=10).map(np.array))
def test_coefficients_are_the_least_squares_at_their_decays(zero: np.ndarray) -> None:
    """At the decays that were chosen numpy's least squares finds the same curve and error."""
    curve = fit_svensson(TENORS, zero)
    design = np.array([svensson_loadings(one, *curve.decays_years.tolist()) for one in TENORS.tolist()])
    used = 4 if curve.decays_years[0] < curve.decays_years[1] else 3
    found = np.linalg.lstsq(design[:, :used], zero, rcond=None)[0]
    assert curve.coefficients_percent[:used] == pytest.approx(found, abs=1e-6)
    error_bp = 100 * np.sqrt(np.mean((design[:, :used] @ found - zero) ** 2))
    assert curve.fit_error_bp == pytest.approx(error_bp, abs=1e-6)


def test_a_curve_of_the_form_is_found_again() -> None:
    """Yields made at decays near those of the grid are fitted to half a basis point."""
    zero = svensson_yields(np.array([4.0, -2.5, 1.0, 2.0]), np.array([1.0, 4.0]), TENORS)
    assert fit_svensson(TENORS, zero).fit_error_bp < 0.5


@pytest.mark.parametrize(("count", "zeros"), [(1, 3), (3, 3), (4, 1), (5, 1), (6, 0)])
def test_fewer_tenors_get_a_simpler_form(count: int, zeros: int) -> None:
    """Below six tenors the Svensson term is nothing, and below four only the mean is left."""
    zero = np.array([1.0, 2.0, 1.5, 3.0, 2.5, 4.0])[:count]
    curve = fit_svensson(TENORS[:count], zero)
    assert np.count_nonzero(curve.coefficients_percent == 0.0) == zeros
    if zeros == 3:
        assert curve.coefficients_percent[0] == pytest.approx(zero.mean())
    if zeros == 1:
        assert curve.decays_years.tolist() == [DIEBOLD_LI_DECAY_YEARS] * 2


def test_diebold_and_li_have_their_greatest_curvature_at_thirty_months() -> None:
    """The published decay puts the peak of the curvature's loading at 30 months (2006, s. 3.1)."""
    months = np.arange(1, 361)
    loadings = [svensson_loadings(one / 12, DIEBOLD_LI_DECAY_YEARS, 5.0)[2] for one in months.tolist()]
    assert abs(int(months[int(np.argmax(loadings))]) - 30) <= 1


def test_treasury_curves_fit_to_some_basis_points(shared_data: Path) -> None:
    """Fits have a median error under 5 bp and never one over 20 bp; no coefficient runs away; a search gains few."""
    months = np.array([1, 3, 6, 12, 24, 36, 60, 84, 120, 240, 360])
    with (shared_data / "rates" / "ust.csv").open() as file:
        rows = np.array([[float(one) for one in row[1:12]] for row in list(csv.reader(file))[1::40]])
    errors, greatest, gains = [], 0.0, []
    for number, row in enumerate(rows):
        tenors = months[row > 0] / 12
        zero, _ = bootstrap_zero_percent(months[row > 0], row[row > 0])
        curve = fit_svensson(tenors, zero)
        errors.append(curve.fit_error_bp)
        greatest = max(greatest, float(np.abs(curve.coefficients_percent).max()))
        if number % 20 == 0:
            start = [*curve.coefficients_percent, *curve.decays_years]
            free = least_squares(
                lambda p, t=tenors, z=zero: [plain_yield(x, p[:4], p[4], p[5]) - y for x, y in zip(t, z, strict=True)],
                start,
                bounds=([-30] * 4 + [0.2] * 2, [30] * 4 + [12.0] * 2),
            )
            gains.append(curve.fit_error_bp - 100 * np.sqrt(2 * free.cost / len(tenors)))
    assert np.median(errors) < 5.0
    assert max(errors) < 20.0
    assert greatest < 30.0
    assert min(gains) > -1e-6
    assert max(gains) < 5.0
