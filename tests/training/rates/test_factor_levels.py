from pathlib import Path

import numpy as np
import pytest

from risk.rates.curve_step import CurveStep
from risk.rates.rate_parameters import RateParameters
from training.rates.curve_simulator import simulate_rates
from training.rates.factor_levels import factor_levels
from training.rates.treasury import read_par_curves


def test_levels_are_those_of_the_curves() -> None:
    """While the tenors stay, each currency's levels are the factors of its curves."""
    rates, parameters = simulate_rates(["USD", "EUR"], 30, seed=1), RateParameters()
    levels = factor_levels(rates, parameters)
    curves = CurveStep(parameters).advance(rates.currency, rates.tenor_months, rates.rate_percent, rates.event_time_ns)
    for currency in ("USD", "EUR"):
        mine = np.array([one == currency for one in curves.currency])
        for number, factor in enumerate(("level", "slope", "curvature")):
            expected = curves.factors_percent[mine, number]
            assert levels[f"{currency}:{factor}"] == pytest.approx(expected, abs=1e-9)


def test_a_factor_of_treasuries_hardly_depends_on_the_last_tenor(shared_data: Path) -> None:
    """The pause of the 30-year bond leaves no jump in the 10-year level: what is chained stays near what is read."""
    rates = read_par_curves(shared_data / "rates" / "ust.csv")
    levels = factor_levels(rates, RateParameters())
    curves = CurveStep(RateParameters()).advance(
        rates.currency, rates.tenor_months, rates.rate_percent, rates.event_time_ns
    )
    assert set(levels) == {"USD:level", "USD:slope", "USD:curvature"}
    assert np.abs(levels["USD:level"] - curves.factors_percent[:, 0]).max() < 0.05
