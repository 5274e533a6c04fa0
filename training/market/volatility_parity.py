"""The parity gate of volatility graphs: one that does not forecast as the worker's recursion does is never written."""

import json

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.market.pooled import POOLED
from risk.row_model import open_session
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_model import Egarch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, model_name
from training.market.forecast_parity import PARITY_SERIES, parity_series
from training.market.volatility_graph import FIRST_STATE, LOG_RETURN, NEXT_STATE, NEXT_VARIANCE, REALISED, STATE
from training.market.volatility_graph_state import first_state
from training.parity import PARITY_ROWS, ParityError

TOLERANCE = 1e-12
"""The greatest relative difference of variances allowed: 1.2e-14 was measured, of FIGARCH."""

_MOST_RETURN_PERCENT = 1e4
_BARS = PARITY_ROWS // PARITY_SERIES


def check_volatility_export(
    model: VolatilityModel,
    onnx: bytes,
    log_returns_percent: NDArray[np.float64],
    realised_variance_percent2: NDArray[np.float64],
    *,
    seed: int,
) -> float:
    """Compare a graph, run from bar to bar, with the worker's recursion, on PARITY_ROWS bars.

    Series are drawn from bars float64[n], those of the model's fit, as `parity_bars` says. Half of them begin at the
    state that the graph tells, the others at the backcast. Compared are the next variance and what the next state
    holds of it. Returns the greatest relative difference. Raises ParityError with the worst bar when it exceeds
    TOLERANCE, or is no number.
    """
    returns, realised = parity_bars(model, log_returns_percent, realised_variance_percent2, seed=seed)
    session = open_session(onnx)
    told = np.array(json.loads(session.get_modelmeta().custom_metadata_map[FIRST_STATE]))
    unseen = msgspec.structs.replace(model, start=None)
    state = np.stack([told, told, first_state(unseen), first_state(unseen)] * (PARITY_SERIES // 4))
    names = [str(series) for series in range(PARITY_SERIES)]
    begun = dict(zip(names, [model, model, unseen, unseen] * (PARITY_SERIES // 4), strict=True))
    step = ConditionalVariance(VolatilityModels({POOLED: model, **begun}))
    expected, difference = np.empty((2, _BARS, PARITY_SERIES))
    for bar in range(_BARS):
        expected[bar] = step.advance(names, returns[bar], realised[bar]).next_variance_percent2
        given = {STATE: state, LOG_RETURN: returns[bar, :, None]}
        if isinstance(model, Har):
            given[REALISED] = realised[bar, :, None]
        state, variance = session.run([NEXT_STATE, NEXT_VARIANCE], given)
        found = [variance[:, 0], state[:, 0]]
        if isinstance(model, Egarch):
            found.append(np.exp(state[:, 1]))
            # A shock multiplies the rounding of the bars before it: each bar is compared alone.
            state[:, 0], state[:, 1] = expected[bar], np.log(expected[bar])
        difference[bar] = np.abs(np.stack(found) / expected[bar] - 1.0).max(axis=0)
    difference[np.isnan(difference)] = np.inf
    if difference.max() > TOLERANCE:
        bar, series = (int(one) for one in np.unravel_index(np.argmax(difference), difference.shape))
        raise ParityError(
            f"the graph of {model_name(model)} differs from its recursion after {int((difference > TOLERANCE).sum())} "
            f"of {difference.size} bars; the worst is bar {bar} of series {series}: next variance "
            f"{expected[bar, series]}, the graph's off by {difference[bar, series]:.3g} of it, for a return of "
            f"{returns[bar, series]} % and a realised variance of {realised[bar, series]} %²"
        )
    return float(difference.max())


def parity_bars(
    model: VolatilityModel,
    log_returns_percent: NDArray[np.float64],
    realised_variance_percent2: NDArray[np.float64],
    *,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log returns and realised variances to compare on, float64[bars, PARITY_SERIES] both.

    Both are drawn as `parity_series` draws, alike, so a bar keeps what was realised in it. In every other series some
    returns are far smaller or greater than any, up to what a price can hold, and one in 32 is 0 or the model's mean.
    """
    returns = parity_series(log_returns_percent, _BARS, seed=seed)
    realised = np.abs(parity_series(realised_variance_percent2, _BARS, seed=seed))
    returns[::2, 16::64], returns[::2, 48::64] = 0.0, model.mean_percent
    return np.clip(returns, -_MOST_RETURN_PERCENT, _MOST_RETURN_PERCENT).T, realised.T
