"""How bars are cut into batches does not change what follows from them."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.bars.closed_bars import ClosedBars
from risk.market.symbol_risk import BarRisks, SymbolRisk
from risk.volatility.volatility_model import Garch
from tests.closed_bars import bars_of
from tests.small_market_bundle import small_market_bundle
from training.market.bar_selection import bars_where

SMALL = small_market_bundle()


def some_bars(seed: int, n: int = 24) -> ClosedBars:
    """Return bars of three symbols in an order in which one has several in a row."""
    random = np.random.default_rng(seed)
    bars = bars_of(["A", "B", "C"], n, seed=seed)
    # Each symbol's own bars stay in order of time.
    owner = random.permutation(np.repeat(np.arange(3), n))
    rows = np.empty(3 * n, dtype=np.int64)
    for number in range(3):
        rows[owner == number] = number + 3 * np.arange(n)
    return bars_where(bars, rows)


def step() -> SymbolRisk:
    """Return the chain of steps without any state."""
    return SymbolRisk(SMALL.parameters, SMALL.graphs)


def columns(found: Any, at: int) -> Iterator[tuple[str, object]]:
    """Yield what follows from a bar, each column's bytes by its name."""
    for field in fields(found):
        value = getattr(found, field.name)
        if is_dataclass(value):
            yield from columns(value, at)
        else:
            yield field.name, value[at].tobytes() if isinstance(value, np.ndarray) else value[at]


def of_bars(found: list[BarRisks]) -> list[list[tuple[str, object]]]:
    """Return what follows from each bar of some batches."""
    return [list(columns(one, at)) for one in found for at in range(len(one.loss_percent))]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 72), max_size=5))
def test_any_cut_gives_the_same_bits(seed: int, cuts: list[int]) -> None:
    """Several bars of a symbol in a batch lead to what they lead to one by one, in figures and in state."""
    bars = some_bars(seed)
    single, cut = step(), step()
    alone = of_bars([single.advance(bars_where(bars, np.array([at]))) for at in range(len(bars))])
    places = [0, *sorted(cuts), len(bars)]
    parts = [np.arange(first, end) for first, end in pairwise(places)]
    assert of_bars([cut.advance(bars_where(bars, rows)) for rows in parts]) == alone
    assert cut.dump() == single.dump()


def test_symbols_do_not_touch_each_other() -> None:
    """A symbol's bars lead to the same without the others."""
    bars = some_bars(4)
    together = of_bars([step().advance(bars)])
    rows = np.array([at for at, symbol in enumerate(bars.symbol) if symbol == "B"])
    assert of_bars([step().advance(bars_where(bars, rows))]) == [together[at] for at in rows.tolist()]


def test_a_state_that_was_loaded_goes_on_the_same() -> None:
    """With a model installed too, a dump taken up by another step leads to the same bits."""
    bars = some_bars(5)
    first, rest = np.arange(40), np.arange(40, len(bars))
    whole = step()
    whole.advance(bars_where(bars, first))
    whole.install("A", Garch(omega=2e-5, alpha=(0.2,), beta=(0.7,), backcast_percent2=2e-4), 17)
    loaded = step()
    loaded.load(list(whole.dump().items()))
    assert of_bars([loaded.advance(bars_where(bars, rest))]) == of_bars([whole.advance(bars_where(bars, rest))])
    assert loaded.dump() == whole.dump()
    assert loaded.model("A") == whole.model("A") != step().model("A")


def test_no_bars_lead_to_nothing() -> None:
    """An empty batch gives empty columns and leaves no state."""
    empty = step()
    assert len(empty.advance(bars_where(some_bars(6), np.zeros(0, np.int64))).loss_percent) == 0
    assert (len(empty), empty.dump()) == (0, {})


def test_a_loss_is_held_against_what_was_forecast_before_it() -> None:
    """A bar's expected value at risk is the one that the bar before gave out, and NaN for a symbol's first bar."""
    bars = bars_of(["A"], 30)
    found = step().advance(bars)
    expected, upcoming = found.expected_value_at_risk_percent, found.next_value_at_risk_percent
    assert np.isnan(expected[0]).all()
    assert expected[1:].tobytes() == upcoming[:-1].tobytes()
    np.testing.assert_allclose(found.loss_percent, -100.0 * np.expm1(bars.log_return_percent / 100.0), rtol=1e-12)


def test_wild_bars_leave_finite_figures() -> None:
    """Log returns of ten thousand percent either way give no NaN but for what was not forecast yet."""
    bars = bars_of(["A", "B"], 20)
    returns = bars.log_return_percent.copy()
    returns[[8, 9, 14]] = [1e4, -1e4, 0.0]
    found = step().advance(replace(bars, log_return_percent=returns, realised_variance_percent2=returns**2))
    for name in ("next_value_at_risk_percent", "loss_percent"):
        assert np.isfinite(getattr(found, name)).all()
    assert np.isfinite(found.risk.value_at_risk_percent).all()
    assert np.isfinite(found.variances.next_variance_percent2).all()


def test_a_batch_may_bring_more_symbols_than_there_is_room_for() -> None:
    """Two hundred new symbols in one batch lead to what each leads to alone."""
    names = [f"s{number}" for number in range(200)]
    bars = bars_of(names, 2)
    found = step().advance(bars)
    for at in (0, 63, 64, 199, 263):
        mine = np.flatnonzero(np.array(bars.symbol) == bars.symbol[at])
        assert of_bars([step().advance(bars_where(bars, mine))])[at // 200] == list(columns(found, at))
