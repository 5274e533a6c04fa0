import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.market.bars import bar_returns

BAR_NS = 10
Quote = tuple[str, int, float, float]

quotes = st.lists(
    st.tuples(st.sampled_from(["A", "B", "é"]), st.integers(0, 80), st.floats(0.5, 2.0), st.floats(0.0, 0.1)).map(
        lambda one: (one[0], one[1], one[2], one[2] + one[3])
    ),
    max_size=40,
)


def twin(history: list[Quote]) -> dict[str, list[float]]:
    """Collect each symbol's quotes by bar, in the plainest way, and take the returns between closed bars."""
    returns = {}
    for symbol in dict.fromkeys(one[0] for one in history):
        clock, closes = 0, {}
        for _, time_ns, bid, ask in (one for one in history if one[0] == symbol):
            clock = max(clock, time_ns)
            closes[clock // BAR_NS] = (bid + ask) / 2
        closed = list(closes.values())[:-1]
        returns[symbol] = [100 * (math.log(after) - math.log(before)) for before, after in pairwise(closed)]
    return returns


def returns_of(history: list[Quote]) -> dict[str, list[float]]:
    """Return the returns that the code under test finds."""
    symbols = [one[0] for one in history]
    times = np.array([one[1] for one in history], dtype=np.int64)
    bids, asks = np.array([one[2] for one in history]), np.array([one[3] for one in history])
    return {name: one.tolist() for name, one in bar_returns(symbols, times, bids, asks, BAR_NS).items()}


@given(quotes)
def test_returns_are_those_of_a_plain_twin(history: list[Quote]) -> None:
    """Returns, also over gaps and late quotes, equal those of bars collected in plain Python."""
    assert returns_of(history) == twin(history)


def test_the_open_bar_gives_no_return() -> None:
    """A bar closes only when a quote of a later bar arrives."""
    history = [("A", 1, 1.0, 1.0), ("A", 11, 2.0, 2.0), ("A", 19, 4.0, 4.0)]
    assert returns_of(history) == {"A": []}
    assert returns_of([*history, ("A", 20, 1.0, 1.0)]) == {"A": [100 * math.log(4.0)]}


def test_prices_at_the_ends_of_the_range_give_a_finite_return() -> None:
    """A return from the least to the greatest price does not overflow."""
    history = [("A", 1, 5e-324, 5e-324), ("A", 11, 1e12, 1e12), ("A", 21, 1.0, 1.0)]
    assert math.isfinite(returns_of(history)["A"][0])
