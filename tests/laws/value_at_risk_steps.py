"""The steps of values at risk, of what they learn and of their back-tests, with bars for them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from steps import Events, Step

from risk.back_tests.back_test import BackTest
from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.value_at_risk.recalibration import MOST_LEARNING_RATE, Recalibration
from risk.value_at_risk.value_at_risk_step import ValueAtRisk

# Two bars are simulated, 30 are scaled. Simulating more would test the same and take longer.
_HORIZONS_BARS = (1, 2, 30)

_DISTRIBUTIONS = {
    "*": StandardisedDistribution("t", 4.0),
    "s0": StandardisedDistribution("normal"),
    "s1": StandardisedDistribution("skewt", 3.0, -0.3),
}


def _symbols(draw: np.random.Generator, n: int) -> list[str]:
    cold = draw.integers(3, 3 + max(1, n // 5), n)
    return [f"s{at}" for at in np.where(draw.random(n) < 0.8, draw.integers(0, 3, n), cold)]


def _wild(draw: np.random.Generator, n: int, usual: NDArray[np.float64], wildest: float) -> NDArray[np.float64]:
    """Return usual values, with a few that are 0 or as far from it as they may be."""
    rare = draw.choice([0.0, wildest, -wildest], n)
    return np.where(draw.random(n) < 0.95, usual, rare)


def _residuals(draw: np.random.Generator, n: int) -> Events:
    first = np.abs(_wild(draw, n, draw.lognormal(0.0, 2.0, n), 1e8)) + 1e-12
    return {
        "symbol": _symbols(draw, n),
        "standardised_residual": _wild(draw, n, draw.standard_t(4.0, n), 1e9),
        "mean_percent": _wild(draw, n, draw.normal(0.0, 0.1, n), 1e4),
        "cumulative_variance_percent2": first[:, None] * np.array([1.0, 2.2, 31.0]),
    }


def _losses(draw: np.random.Generator, n: int) -> Events:
    values = _wild(draw, n, draw.lognormal(0.5, 0.3, n), 2e45)[:, None] * np.array([0.7, 0.85, 1.0])
    return {
        "symbol": _symbols(draw, n),
        "in_force": draw.random(n) < 0.9,
        "loss_percent": np.minimum(_wild(draw, n, draw.normal(0.0, 1.0, n), 2e45), 100.0),
        "value_at_risk_percent": values,
        "expected_shortfall_percent": values * np.array([1.3, 1.2, 1.1]),
    }


def _forecasts(draw: np.random.Generator, n: int) -> Events:
    values = np.minimum(_wild(draw, n, draw.lognormal(0.5, 0.3, n), 2e45), 100.0)[:, None] * np.array([0.7, 0.85, 1.0])
    return {
        "symbol": _symbols(draw, n),
        "loss_percent": np.minimum(_wild(draw, n, draw.normal(0.0, 2.0, n), 2e45), 100.0),
        "next_value_at_risk_percent": values,
        "next_expected_shortfall_percent": np.minimum(np.maximum(values * np.array([1.3, 1.2, 1.1]), values), 100.0),
    }


def _simulate(symbols: Sequence[str], innovations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what paths come to where the second bar is the wilder the further the first went."""
    second = innovations[:, :, 1] * np.sqrt(0.2 + 0.8 * innovations[:, :, 0] ** 2)
    return np.asarray(0.01 + innovations[:, :, 0] + second)


def _advance_values_at_risk(step: ValueAtRisk, events: Events) -> list[bytes]:
    found = step.advance(**events, simulate=_simulate)
    return [
        value.tobytes() + shortfall.tobytes() + np.float64(filtered).tobytes()
        for value, shortfall, filtered in zip(
            found.value_at_risk_percent, found.expected_shortfall_percent, found.filtered.tolist(), strict=True
        )
    ]


def _advance_recalibration(step: Recalibration, events: Events) -> list[bytes]:
    """Return what is in force after each bar, and for it, but before a symbol's first forecast."""
    found = step.advance(**events)
    columns = [getattr(found, name) for name in found.__slots__]
    return [row[np.isfinite(row) | (np.arange(len(row)) > 5)].tobytes() for row in np.concatenate(columns, axis=1)]


def _advance_back_tests(step: BackTest, events: Events) -> list[bytes]:
    """Return what each bar gave; forecasts that are not in force are not a number."""
    forecasts = ("value_at_risk_percent", "expected_shortfall_percent")
    given = {name: np.where(events["in_force"][:, None], events[name], np.nan) for name in forecasts}
    found = step.advance(events["symbol"], events["loss_percent"], **given)
    columns = [getattr(found, name) for name in found.__slots__]
    flat = [column[:, None] if column.ndim == 1 else column for column in columns]
    return [row.tobytes() for row in np.concatenate(flat, axis=1, dtype=np.float64)]


STEPS = (
    Step(
        "values at risk",
        lambda: ValueAtRisk(_DISTRIBUTIONS, horizons_bars=_HORIZONS_BARS),
        _advance_values_at_risk,
        _residuals,
        "symbol",
    ),
    Step(
        "recalibration",
        lambda: Recalibration(learning_rate=MOST_LEARNING_RATE),
        _advance_recalibration,
        _forecasts,
        "symbol",
    ),
    Step("back-tests", BackTest, _advance_back_tests, _losses, "symbol"),
)
