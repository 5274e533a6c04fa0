import numpy as np
import pytest

from risk.rates.curve_shocks import curve_shocks
from risk.rates.curve_step import CurveStep
from risk.rates.rate_parameters import RateParameters
from training.rates.curve_simulator import TENOR_MONTHS, simulate_rates

YEARS = simulate_rates(["USD"], 1_500, seed=3)


def test_the_same_arguments_give_the_same_curves() -> None:
    """A seed names its curves, and another gives others."""
    first, second, other = (simulate_rates(["USD", "EUR"], 5, seed=seed) for seed in (1, 1, 2))
    assert first.rate_percent.tolist() == second.rate_percent.tolist()
    assert first.rate_percent.tolist() != other.rate_percent.tolist()


def test_curves_come_on_weekdays_at_nine_in_the_evening() -> None:
    """All points of a day have one time, and no day is a Saturday or Sunday."""
    days = np.unique(YEARS.event_time_ns)
    assert len(days) == 1_500
    # 1970-01-05 was a Monday.
    assert set(((days // 86_400_000_000_000 - 4) % 7).tolist()) == {0, 1, 2, 3, 4}
    assert set((days % 86_400_000_000_000).tolist()) == {21 * 3_600_000_000_000}


def test_moves_are_like_those_of_treasuries() -> None:
    """Curves are priced at par and fitted well; the 10-year yield moves 3 to 9 bp a day; some days are shocks."""
    parameters = RateParameters()
    curves = CurveStep(parameters).advance(YEARS.currency, YEARS.tenor_months, YEARS.rate_percent, YEARS.event_time_ns)
    assert len(curves) == 1_499
    assert curves.prices_par.all()
    # Nelson and Siegel's form, but for rounding to the basis point and the bootstrap's straight lines.
    assert np.median(curves.fit_error_bp) < 4.0
    assert 3.0 < curves.factor_move_bp[:, 0].std() < 9.0
    assert 1 <= int((curve_shocks(curves, parameters).score >= 1.0).sum()) <= 60
    assert curves.par_percent[:, : len(TENOR_MONTHS)].min() > -2.0
    assert curves.par_percent.max() < 15.0


@pytest.mark.parametrize(("currencies", "days"), [([], 5), (["USD"], 0)])
def test_nothing_to_simulate_is_refused(currencies: list[str], days: int) -> None:
    """Without a currency or a day there is no curve."""
    with pytest.raises(ValueError, match="at least one of each"):
        simulate_rates(currencies, days, seed=1)
