import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.portfolios.bond_valuation import Curve, value_bonds
from risk.portfolios.portfolio_alerts import bond_name, interest_rate_finding
from risk.rates.bond import YEAR_NS, Bond
from risk.rates.irrbb import SCENARIOS, SHOCK_SIZES

TENORS, ZERO = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0], [2.0, 2.1, 2.3, 2.6, 3.0, 3.2]

bonds = st.lists(
    st.builds(
        Bond,
        st.just("EUR"),
        st.integers(-700, 10_000).map(lambda days: days * 86_400_000_000_000),
        st.floats(0.0, 8.0),
        st.sampled_from([0, 1, 2, 4]),
        st.floats(-1e6, 1e6),
    ),
    max_size=4,
)


def curve_of(shift: float = 0.0) -> Curve:
    """Return the curve, moved up by some percent."""
    return Curve(7, np.array(TENORS).tobytes(), (np.array(ZERO) + shift).tobytes())


def plain_value(bond: Bond, shift: float) -> float:
    """Return a bond's value from discount factors that numpy interpolates, coupon by coupon."""
    years = bond.maturity_ns / YEAR_NS
    value, time, last = 0.0, years, True
    while time > 1e-8:
        amount = bond.notional * ((bond.coupon_percent / 100.0 / bond.frequency if bond.frequency else 0.0) + last)
        logs = -(np.array(ZERO) + shift) / 100.0 * np.array(TENORS)
        log = np.interp(time, [0.0, *TENORS], [0.0, *logs])
        value, last = value + amount * np.exp(log), False
        time = time - 1.0 / bond.frequency if bond.frequency else 0.0
    return value


@given(bonds)
def test_values_and_sensitivities_are_those_of_bonds_priced_one_by_one(held: list[Bond]) -> None:
    """Value, gross value and DV01 equal plain sums, the last by a bump; key rates add up to it."""
    found = value_bonds("EUR", held, curve_of(), 0).figures
    each = [plain_value(bond, 0.0) for bond in held]
    scale = sum(map(abs, each)) + 1.0
    assert found.present_value == pytest.approx(sum(each), abs=1e-9 * scale)
    assert found.gross_value == pytest.approx(sum(map(abs, each)), abs=1e-9 * scale)
    down, up = (sum(plain_value(bond, shift) for bond in held) for shift in (-0.001, 0.001))
    assert found.dv01 == pytest.approx((down - up) / 0.2, abs=1e-6 * scale)
    assert sum(found.key_rate_dv01) == pytest.approx(found.dv01, abs=1e-9 * scale)
    assert (found.bonds, found.curve_ns, found.currency) == (len(held), 7, "EUR")


@given(bonds)
def test_the_worst_scenario_is_explained_bond_by_bond(held: list[Bond]) -> None:
    """A parallel shock equals a moved curve, and the bonds' losses add up to that of the worst scenario."""
    valuation = value_bonds("EUR", held, curve_of(), 0)
    found = valuation.figures
    scale = found.gross_value + 1.0
    expected = sum(plain_value(bond, 0.0) - plain_value(bond, SHOCK_SIZES["EUR"].parallel_bp / 100.0) for bond in held)
    assert found.shock_losses["parallel_up"] == pytest.approx(expected, abs=1e-9 * scale)
    worst = max(found.shock_losses.values())
    assert found.shock_losses[valuation.worst] == worst
    assert tuple(found.shock_losses) == SCENARIOS
    if found.gross_value > 1e-100:
        percents = valuation.bond_losses_percent
        assert percents.sum() * found.gross_value / 100.0 == pytest.approx(worst, abs=1e-9 * scale)
        assert found.worst_loss_percent == pytest.approx(100.0 * max(worst, 0.0) / found.gross_value, rel=1e-12)
        finding = interest_rate_finding(held, valuation, 15.0)
        assert finding.score == found.worst_loss_percent / 15.0
        if worst > 0.0 and len({bond_name(bond) for bond in held}) == len(held):
            assert sum(finding.contributions.values()) == pytest.approx(finding.score, abs=1e-9)


def test_a_currency_without_standard_shocks_has_none() -> None:
    """Bonds are valued all the same, and lose nothing that could alert."""
    found = value_bonds("KWD", [Bond("KWD", 5 * YEAR_NS, 2.0, 1, 100.0)], curve_of(), 0)
    assert found.figures.present_value > 90.0
    assert (found.figures.shock_losses, found.figures.worst_loss_percent, found.worst) == ({}, 0.0, "")


def test_no_bonds_are_worth_nothing() -> None:
    """A portfolio that gave up its last bond has no value, no risk and no division by it."""
    found = value_bonds("EUR", [], curve_of(), 0).figures
    assert (found.bonds, found.present_value, found.gross_value, found.worst_loss_percent) == (0, 0.0, 0.0, 0.0)
    assert found.key_rate_durations_years == (0.0,) * len(found.key_tenors_years)
