"""The fold of portfolios against a slow twin in plain Python, and what it says in cases made by hand."""

import math
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.fold import Output
from risk.market.market_columns import MarketColumns, bar_columns, curve_columns, position_columns
from risk.market.market_routing import MarketRouting
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.decode_positions import decode_positions
from risk.portfolios.portfolio_fold import PortfolioFold
from risk.portfolios.portfolio_parameters import PortfolioLimits, PortfolioParameters
from risk.portfolios.portfolio_valuation import LEAST_SCENARIOS
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.portfolio_risk import MarketRisk, PortfolioRisk
from schemas.position import Position

START_NS = 1_767_225_600_000_000_000
MINUTE_NS = 60_000_000_000
YEAR_NS = 31_557_600_000_000_000

MODEL = CorrelationModel(distribution=StandardisedDistribution("t", 5.0))


def fold_of(model: CorrelationModel = MODEL, **limits: Any) -> PortfolioFold:
    """Return a fold of the only partition."""
    parameters = PortfolioParameters("m", "0123456789ab", model, limits=PortfolioLimits(**limits))
    topics = {"ticks": "t", "rates": "r", "positions": "p"}
    return PortfolioFold(0, partitions=1, parameters=parameters, topics=topics)  # type: ignore[arg-type]  # of literals


@dataclass
class Market:
    """Sends rows to a fold as they happen, each source at its end."""

    fold: PortfolioFold
    offset: int = 0
    routings: dict[str, MarketRouting] = field(
        default_factory=lambda: {role: MarketRouting(role, 0, 1) for role in ("ticks", "rates", "positions")}
    )

    def __post_init__(self) -> None:
        for role in self.routings:
            self.send(role, position_columns(decode_positions([], [])[0]), 0)

    def send(self, role: str, rows: MarketColumns, offset: int) -> list[Output]:
        """Send rows of one record; return what the fold gives."""
        source = Chunk.of(role, 0, (offset,), (None,), (b"",), caught_up=True)
        found = []
        for output in self.routings[role].outputs(source, rows):
            self.offset += 1
            chunk = Chunk.of("market-events", 0, (self.offset,), (None,), (output.value,), caught_up=True)
            found += self.fold.advance(chunk).outputs
        return found

    def bar(self, symbol: str, minute: int, close: float, next_variance: float, residual: float) -> list[Output]:
        """Close a bar, whose variance in force is 1."""
        self.offset += 1
        column = [np.array([one]) for one in (close, residual, 1.0, next_variance, residual)]
        end_ns = np.array([START_NS + minute * MINUTE_NS])
        names = ("close", "log_return_percent", "variance_percent2", "next_variance_percent2", "standardised_residual")
        rows = bar_columns(np.array([0]), end_ns, [symbol], end_ns, **dict(zip(names, column, strict=True)))
        return self.send("ticks", rows, self.offset)

    def hold(self, portfolio: str, minute: int, quantity: float, **terms: Any) -> list[Output]:
        """Set a position."""
        self.offset += 1
        position = Position(1, portfolio, START_NS + minute * MINUTE_NS, quantity, **terms)
        columns, rejections = decode_positions([portfolio.encode()], [encode(position)])
        assert rejections == []
        return self.send("positions", position_columns(columns), self.offset)

    def curve(self, currency: str, minute: int, tenors: list[float], zero: list[float]) -> list[Output]:
        """Close a curve."""
        self.offset += 1
        time_ns = np.array([START_NS + minute * MINUTE_NS])
        nodes = {"tenors_years": [np.array(tenors)], "zero_percent": [np.array(zero)]}
        return self.send("rates", curve_columns(np.array([0]), time_ns, [currency], time_ns, **nodes), self.offset)


def risks(outputs: list[Output]) -> list[PortfolioRisk]:
    """Return the portfolio risk among outputs."""
    return [msgspec.json.decode(one.value, type=PortfolioRisk) for one in outputs if one.stream == "portfolio_risk"]


def alerts(outputs: list[Output]) -> list[Alert]:
    """Return the alerts among outputs."""
    return [msgspec.json.decode(one.value, type=Alert) for one in outputs if one.stream == "alerts"]


def figure(market: MarketRisk, method: str, confidence: float, bars: int) -> tuple[float, float]:
    """Return the value at risk and the expected shortfall of a method."""
    (found,) = [
        (one.value_at_risk_percent, one.expected_shortfall_percent)
        for one in market.risk
        if (one.method, one.confidence_percent, one.horizon_bars) == (method, confidence, bars)
    ]
    return found


@dataclass
class Twin:
    """One portfolio and its market, in plain Python: closes, exponentially weighted products, and what is held."""

    closes: dict[str, float] = field(default_factory=dict)
    variances: dict[str, float] = field(default_factory=dict)
    moved: dict[str, tuple[float, float]] = field(default_factory=dict)
    products: dict[tuple[str, str], float] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    forecast: tuple[dict[str, float], float] | None = None

    def hold(self, symbol: str, quantity: float) -> None:
        """Set a position."""
        self.held.pop(symbol, None)
        if quantity:
            self.held[symbol] = quantity
            for other in self.known - {symbol} if symbol not in self.known else ():
                self.products[symbol, other] = self.products[other, symbol] = 0.0
            if symbol not in self.known:
                self.products[symbol, symbol] = 1.0
                self.known.add(symbol)

    def close_step(self) -> tuple[float | None, float, float, tuple[str, ...]]:
        """Return what was lost in percent, the value, the deviation in percent of the gross exposure, and no price."""
        z = {symbol: residual for symbol, (residual, _) in self.moved.items() if symbol in self.known}
        if z:
            for i in self.known:
                for j in self.known:
                    decay = math.sqrt(0.97) ** ((i in z) + (j in z))
                    self.products[i, j] = decay * self.products[i, j] + 0.03 * z.get(i, 0.0) * z.get(j, 0.0)
        lost = None
        if self.forecast is not None and any(symbol in self.moved for symbol in self.forecast[0]):
            held, gross = self.forecast
            lost = -100.0 * sum(held[one] * rise for one, (_, rise) in self.moved.items() if one in held) / gross
        exposures = {
            symbol: quantity * self.closes[symbol] for symbol, quantity in self.held.items() if symbol in self.closes
        }
        gross = sum(map(abs, exposures.values()))
        variance = 0.0
        for i, one in exposures.items():
            for j, other in exposures.items():
                r = self.products[i, j] / math.sqrt(self.products[i, i] * self.products[j, j])
                variance += one * other * r * math.sqrt(self.variances[i] * self.variances[j])
        self.forecast = (dict(self.held), gross) if gross else None
        self.moved = {}
        deviation = math.sqrt(max(variance, 0.0)) / gross if gross else 0.0
        return lost, sum(exposures.values()), deviation, tuple(sorted(set(self.held) - set(self.closes)))


steps = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("ABC"), st.tuples(st.floats(-4.0, 4.0), st.floats(0.2, 5.0)), min_size=1),
        st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from([0.0, 5.0, -3.0, 0.5])), max_size=3),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60)
@given(steps)
def test_values_losses_and_volatilities_are_those_of_a_plain_twin(
    steps: list[tuple[dict[str, tuple[float, float]], list[tuple[str, float]]]],
) -> None:
    """Step by step the value, what was lost and what is forecast equal those of a slow twin in plain Python."""
    market, twin = Market(fold_of()), Twin()
    changed = False
    for minute, (bars, positions) in enumerate([*steps, ({"A": (0.0, 1.0)}, [])]):
        outputs: list[Output] = []
        moved = set(twin.moved)
        before = set(twin.held)
        for number, (symbol, (residual, next_variance)) in enumerate(bars.items()):
            if number == 0:
                expected = twin.close_step() if minute else None
            close = twin.closes.get(symbol, 100.0) * math.exp(residual / 100.0)
            outputs += market.bar(symbol, minute + 1, close, next_variance, residual)
            twin.moved[symbol] = (residual, close - twin.closes.get(symbol, close))
            twin.closes[symbol], twin.variances[symbol] = close, next_variance
        found = risks(outputs)
        assert len(found) == (minute > 0 and (changed or bool(moved & before)))
        changed = changed and not found
        if found and expected is not None:
            (risk,) = found
            assert risk.market is not None
            lost, value, deviation, unpriced = expected
            assert risk.as_of_ns == START_NS + minute * MINUTE_NS
            assert risk.market.loss_percent == (None if lost is None else pytest.approx(lost, rel=1e-9, abs=1e-9))
            assert risk.market.value == pytest.approx(value, rel=1e-9, abs=1e-9)
            assert risk.market.volatility_percent == pytest.approx(deviation, rel=1e-6, abs=1e-7)
            assert risk.market.unpriced == unpriced
        for symbol, quantity in positions:
            assert market.hold("p", minute + 1, quantity, symbol=symbol) == []
            twin.hold(symbol, quantity)
            changed = True


def test_trained_symbols_have_dynamic_conditional_correlations() -> None:
    """A portfolio of trained symbols alone is valued with DCC, written down here; with another one it is not."""
    target = ((1.0, 0.5), (0.5, 1.0))
    market = Market(fold_of(CorrelationModel(symbols=("A", "B"), news=0.1, decay=0.8, target=target)))
    for symbol in "AB":
        market.hold("p", 0, 1.0, symbol=symbol)
    market.bar("A", 1, 100.0, 4.0, 2.0)
    market.bar("B", 1, 100.0, 1.0, -1.0)
    (risk,) = risks(market.bar("A", 2, 100.0, 4.0, 0.0))
    assert risk.market is not None
    q = 0.1 * np.array(target) + 0.1 * np.outer([2.0, -1.0], [2.0, -1.0]) + 0.8 * np.array(target)
    correlation = q[0, 1] / np.sqrt(q[0, 0] * q[1, 1])
    assert risk.market.correlation == "dcc"
    assert risk.market.volatility_percent == pytest.approx(
        0.5 * np.sqrt(4.0 + 1.0 + 2.0 * correlation * 2.0), rel=1e-12
    )
    market.hold("p", 2, 1.0, symbol="C")
    market.bar("C", 2, 100.0, 1.0, 0.0)
    (risk,) = risks(market.bar("A", 3, 100.0, 4.0, 0.0))
    assert risk.market is not None
    assert risk.market.correlation == "ewma"


extremes = st.sampled_from([5e-324, 1e-200, 1e-9, 1.0, 1e12])


@given(
    st.lists(st.tuples(st.sampled_from("AB"), extremes, extremes, st.sampled_from([-1e4, 0.0, 1e4])), max_size=20),
    extremes,
)
def test_no_extreme_makes_a_number_that_is_not_finite(bars: list[tuple[str, float, float, float]], held: float) -> None:
    """Whatever closes, variances, residuals and quantities are, what is published decodes, and so is finite."""
    market = Market(fold_of())
    for symbol, quantity in (("A", held), ("B", -1e12)):
        market.hold("p", 0, quantity, symbol=symbol)
    terms = {"maturity_ns": START_NS + YEAR_NS, "coupon_percent": 100.0, "frequency": 1}
    market.hold("p", 0, held, currency="USD", **terms)
    for rate in (-100.0, 0.0, 1_000.0, 75_000.0):
        assert len(risks(market.curve("USD", 0, [0.1, 1.0], [rate, rate]))) == 1
    for minute, (symbol, close, variance, residual) in enumerate(bars):
        outputs = market.bar(symbol, minute + 1, close, min(variance, 1e8), residual)
        risks(outputs)
        alerts(outputs)


def test_history_is_simulated_once_there_is_enough() -> None:
    """The value at risk in force is filtered historical simulation from the 250th joint residual on."""
    market = Market(fold_of())
    market.hold("p", 0, 5.0, symbol="A")
    draw = np.random.default_rng(3)
    z = draw.standard_t(4, LEAST_SCENARIOS + 1)
    close = 100.0
    for minute, residual in enumerate(z.tolist()):
        close *= math.exp(residual / 100.0)
        (*_, found) = [None, *risks(market.bar("A", minute + 1, close, 4.0, residual))]
        if minute:
            assert found is not None
            assert found.market is not None
            enough = minute >= LEAST_SCENARIOS
            assert found.market.risk_method == ("filtered_historical" if enough else "fitted_distribution")
    assert found is not None
    assert found.market is not None
    losses = -100.0 * np.expm1(2.0 * z[:LEAST_SCENARIOS] / 100.0)
    value_at_risk, _ = figure(found.market, "filtered_historical", 99.0, 1)
    assert value_at_risk == pytest.approx(np.quantile(losses, 0.99, method="inverted_cdf"), rel=1e-12)


def test_a_loss_beyond_the_value_at_risk_alerts_once_while_it_cools_down() -> None:
    """A breach tells by how much each symbol lost more than its share; another within the hour is told if far worse."""
    market = Market(fold_of(cool_down_ns=60 * MINUTE_NS))
    market.hold("p", 0, 1.0, symbol="A")
    market.hold("p", 0, 1.0, symbol="B")
    minute = 0

    def step(change_a: float, change_b: float) -> list[Output]:
        nonlocal minute
        minute += 1
        closes["A"] *= 1.0 + change_a
        closes["B"] *= 1.0 + change_b
        outputs = market.bar("A", minute, closes["A"], 1.0, 0.0)
        return outputs + market.bar("B", minute, closes["B"], 1.0, 0.0)

    closes = {"A": 100.0, "B": 100.0}
    given = [step(0.0, 0.0), step(0.0, 0.0), step(-0.05, -0.03), step(0.0, 0.0), step(-0.05, -0.05), step(0.0, 0.0)]
    (alert,) = [one for outputs in given for one in alerts(outputs)]
    assert alert.event_time_ns == START_NS + 3 * MINUTE_NS
    assert (alert.entity_kind, alert.entity_id, alert.severity) == ("portfolio", "p", "critical")
    # One bar's value at risk of two independent symbols of 1 %, by Student's t with 5 degrees of freedom.
    allowed = 1.0 / math.sqrt(2.0) * 3.364929998907 * math.sqrt(3.0 / 5.0)
    assert alert.score == pytest.approx(4.0 / allowed, rel=1e-9)
    assert alert.contributions == pytest.approx({"A": 2.5 / allowed - 0.5, "B": 1.5 / allowed - 0.5}, rel=1e-9)
    assert [reason.feature for reason in alert.reasons] == ["A", "B"]
    assert [len(alerts(one)) for one in (step(-0.10, -0.10), step(0.0, 0.0))] == [0, 1]
    minute += 60
    step(-0.05, -0.05)
    assert len(alerts(step(0.0, 0.0))) == 1


def test_positions_change_nothing_of_what_was_lost_before() -> None:
    """A loss is that of what was held at the step's beginning: who sells in the step has lost all the same."""
    market = Market(fold_of())
    market.hold("p", 0, 2.0, symbol="A")
    market.bar("A", 1, 100.0, 1.0, 0.0)
    market.bar("A", 2, 100.0, 1.0, 0.0)
    market.bar("A", 3, 90.0, 1.0, 0.0)
    market.hold("p", 3, 0.0, symbol="A")
    (sold,) = risks(market.bar("A", 4, 80.0, 1.0, 0.0))
    assert sold.market is not None
    assert (sold.market.loss_percent, sold.market.gross_exposure) == (10.0, 0.0)
    assert risks(market.bar("A", 5, 70.0, 1.0, 0.0)) == []


def test_bonds_are_valued_by_their_curve() -> None:
    """A curve values the bonds in its currency; one that was bought since is valued when the next step closes."""
    market = Market(fold_of())
    zero_bond = {"maturity_ns": START_NS + 4 * YEAR_NS, "coupon_percent": 0.0, "frequency": 0}
    market.hold("p", 0, 100.0, currency="USD", **zero_bond)
    (risk,) = risks(market.curve("USD", 0, [1.0, 30.0], [0.0, 0.0]))
    assert risk.market is None
    assert risk.interest_rates is not None
    assert risk.interest_rates.present_value == 100.0
    assert risk.interest_rates.dv01 == pytest.approx(0.04)
    assert risk.interest_rates.shock_losses["parallel_up"] == pytest.approx(7.6884, abs=1e-4)
    assert risks(market.curve("EUR", 0, [1.0], [3.0])) == []
    market.hold("p", 1, 300.0, currency="USD", **zero_bond)
    assert market.bar("A", 1, 1.0, 1.0, 0.0) == []
    (again,) = risks(market.bar("A", 2, 1.0, 1.0, 0.0))
    assert again.interest_rates is not None
    assert again.interest_rates.present_value == 300.0
    assert again.as_of_ns == START_NS + MINUTE_NS
    assert risks(market.bar("A", 3, 1.0, 1.0, 0.0)) == []


def test_bonds_that_would_lose_too_much_alert_until_they_come_down() -> None:
    """A portfolio beyond the limit alerts once, and again only after it was below nine tenths of it."""
    market = Market(fold_of(interest_rate_loss_percent=15.0, cool_down_ns=MINUTE_NS))

    def bond(years: int, minute: int, notional: float) -> None:
        terms = {"maturity_ns": START_NS + years * YEAR_NS, "coupon_percent": 0.0, "frequency": 0}
        market.hold("p", minute, notional, currency="USD", **terms)

    def curve(minute: int) -> list[Alert]:
        return alerts(market.curve("USD", minute, [1.0], [0.0]))

    bond(10, 0, 100.0)
    (alert,) = curve(1)
    lost = 100.0 * -math.expm1(-0.02 * 10.0)
    assert alert.score == pytest.approx(lost / 15.0, rel=1e-3)
    assert alert.contributions == pytest.approx({"USD 0 % 2036-01-01 x0": alert.score}, rel=1e-12)
    assert alert.reasons[0].text.endswith("in the scenario parallel_up; all may lose 15 %")
    assert curve(5) == []
    bond(10, 6, 0.0)
    bond(2, 6, 100.0)
    assert curve(7) == []
    bond(10, 8, 1000.0)
    assert len(curve(9)) == 1


def test_a_state_of_other_symbols_is_of_another_version() -> None:
    """What was learnt of one set of trained symbols is not taken up by a bundle of another."""
    other = CorrelationModel(symbols=("A",), target=((1.0,),))
    assert fold_of().state_version == fold_of().state_version != fold_of(other).state_version
