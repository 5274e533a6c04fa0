import msgspec
import numpy as np
import pytest

from risk.market.symbol_risk import BarRisks, SymbolRisk
from risk.market.volatility_message import volatility_message
from risk.value_at_risk.value_at_risk_step import METHODS
from schemas.encoding import encode
from schemas.source import Source
from schemas.volatility import Volatility
from tests.closed_bars import bars_of
from tests.small_market_bundle import small_market_bundle

SMALL = small_market_bundle()
RULES = SMALL.parameters.value_at_risk
BARS = bars_of(["A", "B"], 40)


@pytest.fixture(scope="module")
def risks() -> BarRisks:
    """Give what follows from the bars."""
    return SymbolRisk(SMALL.parameters, SMALL.graphs).advance(BARS)


def message_of(risks: BarRisks, at: int) -> Volatility:
    """Return the message of a bar."""
    return volatility_message(
        BARS,
        risks,
        at,
        volatility_id="00",
        model=SMALL.parameters.volatility.symbols["B"],
        rules=RULES,
        bars_per_year=100.0,
        source=Source("ticks", 1, 9),
        bundle_name="small",
        bundle_version=SMALL.version,
    )


@pytest.mark.parametrize("at", [0, 1, 41, 79])
def test_the_columns_of_a_bar_are_told(risks: BarRisks, at: int) -> None:
    """Every figure is that of the very bar, and the message is read as it was written."""
    told = message_of(risks, at)
    assert msgspec.json.decode(encode(told), type=Volatility) == told
    assert told.symbol == BARS.symbol[at]
    assert (told.bar_start_ns, told.bar_end_ns) == (BARS.start_ns[at], BARS.end_ns[at])
    for name in ("open", "high", "low", "close", "volume", "ticks", "log_return_percent", "spread_percent"):
        assert getattr(told, name) == getattr(BARS, name)[at]
    for kind in ("realised", "bipower", "parkinson", "garman_klass"):
        assert getattr(told, f"{kind}_variance_percent2") == getattr(BARS, f"{kind}_variance_percent2")[at]
    variances = risks.variances
    assert told.variance_percent2 == variances.variance_percent2[at]
    assert told.standardised_residual == variances.standardised_residual[at]
    assert told.next_variance_percent2 == variances.next_variance_percent2[at]
    assert told.annualised_volatility_percent == pytest.approx(10.0 * np.sqrt(told.next_variance_percent2))
    assert (told.model, told.distribution, told.parameters_from_ns) == ("GARCH(1,1)", "normal", 0)
    assert (told.source, told.bundle_name, told.bundle_version) == (Source("ticks", 1, 9), "small", SMALL.version)


def test_every_method_level_and_horizon_has_its_figure(risks: BarRisks) -> None:
    """Figures are told once each, at their place among the columns; the shortfall is at least the value at risk."""
    told = message_of(risks, 60)
    assert len(told.risk) == len({(one.method, one.confidence_percent, one.horizon_bars) for one in told.risk}) == 24
    for one in told.risk:
        place = (
            60,
            METHODS.index(one.method),
            [95.0, 97.5, 99.0].index(one.confidence_percent),
            RULES.horizons_bars.index(one.horizon_bars),
        )
        assert one.value_at_risk_percent == risks.risk.value_at_risk_percent[place]
        assert one.expected_shortfall_percent == risks.risk.expected_shortfall_percent[place]
        assert one.expected_shortfall_percent >= one.value_at_risk_percent


def test_what_was_in_force_decides_on_exceedances(risks: BarRisks) -> None:
    """A bar exceeded the confidences whose value at risk in force, told with the bar before, was below its loss."""
    exceeded = 0
    for at in range(2, len(BARS)):
        before, told = message_of(risks, at - 2), message_of(risks, at)
        assert before.symbol == told.symbol
        loss = -100.0 * np.expm1(told.log_return_percent / 100.0)
        by_hand = [one.confidence_percent for one in before.risk_in_force if loss > one.value_at_risk_percent]
        assert sorted(told.exceeded_percent) == by_hand
        assert {one.method for one in told.risk_in_force} == {told.risk_method} == {RULES.method}
        assert told.back_tests[-1].confidence_percent == 99.0
        exceeded += len(by_hand)
    assert exceeded > 0
