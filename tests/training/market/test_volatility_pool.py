import numpy as np
import pytest

from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_models import VolatilityModels
from tests.arch_models import daily_returns
from training.market.volatility_fit import FitError, ModelOrder
from training.market.volatility_pool import fit_pooled_model


@pytest.mark.parametrize("o", [0, 1])
def test_the_long_run_has_the_variance_of_the_median_symbol(o: int) -> None:
    """From wherever it begins, the pooled model's forecast far ahead is the variance that was aimed at."""
    returns = [daily_returns(name)[:2_000] for name in ("sp500", "nasdaq", "wti")]
    pooled = fit_pooled_model(returns, ModelOrder(kind="garch", o=o, distribution="t"))
    target = float(np.median([np.var(one) for one in returns]))
    assert pooled.mean_percent == 0.0
    assert pooled.backcast_percent2 == target
    assert pooled.start is None
    step = ConditionalVariance(VolatilityModels({"*": pooled}))
    step.advance(["new"], np.array([10.0]), np.zeros(1))
    path = step.variance_path(["new"], 20_000)[0]
    assert path[0] > 1.5 * target
    assert path[-1] == pytest.approx(target, rel=1e-3)


def test_a_symbols_own_variance_can_be_the_target() -> None:
    """The shape is everybody's and the size is one's own."""
    pooled = fit_pooled_model([daily_returns("sp500")[:1_000]], ModelOrder(kind="garch"), target_percent2=9.0)
    persistence = sum(pooled.alpha) + sum(pooled.beta)
    assert pooled.omega / (1 - persistence) == pytest.approx(9.0)


def test_short_symbols_are_fitted_together() -> None:
    """Symbols too short to be fitted alone are enough together, and one that never moves counts for nothing."""
    draw = np.random.default_rng(0)
    pooled = fit_pooled_model([*draw.standard_normal((10, 100)), np.zeros(50)], ModelOrder(kind="garch"))
    assert pooled.backcast_percent2 == pytest.approx(1.0, abs=0.2)


def test_what_cannot_be_pooled_is_told() -> None:
    """Symbols that do not move, and models without a long run that can be set, are errors that say so."""
    with pytest.raises(FitError, match="none of the 2 symbols moves"):
        fit_pooled_model([np.zeros(600), np.zeros(0)], ModelOrder(kind="garch"))
    with pytest.raises(ValueError, match="not egarch of power 2"):
        fit_pooled_model([np.ones(600)], ModelOrder(kind="egarch"))
