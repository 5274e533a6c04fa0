"""Successive halving finds what is best, at the cost that it states."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.successive_halving import rungs, successive_halving, winner

VALUES = st.lists(st.integers(-1000, 1000), min_size=2, max_size=60, unique=True)


@given(values=VALUES, slope=st.integers(0, 50))
def test_without_noise_the_best_candidate_wins(values: list[int], slope: int) -> None:
    """Where more rows help all candidates alike, the winner is the best of all, on all rows."""
    trials = list(successive_halving(values, lambda one, share: one + slope * float(share)))
    found = winner(trials)
    assert found is not None
    assert (found.candidate, values[found.number]) == (max(values), max(values))
    if len(values) != 3:
        assert found.share == 1


@given(count=st.integers(0, 300))
def test_a_third_goes_on_to_three_times_the_rows(count: int) -> None:
    """Each rung has a third of the candidates before it, rounded up, and three times their rows; the last has all."""
    found = rungs(count)
    for (share, many), (next_share, fewer) in pairwise(found):
        assert (next_share, fewer) == (3 * share, math.ceil(many / 3))
    if count < 2:
        assert found == ()
        return
    assert found[0][1] == count
    assert found[-1][0] == 1
    assert found[-1][1] >= 2
    assert len(found) == 3 or math.ceil(found[-1][1] / 3) == 1


@given(values=VALUES)
def test_evaluations_are_those_of_the_rungs(values: list[int]) -> None:
    """No rung has more evaluations than stated, none of them is made twice, and only those ahead go on."""
    asked: list[tuple[int, Fraction]] = []

    def evaluate(candidate: int, share: Fraction) -> float:
        asked.append((candidate, share))
        return float(candidate)

    trials = list(successive_halving(values, evaluate))
    assert asked == [(one.candidate, one.share) for one in trials]
    assert len(set(asked)) == len(asked)
    for share, count in rungs(len(values)):
        tried = [candidate for candidate, at in asked if at == share]
        assert sorted(tried) == sorted(values)[-count:]


@given(values=VALUES, allowed=st.integers(0, 100))
def test_a_deadline_leaves_the_best_so_far(values: list[int], allowed: int) -> None:
    """What was finished before the deadline is as without one; the winner is the best of the highest rung reached."""
    whole = list(successive_halving(values, lambda one, share: float(one)))
    left = iter([True] * allowed)
    trials = list(successive_halving(values, lambda one, share: float(one), lambda: next(left, False)))
    assert trials == whole[:allowed]
    found = winner(trials)
    if not allowed:
        assert found is None
    elif allowed >= len(values):
        assert found is not None
        assert found.candidate == max(values)


@pytest.mark.parametrize("count", [2, 9, 24])
def test_of_equals_the_earliest_wins(count: int) -> None:
    """Where nothing tells candidates apart, the first one stays: the recipe's own plan."""
    found = winner(list(successive_halving(range(count), lambda one, share: 0.5)))
    assert found is not None
    assert found.number == 0
