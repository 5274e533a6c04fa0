"""Fits the correlations of standardised residuals: a scalar DCC(1,1), and the tails of the joint distribution.

The volatilities were fitted before, symbol by symbol; this is the second of DCC's two steps, with correlation
targeting. Engle, "Dynamic conditional correlation", Journal of Business and Economic Statistics 20 (2002), section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, gammaln

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.portfolios.correlation import add_to_dcc, correlations
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.last_bars import MOST_DEVIATIONS

BLOCK_SYMBOLS = 30
"""With more symbols the likelihood is the sum over blocks of so many (a composite likelihood: Engle, Shephard and
Sheppard, "Fitting vast dimensional time-varying covariance models", 2008), since its cost grows with their cube."""

LEAST_BARS = 250
"""With fewer bars in which any symbol moved nothing is fitted."""

_MOST_DEGREES_OF_FREEDOM = 200.0
_LEAST_EIGENVALUE = 1e-8
_STARTS = ((0.02, 0.97), (0.05, 0.90), (0.10, 0.70))


@dataclass(frozen=True, slots=True)
class CorrelationFit:
    """A fitted model, how many bars it is of, and what log-likelihood it has beside constant correlations."""

    model: CorrelationModel
    bars: int
    log_likelihood: float
    constant_log_likelihood: float


def joint_residuals(
    bar_end_ns: Mapping[str, NDArray[np.int64]], residuals: Mapping[str, NDArray[np.float64]]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the symbols, in order, and their residuals by bar end: float64[T, n], with NaN where a symbol has none.

    >>> times = {"B": np.array([1, 2]), "A": np.array([2, 3])}
    >>> joint_residuals(times, {"B": np.array([0.1, 0.2]), "A": np.array([0.3, 0.4])})
    (('A', 'B'), array([[nan, 0.1], [0.3, 0.2], [0.4, nan]]))
    """
    symbols = tuple(sorted(bar_end_ns))
    ends = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(bar_end_ns[symbol] for symbol in symbols)]))
    matrix = np.full((len(ends), len(symbols)), np.nan)
    for at, symbol in enumerate(symbols):
        matrix[np.searchsorted(ends, bar_end_ns[symbol]), at] = residuals[symbol]
    return symbols, matrix


def fit_correlations(symbols: tuple[str, ...], residuals: NDArray[np.float64]) -> CorrelationFit:
    """Return the model of joint residuals, float64[T, n], in order of time, with NaN where a symbol has none.

    The target is the correlation of the residuals with 0 for one that is missing, as the stream has it, and so is
    positive semi-definite. Raises ValueError for fewer than `LEAST_BARS` bars, a symbol that never moved, and symbols
    that determine one another.
    """
    cut = np.clip(residuals, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    cut = cut[~np.isnan(cut).all(axis=1)]
    if len(cut) < LEAST_BARS:
        raise ValueError(f"residuals: {len(cut)} bars; give at least {LEAST_BARS}, or leave the symbols untrained")
    filled = np.nan_to_num(cut)
    products = filled.T @ filled
    silent = [symbol for symbol, value in zip(symbols, np.diag(products).tolist(), strict=True) if value == 0.0]
    if silent:
        raise ValueError(f"residuals: {', '.join(silent)} never moved; leave them untrained")
    scale = np.sqrt(np.diag(products))
    target = products / np.outer(scale, scale)
    target = 0.5 * (target + target.T)
    np.fill_diagonal(target, 1.0)
    if np.linalg.eigvalsh(target)[0] < _LEAST_EIGENVALUE:
        first, second = np.unravel_index(int(np.argmax(np.abs(np.triu(target, 1)))), target.shape)
        raise ValueError(
            f"residuals: the symbols' moves determine one another, as those of {symbols[first]} and {symbols[second]}"
            " all but do; leave one untrained"
        )

    def negative(x: NDArray[np.float64]) -> float:
        return -normal_log_likelihood(*_news_and_decay(x), target, cut)

    found = min(
        (minimize(negative, _unbounded(*start), method="Nelder-Mead", options={"xatol": 1e-4}) for start in _STARTS),
        key=lambda one: float(one.fun),
    )
    news, decay = _news_and_decay(found.x)
    constant = normal_log_likelihood(0.0, 0.0, target, cut)
    model = CorrelationModel(
        distribution=_fit_distribution(news, decay, target, cut),
        symbols=symbols,
        news=news,
        decay=decay,
        target=tuple(tuple(row) for row in target.tolist()),
    )
    return CorrelationFit(model, len(cut), -float(found.fun), constant)


def normal_log_likelihood(
    news: float, decay: float, target: NDArray[np.float64], residuals: NDArray[np.float64]
) -> float:
    """Return the log-likelihood of residuals, float64[T, n], if they are jointly normal with DCC correlations."""
    counts, log_determinants, squares = _forms(news, decay, target, residuals)
    return float(-0.5 * np.sum(counts * np.log(2.0 * np.pi) + log_determinants + squares))


def student_log_likelihood(
    degrees_of_freedom: float, news: float, decay: float, target: NDArray[np.float64], residuals: NDArray[np.float64]
) -> float:
    """Return the log-likelihood if they are jointly Student's t, scaled to a variance of 1, with DCC correlations."""
    counts, log_determinants, squares = _forms(news, decay, target, residuals)
    freedom = degrees_of_freedom
    return float(
        np.sum(
            gammaln(0.5 * (freedom + counts))
            - gammaln(0.5 * freedom)
            - 0.5 * counts * np.log(np.pi * (freedom - 2.0))
            - 0.5 * log_determinants
            - 0.5 * (freedom + counts) * np.log1p(squares / (freedom - 2.0))
        )
    )


def _fit_distribution(
    news: float, decay: float, target: NDArray[np.float64], residuals: NDArray[np.float64]
) -> StandardisedDistribution:
    # The weight of the tails is searched on the scale of its inverse, on which the likelihood is about as curved
    # everywhere.
    found = minimize_scalar(
        lambda inverse: -student_log_likelihood(1.0 / inverse, news, decay, target, residuals),
        bounds=(1.0 / _MOST_DEGREES_OF_FREEDOM, 1.0 / 2.05),
        method="bounded",
    )
    freedom = 1.0 / float(found.x)
    if freedom > 0.9 * _MOST_DEGREES_OF_FREEDOM:
        return StandardisedDistribution("normal")
    return StandardisedDistribution("t", freedom)


def _unbounded(news: float, decay: float) -> NDArray[np.float64]:
    total = news + decay
    return np.array([np.log(total / (1.0 - total)), np.log(decay / news)])


def _news_and_decay(x: NDArray[np.float64]) -> tuple[float, float]:
    """Return news and decay, of which neither is negative and the sum is below 1, from two numbers without bounds."""
    total = min(float(expit(x[0])), 0.9999)
    share = float(expit(x[1]))
    return total * (1.0 - share), total * share


def _forms(
    news: float, decay: float, target: NDArray[np.float64], residuals: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return for each bar and block how many residuals it has, log det R and z' R^-1 z: float64[T * blocks] each."""
    firsts = range(0, len(target), BLOCK_SYMBOLS)
    parts = [
        np.array(
            _block_forms(
                news,
                decay,
                np.ascontiguousarray(target[first : first + BLOCK_SYMBOLS, first : first + BLOCK_SYMBOLS]),
                np.ascontiguousarray(residuals[:, first : first + BLOCK_SYMBOLS]),
            )
        )
        for first in firsts
    ]
    counts, log_determinants, squares = np.concatenate(parts, axis=1)
    return counts, log_determinants, squares


@njit(cache=True)
def _block_forms(
    news: float, decay: float, target: NDArray[np.float64], residuals: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    bars = len(residuals)
    counts, log_determinants, squares = np.zeros(bars), np.zeros(bars), np.zeros(bars)
    products = target.copy()
    for at in range(bars):
        here = np.flatnonzero(~np.isnan(residuals[at]))
        root = np.linalg.cholesky(correlations(products, here))
        count = len(here)
        solved = np.empty(count)
        for i in range(count):
            value = residuals[at, here[i]]
            for j in range(i):
                value -= root[i, j] * solved[j]
            solved[i] = value / root[i, i]
            log_determinants[at] += 2.0 * np.log(root[i, i])
            squares[at] += solved[i] * solved[i]
        counts[at] = count
        add_to_dcc(products, target, residuals[at], news, decay)
    return counts, log_determinants, squares
