import math
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import accumulate, pairwise
from pathlib import Path

import arch.data.sp500
import numpy as np
import pytest
from arch import arch_model
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.market.garch import GarchParameters, VolatilityParameters
from risk.market.symbol_volatility import ClosedBars, SymbolVolatility
from risk.market.value_at_risk import Z_95, Z_99
from training.market.tick_simulator import simulate_ticks

DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000

PUBLISHED = GarchParameters(mu=0.0564, omega=0.0175, alpha=0.1022, beta=0.8852, backcast=1.0, last_variance=1.0)
"""What the documentation of arch finds for the S&P 500 of 1999 to 2018; the backcast is ours."""

OWN = GarchParameters(mu=0.1, omega=0.5, alpha=0.2, beta=0.7, backcast=2.0, last_variance=2.0)

PARAMETERS = VolatilityParameters(bar_ns=10, ewma_lambda=0.94, bars_per_year=252.0, symbols={"*": PUBLISHED, "A": OWN})

Quote = tuple[str, int, float, float]


def in_sequence(steps: list[tuple[str, int, float, float]]) -> list[Quote]:
    """Return quotes whose times advance by the steps given, or go back when a step is negative."""
    times = accumulate(step for _, step, _, _ in steps)
    return [(one[0], 100 + time_ns, one[2], one[2] + one[3]) for one, time_ns in zip(steps, times, strict=True)]


quotes = st.lists(
    st.tuples(st.sampled_from(["A", "B", "é"]), st.integers(-1, 12), st.floats(0.5, 2.0), st.floats(0.0, 0.1)),
    max_size=60,
).map(in_sequence)


def advance(step: SymbolVolatility, history: list[Quote]) -> ClosedBars:
    """Advance by quotes given row by row."""
    return step.advance(
        [one[0] for one in history],
        np.array([one[1] for one in history], dtype=np.int64),
        np.array([one[2] for one in history], dtype=np.float64),
        np.array([one[3] for one in history], dtype=np.float64),
    )


def bits(batches: Iterable[tuple[int, ClosedBars]]) -> list[list[object]]:
    """Return one list a column, with numbers as their bytes and positions counted from the start."""
    columns: list[list[object]] = [[] for _ in fields(ClosedBars)]
    for first, bars in batches:
        for column, field in zip(columns, fields(ClosedBars), strict=True):
            found = getattr(bars, field.name)
            if field.name == "index":
                found = found + first
            column += found if isinstance(found, list) else [one.tobytes() for one in found]
    return columns


@dataclass
class Twin:
    """What is known of one symbol, in plain Python."""

    clock: int = 0
    close: float | None = None
    previous: float | None = None
    garch: float | None = None
    ewma: float = math.nan


def plain(history: list[Quote]) -> list[tuple[int, str, int, float, float, float, float, bool, bool]]:
    """Return (index, symbol, bar end, close, return, GARCH, EWMA, exceeded 95 and 99 %) of each bar."""
    twins: dict[str, Twin] = {}
    found = []
    for index, (symbol, time_ns, bid, ask) in enumerate(history):
        twin = twins.setdefault(symbol, Twin())
        one = PARAMETERS.symbols.get(symbol, PUBLISHED)
        time_ns = max(time_ns, twin.clock)
        if twin.close is not None and time_ns // 10 > twin.clock // 10:
            if twin.previous is not None:
                log_return = 100 * (math.log(twin.close) - math.log(twin.previous))
                if twin.garch is None:
                    twin.garch = one.omega + one.alpha * one.backcast + one.beta * one.backcast
                    twin.ewma = one.backcast
                least_95 = one.mu - Z_95 * math.sqrt(twin.garch)
                least_99 = one.mu - Z_99 * math.sqrt(twin.garch)
                twin.garch = one.omega + one.alpha * (log_return - one.mu) ** 2 + one.beta * twin.garch
                twin.ewma = 0.06 * log_return**2 + 0.94 * twin.ewma
                bar_end_ns = (twin.clock // 10 + 1) * 10
                exceeded = log_return < least_95, log_return < least_99
                found.append((index, symbol, bar_end_ns, twin.close, log_return, twin.garch, twin.ewma, *exceeded))
            twin.previous = twin.close
        twin.clock, twin.close = time_ns, (bid + ask) / 2
    return found


@given(quotes)
def test_bars_and_variances_are_those_of_a_plain_twin(history: list[Quote]) -> None:
    """Every closed bar has the return, the variances and the exceedances of a slow twin in plain Python."""
    bars = advance(SymbolVolatility(PARAMETERS), history)
    expected = plain(history)
    assert len(bars) == len(expected)
    for at, (index, symbol, bar_end_ns, close, log_return, garch, ewma, at_95, at_99) in enumerate(expected):
        assert (bars.index[at], bars.symbol[at], bars.bar_end_ns[at]) == (index, symbol, bar_end_ns)
        assert (bars.close[at], bars.log_return_percent[at]) == (close, log_return)
        assert bars.garch_variance_percent2[at] == pytest.approx(garch, rel=1e-13)
        assert bars.ewma_variance_percent2[at] == pytest.approx(ewma, rel=1e-13)
        assert (bars.exceeded_95[at], bars.exceeded_99[at]) == (at_95, at_99)


@given(quotes)
def test_forecasts_follow_from_the_variance(history: list[Quote]) -> None:
    """Values at risk and volatility are functions of the variance, and the next bar expects them."""
    bars = advance(SymbolVolatility(PARAMETERS), history)
    expected: dict[str, float] = {}
    for at, symbol in enumerate(bars.symbol):
        mu, variance = PARAMETERS.symbols.get(symbol, PUBLISHED).mu, bars.garch_variance_percent2[at]
        for loss, z in ((bars.value_at_risk_95_percent, Z_95), (bars.value_at_risk_99_percent, Z_99)):
            worst = math.exp((mu - z * math.sqrt(variance)) / 100)
            assert loss[at] == pytest.approx(100 * (1 - worst), rel=1e-9)
        assert bars.annualised_volatility_percent[at] == pytest.approx(math.sqrt(252 * variance), rel=1e-14)
        assert bars.loss_percent[at] == pytest.approx(
            100 * (1 - math.exp(bars.log_return_percent[at] / 100)), rel=1e-9, abs=1e-9
        )
        if symbol in expected:
            assert bars.expected_value_at_risk_99_percent[at] == expected[symbol]
        expected[symbol] = bars.value_at_risk_99_percent[at]


@given(quotes, st.lists(st.integers(0, 60), max_size=6))
def test_batches_do_not_matter(history: list[Quote], cuts: list[int]) -> None:
    """However the quotes are cut into batches, outputs and state are the same bit for bit."""
    whole, parts = SymbolVolatility(PARAMETERS), SymbolVolatility(PARAMETERS)
    expected = bits([(0, advance(whole, history))])
    edges = sorted({0, *(min(cut, len(history)) for cut in cuts), len(history)})
    found = bits([(a, advance(parts, history[a:b])) for a, b in pairwise(edges)])
    assert found == expected
    assert parts.dump() == whole.dump()


@given(quotes, quotes)
def test_a_restored_state_goes_on_as_if_nothing_happened(before: list[Quote], after: list[Quote]) -> None:
    """A step loaded from the changed rows gives the same bits as the one that went on, and has its state."""
    step, restored = SymbolVolatility(PARAMETERS), SymbolVolatility(PARAMETERS)
    rows: dict[bytes, bytes] = {}
    for at in range(0, len(before), 7):
        advance(step, before[at : at + 7])
        rows |= dict(step.take_changed())
    restored.load(rows.items())
    assert restored.dump() == step.dump()
    assert bits([(0, advance(restored, after))]) == bits([(0, advance(step, after))])
    assert restored.dump() == step.dump()


def test_only_quoted_symbols_are_written_to_a_checkpoint() -> None:
    """A symbol counts as changed by a quote, until its row was taken."""
    step = SymbolVolatility(PARAMETERS)
    advance(step, [("A", 1, 1.0, 1.0), ("B", 1, 1.0, 1.0)])
    assert [key for key, _ in step.take_changed()] == [b"A", b"B"]
    assert step.take_changed() == []
    advance(step, [("B", 2, 1.0, 1.0)])
    assert [key for key, _ in step.take_changed()] == [b"B"]
    assert len(step) == 2


def test_large_batches_do_not_matter() -> None:
    """Batches of 1 to 5,000 quotes give the same bits as all at once."""
    ticks = simulate_ticks(["A", "B", "C"], 6_000, seed=11, ticks_per_bar=3)
    parameters = VolatilityParameters(MINUTE_NS, 0.94, 525_600.0, PARAMETERS.symbols)

    def run(size: int) -> tuple[list[list[object]], dict[bytes, bytes]]:
        step = SymbolVolatility(parameters)
        batches = []
        for at in range(0, 6_000, size):
            part = slice(at, at + size)
            columns = ticks.event_time_ns[part], ticks.bid[part], ticks.ask[part]
            batches.append((at, step.advance(ticks.symbol[part], *columns)))
        return bits(batches), step.dump()

    expected = run(6_000)
    assert len(expected[0][0]) > 1_900
    for size in (1, 7, 1_000, 4_999, 5_000):
        assert run(size) == expected


def variances_of_arch(returns: NDArray[np.float64], parameters: GarchParameters) -> tuple[NDArray[np.float64], float]:
    """Return arch's conditional variances of the returns and of the one to come, and its backcast."""
    model = arch_model(returns, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    fixed = model.fix([parameters.mu, parameters.omega, parameters.alpha, parameters.beta])
    ahead = fixed.forecast(horizon=1, reindex=False).variance.to_numpy().ravel()
    backcast = model.volatility.backcast(model.resids(model.starting_values()))
    return np.concatenate([fixed.conditional_volatility**2, ahead]), float(backcast)


def assert_as_arch(
    symbol: str,
    time_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    bar_ns: int,
    closes: NDArray[np.float64],
    parameters: GarchParameters,
) -> None:
    """Compare the variance after each closed bar with arch's, to ten digits."""
    returns = 100 * np.diff(np.log(closes))
    expected, backcast = variances_of_arch(returns, parameters)
    one = GarchParameters(
        parameters.mu, parameters.omega, parameters.alpha, parameters.beta, backcast, parameters.last_variance
    )
    step = SymbolVolatility(VolatilityParameters(bar_ns, 0.94, 252.0, {"*": one}))
    bars = step.advance([symbol] * len(time_ns), time_ns, bid, ask)
    # The last bar is still open, so its return is not known yet.
    assert np.array_equal(bars.close, closes[1:-1])
    np.testing.assert_allclose(bars.log_return_percent, returns[:-1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(bars.garch_variance_percent2, expected[1:-1], rtol=1e-10, atol=0)


def test_variances_of_the_s_and_p_500_are_those_of_arch() -> None:
    """With the published parameters, the variances of the S&P 500 over twenty years equal arch's."""
    prices = arch.data.sp500.load()["Adj Close"]
    closes = prices.to_numpy(dtype=np.float64)
    time_ns = prices.index.to_numpy().astype("datetime64[ns]").astype(np.int64)
    assert len(closes) == 5_031
    assert_as_arch("SPX", time_ns, closes, closes, DAY_NS, closes, PUBLISHED)


def read_eurusd(folder: Path) -> NDArray[np.float64]:
    """Return (nanoseconds since the epoch, bid, ask) of every quote, float64[n, 3]."""
    days = []
    for path in sorted(folder.glob("*_quote.zip")):
        midnight_ms = int(np.datetime64(f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}", "ms").astype(np.int64))
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as csv:
            day = np.loadtxt(csv, delimiter=",")
        day[:, 0] += midnight_ms
        days.append(day)
    return np.concatenate(days)


def test_variances_of_real_quotes_are_those_of_arch(shared_data: Path) -> None:
    """The variances of two weeks of EUR/USD minutes, from half a million quotes, equal arch's."""
    quotes_ms = read_eurusd(shared_data / "market/lean/forex/oanda/tick/eurusd")
    time_ns = quotes_ms[:, 0].astype(np.int64) * 1_000_000
    bid, ask = quotes_ms[:, 1].copy(), quotes_ms[:, 2].copy()
    assert len(time_ns) > 500_000
    assert np.all(np.diff(time_ns) >= 0)
    minutes = time_ns // MINUTE_NS
    last = np.append(np.flatnonzero(np.diff(minutes)), len(minutes) - 1)
    closes = (0.5 * (bid + ask))[last]
    scale = float(np.var(100 * np.diff(np.log(closes))))
    parameters = GarchParameters(mu=1e-5, omega=0.02 * scale, alpha=0.1, beta=0.88, backcast=scale, last_variance=scale)
    assert_as_arch("EURUSD", time_ns, bid, ask, MINUTE_NS, closes, parameters)
