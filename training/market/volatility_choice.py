"""Chooses among volatility models the one that fits best for its number of parameters."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.market.har_fit import fit_har
from training.market.volatility_fit import FitError, ModelOrder, VolatilityFit, fit_volatility_model

_KINDS = (
    ModelOrder(kind="garch"),
    ModelOrder(kind="garch", o=1),
    ModelOrder(kind="garch", o=1, power=1.0),
    ModelOrder(kind="egarch", o=1),
    ModelOrder(kind="aparch", o=1),
    ModelOrder(kind="figarch"),
)
_LAWS: tuple[Literal["normal", "t", "skewt"], ...] = ("normal", "t", "skewt")

ORDERS = tuple(msgspec.structs.replace(kind, distribution=law) for kind in _KINDS for law in _LAWS)
"""What is tried unless something else is asked for."""


def choose_volatility_model(
    log_returns_percent: NDArray[np.float64],
    realised_variance_percent2: NDArray[np.float64] | None = None,
    orders: Sequence[ModelOrder] = ORDERS,
) -> list[VolatilityFit]:
    """Return every fit that converges, the one with the least Bayesian information criterion first.

    HAR is tried too where realised variances float64[n] are given and not all 0. Raises FitError, with the reason of
    the last, when nothing converges.
    """
    fits, reason = [], FitError("no model was asked for: give at least one order")
    for order in orders:
        try:
            fits.append(fit_volatility_model(log_returns_percent, order))
        except FitError as error:
            reason = error
    if realised_variance_percent2 is not None and np.any(realised_variance_percent2 > 0.0):
        for distribution in dict.fromkeys(one.distribution for one in orders):
            try:
                fits.append(fit_har(log_returns_percent, realised_variance_percent2, distribution))
            except FitError as error:
                reason = error
    if not fits:
        raise reason
    return sorted(fits, key=lambda fit: fit.bic)
