"""A graph of volatility passes the gate only if it is the recursion of its model."""

import math

import msgspec
import numpy as np
import onnx
import pytest

from risk.volatility.volatility_model import Egarch, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import model_name
from tests.arch_models import MODELS, daily_returns
from training.market.forecast_parity import PARITY_SERIES
from training.market.volatility_fit import fit_of
from training.market.volatility_graph import NEXT_STATE, NEXT_VARIANCE, recursion_bytes
from training.market.volatility_parity import TOLERANCE, check_volatility_export, parity_bars
from training.parity import PARITY_ROWS, ParityError

HAR = Har(constant=0.05, daily=0.4, weekly=0.3, monthly=0.2, scale=1.3, mean_percent=0.1, backcast_percent2=1.7)
EVERY = [*MODELS, HAR]
every_model = pytest.mark.parametrize("model", EVERY, ids=model_name)
GARCH = Garch(omega=0.02, alpha=(0.1,), beta=(0.85,), backcast_percent2=1.7)
FIGARCH = Figarch(omega=0.05, d=0.4, beta=0.3, truncation=20, backcast_percent2=1.7)
EGARCH = Egarch(omega=0.002, alpha=(0.12,), gamma=(-0.13,), beta=(0.97,), backcast_percent2=1.7)
RETURNS = daily_returns("wti")[:1_500]
REALISED = 0.9 * RETURNS**2


def fitted(model: VolatilityModel) -> VolatilityModel:
    """Return a model with the end of its training."""
    return fit_of(model, RETURNS, REALISED, 1).model


def checked(model: VolatilityModel, graph: bytes, seed: int = 0) -> float:
    """Return what the gate finds on the returns of real days."""
    return check_volatility_export(model, graph, RETURNS, REALISED, seed=seed)


@every_model
def test_a_graph_of_its_model_passes(model: VolatilityModel) -> None:
    """With an end of training and without, the difference found is a few roundings."""
    for one in (model, fitted(model)):
        assert checked(one, recursion_bytes(one)) < TOLERANCE / 50


def test_a_shock_does_not_multiply_rounding() -> None:
    """Each bar of an EGARCH is compared alone: on no draw is one off by more than a few roundings."""
    model = msgspec.structs.replace(EGARCH, omega=0.02)
    assert max(checked(model, recursion_bytes(model), seed) for seed in range(8)) < TOLERANCE / 200


@every_model
def test_a_graph_of_other_parameters_is_caught(model: VolatilityModel) -> None:
    """A parameter a part in a billion off is enough, in what the recursion adds as in the mean."""
    trained = fitted(model)
    first = next(name for name in ("decay", "omega", "constant") if hasattr(model, name))
    for name in (first, *([] if isinstance(model, Har) else ["mean_percent"])):
        off = msgspec.structs.replace(trained, **{name: getattr(trained, name) * (1.0 + 1e-9)})
        with pytest.raises(ParityError, match="differs from its recursion"):
            checked(trained, recursion_bytes(off))


@every_model
def test_a_graph_that_begins_elsewhere_is_caught(model: VolatilityModel) -> None:
    """One whose file tells the backcast in place of the end of training does not pass."""
    with pytest.raises(ParityError):
        checked(fitted(model), recursion_bytes(model))


def test_the_worst_bar_is_shown() -> None:
    """The message names the model, what the recursion gives and for what return."""
    off = msgspec.structs.replace(GARCH, beta=(0.84,))
    with pytest.raises(ParityError, match=r"GARCH\(1,1\) .* of 10000 bars; .* for a return of .* % and a realised"):
        checked(GARCH, recursion_bytes(off))


@pytest.mark.parametrize(
    ("model", "output", "column", "factor"),
    [
        (GARCH, NEXT_VARIANCE, 0, 1.0 + 1e-9),
        (GARCH, NEXT_VARIANCE, 0, math.nan),
        # FIGARCH does not look at the variance in its state, which is told to others all the same.
        (FIGARCH, NEXT_STATE, 0, 1.0 + 1e-9),
        (FIGARCH, NEXT_STATE, 19, 0.999),
        (EGARCH, NEXT_STATE, 1, 1.0 + 1e-9),
        (HAR, NEXT_STATE, 21, 0.999),
    ],
)
def test_every_output_is_looked_at(model: VolatilityModel, output: str, column: int, factor: float) -> None:
    """One column of an output that is off, or no number, is caught, however far back it is kept."""
    made = onnx.load_model_from_string(recursion_bytes(model))
    width = next(one.type.tensor_type.shape.dim[1].dim_value for one in made.graph.output if one.name == output)
    factors = np.ones((1, width))
    factors[0, column] = factor
    made.graph.initializer.append(onnx.numpy_helper.from_array(factors, "factors"))
    (last,) = (one for one in made.graph.node if one.output[0] == output)
    last.op_type = "Mul"
    last.input.append("factors")
    with pytest.raises(ParityError):
        checked(model, made.SerializeToString())


def test_the_bars_tried_are_many_and_extreme() -> None:
    """There are 10,000, of the history, with returns of 0, of the mean, and as great as prices can hold."""
    moving, model = RETURNS[RETURNS != 0.0], msgspec.structs.replace(GARCH, mean_percent=0.0123)
    returns, realised = parity_bars(model, moving, 0.9 * moving**2, seed=0)
    assert returns.shape == realised.shape == (PARITY_ROWS // PARITY_SERIES, PARITY_SERIES)
    assert returns.size >= PARITY_ROWS
    assert np.isin(returns[:, 1::2], moving).all()
    np.testing.assert_allclose(realised[:, 1::2], 0.9 * returns[:, 1::2] ** 2)
    assert np.abs(returns).max() == 1e4
    assert (returns[:, ::2] == 0.0).any()
    assert (returns[:, ::2] == 0.0123).any()
