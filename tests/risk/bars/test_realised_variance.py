import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.bars.realised_variance import (
    add_to_bipower_variance,
    add_to_realised_variance,
    bipower_variance_percent2,
    garman_klass_variance_percent2,
    parkinson_variance_percent2,
    realised_variance_percent2,
)

returns = st.lists(st.floats(-1e4, 1e4), max_size=30)
prices = st.floats(1e-300, 1e300)


def brownian_bars(bars: int, moves: int, deviation_percent: float) -> np.ndarray:
    """Return the log prices in percent of bars of many small normal moves, [bars, moves + 1], from 0."""
    steps = np.random.default_rng(5).normal(0.0, deviation_percent / math.sqrt(moves), (bars, moves))
    return np.concatenate([np.zeros((bars, 1)), np.cumsum(steps, axis=1)], axis=1)


@given(found=returns)
def test_realised_variance_is_the_sum_of_squares(found: list[float]) -> None:
    """The incremental sum over a bar is its squared returns added in their order."""
    expected = 0.0
    for one in found:
        expected = add_to_realised_variance(expected, one)
    assert realised_variance_percent2(np.array(found, dtype=np.float64)) == expected
    assert expected == pytest.approx(math.fsum(one**2 for one in found), rel=1e-12)


@given(found=returns)
def test_bipower_variance_is_the_sum_of_neighbouring_products(found: list[float]) -> None:
    """Each return multiplies the one before it; the first of a bar has none."""
    total = 0.0
    for at, one in enumerate(found):
        total = add_to_bipower_variance(total, found[at - 1] if at else 0.0, one)
    assert bipower_variance_percent2(np.array(found, dtype=np.float64)) == total
    pairs = pairwise(found)
    assert total == pytest.approx(math.pi / 2 * math.fsum(abs(a * b) for a, b in pairs), rel=1e-12, abs=1e-300)


@given(four=st.lists(prices, min_size=4, max_size=4), between=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_measures_of_the_range_are_finite_and_not_negative(four: list[float], between: tuple[float, float]) -> None:
    """Any positive prices, open and close within low and high, give a variance."""
    low, high = min(four), max(four)
    opened, closed = (min(max(low + share * (high - low), low), high) for share in between)
    for measure in (
        parkinson_variance_percent2(high, low),
        garman_klass_variance_percent2(opened, high, low, closed),
    ):
        assert math.isfinite(measure)
        assert measure >= -1e-9


@given(scale=st.floats(1e-3, 1e3))
def test_measures_of_the_range_know_no_currency(scale: float) -> None:
    """Prices in another unit give the same variance."""
    assert parkinson_variance_percent2(103 * scale, 99 * scale) == pytest.approx(parkinson_variance_percent2(103, 99))
    assert garman_klass_variance_percent2(100 * scale, 103 * scale, 99 * scale, 101 * scale) == pytest.approx(
        garman_klass_variance_percent2(100, 103, 99, 101)
    )


def test_every_measure_finds_the_variance_of_brownian_bars() -> None:
    """On bars of variance 4 all four come near 4, the range from below because it is seen at finitely many times."""
    path = brownian_bars(bars=2_000, moves=1_000, deviation_percent=2.0)
    price = np.exp(path / 100)
    moves = np.diff(path, axis=1)
    high, low = price.max(axis=1), price.min(axis=1)
    quadratic = np.mean([realised_variance_percent2(one) for one in moves])
    bipower = np.mean([bipower_variance_percent2(one) for one in moves])
    parkinson = np.mean([parkinson_variance_percent2(*one) for one in zip(high, low, strict=True)])
    columns = zip(price[:, 0], high, low, price[:, -1], strict=True)
    garman_klass = np.mean([garman_klass_variance_percent2(*one) for one in columns])
    assert quadratic == pytest.approx(4.0, rel=0.01)
    assert bipower == pytest.approx(4.0, rel=0.01)
    # Garman and Klass (1980, section on discrete prices) tabulate a shortfall that shrinks with the number of prices.
    assert parkinson == pytest.approx(4.0, rel=0.07)
    assert garman_klass == pytest.approx(4.0, rel=0.08)
    assert parkinson < 4.0


def test_a_jump_shows_in_realised_but_hardly_in_bipower_variance() -> None:
    """One return of 10 percent among a thousand small ones adds 100 to the one, and little to the other."""
    moves = np.diff(brownian_bars(bars=1, moves=1_000, deviation_percent=1.0)[0])
    jumped = moves.copy()
    jumped[500] += 10.0
    assert realised_variance_percent2(jumped) - realised_variance_percent2(moves) == pytest.approx(100.0, rel=0.02)
    assert bipower_variance_percent2(jumped) - bipower_variance_percent2(moves) < 2.0


def test_range_measures_follow_their_formulas() -> None:
    """High 103, low 99, open 100, close 101 give what the published formulas give."""
    log_range, move = 100 * math.log(103 / 99), 100 * math.log(101 / 100)
    assert parkinson_variance_percent2(103, 99) == pytest.approx(0.360673760222241 * log_range**2, rel=1e-12)
    assert garman_klass_variance_percent2(100, 103, 99, 101) == pytest.approx(
        0.5 * log_range**2 - 0.386294361119891 * move**2, rel=1e-12
    )
