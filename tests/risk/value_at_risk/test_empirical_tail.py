import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.value_at_risk.empirical_tail import empirical_tail, put_smallest, worse_outcomes

outcomes = st.lists(st.floats(-8.0, 8.0), min_size=20, max_size=60).map(sorted)
levels = st.sampled_from([0.9, 0.95, 0.975, 0.99])


def plain(ascending: list[float], level: float, mean: float, deviation: float) -> tuple[float, float]:
    """Return (value at risk, expected shortfall) from how often each loss is exceeded, and from an integral."""
    losses = [100.0 * (1.0 - math.exp((mean + deviation * z) / 100.0)) for z in ascending]
    n = len(losses)
    value = min(loss for loss in losses if sum(one > loss for one in losses) / n <= 1.0 - level + 1e-12)
    # The quantile is a step function of the probability: its mean over the tail goes by steps of 1 / n.
    total = sum(loss * max(0.0, min(1.0 / n, 1.0 - level - at / n)) for at, loss in enumerate(losses))
    return value, total / (1.0 - level)


@given(outcomes, levels, st.floats(-1.0, 1.0), st.floats(0.0, 20.0))
def test_the_tail_is_that_of_a_plain_twin(ascending: list[float], level: float, mean: float, deviation: float) -> None:
    """Value at risk and expected shortfall are those of their definitions, counted out."""
    found = empirical_tail(np.array(ascending), len(ascending), level, mean, deviation)
    assert found == pytest.approx(plain(ascending, level, mean, deviation), rel=1e-9, abs=1e-9)


@given(outcomes, levels)
def test_only_the_worst_outcomes_are_looked_at(ascending: list[float], level: float) -> None:
    """The tail is the same when all outcomes above the value at risk are left out."""
    tail = np.array(ascending[: worse_outcomes(len(ascending), level) + 1])
    whole = empirical_tail(np.array(ascending), len(ascending), level, 0.0, 1.0)
    assert empirical_tail(tail, len(ascending), level, 0.0, 1.0) == whole


@pytest.mark.parametrize("n", [250, 499, 500, 1_024])
@pytest.mark.parametrize("level", [0.95, 0.975, 0.99])
def test_the_value_at_risk_is_a_quantile_of_numpy(n: int, level: float) -> None:
    """Of distinct losses it is numpy's quantile of the losses, by the inverse of their distribution function."""
    z = np.sort(np.random.default_rng(n).normal(size=n))
    losses = -100.0 * np.expm1(z / 100.0)
    # One loss more or less hangs on a rounding of the level where the share is a whole number: step off it.
    expected = np.quantile(losses, level - 1e-9, method="inverted_cdf")
    assert empirical_tail(z, n, level, 0.0, 1.0)[0] == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=80), st.data())
def test_the_smallest_are_the_first_of_the_sorted(values: list[float], data: st.DataObject) -> None:
    """What is put are the first of all values in order, ties among them."""
    wanted = data.draw(st.integers(1, len(values)))
    smallest = np.empty(wanted)
    put_smallest(np.array(values), smallest)
    assert smallest.tolist() == sorted(values)[:wanted]
