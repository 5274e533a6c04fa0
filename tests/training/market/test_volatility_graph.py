import json
import math
from functools import cache

import msgspec
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.training_end import TrainingEnd
from risk.volatility.volatility_model import Egarch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, bars_back, model_name
from tests.arch_models import MODELS, arch_variances, daily_returns
from training.market.volatility_graph import recursion_bytes
from training.market.volatility_graph_state import first_state

HAR = Har(constant=0.05, daily=0.4, weekly=0.3, monthly=0.2, scale=1.3, mean_percent=0.1, backcast_percent2=1.7)
EVERY = [*MODELS, HAR]
every_model = pytest.mark.parametrize("model", EVERY, ids=model_name)


@cache
def session(number: int) -> onnxruntime.InferenceSession:
    """Return a model's graph, opened for one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(recursion_bytes(EVERY[number]), options, providers=["CPUExecutionProvider"])


def run(
    model: VolatilityModel, state: NDArray[np.float64], returns: NDArray[np.float64], realised: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the next state and the next variance of rows."""
    given = {"state": state, "log_return_percent": returns[:, None]}
    if isinstance(model, Har):
        given["realised_variance_percent2"] = realised[:, None]
    next_state, variance = session(EVERY.index(model)).run(None, given)
    return np.asarray(next_state), np.asarray(variance)[:, 0]


def random_bars(seed: int, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return returns, of which some are as great as a price can hold or 0, and realised variances."""
    draw = np.random.default_rng(seed)
    returns = draw.standard_t(3, shape) * 10.0 ** draw.uniform(-3, 1, shape)
    rare = draw.choice([0.0, 1e4, -1e4, 1e-12, -150.0], shape)
    return np.where(draw.random(shape) < 0.97, returns, rare), np.where(draw.random(shape) < 0.9, returns**2, 0.0)


@pytest.mark.parametrize("model", MODELS, ids=model_name)
def test_the_graph_is_that_of_arch(model: VolatilityModel) -> None:
    """From the backcast on, fed its own state, the graph gives the variances of arch's recursion on real days."""
    returns = daily_returns("wti")[:400]
    expected = arch_variances(model, returns)
    state = first_state(model)[None, :]
    assert state[0, 0] == pytest.approx(expected[0], rel=1e-12)
    for at in range(400):
        state, variance = run(model, state, returns[at : at + 1], np.zeros(1))
        assert variance[0] == state[0, 0] == pytest.approx(expected[at + 1], rel=1e-12)


@every_model
def test_the_graph_follows_a_series_from_the_end_of_training(model: VolatilityModel) -> None:
    """Begun at the end of training, which its file tells, and fed its own state, it gives the stream's variances."""
    returns = daily_returns("wti")[:1_400]
    realised = returns**2 + 0.1
    lags = bars_back(model)
    bars = ConditionalVariance(VolatilityModels({"*": model})).advance(["X"] * 1_200, returns[:1_200], realised[:1_200])
    last = slice(1_200 - lags, 1_200)
    end = TrainingEnd(
        tuple(bars.residual_percent[last].tolist()),
        tuple(bars.variance_percent2[last].tolist()),
        1.0,
        tuple(realised[last].tolist()) if isinstance(model, Har) else (),
    )
    begun = msgspec.structs.replace(model, start=end)
    following = ConditionalVariance(VolatilityModels({"*": begun}))
    expected = following.advance(["X"] * 200, returns[1_200:], realised[1_200:])
    told = onnxruntime.InferenceSession(recursion_bytes(begun)).get_modelmeta().custom_metadata_map["first_state"]
    state = np.array([json.loads(told)])
    assert state.tolist() == [first_state(begun).tolist()]
    for at in range(200):
        state, variance = run(model, state, returns[1_200 + at : 1_201 + at], realised[1_200 + at : 1_201 + at])
        assert variance[0] == pytest.approx(expected.next_variance_percent2[at], rel=1e-12)


@every_model
def test_a_row_gives_the_same_bits_in_any_batch(model: VolatilityModel) -> None:
    """Batches of 1 to 5,000 rows give each row the same state and variance."""
    returns, realised = random_bars(2, (5_000,))
    state = np.repeat(first_state(model)[None, :], 5_000, axis=0)
    state[:, 0] = np.random.default_rng(0).uniform(0.1, 3.0, 5_000)
    if isinstance(model, Egarch):
        state[:, 1] = np.log(state[:, 0])
    if state.shape[1] > 500:
        returns, realised, state = returns[:1_100], realised[:1_100], state[:1_100]
    whole_state, whole_variance = run(model, state, returns, realised)
    for size in (1, 2, 3, 7, 16, 63, 64, 65, 1_000, 4_999):
        for first in range(0, min(3 * size, len(returns) - size + 1), size):
            rows = slice(first, first + size)
            next_state, variance = run(model, state[rows], returns[rows], realised[rows])
            assert np.array_equal(variance, whole_variance[rows])
            assert np.array_equal(next_state, whole_state[rows])


@every_model
def test_equal_models_give_equal_bytes(model: VolatilityModel) -> None:
    """A graph is the same file every time it is made."""
    assert recursion_bytes(model) == recursion_bytes(model)


def test_no_return_makes_a_state_without_numbers() -> None:
    """After a hundred of the greatest returns, or of none, every state is finite."""
    for model in EVERY:
        state = first_state(model)[None, :]
        for at in range(100):
            value = np.array([(1e4, -1e4, 0.0)[at % 3] if at < 50 else model.mean_percent])
            state, variance = run(model, state, value, value**2)
            assert math.isfinite(variance[0])
            assert np.isfinite(state).all()
