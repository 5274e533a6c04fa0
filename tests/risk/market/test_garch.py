import math

import numpy as np
import pytest
from arch.univariate.recursions_python import garch_recursion_python
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from risk.market.garch import (
    GarchParameters,
    VolatilityParameters,
    conditional_variances,
    read_volatility_parameters,
    volatility_parameters_bytes,
)

positive = st.floats(1e-9, 1e3)
persistences = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)).filter(lambda pair: sum(pair) <= 1.0)


@st.composite
def garch_parameters(draw: st.DrawFn) -> GarchParameters:
    """Draw parameters of a variance that stays bounded."""
    alpha, beta = draw(persistences)
    return GarchParameters(
        mu=draw(st.floats(-1.0, 1.0)),
        omega=draw(positive),
        alpha=alpha,
        beta=beta,
        backcast=draw(positive),
        last_variance=draw(positive),
    )


volatility_parameters = st.builds(
    lambda bar_ns, decay, bars, own, pooled: VolatilityParameters(bar_ns, decay, bars, own | {"*": pooled}),
    st.integers(1, 2**62),
    st.floats(0.01, 0.99),
    positive,
    st.dictionaries(st.text(min_size=1, max_size=5), garch_parameters(), max_size=3),
    garch_parameters(),
)


@given(npst.arrays(np.float64, st.integers(1, 40), elements=st.floats(-50.0, 50.0)), garch_parameters())
def test_the_recursion_is_that_of_arch(returns: NDArray[np.float64], one: GarchParameters) -> None:
    """With the same parameters and backcast, the variances equal arch's own recursion bit for bit."""
    residuals = returns - one.mu
    expected = np.empty(len(returns))
    garch_recursion_python(
        np.array([one.omega, one.alpha, one.beta]),
        np.abs(residuals) ** 2.0,
        np.sign(residuals),
        expected,
        1,
        0,
        1,
        len(returns),
        one.backcast,
        np.tile([0.0, math.inf], (len(returns), 1)),
    )
    found = conditional_variances(returns, one.mu, one.omega, one.alpha, one.beta, one.backcast)
    assert np.array_equal(found[:-1], expected)


@given(volatility_parameters)
def test_parameters_survive_being_stored(parameters: VolatilityParameters) -> None:
    """What is read equals what was written, to the last bit, and equal parameters give equal bytes."""
    content = volatility_parameters_bytes(parameters)
    assert read_volatility_parameters(content) == parameters
    assert volatility_parameters_bytes(read_volatility_parameters(content)) == content


GOOD = (
    b'{"bar_ns": 60000000000, "ewma_lambda": 0.94, "bars_per_year": 525600.0, "symbols": {"*": '
    b'{"mu": 0.0, "omega": 0.1, "alpha": 0.1, "beta": 0.8, "backcast": 1.0, "last_variance": 1.0}}}'
)


def test_the_stored_form_is_read() -> None:
    """The documented form is accepted."""
    assert read_volatility_parameters(GOOD).symbols["*"].beta == 0.8


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"0.1,", b"0.9,", "alpha"),
        (b'"*"', b'"EURUSD"', "pooled"),
        (b'"omega": 0.1', b'"omega": 0', "omega"),
        (b'"beta": 0.8', b'"beta": -0.1', "beta"),
        (b'"backcast": 1.0', b'"backcast": null', "backcast"),
        (b'"mu": 0.0', b'"mean": 0.0', "me"),
        (b"60000000000", b"0", "bar_ns"),
        (b"0.94", b"1.0", "ewma_lambda"),
        (b"525600.0", b"-1", "bars_per_year"),
        (GOOD, b"?", "malformed"),
        (GOOD, b"", "truncated"),
    ],
)
def test_anything_else_is_refused(old: bytes, new: bytes, told: str) -> None:
    """A garch.json that is unfit for the recursion is refused with a ValueError that names what is wrong."""
    assert old in GOOD
    with pytest.raises(ValueError, match=told):
        read_volatility_parameters(GOOD.replace(old, new))
