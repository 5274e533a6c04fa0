import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.portfolios.correlation import add_to_dcc, add_to_ewma, correlations

TARGET = np.array([[1.0, 0.6, 0.2], [0.6, 1.0, 0.4], [0.2, 0.4, 1.0]])

residual = st.one_of(st.floats(-50.0, 50.0), st.just(float("nan")), st.sampled_from([0.0, 50.0, -50.0, 1e-300]))
histories = st.lists(st.tuples(*[residual] * 5), max_size=40).map(lambda rows: np.array(rows).reshape(-1, 5))


def test_exponentially_weighted_products_are_those_of_pandas() -> None:
    """With all residuals there, each product is pandas' exponentially weighted mean, started from independence."""
    z = np.random.default_rng(1).standard_t(4, size=(300, 3))
    products = np.eye(4)
    for row in z:
        add_to_ewma(products, row, 3, 0.97)
    frame = pd.DataFrame({(i, j): z[:, i] * z[:, j] for i in range(3) for j in range(3)})
    start = pd.DataFrame([{(i, j): float(i == j) for i in range(3) for j in range(3)}])
    expected = pd.concat([start, frame]).ewm(alpha=0.03, adjust=False).mean().iloc[-1].to_numpy().reshape(3, 3)
    np.testing.assert_allclose(products[:3, :3], expected, rtol=1e-12, atol=1e-15)
    assert products[3].tolist() == [0.0, 0.0, 0.0, 1.0]


@given(histories)
def test_exponentially_weighted_products_are_a_congruence_and_a_square(z: NDArray[np.float64]) -> None:
    """A missing symbol's row and column are scaled as written down with matrices; its own variance stays."""
    products, expected = np.eye(5), np.eye(5)
    for row in z:
        add_to_ewma(products, row, 5, 0.9)
        scale = np.diag(np.where(np.isnan(row), 1.0, np.sqrt(0.9)))
        zero = np.nan_to_num(row)
        expected = scale @ expected @ scale + 0.1 * np.outer(zero, zero)
    np.testing.assert_allclose(products, expected, rtol=1e-10, atol=1e-12)


@given(histories)
def test_dcc_is_engle_s_equation(z: NDArray[np.float64]) -> None:
    """The products are those of the equation as it is written with matrices, with 0 for a missing residual."""
    products, expected = TARGET.copy(), TARGET.copy()
    for row in z[:, :3]:
        add_to_dcc(products, TARGET, row, 0.05, 0.9)
        zero = np.nan_to_num(row)
        expected = (1.0 - 0.05 - 0.9) * TARGET + 0.05 * np.outer(zero, zero) + 0.9 * expected
    np.testing.assert_allclose(products, expected, rtol=1e-10, atol=1e-12)


@given(histories, st.permutations(range(5)), st.integers(1, 5))
def test_correlations_are_positive_semi_definite_always(z: NDArray[np.float64], order: list[int], count: int) -> None:
    """Whatever comes or is missing, and whichever symbols are chosen, no eigenvalue is below 0 but for rounding."""
    ewma, dcc = np.eye(5), TARGET.copy()
    for row in z:
        add_to_ewma(ewma, row, 5, 0.97)
        add_to_dcc(dcc, TARGET, row, 0.05, 0.9)
        for products, chosen in ((ewma, order[:count]), (dcc, [at for at in order[:count] if at < 3])):
            found = correlations(products, np.array(chosen, dtype=np.int64))
            assert np.array_equal(found, found.T)
            assert np.all(np.diag(found) == 1.0)
            assert np.all(np.abs(found) <= 1.0 + 1e-12)
            assert not chosen or np.linalg.eigvalsh(found)[0] >= -1e-12


def test_a_symbol_that_rests_does_not_forget_how_it_moves() -> None:
    """After a thousand bars without two symbols, these are correlated as before, and with the others no more."""
    products = np.eye(3)
    for row in np.random.default_rng(4).multivariate_normal(np.zeros(3), TARGET, 500):
        add_to_ewma(products, row, 3, 0.97)
    before = correlations(products, np.arange(3))
    for one in np.random.default_rng(5).normal(size=1_000):
        add_to_ewma(products, np.array([np.nan, np.nan, one]), 3, 0.97)
    after = correlations(products, np.arange(3))
    assert after[0, 1] == before[0, 1]
    assert abs(after[0, 2]) < 1e-6


def test_a_symbol_that_never_moves_is_correlated_with_none() -> None:
    """A variance that has decayed to nothing gives no correlation, and no division by it."""
    products = np.eye(2)
    for _ in range(40_000):
        add_to_ewma(products, np.array([0.0, 1.0]), 2, 0.97)
    found = correlations(products, np.arange(2))
    assert found.tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("bars", [1, 50])
def test_correlations_are_numpy_s(bars: int) -> None:
    """Undecayed products of residuals have the correlation about 0 that numpy computes from a doubled sample."""
    z = np.random.default_rng(bars).normal(size=(bars + 2, 3))
    doubled = np.concatenate([z, -z])
    np.testing.assert_allclose(correlations(z.T @ z, np.arange(3)), np.corrcoef(doubled.T), rtol=1e-12, atol=1e-12)
