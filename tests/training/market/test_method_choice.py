import numpy as np
import pytest

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.value_at_risk.value_at_risk_step import METHODS
from risk.volatility.volatility_model import Garch
from risk.volatility.volatility_models import VolatilityModels
from tests.closed_bars import bars_of
from training.market.bar_selection import bars_where
from training.market.method_choice import choose_method

MODEL = Garch(
    omega=8e-6,
    alpha=(0.02,),
    beta=(0.96,),
    backcast_percent2=4e-4,
    distribution=StandardisedDistribution("t", 4.0),
)


def models_of(model: Garch = MODEL) -> VolatilityModels:
    """Return a model for all symbols."""
    return VolatilityModels({"*": model})


def test_every_method_is_scored_on_the_last_half() -> None:
    """The best comes first, and each is scored on half of the bars that had a forecast."""
    scores = choose_method(models_of(), bars_of(["A", "B"], 400))
    assert {one.method for one in scores} == set(METHODS)
    assert [one.quantile_loss for one in scores] == sorted(one.quantile_loss for one in scores)
    assert {one.bars for one in scores} == {399}
    for one in scores:
        # Normal losses of 0.02 %; in deviations, the right quantile at 99 % loses about 0.0267.
        assert one.quantile_loss == pytest.approx(0.0267, abs=0.01)


def test_normal_returns_choose_no_fat_tail() -> None:
    """Of returns that are normal, the t distribution of the model foresees too much."""
    scores = {one.method: one for one in choose_method(models_of(), bars_of(["A"], 6_000, seed=11))}
    assert scores["normal"].quantile_loss < scores["fitted_distribution"].quantile_loss
    assert scores["fitted_distribution"].exceedances < scores["normal"].exceedances
    assert scores["normal"].exceedances == pytest.approx(30, abs=20)


def test_the_order_of_the_symbols_does_not_matter() -> None:
    """A symbol's forecasts are its own: bars after bars of another symbol score the same, up to rounding."""
    bars = bars_of(["A", "B"], 300)
    # The other of the two first, in every minute.
    swapped = bars_where(bars, np.arange(600).reshape(-1, 2)[:, ::-1].ravel())
    one, other = choose_method(models_of(), bars), choose_method(models_of(), swapped)
    # The one bar at the edge of the half may be another.
    for first, second in zip(one, other, strict=True):
        assert first.quantile_loss == pytest.approx(second.quantile_loss, rel=0.02)
