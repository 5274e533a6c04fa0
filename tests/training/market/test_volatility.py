import arch.data.sp500
import numpy as np
import pytest
from arch import arch_model

from risk.market.bars import bar_returns
from risk.market.garch import conditional_variances, read_volatility_parameters, volatility_parameters_bytes
from training.market.tick_simulator import MINUTE_BARS, MINUTE_NS, simulate_ticks
from training.market.volatility import FitError, fit_garch, fit_volatility

YEAR_MINUTES = 525_600.0


def test_the_published_parameters_are_found() -> None:
    """On the S&P 500 of 1999 to 2018 the fit gives the parameters that arch's documentation publishes."""
    prices = arch.data.sp500.load()["Adj Close"]
    found = fit_garch(100.0 * prices.pct_change().dropna().to_numpy())
    assert [found.mu, found.omega, found.alpha, found.beta] == pytest.approx([0.0564, 0.0175, 0.1022, 0.8852], abs=6e-5)


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**12])
def test_the_size_of_returns_does_not_matter(scale: float) -> None:
    """Returns thousands of times smaller or larger give the same dynamics and proportionate variances."""
    ticks = simulate_ticks(["A"], 2_000, seed=8, ticks_per_bar=1)
    returns = bar_returns(ticks.symbol, ticks.event_time_ns, ticks.bid, ticks.ask, MINUTE_NS)["A"]
    one, scaled = fit_garch(returns), fit_garch(returns * scale)
    assert (scaled.alpha, scaled.beta, scaled.mu) == (one.alpha, one.beta, one.mu * scale)
    assert (scaled.omega, scaled.backcast) == (one.omega * scale**2, one.backcast * scale**2)
    assert scaled.last_variance == one.last_variance * scale**2
    assert one.alpha > 0.01


def test_backcast_and_last_variance_are_those_of_arch() -> None:
    """The filter starts and ends where arch's does for the same parameters."""
    returns = np.random.default_rng(4).standard_t(6, 1_500)
    found = fit_garch(returns)
    model = arch_model(returns, rescale=False)
    fixed = model.fix([found.mu, found.omega, found.alpha, found.beta])
    ahead = float(fixed.forecast(horizon=1, reindex=False).variance.iloc[-1, 0])
    assert found.backcast == pytest.approx(model.volatility.backcast(returns - returns.mean()), rel=1e-12)
    assert found.last_variance == pytest.approx(ahead, rel=1e-10)


def test_simulated_parameters_are_recovered() -> None:
    """A long simulated history gives its parameters back, and quiet symbols share the pooled ones."""
    ticks = simulate_ticks(["A", "B"], 80_000, seed=3, ticks_per_bar=4)
    fitted = fit_volatility(
        [*ticks.symbol, "NEW"],
        np.append(ticks.event_time_ns, ticks.event_time_ns[-1]),
        np.append(ticks.bid, 1.0),
        np.append(ticks.ask, 1.0),
        bar_ns=MINUTE_NS,
        bars_per_year=YEAR_MINUTES,
    )
    assert set(fitted.symbols) == {"*", "A", "B"}
    assert (fitted.bar_ns, fitted.ewma_lambda, fitted.bars_per_year) == (MINUTE_NS, 0.94, YEAR_MINUTES)
    for one in fitted.symbols.values():
        assert one.alpha == pytest.approx(MINUTE_BARS.alpha, abs=0.02)
        assert one.beta == pytest.approx(MINUTE_BARS.beta, abs=0.04)
        assert one.omega / (1.0 - one.alpha - one.beta) == pytest.approx(4e-4, rel=0.25)
    assert read_volatility_parameters(volatility_parameters_bytes(fitted)) == fitted
    returns = bar_returns(ticks.symbol, ticks.event_time_ns, ticks.bid, ticks.ask, MINUTE_NS)["B"]
    one = fitted.symbols["B"]
    after = conditional_variances(returns, one.mu, one.omega, one.alpha, one.beta, one.backcast)[-1]
    assert one.last_variance == after


def test_many_short_histories_make_a_pooled_one() -> None:
    """Symbols with too few returns of their own give pooled parameters, at the median variance."""
    symbols = [f"S{at}" for at in range(10)]
    ticks = simulate_ticks(symbols, 4_000, seed=3, ticks_per_bar=2)
    columns = ticks.symbol, ticks.event_time_ns, ticks.bid, ticks.ask
    fitted = fit_volatility(*columns, bar_ns=MINUTE_NS, bars_per_year=YEAR_MINUTES)
    assert set(fitted.symbols) == {"*"}
    variances = [np.var(one) for one in bar_returns(*columns, MINUTE_NS).values()]
    assert fitted.symbols["*"].backcast == pytest.approx(np.median(variances))


def test_too_short_a_history_is_refused() -> None:
    """A history with too few returns altogether is refused, saying how many there are."""
    ticks = simulate_ticks(["A"], 100, seed=3, ticks_per_bar=1)
    with pytest.raises(FitError, match="98 returns"):
        fit_volatility(
            ticks.symbol,
            ticks.event_time_ns,
            ticks.bid,
            ticks.ask,
            bar_ns=MINUTE_NS,
            bars_per_year=YEAR_MINUTES,
        )


@pytest.mark.parametrize("seed", range(12))
def test_returns_at_the_bound_are_fitted(seed: int) -> None:
    """Heavy-tailed returns whose shocks hardly die away have a fit, though the optimiser may get stuck at the bound."""
    random = np.random.default_rng(seed)
    returns, variance = np.empty(4_000), 1.0
    for at in range(len(returns)):
        returns[at] = random.standard_t(4) / np.sqrt(2.0) * np.sqrt(variance)
        variance = 0.0059 + 0.108 * returns[at] ** 2 + 0.892 * variance
    found = fit_garch(returns)
    assert 0.9 < found.alpha + found.beta <= 1.0
