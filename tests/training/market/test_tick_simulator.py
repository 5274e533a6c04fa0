import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.bars.bar_builder import BarBuilder
from risk.bars.bar_spec import BarSpecification, BarSpecifications, TimeBars
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_model import Garch
from risk.volatility.volatility_models import VolatilityModels
from training.market.tick_simulator import MINUTE_BARS, MINUTE_NS, simulate_ticks


@given(st.integers(0, 300), st.integers(1, 4), st.integers(0, 2**32), st.integers(1, 9))
def test_quotes_are_well_formed_and_in_order(n: int, symbols: int, seed: int, ticks_per_bar: int) -> None:
    """Exactly n quotes come out, in order of time and not crossed, as many of each symbol to within a bar."""
    names = [f"S{at}" for at in range(symbols)]
    ticks = simulate_ticks(names, n, seed, ticks_per_bar=ticks_per_bar)
    assert len(ticks.symbol) == len(ticks.event_time_ns) == len(ticks.bid) == len(ticks.ask) == n
    assert np.all(np.diff(ticks.event_time_ns) >= 0)
    assert np.all((ticks.bid > 0.0) & (ticks.bid < ticks.ask))
    counts = [ticks.symbol.count(name) for name in names]
    assert max(counts) - min(counts) <= ticks_per_bar


def test_trades_are_made_at_the_quotes() -> None:
    """The share of trades asked for comes, at prices of the same quotes, and every tick has its number."""
    quotes, ticks = simulate_ticks(["A", "B"], 4_000, 3), simulate_ticks(["A", "B"], 4_000, 3, trade_share=0.25)
    is_trade = ~np.isnan(ticks.price)
    assert np.mean(is_trade) == pytest.approx(0.25, abs=4.0 * np.sqrt(0.25 * 0.75 / 4_000))
    assert np.array_equal(np.isnan(ticks.bid), is_trade)
    assert np.array_equal(np.isnan(ticks.size), ~is_trade)
    at_ask = ticks.price[is_trade] == quotes.ask[is_trade]
    assert np.all(at_ask | (ticks.price[is_trade] == quotes.bid[is_trade]))
    assert 0.4 < np.mean(at_ask) < 0.6
    assert np.all(ticks.size[is_trade] >= 1.0)
    assert np.isnan(quotes.price).all()
    for name in ("A", "B"):
        mine = [at for at, symbol in enumerate(ticks.symbol) if symbol == name]
        assert ticks.sequence[mine].tolist() == list(range(len(mine)))


def test_a_seed_gives_one_history() -> None:
    """The same seed gives the same quotes, and another seed gives others."""
    first, again, other = (simulate_ticks(["A"], 500, seed) for seed in (5, 5, 6))
    assert np.array_equal(first.bid, again.bid)
    assert np.array_equal(first.event_time_ns, again.event_time_ns)
    assert not np.array_equal(first.bid, other.bid)


def test_bars_follow_the_parameters() -> None:
    """Returns divided by the deviations that the recursion foresees are standard normal and independent."""
    parameters = Garch(mean_percent=0.01, omega=8e-6, alpha=(0.2,), beta=(0.78,), backcast_percent2=4e-4)
    ticks = simulate_ticks(["A"], 80_000, seed=1, parameters=parameters, ticks_per_bar=4)
    builder = BarBuilder(BarSpecifications({"*": BarSpecification(closes=TimeBars(MINUTE_NS))}))
    columns = (ticks.bid, ticks.ask, ticks.price, ticks.size, ticks.sequence)
    returns = builder.advance(ticks.symbol, ticks.event_time_ns, *columns).log_return_percent
    # The first bar has a return in the simulation but none between closes: the recursion forgets it.
    variances = ConditionalVariance(VolatilityModels({"*": parameters}))
    bars = variances.advance(["A"] * len(returns), returns, np.zeros(len(returns)))
    standardised = bars.standardised_residual[500:]
    slack = 4.0 / np.sqrt(len(standardised))
    assert len(returns) == 80_000 // 4 - 2
    assert np.mean(standardised) == pytest.approx(0.0, abs=slack)
    assert np.var(standardised) == pytest.approx(1.0, abs=slack * np.sqrt(2.0))
    assert np.mean(standardised**4) == pytest.approx(3.0, abs=slack * np.sqrt(96.0))
    squares = standardised**2 - 1.0
    assert np.mean(squares[1:] * squares[:-1]) == pytest.approx(0.0, abs=slack * 2.0)


def test_the_default_is_a_calm_market() -> None:
    """The long-run variance of the default parameters is what their description says."""
    assert MINUTE_BARS.omega / (1.0 - MINUTE_BARS.alpha[0] - MINUTE_BARS.beta[0]) == pytest.approx(0.02**2)


@pytest.mark.parametrize(("symbols", "ticks_per_bar"), [([], 20), (["A"], 0)])
def test_nothing_to_simulate_is_refused(symbols: list[str], ticks_per_bar: int) -> None:
    """No symbols or no ticks in a bar are refused."""
    with pytest.raises(ValueError, match="at least one"):
        simulate_ticks(symbols, 10, 1, ticks_per_bar=ticks_per_bar)
