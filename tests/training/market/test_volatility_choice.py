import numpy as np
import pytest

from tests.arch_models import daily_returns
from training.market.volatility_choice import choose_volatility_model
from training.market.volatility_fit import FitError, ModelOrder

ORDERS = (
    ModelOrder(kind="garch"),
    ModelOrder(kind="garch", o=1),
    ModelOrder(kind="garch", o=1, power=1.0, distribution="t"),
)


def test_the_least_criterion_comes_first() -> None:
    """On the S&P 500 the asymmetric model with heavy tails is the best, and every fit is there in its order."""
    fits = choose_volatility_model(daily_returns("sp500"), orders=ORDERS)
    assert len(fits) == 3
    assert [one.bic for one in fits] == sorted(one.bic for one in fits)
    assert fits[0].model.distribution.kind == "t"
    for fit in fits:
        assert fit.bic == pytest.approx(fit.estimated * np.log(5_030) - 2 * fit.log_likelihood, abs=2.0)


def test_a_parameter_that_buys_nothing_costs() -> None:
    """Of independent normal returns the model with the fewest parameters is chosen."""
    returns = np.random.default_rng(0).standard_normal(3_000)
    orders = (*ORDERS[:2], ModelOrder(kind="garch", p=1, q=0))
    best = choose_volatility_model(returns, orders=orders)[0]
    assert best.estimated == 3


def test_har_takes_part_where_there_are_realised_variances() -> None:
    """Realised variances that tell the variance win over returns that hardly do."""
    draw = np.random.default_rng(5)
    log = np.zeros(3_000)
    for at in range(1, 3_000):
        log[at] = 0.95 * log[at - 1] + 0.3 * draw.standard_normal()
    variance = np.exp(log)
    returns = np.sqrt(variance) * draw.standard_normal(3_000)
    realised = variance * draw.chisquare(78, 3_000) / 78
    fits = choose_volatility_model(returns, realised, ORDERS)
    assert len(fits) == 5
    assert type(fits[0].model).__name__ == "Har"
    assert len(choose_volatility_model(returns, np.zeros(3_000), ORDERS)) == 3


def test_nothing_that_converges_is_told() -> None:
    """When no model fits, the reason of the last is given."""
    with pytest.raises(FitError, match="10 returns are too few"):
        choose_volatility_model(np.ones(10), orders=ORDERS)
    with pytest.raises(FitError, match="no model was asked for"):
        choose_volatility_model(np.ones(1_000), orders=())
