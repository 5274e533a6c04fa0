"""What a step is to the tests of its laws, and the steps of transactions, with events for them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from risk.customer_profile import CustomerProfile
from risk.decayed_moments import DecayedMoments
from risk.merchant_profile import CLEARANCE, FRAUD, TRANSACTION, MerchantProfile
from risk.normaliser import Normaliser

START_NS = 1_767_225_600_000_000_000
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS

Events = dict[str, Any]
"""Columns of equal length: arrays, or lists of texts."""


class Stateful(Protocol):
    """What every step offers beside its own `advance`."""

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the packed rows changed since the last call."""

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows."""

    def dump(self) -> dict[bytes, bytes]:
        """Return every packed row."""


@dataclass(frozen=True)
class Step:
    """A step: how to make one, how it takes events up, and events to give it.

    `advance` returns what each event gave, float64 values as bytes. `events(draw, n)` gives n events, whose keys are in
    the column `key`; it is None where one row serves all.
    """

    name: str
    fresh: Callable[[], Any]
    advance: Callable[[Any, Events], list[bytes]]
    events: Callable[[np.random.Generator, int], Events]
    key: str | None


def part(events: Events, first: int, end: int) -> Events:
    """Return consecutive events."""
    return {name: column[first:end] for name, column in events.items()}


def where(events: Events, chosen: Sequence[int]) -> Events:
    """Return some of the events."""
    rows = np.array(chosen, dtype=np.int64)
    return {
        name: column[rows] if isinstance(column, np.ndarray) else [column[row] for row in chosen]
        for name, column in events.items()
    }


def length(events: Events) -> int:
    """Return how many events there are."""
    return len(next(iter(events.values())))


def rows_of(features: NDArray[np.float64]) -> list[bytes]:
    """Return the bytes of each row."""
    return [row.tobytes() for row in features]


def keys(draw: np.random.Generator, n: int, prefix: str) -> list[str]:
    """Return n keys, most of them one of three."""
    hot = draw.integers(0, 3, n)
    cold = draw.integers(3, 3 + max(1, n // 5), n)
    return [f"{prefix}{key}" for key in np.where(draw.random(n) < 0.8, hot, cold)]


def _times(draw: np.random.Generator, n: int, late_days: int = 3) -> NDArray[np.int64]:
    """Return times that mostly rise: by nothing, seconds, hours or months; a few fall back by up to some days."""
    scale = draw.choice([0, SECOND_NS, 3600 * SECOND_NS, DAY_NS, 40 * DAY_NS], n, p=[0.2, 0.55, 0.2, 0.04, 0.01])
    times = START_NS + np.cumsum((scale * draw.random(n)).astype(np.int64))
    late = np.where(draw.random(n) < 0.1, (late_days * DAY_NS * draw.random(n)).astype(np.int64), 0)
    # A thousand months would leave the years that an event time may lie in.
    return np.minimum(times - late, START_NS + 20_000 * DAY_NS)


def _amounts(draw: np.random.Generator, n: int) -> NDArray[np.float64]:
    usual = np.round(draw.lognormal(3.0, 1.5, n), 2)
    rare = draw.choice([0.0, 0.01, 1e9, 1e9 - 0.01, 20.0], n)
    return np.where(draw.random(n) < 0.7, usual, rare)


def _payments(draw: np.random.Generator, n: int) -> Events:
    return {"customer_id": keys(draw, n, "c"), "event_time_ns": _times(draw, n), "amount": _amounts(draw, n)}


def _payments_too_late(draw: np.random.Generator, n: int) -> Events:
    return _payments(draw, n) | {"event_time_ns": _times(draw, n, late_days=20)}


def _merchant_events(draw: np.random.Generator, n: int) -> Events:
    kind = draw.choice([TRANSACTION, FRAUD, CLEARANCE], n, p=[0.8, 0.15, 0.05]).astype(np.uint8)
    times = _times(draw, n)
    merchants = keys(draw, n, "m")
    transactions = [f"t{at}" for at in range(n)]
    transaction_times = times.copy()
    for at in np.flatnonzero(kind != TRANSACTION).tolist():
        # A label speaks of some transaction of the merchant, often one spoken of before, or of one not seen yet.
        about = int(draw.integers(max(0, at - 30), min(n, at + 3)))
        transactions[at], merchants[at] = f"t{about}", merchants[about]
        transaction_times[at] = times[about]
    return {
        "merchant_id": merchants,
        "event_time_ns": times,
        "kind": kind,
        "transaction_id": transactions,
        "transaction_time_ns": transaction_times,
    }


def _features(draw: np.random.Generator, n: int) -> Events:
    features = draw.normal(50.0, 20.0, (n, 4)) * np.array([1.0, 1e6, 1e-6, 0.0])
    features[draw.random((n, 4)) < 0.02] = 1e12
    return {"features": features, "event_time_ns": _times(draw, n)}


def _advance_customers(step: CustomerProfile, events: Events) -> list[bytes]:
    """Return each payment's features, and nothing for one that came too late."""
    features = step.advance(**events)
    too_late = np.asarray(np.isnan(features).all(axis=1))
    return [b"" if late else row for late, row in zip(too_late.tolist(), rows_of(features), strict=True)]


def _normaliser(kind: Any, half_life_days: float | None) -> Callable[[], Normaliser]:
    return lambda: Normaliser(
        kind, np.array([50.0, 5e7, 5e-5, 0.0]), np.array([20.0, 2e7, 2e-5, 0.0]), half_life_days=half_life_days
    )


STEPS = (
    Step("decayed moments", DecayedMoments, lambda s, e: rows_of(s.advance(**e)), _payments, "customer_id"),
    Step("customer profile", CustomerProfile, _advance_customers, _payments_too_late, "customer_id"),
    Step("merchant profile", MerchantProfile, lambda s, e: rows_of(s.advance(**e)), _merchant_events, "merchant_id"),
    *(
        Step(
            f"{kind}, {'frozen' if half_life is None else 'adapting'}",
            _normaliser(kind, half_life),
            lambda s, e: rows_of(s.advance(**e)),
            _features,
            None,
        )
        for kind in ("zscore", "minmax")
        for half_life in (None, 2.0)
    ),
)
