"""The volatility model of symbols that training did not see: what all that it saw have in common."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.volatility.volatility_model import Garch
from training.market.volatility_fit import FitError, ModelOrder, fit_volatility_model


def fit_pooled_model(
    log_returns_percent: Sequence[NDArray[np.float64]], order: ModelOrder, *, target_percent2: float | None = None
) -> Garch:
    """Return GARCH or GJR-GARCH fitted to the returns of several symbols, one after another, each of deviation 1.

    Its mean is 0, and its omega is such that the variance in the long run is `target_percent2`, by default that of the
    median symbol (Engle and Mezrich, "GARCH for groups", Risk 9, 1996): a symbol's own variance serves where one is
    known. The backcast is that too. Raises FitError where no symbol moves, or the fit does not converge, and
    ValueError for another order than GARCH of power 2.

    >>> draw = np.random.default_rng(0)
    >>> pooled = fit_pooled_model([draw.normal(0, 2, 400), draw.normal(0, 3, 400)], ModelOrder(kind="garch"))
    >>> persistence = sum(pooled.alpha) + sum(pooled.beta)
    >>> 4 < pooled.omega / (1 - persistence) < 9
    True
    """
    if order.kind != "garch" or order.power != 2.0:
        raise ValueError(f"a pooled model is GARCH or GJR-GARCH of power 2, not {order.kind} of power {order.power}")
    moving = [one for one in log_returns_percent if len(one) > 1 and np.std(one) > 0.0]
    if not moving:
        raise FitError(f"none of the {len(log_returns_percent)} symbols moves: give quotes of several bars")
    pooled = fit_volatility_model(np.concatenate([(one - one.mean()) / np.std(one) for one in moving]), order).model
    assert isinstance(pooled, Garch)
    target = float(np.median([np.var(one) for one in moving])) if target_percent2 is None else target_percent2
    persistence = sum(pooled.alpha) + 0.5 * sum(pooled.gamma) + sum(pooled.beta)
    # At a persistence of 1 there is no variance in the long run: the fit's own omega, in the target's unit, remains.
    omega = target * (1.0 - persistence) if persistence < 1.0 - 1e-4 else target * pooled.omega
    return msgspec.structs.replace(pooled, mean_percent=0.0, omega=omega, backcast_percent2=target, start=None)
