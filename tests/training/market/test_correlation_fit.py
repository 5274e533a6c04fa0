import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from risk.portfolios.correlation_model import CorrelationModel
from training.market.correlation_fit import (
    BLOCK_SYMBOLS,
    LEAST_BARS,
    fit_correlations,
    joint_residuals,
    normal_log_likelihood,
    student_log_likelihood,
)

TARGET = np.array([[1.0, 0.6, 0.2], [0.6, 1.0, 0.4], [0.2, 0.4, 1.0]])


def simulate(bars: int, news: float, decay: float, freedom: float | None = None, seed: int = 5) -> NDArray[np.float64]:
    """Return residuals of a DCC, float64[bars, 3], written down from Engle's equations."""
    draw = np.random.default_rng(seed)
    q = TARGET.copy()
    found = np.empty((bars, 3))
    for at in range(bars):
        deviations = np.sqrt(np.diag(q))
        root = np.linalg.cholesky(q / np.outer(deviations, deviations))
        z = root @ draw.normal(size=3)
        if freedom is not None:
            z *= np.sqrt((freedom - 2.0) / draw.chisquare(freedom))
        found[at] = z
        q = (1.0 - news - decay) * TARGET + news * np.outer(z, z) + decay * q
    return found


def matrices(
    news: float, decay: float, target: NDArray[np.float64], z: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the correlation matrix that is forecast for each bar, one by one; missing residuals count as 0."""
    q = target.copy()
    found = []
    for row in np.nan_to_num(z):
        deviations = np.sqrt(np.diag(q))
        found.append(q / np.outer(deviations, deviations))
        q = (1.0 - news - decay) * target + news * np.outer(row, row) + decay * q
    return found


def test_likelihoods_are_those_of_scipy() -> None:
    """The joint normal and Student's t likelihoods equal scipy's, bar by bar, of the residuals that are there."""
    z = simulate(60, 0.1, 0.8)
    z[np.random.default_rng(2).random(z.shape) < 0.2] = np.nan
    normal = student = 0.0
    for row, r in zip(z, matrices(0.1, 0.8, TARGET, z), strict=True):
        here = np.flatnonzero(~np.isnan(row))
        if len(here):
            sub = r[np.ix_(here, here)]
            normal += stats.multivariate_normal(np.zeros(len(here)), sub).logpdf(row[here])
            student += stats.multivariate_t(np.zeros(len(here)), sub * 5.0 / 7.0, df=7.0).logpdf(row[here])
    assert normal_log_likelihood(0.1, 0.8, TARGET, z) == pytest.approx(normal, rel=1e-12)
    assert student_log_likelihood(7.0, 0.1, 0.8, TARGET, z) == pytest.approx(student, rel=1e-12)


def test_a_simulated_dcc_is_found_again() -> None:
    """From 6,000 bars of a known DCC with heavy tails, all its parameters come back within their sampling error."""
    fit = fit_correlations(("A", "B", "C"), simulate(6_000, 0.05, 0.90, freedom=6.0))
    assert fit.model.news == pytest.approx(0.05, abs=0.02)
    assert fit.model.decay == pytest.approx(0.90, abs=0.04)
    assert fit.model.distribution.kind == "t"
    assert fit.model.distribution.degrees_of_freedom == pytest.approx(6.0, abs=1.0)
    np.testing.assert_allclose(fit.model.target_matrix(), TARGET, rtol=0, atol=0.06)
    assert fit.log_likelihood > fit.constant_log_likelihood + 50.0
    assert fit.bars == 6_000


def test_the_fit_is_a_maximum() -> None:
    """No neighbouring parameters have a greater likelihood, and normal residuals get a normal distribution."""
    z = simulate(2_000, 0.08, 0.85)
    fit = fit_correlations(("A", "B", "C"), z)
    target = fit.model.target_matrix()
    for by in (-0.005, 0.005):
        assert normal_log_likelihood(fit.model.news + by, fit.model.decay, target, z) < fit.log_likelihood
        assert normal_log_likelihood(fit.model.news, fit.model.decay + by, target, z) < fit.log_likelihood
    freedom = fit.model.distribution.degrees_of_freedom
    assert freedom is None or freedom > 30.0


def test_many_symbols_are_fitted_in_blocks() -> None:
    """The likelihood of more symbols than a block holds is the sum of the blocks' own."""
    count = BLOCK_SYMBOLS + 2
    z = np.random.default_rng(3).normal(size=(20, count))
    target = np.eye(count)
    first, rest = slice(0, BLOCK_SYMBOLS), slice(BLOCK_SYMBOLS, count)
    apart = sum(normal_log_likelihood(0.1, 0.8, target[part, part], z[:, part]) for part in (first, rest))
    assert normal_log_likelihood(0.1, 0.8, target, z) == pytest.approx(apart, rel=1e-12)


def test_residuals_are_joined_by_the_end_of_their_bars() -> None:
    """A bar in which a symbol has no residual is NaN for it, and the symbols come in order."""
    symbols, z = joint_residuals(
        {"B": np.array([10, 30]), "A": np.array([20, 30])}, {"B": np.array([1.0, 2.0]), "A": np.array([3.0, 4.0])}
    )
    assert symbols == ("A", "B")
    np.testing.assert_array_equal(z, [[np.nan, 1.0], [3.0, np.nan], [4.0, 2.0]])


def test_what_cannot_be_fitted_is_refused() -> None:
    """Too few bars, a symbol that never moved, and a pair that moves as one, raise an error that tells what to do."""
    z = simulate(LEAST_BARS - 1, 0.05, 0.9)
    with pytest.raises(ValueError, match=f"{LEAST_BARS - 1} bars"):
        fit_correlations(("A", "B", "C"), z)
    z = simulate(LEAST_BARS, 0.05, 0.9)
    z[:, 1] = 0.0
    with pytest.raises(ValueError, match="B never moved"):
        fit_correlations(("A", "B", "C"), z)
    z[:, 1] = -z[:, 2]
    with pytest.raises(ValueError, match=r"B and C all but do"):
        fit_correlations(("A", "B", "C"), z)


def test_the_model_decodes_as_it_was() -> None:
    """A fitted model is valid where it is read: its target is symmetric, with ones, and positive semi-definite."""
    fit = fit_correlations(("A", "B", "C"), simulate(LEAST_BARS, 0.05, 0.9))
    assert isinstance(fit.model, CorrelationModel)
    assert np.linalg.eigvalsh(fit.model.target_matrix())[0] > 0.0
