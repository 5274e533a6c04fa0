from itertools import pairwise
from typing import Any

import bar_steps
import curve_steps
import forecast_steps
import market_alert_steps
import numpy as np
import portfolio_steps
import pytest
import residual_steps
import steps
import value_at_risk_steps
import volatility_steps
from hypothesis import given
from hypothesis import strategies as st
from steps import Events, Step, length, part, where

STEPS: tuple[Step, ...] = (
    *steps.STEPS,
    *bar_steps.STEPS,
    *volatility_steps.STEPS,
    *residual_steps.STEPS,
    *value_at_risk_steps.STEPS,
    *forecast_steps.STEPS,
    *market_alert_steps.STEPS,
    *portfolio_steps.STEPS,
    *curve_steps.STEPS,
)
"""A new step is tested by being listed."""

MOST = 120
MANY = 6_000
seeds = st.integers(0, 2**32 - 1)
cuts = st.lists(st.integers(0, MOST), max_size=8)
every_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
keyed_steps = pytest.mark.parametrize("step", [one for one in STEPS if one.key], ids=lambda step: step.name)


def events_of(step: Step, seed: int, n: int = MOST) -> Events:
    """Return the step's events of a seed; its columns cannot be written to."""
    events = step.events(np.random.default_rng(seed), n)
    for column in events.values():
        if isinstance(column, np.ndarray):
            column.flags.writeable = False
    return events


def run(step: Step, state: Any, events: Events, edges: list[int]) -> list[bytes]:
    """Advance by consecutive parts and return what each event gave."""
    given: list[bytes] = []
    for first, end in pairwise(sorted({0, *edges, length(events)})):
        given += step.advance(state, part(events, first, end))
    return given


@every_step
@given(seed=seeds, at=cuts)
def test_cuts_change_nothing(step: Step, seed: int, at: list[int]) -> None:
    """However the events are cut, each gives the same bits and the state ends as the same bytes."""
    events = events_of(step, seed)
    whole, cut = step.fresh(), step.fresh()
    assert run(step, cut, events, at) == run(step, whole, events, [])
    assert cut.dump() == whole.dump()


@every_step
@pytest.mark.parametrize("size", [1, 2, 7, 64, 1_000, 1_024, 4_999, 5_000])
def test_batches_of_any_size_change_nothing(step: Step, size: int) -> None:
    """Thousands of events, more of one key than a ring holds, give the same bits in batches of any size."""
    events = events_of(step, 17, MANY)
    whole, batched = step.fresh(), step.fresh()
    assert run(step, batched, events, list(range(0, MANY, size))) == run(step, whole, events, [])
    assert batched.dump() == whole.dump()


@every_step
@given(seed=seeds)
def test_the_same_events_give_the_same_bits(step: Step, seed: int) -> None:
    """A second run from nothing gives the same, and neither run changes the events."""
    events = events_of(step, seed)
    before = {name: list(column) if isinstance(column, list) else column.copy() for name, column in events.items()}
    first, second = step.fresh(), step.fresh()
    assert step.advance(first, events) == step.advance(second, events)
    assert first.dump() == second.dump()
    assert all(np.array_equal(events[name], column) for name, column in before.items())


@keyed_steps
@given(seed=seeds, kept=st.sets(st.integers(0, 9), min_size=1))
def test_a_key_knows_nothing_of_the_others(step: Step, seed: int, kept: set[int]) -> None:
    """What a key's events give is the same when other keys' events are left out."""
    events = events_of(step, seed)
    keys = events[step.key or ""]
    distinct = sorted(set(keys))
    staying = {distinct[at % len(distinct)] for at in kept}
    chosen = [at for at, key in enumerate(keys) if key in staying]
    all_of_them, alone = step.fresh(), step.fresh()
    given_among_all = step.advance(all_of_them, events)
    assert step.advance(alone, where(events, chosen)) == [given_among_all[at] for at in chosen]
    assert alone.dump().items() <= all_of_them.dump().items()


@every_step
@given(seed=seeds)
def test_finite_events_give_finite_values(step: Step, seed: int) -> None:
    """No amount, gap or order of events makes an infinity or NaN."""
    state = step.fresh()
    for values in step.advance(state, events_of(step, seed)):
        assert np.isfinite(np.frombuffer(values)).all()


@every_step
@given(seed=seeds, at=st.integers(0, MOST), order=seeds)
def test_a_restored_state_goes_on_as_if_never_stored(step: Step, seed: int, at: int, order: int) -> None:
    """Dumped rows, loaded in any order, are the state: what follows gives the same bits."""
    events = events_of(step, seed)
    state, restored = step.fresh(), step.fresh()
    step.advance(state, part(events, 0, at))
    rows = list(state.dump().items())
    restored.load([rows[i] for i in np.random.default_rng(order).permutation(len(rows)).tolist()])
    assert restored.dump() == state.dump()
    rest = part(events, at, MOST)
    assert step.advance(restored, rest) == step.advance(state, rest)
    assert restored.dump() == state.dump()


@every_step
@given(seed=seeds, at=cuts)
def test_checkpoints_of_what_changed_add_up_to_the_state(step: Step, seed: int, at: list[int]) -> None:
    """The rows told as changed, the last of each key, make the state; what is told once is not told again."""
    events = events_of(step, seed)
    state, restored = step.fresh(), step.fresh()
    stored: dict[bytes, bytes] = {}
    for first, end in pairwise(sorted({0, *at, MOST})):
        step.advance(state, part(events, first, end))
        stored.update(state.take_changed())
        assert state.take_changed() == []
    assert stored.items() <= state.dump().items()
    restored.load(stored.items())
    assert restored.dump() == state.dump()
