"""Simulates yield curves whose level, slope and curvature move together, for those who have no data."""

from collections.abc import Sequence

import numpy as np

from risk.rates.par_bootstrap import par_yields
from risk.rates.svensson import DIEBOLD_LI_DECAY_YEARS, svensson_loadings
from training.rates.rate_history import RateHistory
from training.rates.treasury import CLOSE_NS

TENOR_MONTHS = (1, 3, 6, 12, 24, 36, 60, 84, 120, 240, 360)
"""The tenors of the US Treasury's table."""

_DAY_NS = 86_400_000_000_000
# In percent, about what Treasury curves of 1990 to 2022 have: where the coefficients of level, slope and curvature tend
# to, their daily deviations and how those go together. They come back half way in a year or so.
_MEANS = np.array([5.0, -2.0, -1.5])
_DEVIATIONS = np.array([0.055, 0.075, 0.16])
_CORRELATIONS = np.array([[1.0, -0.6, 0.1], [-0.6, 1.0, -0.1], [0.1, -0.1, 1.0]])
_PERSISTENCE = 0.997
# Student's t with few degrees of freedom: some days are shocks.
_DEGREES = 4


def simulate_rates(
    currencies: Sequence[str], days: int, seed: int, *, start_ns: int = 1_704_067_200_000_000_000
) -> RateHistory:
    """Return `days` daily curves of each currency, from Monday 2024-01-01 on, the same for the same arguments.

    Curves are Nelson and Siegel's at Diebold and Li's decay; the moves of the three coefficients are correlated and
    have fat tails, and currencies are independent. Yields are par yields in percent, to the basis point, at 21:00 UTC
    of weekdays; `start_ns` must be the midnight of a Monday. Raises ValueError for no currencies or no days.

    >>> rates = simulate_rates(["USD", "EUR"], 2, seed=1)
    >>> len(rates), rates.currency[:2], rates.tenor_months[:3].tolist()
    (44, ['USD', 'USD'], [1, 3, 6])
    """
    if not currencies or days < 1:
        raise ValueError(f"{len(currencies)} currencies, {days} days: give at least one of each")
    random = np.random.default_rng(seed)
    root = np.linalg.cholesky(_CORRELATIONS)
    normal = random.standard_normal((days, len(currencies), 3)) @ root.T
    mixed = np.sqrt((_DEGREES - 2) / random.chisquare(_DEGREES, (days, len(currencies), 1)))
    moves = _DEVIATIONS * normal * mixed
    months = np.array(TENOR_MONTHS)
    tenors = months / 12.0
    decay = DIEBOLD_LI_DECAY_YEARS
    loadings = np.array([svensson_loadings(years, decay, decay)[:3] for years in tenors.tolist()])
    coefficients = np.tile(_MEANS, (len(currencies), 1))
    curves = np.empty((days, len(currencies), len(months)))
    for day in range(days):
        coefficients = _MEANS + _PERSISTENCE * (coefficients - _MEANS) + moves[day]
        for number, zero in enumerate(coefficients @ loadings.T):
            curves[day, number] = par_yields(tenors, zero, months)
    weeks, weekdays = np.divmod(np.arange(days), 5)
    times = start_ns + (7 * weeks + weekdays) * _DAY_NS + CLOSE_NS
    return RateHistory(
        currency=[one for _ in range(days) for one in currencies for _ in TENOR_MONTHS],
        tenor_months=np.tile(months, days * len(currencies)),
        rate_percent=np.round(curves, 2).ravel(),
        event_time_ns=np.repeat(times, len(currencies) * len(months)),
    )
