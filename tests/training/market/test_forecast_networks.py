import numpy as np
import pytest

from risk.forecasts.forecast_model import ForecastModel
from training.market.forecast_parity import check_forecast_export
from training.market.forecaster_fit import ForecastFitError, future_changes, replay
from training.market.gated_recurrent import fit_gated_recurrent
from training.market.lag_regression import Segments
from training.market.network_training import SEQUENCE_BARS, fit_network, sequences
from training.market.temporal_convolution import WINDOW_BARS, fit_temporal_convolution

FITS = {"gru": fit_gated_recurrent, "temporal_convolution": fit_temporal_convolution}
HORIZON_BARS = 2


def segments_of(count: int) -> Segments:
    """Return changes of one key, of which the sign of the one before tells something."""
    noise = np.random.default_rng(3).standard_normal(count)
    changes = noise + 0.8 * np.sign(np.roll(noise, 1))
    return [(changes, future_changes(changes, HORIZON_BARS))]


@pytest.mark.parametrize("kind", FITS)
def test_the_graph_is_the_network(kind: str) -> None:
    """Fitted for two epochs, the graph passes the gate against Keras, starts at the end, and knows something."""
    segments = segments_of(2_200)
    made = FITS[kind](segments, seed=1, epochs=2)
    changes, ahead = segments[0]
    assert made.kind == kind
    assert check_forecast_export(made, changes, tolerance=1e-9, seed=1) < 1e-9
    model = ForecastModel(made.onnx)
    _, forecast, deviation = replay(model, made.neutral[None, :], changes[None, : len(ahead)])
    errors = (ahead - forecast[0])[WINDOW_BARS:]
    assert np.mean(errors[:, 0] ** 2) < np.mean(ahead[WINDOW_BARS:, 0] ** 2)
    np.testing.assert_allclose(np.std(errors, axis=0), deviation[0, 0], rtol=0.2)
    state, _, _ = replay(model, made.neutral[None, :], changes[None, -SEQUENCE_BARS:])
    assert state[0].tobytes() == made.start.tobytes()
    draw = np.random.default_rng(2)
    model.check_batch_invariance(draw.standard_normal((200, model.state_size)), 3.0 * draw.standard_normal((200, 1)))


def test_the_window_of_the_convolution_is_all_that_it_sees() -> None:
    """A change 16 bars back matters to the last forecast, and one 17 bars back does not."""
    made = fit_temporal_convolution(segments_of(2_200), seed=1, epochs=1)
    values = np.random.default_rng(5).standard_normal((1, 40))
    expected = made.original(values)[0, -1]
    for back, same in ((WINDOW_BARS, True), (WINDOW_BARS - 1, False)):
        other = values.copy()
        other[0, -1 - back] += 5.0
        assert np.array_equal(made.original(other)[0, -1], expected) is same


def test_sequences_hold_changes_of_one_key_alone() -> None:
    """Pieces lie within a key's changes, each with what came after, and overlap by half."""
    segments = [*segments_of(400), *segments_of(500)]
    inputs, targets = sequences(segments)
    assert len(inputs) == (398 - 64) // 32 + 1 + (498 - 64) // 32 + 1
    changes, ahead = segments[0]
    assert inputs[1, :, 0].tolist() == changes[32:96].tolist()
    assert targets[1].tolist() == ahead[32:96].tolist()


def test_too_short_a_history_is_said() -> None:
    """With too few sequences the error says so."""
    with pytest.raises(ForecastFitError, match="give more bars, or fit no network"):
        fit_network(lambda keras: [], segments_of(300), seed=1, epochs=1, warm_up=8)
