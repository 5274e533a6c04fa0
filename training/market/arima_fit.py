"""Fits ARIMA(p,d,q)(P,D,Q)s by exact maximum likelihood, with the order chosen by an information criterion.

Box and Jenkins, Time Series Analysis: Forecasting and Control (1970); the likelihood is that of the Kalman filter on
the differenced series (Harvey, Forecasting, Structural Time Series Models and the Kalman Filter, 1989, section 3.4),
by statsmodels. The order is searched as Hyndman and Khandakar do ("Automatic time series forecasting: the forecast
package for R", Journal of Statistical Software 27, 2008): differences by a KPSS test, the rest by BIC, which in the
long run finds no memory where there is none, or by AICc.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from statsmodels.tools.sm_exceptions import InterpolationWarning
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.stattools import kpss
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from training.market.forecaster_fit import ForecastFitError

Criterion = Literal["aicc", "bic"]
_KPSS_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Order:
    """The orders p, d, q and, of a season of `period` bars, P, D, Q; `constant` for a mean of the differences."""

    p: int
    d: int
    q: int
    constant: bool = False
    seasonal_p: int = 0
    seasonal_d: int = 0
    seasonal_q: int = 0
    period: int = 0

    def __str__(self) -> str:
        """Return the usual notation.

        >>> str(Order(0, 1, 1, seasonal_d=1, seasonal_q=1, period=12)), str(Order(1, 0, 0, constant=True))
        ('ARIMA(0,1,1)(0,1,1)12', 'ARIMA(1,0,0) with a constant')
        """
        season = f"({self.seasonal_p},{self.seasonal_d},{self.seasonal_q}){self.period}" if self.period else ""
        return f"ARIMA({self.p},{self.d},{self.q}){season}" + (" with a constant" if self.constant else "")


@dataclass(frozen=True, slots=True)
class FittedArima:
    """An ARIMA model: its order, and the filter of its differences w.

    `ar` and `ma` are the products of the ordinary and the seasonal polynomials without their leading 1, so that
    w_t - mean = sum ar_i (w_(t-i) - mean) + e_t + sum ma_i e_(t-i), and `variance` is that of e. `parameters` are
    statsmodels', for the differences divided by `unit`; `state` is the filter's prediction after the last difference.
    """

    order: Order
    parameters: NDArray[np.float64]
    unit: float
    ar: NDArray[np.float64]
    ma: NDArray[np.float64]
    mean: float
    variance: float
    state: NDArray[np.float64]
    log_likelihood: float
    aicc: float
    bic: float


def fit_arima(values: NDArray[np.float64], order: Order) -> FittedArima:
    """Return the exact maximum likelihood fit to the levels float64[n].

    NaN separates series that follow one upon another. Raises ForecastFitError where there are too few values, where
    the differences do not vary, or where the optimiser finds nothing finite.
    """
    differences = differenced(values, order)
    needed = 2 * (order.p + order.q + order.period * (order.seasonal_p + order.seasonal_q)) + 10
    known = int(np.isfinite(differences).sum())
    unit = float(np.nanstd(differences)) if known else 0.0
    if known < needed or not unit > 0.0:
        raise ForecastFitError(
            f"{order} of {known} differences of deviation {unit:.3g}: give {needed} or more that are not all the same"
        )
    # The optimiser's steps suit numbers around 1, and its matrices are so small that threads would only wait.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        try:
            result = model_of(differences / unit, order).fit(disp=0, maxiter=100, cov_type="none")
        except np.linalg.LinAlgError as error:
            raise ForecastFitError(f"{order} of {known} differences: {error}: choose a smaller order") from error
    if not np.isfinite(result.llf):
        raise ForecastFitError(f"{order} of {known} differences has no finite likelihood: choose a smaller order")
    ar, ma = -result.polynomial_reduced_ar[1:], result.polynomial_reduced_ma[1:]
    size = result.model.ssm.k_states
    mean = float(result.params[0]) * unit / (1.0 - ar.sum()) if order.constant else 0.0
    jacobian = known * np.log(unit)
    return FittedArima(
        order=order,
        parameters=np.asarray(result.params, dtype=np.float64),
        unit=unit,
        ar=_padded(ar, size),
        ma=_padded(ma, size),
        mean=mean,
        variance=float(result.params[-1]) * unit**2,
        state=centred_state(result, order)[-1] * unit,
        log_likelihood=float(result.llf - jacobian),
        aicc=float(result.aicc + 2.0 * jacobian),
        bic=float(result.bic + 2.0 * jacobian),
    )


def model_of(differences: NDArray[np.float64], order: Order) -> Any:
    """Return statsmodels' model of differences, without differencing of its own."""
    return SARIMAX(
        differences,
        order=(order.p, 0, order.q),
        seasonal_order=(order.seasonal_p, 0, order.seasonal_q, order.period),
        trend="c" if order.constant else "n",
    )


def centred_state(result: Any, order: Order) -> NDArray[np.float64]:
    """Return statsmodels' predicted states, less what the constant makes of them: float64[n + 1, r]."""
    states: NDArray[np.float64] = np.asarray(result.predicted_state, dtype=np.float64).T
    if order.constant:
        size = states.shape[1]
        rest = np.linalg.solve(np.eye(size) - result.model.ssm["transition"], result.model.ssm["state_intercept"][:, 0])
        states = states - rest
    return states


def differenced(values: NDArray[np.float64], order: Order) -> NDArray[np.float64]:
    """Return the differences that an order models, float64[n - d - D s].

    >>> differenced(np.array([1.0, 2.0, 4.0, 8.0]), Order(0, 1, 0, seasonal_d=1, period=2)).tolist()
    [3.0]
    """
    for _ in range(order.d):
        values = np.diff(values)
    for _ in range(order.seasonal_d):
        values = values[order.period :] - values[: -order.period]
    return values


def choose_arima(
    values: NDArray[np.float64],
    *,
    period: int = 0,
    differences: int | None = None,
    seasonal_differences: int = 0,
    most: int = 2,
    criterion: Criterion = "bic",
) -> FittedArima:
    """Return the fit of least BIC (or AICc) to the levels float64[n].

    Without a period all p, q <= `most` are tried. With one, p and q up to 1 and P and Q up to 1 are, not both 0.
    Levels that are not differenced have a constant; of changes, the best is tried with one too. An order that cannot
    be fitted is left out. `differences` is found by `differences_needed` where it is not given. Raises ForecastFitError
    where no order can be fitted.
    """
    d = differences_needed(values) if differences is None else differences
    level = d + seasonal_differences == 0
    if period:
        orders = [
            Order(p, d, q, level, seasonal_p, seasonal_differences, seasonal_q, period)
            for p, q, seasonal_p, seasonal_q in product(range(2), repeat=4)
            if seasonal_p + seasonal_q > 0
        ]
    else:
        orders = [Order(p, d, q, level) for p, q in product(range(most + 1), repeat=2)]
    best = _best(values, orders, criterion)
    if period or d != 1:
        return best
    return _best(values, [best.order, replace(best.order, constant=True)], criterion)


def _best(values: NDArray[np.float64], orders: Sequence[Order], criterion: Criterion) -> FittedArima:
    found, failures = [], []
    for order in orders:
        try:
            found.append(fit_arima(values, order))
        except ForecastFitError as error:
            failures.append(error)
    if not found:
        raise failures[0]
    return min(found, key=lambda one: float(getattr(one, criterion)))


def differences_needed(values: NDArray[np.float64], most: int = 1) -> int:
    """Return how often to difference until a KPSS test at 5 % finds no unit root, at most `most` times.

    Kwiatkowski, Phillips, Schmidt and Shin, "Testing the null hypothesis of stationarity against the alternative of a
    unit root", Journal of Econometrics 54 (1992).

    >>> differences_needed(np.cumsum(np.random.default_rng(1).standard_normal(500)))
    1
    """
    for d in range(most):
        with warnings.catch_warnings():
            # The table of p values ends at 1 and 10 %: beyond them it says so.
            warnings.simplefilter("ignore", InterpolationWarning)
            p_value = kpss(values, regression="c", nlags="auto", result_object=True).pvalue
        if p_value >= _KPSS_LEVEL:
            return d
        values = np.diff(values)
    return most


def _padded(coefficients: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    padded = np.zeros(size)
    padded[: len(coefficients)] = coefficients
    return padded
