"""The factors of past curves as levels, for the forecasters that are fitted to symbols and factors alike."""

import numpy as np
import numpy.typing as npt

from risk.rates.curve_step import CurveStep
from risk.rates.factor_series import factor_series
from risk.rates.rate_parameters import RateParameters
from training.rates.rate_history import RateHistory


def factor_levels(rates: RateHistory, parameters: RateParameters) -> dict[str, npt.NDArray[np.float64]]:
    """Return each factor's level in percent after each closed curve, float64[n], by key such as "USD:level".

    The curves are those that the stream would close. Changes are the stream's moves: where a tenor came or went, the
    level is chained on without the jump, from the first curve's level on.

    >>> months, times = np.full(3, 120), np.arange(1, 4) * 86_400_000_000_000
    >>> rates = RateHistory(["USD"] * 3, months, np.array([4.0, 4.5, 4.0]), times)
    >>> factor_levels(rates, RateParameters())["USD:level"].round(3).tolist()
    [3.961, 4.45]
    """
    series = factor_series(
        CurveStep(parameters).advance(rates.currency, rates.tenor_months, rates.rate_percent, rates.event_time_ns)
    )
    keys = np.array(series.key, dtype=object)
    levels = {}
    for key in dict.fromkeys(series.key):
        mine = keys == key
        levels[key] = series.level[mine][0] + np.cumsum(series.change[mine])
    return levels
