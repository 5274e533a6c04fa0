"""The parity gate of forecasters: a graph that does not forecast what its Python original does is never written."""

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import ForecastModel
from training.market.forecaster_fit import FittedForecaster, replay
from training.parity import PARITY_ROWS, ParityError, stretched

PARITY_SERIES = 16
"""Series side by side: recursions that drift apart do so within hundreds of steps, and batches take less time."""


def check_forecast_export(
    fitted: FittedForecaster, values: NDArray[np.float64], *, tolerance: float, seed: int, rows: int = PARITY_ROWS
) -> float:
    """Compare a graph, run from value to value as it is live, with its original, on `rows` forecasts or more.

    `values` float64[m] are those of the fit, of which series are drawn, half of them with extremes. Returns the
    greatest difference, in units of the values' standard deviation (of their changes, for levels). Raises ParityError
    with the worst forecast when it exceeds `tolerance`, or is no number.
    """
    tried = parity_series(values, -(-rows // PARITY_SERIES) + fitted.warm_up, seed=seed)
    model = ForecastModel(fitted.onnx)
    neutral = np.repeat(fitted.neutral[None, :], PARITY_SERIES, axis=0)
    _, served, _ = replay(model, neutral, tried)
    expected = fitted.original(tried)
    unit = float(np.std(values if fitted.value == "change" else np.diff(values)))
    # Rounding grows with the value that a forecast is taken from.
    allowed = tolerance * np.maximum(unit, np.abs(tried) * (fitted.value == "level"))[:, fitted.warm_up :, None]
    difference = np.abs(served - expected)[:, fitted.warm_up :]
    excess = np.where(np.isnan(difference), np.inf, difference / allowed)
    if excess.max() > 1.0:
        series, at, step = (int(one) for one in np.unravel_index(np.argmax(excess), excess.shape))
        at += fitted.warm_up
        raise ParityError(
            f"the graph of {fitted.description} differs from its original in {int((excess > 1.0).sum())} of "
            f"{excess.size} forecasts; the worst is that of bar {step + 1} after value {at} of series {series}: "
            f"original {expected[series, at, step]}, graph {served[series, at, step]}, value {tried[series, at]}"
        )
    return float(difference.max() / unit)


def parity_series(values: NDArray[np.float64], length: int, *, seed: int) -> NDArray[np.float64]:
    """Return series to compare on, float64[PARITY_SERIES, length], drawn from values float64[m].

    They are stretches of the values, one after the other; in every other series one value in 64 is multiplied by a
    power of ten from 1e-3 to 1e9 and may change its sign.
    """
    random = np.random.default_rng(seed)
    stretch = min(len(values), 64)
    pieces = -(-length // stretch)
    starts = random.integers(len(values) - stretch + 1, size=(PARITY_SERIES, pieces))
    drawn = values[starts[:, :, None] + np.arange(stretch)].reshape(PARITY_SERIES, -1)[:, :length].copy()
    rare = random.random(drawn[::2].shape) < 1.0 / 16.0
    drawn[::2] = np.where(rare, stretched(drawn[::2], random), drawn[::2])
    return np.asarray(drawn)
