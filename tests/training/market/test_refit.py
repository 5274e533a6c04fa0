from typing import Any

import msgspec
import numpy as np
import pytest

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.market.refits import Installation, decode_refit
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import model_name
from schemas.encoding import encode
from schemas.source import Source
from schemas.volatility import Volatility
from training.market import refit as refit_module
from training.market.refit import RefitRules, RefitSchedule, order_of, refitted
from training.market.volatility_fit import FitError

RULES = RefitRules(every_bars=800, window_bars=600, least_bars=500)
GARCH = Garch(omega=0.02, alpha=(0.1,), beta=(0.85,), backcast_percent2=1.0)
_RETURNS = np.random.default_rng(8).standard_normal(3_000)
_NUMBERS = {name: 0.0 for name, kind in Volatility.__annotations__.items() if kind is float}


def bar(at: int, *, symbol: str = "A", rejected: bool = False, parameters_from_ns: int = 0) -> Volatility:
    """Return the bar at some minute as it was published."""
    fields = _NUMBERS | {
        "log_return_percent": float(_RETURNS[at]),
        "realised_variance_percent2": float(_RETURNS[at] ** 2 + 0.1),
        "bar_start_ns": at,
        "bar_end_ns": at + 1,
        "symbol": symbol,
        "model_rejected": rejected,
        "parameters_from_ns": parameters_from_ns,
    }
    rest: dict[str, Any] = dict.fromkeys(Volatility.__struct_fields__) | {
        "schema_version": 2,
        "source": Source("ticks", 0, at),
    }
    return Volatility(**(rest | fields))


def taken(
    schedule: RefitSchedule, first: int, end: int, *, rejected: bool = False, parameters_from_ns: int = 0
) -> list[int]:
    """Take up bars one by one; return those after which a refit was due."""
    due = []
    for at in range(first, end):
        schedule.take(bar(at, rejected=rejected, parameters_from_ns=parameters_from_ns))
        if schedule.due(["A"]):
            due.append(at)
    return due


def test_a_refit_is_due_on_schedule() -> None:
    """After so many bars, and not one before."""
    schedule = RefitSchedule(RULES)
    assert taken(schedule, 0, 800) == [799]
    assert schedule.due(["A"]) == [("A", "schedule")]


def test_a_rejected_model_is_due_once_it_has_bars_of_its_own() -> None:
    """Its residuals reject it from the start, yet it takes the bars that a fit needs."""
    schedule = RefitSchedule(RULES)
    assert taken(schedule, 0, 500, rejected=True) == [499]
    assert schedule.due(["A"]) == [("A", "rejected")]
    # The last verdict counts.
    schedule.take(bar(500))
    assert schedule.due(["A"]) == []


def test_what_was_asked_for_is_not_asked_for_again() -> None:
    """No second refit is due until the first was seen in force and has bars of its own."""
    schedule = RefitSchedule(RULES)
    taken(schedule, 0, 800)
    made = schedule.refit("A", "schedule", GARCH, "0123456789ab")
    assert made.event_time_ns == 800
    assert taken(schedule, 800, 1_700, rejected=True) == []
    # Bars that older parameters made, as after a replay, are no sign of it either.
    assert taken(schedule, 1_700, 1_701, rejected=True, parameters_from_ns=799) == []
    assert taken(schedule, 1_701, 2_300, rejected=True, parameters_from_ns=800)[0] == 1_701 + 499


def test_a_bar_that_was_seen_changes_nothing() -> None:
    """A worker that starts again publishes bars again; they are taken once."""
    once, twice = RefitSchedule(RULES), RefitSchedule(RULES)
    taken(once, 0, 700)
    taken(twice, 0, 700)
    for at in (650, 699, 0):
        twice.take(bar(at, rejected=True))
    assert once == twice


def test_symbols_are_due_each_for_itself() -> None:
    """A symbol's bars count for no other."""
    schedule = RefitSchedule(RULES)
    for at in range(800):
        schedule.take(bar(at))
        if at % 2:
            schedule.take(bar(at, symbol="B"))
    assert schedule.due(["A", "B"]) == [("A", "schedule")]


def test_a_refit_can_be_installed() -> None:
    """What is sent is decoded again by the workers, of the former model's form, without a start."""
    schedule = RefitSchedule(RULES)
    taken(schedule, 0, 800)
    sent = schedule.refit("A", "schedule", GARCH, "0123456789ab")
    model = msgspec.convert(sent.model, VolatilityModel)
    assert (model_name(model), model.start, model.distribution.kind) == ("GARCH(1,1)", None, "normal")
    # The bars of these tests end too early for an event.
    later = decode_refit(b"A", encode(msgspec.structs.replace(sent, event_time_ns=1_704_067_200_000_000_000)))
    assert isinstance(later, Installation)
    assert later.model == model


def test_the_last_bars_are_what_a_model_is_estimated_from() -> None:
    """Bars before the window are forgotten."""
    schedule = RefitSchedule(RULES)
    taken(schedule, 0, 800)
    sent = schedule.refit("A", "schedule", GARCH, "0123456789ab")
    again = refitted(GARCH, _RETURNS[200:800], _RETURNS[200:800] ** 2 + 0.1)
    assert msgspec.convert(sent.model, VolatilityModel) == again


def test_a_model_that_does_not_converge_leaves_the_former(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error goes to who asked, nothing was asked for, and the next try waits for bars."""

    def fails(*_: object) -> None:
        raise FitError("does not converge")

    schedule = RefitSchedule(RULES)
    taken(schedule, 0, 800)
    monkeypatch.setattr(refit_module, "refitted", fails)
    with pytest.raises(FitError, match="converge"):
        schedule.refit("A", "schedule", GARCH, "0123456789ab")
    assert schedule.symbols["A"].asked_ns == 0
    assert taken(schedule, 800, 1_300, rejected=True) == [1_299]


T = StandardisedDistribution("t", 8.0)


@pytest.mark.parametrize(
    "former",
    [
        GARCH,
        Garch(omega=0.02, alpha=(0.1,), gamma=(0.1,), beta=(0.8,), backcast_percent2=1.0, distribution=T),
        Egarch(omega=0.01, alpha=(0.1,), gamma=(-0.05,), beta=(0.95,), backcast_percent2=1.0, distribution=T),
        Aparch(omega=0.02, alpha=(0.1,), gamma=(0.1,), beta=(0.85,), delta=1.5, backcast_percent2=1.0),
        Ewma(decay=0.94, backcast_percent2=1.0),
        Figarch(omega=0.05, phi=0.2, d=0.4, beta=0.4, truncation=100, backcast_percent2=1.0),
        Har(constant=0.1, daily=0.3, weekly=0.3, monthly=0.2, backcast_percent2=1.0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_model_keeps_its_form(former: VolatilityModel) -> None:
    """Kind, numbers of lags and distribution are the former's; the numbers are anew."""
    bars = 1_200
    found = refitted(former, _RETURNS[:bars], _RETURNS[:bars] ** 2 + 0.1)
    assert type(found) is type(former)
    assert model_name(found) == model_name(former)
    assert (found.distribution.kind, found.start) == (former.distribution.kind, None)
    assert found != former
    if not isinstance(found, Har) and not isinstance(former, Har):
        assert order_of(found) == order_of(former)
