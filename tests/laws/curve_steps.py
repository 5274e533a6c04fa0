"""The steps of curves, with events for them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from steps import DAY_NS, START_NS, Events, Step, length

from risk.rates.closed_curves import ClosedCurves
from risk.rates.curve_alerts import CurveAlerts
from risk.rates.curve_shocks import curve_shocks
from risk.rates.curve_step import CurveStep
from risk.rates.factor_series import factor_series
from risk.rates.rate_parameters import RateParameters

MONTHS = np.array([1, 3, 6, 12, 15, 24, 36, 60, 120, 240, 360, 1200])


def curve_values(curves: ClosedCurves, parameters: RateParameters) -> list[bytes]:
    """Return all numbers of each curve, its scores and its factors as series, as float64 bytes."""
    shocks, series = curve_shocks(curves, parameters), factor_series(curves)
    columns = [
        getattr(curves, name) for name in curves.__slots__ if name not in ("index", "currency", "late", "no_room")
    ]
    columns += [shocks.factor, shocks.tenor, shocks.worst_tenor, shocks.score]
    columns += [series.level.reshape(-1, 3), series.change.reshape(-1, 3)]
    return [
        np.concatenate([np.ravel(column[at]).astype(np.float64) for column in columns]).tobytes()
        for at in range(len(curves))
    ]


def _advance_curves(parameters: RateParameters) -> Callable[[Any, Events], list[bytes]]:
    def advance(step: CurveStep, events: Events) -> list[bytes]:
        curves = step.advance(**events)
        given = [b""] * length(events)
        for refused in (curves.late, curves.no_room):
            for at in refused.tolist():
                given[at] = np.array([1.0]).tobytes()
        for index, values in zip(curves.index.tolist(), curve_values(curves, parameters), strict=True):
            given[index] += values
        return given

    return advance


def _times(draw: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Return days that rise by none or one, rarely by many, with some points late by days."""
    days = np.cumsum(draw.choice([0, 1, 30], n, p=[0.85, 0.14, 0.01]))
    late = np.where(draw.random(n) < 0.05, draw.integers(1, 4, n), 0)
    return START_NS + (days - late) * DAY_NS + draw.integers(0, DAY_NS, n)


def _points(draw: np.random.Generator, n: int) -> Events:
    usual = 3.0 + np.cumsum(draw.normal(0.0, 0.05, n)) + draw.normal(0.0, 0.5, n)
    rare = draw.choice([-100.0, 1000.0, 0.0, -0.5], n)
    return {
        "currency": [str(one) for one in draw.choice(["USD", "EUR", "JPY", "CHF"], n, p=[0.5, 0.3, 0.15, 0.05])],
        "tenor_months": draw.choice(MONTHS, n),
        "par_percent": np.where(draw.random(n) < 0.97, usual, rare),
        "event_time_ns": _times(draw, n),
    }


def _points_of_many_tenors(draw: np.random.Generator, n: int) -> Events:
    usual = draw.choice([12, 120], n)
    return _points(draw, n) | {"tenor_months": np.where(draw.random(n) < 0.5, usual, draw.integers(1, 1201, n))}


def _scored(draw: np.random.Generator, n: int) -> Events:
    return {
        "currency": _points(draw, n)["currency"],
        "event_time_ns": _times(draw, n),
        "score": draw.lognormal(-0.5, 0.8, n),
        "slope_percent": draw.normal(0.1, 0.3, n),
    }


def _advance_alerts(step: CurveAlerts, events: Events) -> list[bytes]:
    told = np.column_stack(step.advance(**events)).astype(np.float64)
    return [row.tobytes() for row in told]


_DAILY = RateParameters(warm_up_moves=3)
_WHEN_COMPLETE = RateParameters(complete_months=(12, 120), carried_curves=2, warm_up_moves=3)

STEPS = (
    Step("curves", lambda: CurveStep(_DAILY), _advance_curves(_DAILY), _points, "currency"),
    Step(
        "curves when complete",
        lambda: CurveStep(_WHEN_COMPLETE),
        _advance_curves(_WHEN_COMPLETE),
        _points_of_many_tenors,
        "currency",
    ),
    Step("curve alerts", lambda: CurveAlerts(_DAILY), _advance_alerts, _scored, "currency"),
)
