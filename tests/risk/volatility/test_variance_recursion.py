import numpy as np
import pytest
from arch.univariate.recursions_python import figarch_weights_python
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.packed_model import packed_model, unpacked_model
from risk.volatility.variance_recursion import LEAST_VARIANCE_PERCENT2, figarch_weights
from risk.volatility.volatility_model import Ewma, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, model_name
from tests.arch_models import MODELS, arch_variances, daily_returns

every_model = pytest.mark.parametrize("model", MODELS, ids=model_name)
EXACT = [one for one in MODELS if isinstance(one, Ewma) or getattr(one, "power", 0.0) in (1.0, 2.0)]


def streamed_variances(model: VolatilityModel, returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the step gives for the same series."""
    step = ConditionalVariance(VolatilityModels({"*": model}))
    bars = step.advance(["X"] * len(returns), returns, np.zeros(len(returns)))
    assert np.array_equal(bars.variance_percent2[1:], bars.next_variance_percent2[:-1])
    return np.append(bars.variance_percent2, bars.next_variance_percent2[-1])


@pytest.mark.parametrize("series", ["sp500", "nasdaq", "wti"])
@every_model
def test_variances_are_those_of_arch(model: VolatilityModel, series: str) -> None:
    """Over thousands of real days each variance is arch's, to the bit where squares or absolute values are summed."""
    returns = daily_returns(series)
    assert len(returns) > 4_000
    found, expected = streamed_variances(model, returns), arch_variances(model, returns)
    assert np.max(np.abs(found / expected - 1)) <= 1e-12
    if model in EXACT:
        assert np.array_equal(found, expected)


@every_model
@settings(max_examples=40)
@given(returns=st.lists(st.one_of(st.floats(-1e4, 1e4), st.just(0.0), st.sampled_from([-1e4, 1e4])), max_size=40))
def test_variances_are_those_of_arch_in_extremes(model: VolatilityModel, returns: list[float]) -> None:
    """Returns as large as a price can hold, or none at all, give arch's variances within the same bounds."""
    found = streamed_variances(model, np.array([1.0, *returns]))
    assert np.isfinite(found).all()
    assert (found >= LEAST_VARIANCE_PERCENT2).all()
    np.testing.assert_allclose(found, arch_variances(model, np.array([1.0, *returns])), rtol=1e-11, atol=0)


@every_model
def test_a_long_calm_leaves_a_variance(model: VolatilityModel) -> None:
    """After twenty thousand returns at the mean the variance is still positive, where EWMA alone would be 0."""
    found = streamed_variances(model, np.full(20_000, model.mean_percent))
    assert (found >= LEAST_VARIANCE_PERCENT2).all()


@given(d=st.floats(0.0, 1.0), phi=st.floats(0.0, 1.0), beta=st.floats(0.0, 0.99), truncation=st.integers(1, 60))
def test_weights_of_figarch_are_those_of_arch(d: float, phi: float, beta: float, truncation: int) -> None:
    """The weights are arch's for every phi, d and beta."""
    phi *= 0.5 * (1 - d)
    expected = figarch_weights_python(np.array([phi, d, beta]), 1, 1, truncation)
    assert figarch_weights(phi, d, beta, truncation).tolist() == expected.tolist()


@every_model
def test_a_packed_model_unpacks_to_itself(model: VolatilityModel) -> None:
    """Packing loses nothing but the start."""
    found = unpacked_model(np.append(packed_model(model), [0.0, 0.0]))
    if isinstance(model, Ewma):
        assert found == model
    assert packed_model(found).tolist() == packed_model(model).tolist()
    assert type(found) is type(model)
