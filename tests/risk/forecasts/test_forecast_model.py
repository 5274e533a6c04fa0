import numpy as np
import pytest
from forecast_steps import decaying_graph, window_graph
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from risk.forecasts.forecast_model import ForecastModel
from risk.row_model import ModelError
from training.graph import Graph
from training.market.forecast_graph import forecaster_bytes

MODELS = [ForecastModel(decaying_graph(0.25, 1.0)), ForecastModel(window_graph())]


def rows(model: ForecastModel, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states and values of so many rows."""
    draw = np.random.default_rng(5)
    return draw.normal(0.0, 3.0, (count, model.state_size)), draw.normal(0.0, 30.0, (count, 1))


@pytest.mark.parametrize("model", MODELS)
@given(st.integers(1, 2_500))
def test_a_row_has_the_same_bits_in_any_batch(model: ForecastModel, count: int) -> None:
    """The first rows of thousands give the same whether the others are there or not."""
    state, value = rows(model, 2_500)
    whole, part = model.run(state, value), model.run(state[:count], value[:count])
    assert [one[:count].tobytes() for one in whole] == [one.tobytes() for one in part]


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_the_same_in_every_run_and_position(model: ForecastModel) -> None:
    """The check that is made when a bundle is opened finds nothing."""
    model.check_batch_invariance(*rows(model, 500))


def test_a_step_is_what_the_graph_says() -> None:
    """The state halves and takes the value, cut at 20 deviations; the forecast follows from it."""
    state, forecast, deviation = MODELS[0].run(np.array([[4.0], [0.0]]), np.array([[1.0], [1e9]]))
    assert state.tolist() == [[3.0], [100.0]]
    assert forecast.tolist() == [[0.75, 1.5], [25.0, 50.0]]
    assert deviation.tolist() == [[1.0, 2.0], [1.0, 2.0]]


def test_rows_of_another_width_are_refused() -> None:
    """A state of another size is an error that says what to give."""
    with pytest.raises(ValueError, match=r"give \[n, 1\] and \[n, 1\]"):
        MODELS[0].run(np.zeros((3, 2)), np.zeros((3, 1)))


def test_a_graph_of_another_form_is_refused() -> None:
    """A graph without state, or not in double, is an error that says how to export it."""
    for kind, names in ((TensorProto.DOUBLE, ("features", "score")), (TensorProto.FLOAT, ("state", "next_state"))):
        one, other = (helper.make_tensor_value_info(name, kind, ["rows", 1]) for name in names)
        graph = helper.make_graph([helper.make_node("Identity", [names[0]], [names[1]])], "g", [one], [other])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        with pytest.raises(ModelError, match="export it with the inputs state, value"):
            ForecastModel(model.SerializeToString())


def test_a_graph_that_gives_no_number_is_a_fault() -> None:
    """NaN stops the worker, naming the output and the row, rather than be published."""
    graph = Graph()
    forecast = graph.node("Div", "value", "value")
    model = ForecastModel(forecaster_bytes(graph, "state", forecast, np.array([1.0]), 1))
    with pytest.raises(FloatingPointError, match="forecast of row 1 is"):
        model.run(np.zeros((2, 1)), np.array([[1.0], [0.0]]))
